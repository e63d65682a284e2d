"""Delete the chunks that no backup uses any more: mark, wait, delete. A pack of which little is used is written anew without the rest.

It can be killed at any moment: what is needed is somewhere at each of them, and the next sweep goes on from what lies there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pgaudit_kit.dumps.incremental.chunk_bytes import unpack_chunk
from pgaudit_kit.errors import DamagedDump, UnsupportedDump
from pgaudit_kit.operations.store.encryption import encrypt_to, is_encrypted
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.packs import PackStore, PackWriter
from pgaudit_kit.operations.store.running_backups import SWEEP, running_backups, running_note
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.stored_chunks import StoredChunks
from pgaudit_kit.operations.store.sweep_plan import Fate, PackFate, plan_sweep
from pgaudit_kit.operations.store.used_chunks import used_chunks

GRACE = timedelta(hours=24)
_CLOCKS = timedelta(minutes=10)  # a backup's clock may be ahead of the store's: what it wrote is not taken for older than itself


@dataclass(frozen=True)
class Swept:
    """What became of each pack (`fates`), and why nothing did when `not_swept` says so. `freed_bytes`, of `deleted` packs.

    `later`: another sweep is at it, so that nothing is left to be done.
    """

    fates: tuple[PackFate, ...] = ()
    deleted: tuple[str, ...] = ()
    freed_bytes: int = 0
    not_swept: str = ""
    later: bool = False

    def count(self, fate: Fate) -> int:
        """How many packs have that fate."""
        return sum(f.fate is fate for f in self.fates)

    @property
    def waiting_bytes(self) -> int:
        """What is condemned and will be freed when its time has come."""
        return sum(f.pack.size_bytes for f in self.fates if f.fate in (Fate.CONDEMN, Fate.REWRITE, Fate.WAIT))

    def to_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "not_swept": self.not_swept or None,
            "packs": len(self.fates),
            "deleted": len(self.deleted),
            "freed_bytes": self.freed_bytes,
            "waiting_bytes": self.waiting_bytes,
            "fates": [
                {"pack": f.pack.id, "fate": str(f.fate), "why": f.why, "size_bytes": f.pack.size_bytes}
                for f in self.fates
                if f.fate is not Fate.KEEP
            ],
        }


def sweep(
    store: str | os.PathLike[str] | Store, *, grace: timedelta = GRACE, dry_run: bool = False, recipients: Sequence[str] = ()
) -> Swept:
    """Mark the packs of *store* that no backup uses, and delete those that were marked *grace* ago; *dry_run*: only say which.

    *recipients*: the keys that an encrypted store is encrypted to; without them no pack of it is written anew.
    A backup that runs meanwhile finds all that it has seen. While what some backup uses cannot be read, nothing is marked or deleted.
    Raises the errors of `open_store`, and StoreFailed when the store cannot be listed, read or written.
    """
    place = open_store(store)
    packs = place.packs
    if not packs.folder.sizes():
        return Swept()
    if recipients:
        encrypt_to(place, recipients, begin=False)
    if dry_run:
        return _planned(place, grace)
    with _alone(packs) as alone:
        if not alone:
            return Swept(not_swept="another sweep of this store is running", later=True)
        _forget_the_killed(packs)
        planned = _planned(place, grace)
        done = _carried_out(packs, planned)
        if grace <= timedelta(0) and done.count(Fate.CONDEMN) + done.count(Fate.REWRITE):  # what is marked by now may go at once
            again = _carried_out(packs, _planned(place, grace))
            done = replace(again, deleted=done.deleted + again.deleted, freed_bytes=done.freed_bytes + again.freed_bytes)
        return done


def _planned(store: Store, grace: timedelta) -> Swept:
    try:
        chunks = StoredChunks(store.packs)
        running = _running(store.packs)
        used = used_chunks(store, chunks)
    except UnsupportedDump as error:
        return Swept(not_swept=f"{error.message}. {error.remedy}")
    if used.unknown:
        file, why = next(iter(used.unknown.items()))
        return Swept(not_swept=f"what {file} uses cannot be told: {why}")
    fates = plan_sweep(chunks.facts.values(), used.live, running, datetime.now(UTC), grace)
    if is_encrypted(store) and not store.packs.recipients:
        why = "little of it is used, but it is encrypted, and nobody said to whom a new one would be (--encrypt-to)"
        fates = tuple(replace(fate, fate=Fate.KEEP, why=why) if fate.fate is Fate.REWRITE else fate for fate in fates)
    return Swept(fates)


def _running(packs: PackStore) -> dict[str, datetime | None]:
    """The notes of what runs, with when it began."""
    now = datetime.now(UTC)
    notes = running_backups(packs.folder)
    return {file: note.began_at - _CLOCKS if note else None for file, note in notes.items() if not note or not note.is_over(now)}


def _forget_the_killed(packs: PackStore) -> None:
    now = datetime.now(UTC)
    for what in (running_backups(packs.folder), running_backups(packs.folder, SWEEP)):
        for file, note in what.items():
            if note and note.is_over(now):
                packs.folder.remove(file)


@contextmanager
def _alone(packs: PackStore) -> Iterator[bool]:
    """Say whether no other sweep is at it. Of two that begin at once at least one sees the other."""
    with running_note(packs.folder, "", SWEEP) as note:
        now = datetime.now(UTC)
        others = {file: other for file, other in running_backups(packs.folder, SWEEP).items() if file != note.file}
        yield all(other and other.is_over(now) for other in others.values())


def _carried_out(packs: PackStore, planned: Swept) -> Swept:
    """Do it: what is to stay first, deleting last. Return what was done."""
    fates = {fate.pack.id: fate for fate in planned.fates}
    for fate in _with(fates, Fate.SPARE):
        packs.pardon(fate.pack.id)
    for broken in _rewritten(packs, _with(fates, Fate.REWRITE)):
        fates[broken.pack.id] = broken
    _condemn(packs, [fate.pack.id for fate in _with(fates, Fate.CONDEMN, Fate.REWRITE)])
    deleted = []
    for fate in _with(fates, Fate.DELETE):
        if packs.mark(fate.pack.id) == fate.pack.mark:  # as it was when the plan was made
            packs.remove(fate.pack.id)
            deleted.append(fate)
    return replace(
        planned,
        fates=tuple(fates.values()),
        deleted=tuple(fate.pack.id for fate in deleted),
        freed_bytes=sum(fate.pack.size_bytes for fate in deleted),
    )


def _with(fates: dict[str, PackFate], *wanted: Fate) -> list[PackFate]:
    return [fate for fate in fates.values() if fate.fate in wanted]


def _condemn(packs: PackStore, condemned: Iterable[str]) -> None:
    """Put all marks, and only then ask who runs: whoever begins later sees them."""
    pending = list(condemned)
    now = datetime.now(UTC)
    for pack in pending:
        packs.condemn(pack, now)
    running = frozenset(_running(packs)) if pending else frozenset()
    for pack in pending:
        packs.condemn(pack, now, running)


def _rewritten(packs: PackStore, fates: Iterable[PackFate]) -> list[PackFate]:
    """Put what is used of those packs into new ones; return those that have to stay, since something in them is broken."""
    writer = PackWriter(packs)
    stay = []
    for fate in fates:
        try:
            _copy(packs, fate, writer)
        except (DamagedDump, FileNotFoundError) as error:
            stay.append(replace(fate, fate=Fate.KEEP, why=f"it is broken: {error}"))
    writer.flush()
    return stay


def _copy(packs: PackStore, fate: PackFate, writer: PackWriter) -> None:
    content = packs.content(fate.pack.id)
    index = packs.index_of_frames(fate.pack.id) if fate.pack.has_broken_index else packs.index(fate.pack.id)
    chosen = [chunk for chunk in index.chunks if chunk.digest in fate.used] if index else []
    if {chunk.digest for chunk in chosen} != fate.used:
        raise DamagedDump("it does not hold any more what was found in it", resource=fate.pack.id)
    frames = [content[chunk.offset : chunk.offset + chunk.stored_bytes] for chunk in chosen]
    for chunk, frame in zip(chosen, frames, strict=True):
        unpack_chunk(frame, digest=chunk.digest, kind=chunk.kind, size_bytes=chunk.size_bytes, resource=fate.pack.id)
    for chunk, frame in zip(chosen, frames, strict=True):
        writer.add(chunk.kind, chunk.digest, frame, size_bytes=chunk.size_bytes, fingerprint=chunk.fingerprint)
