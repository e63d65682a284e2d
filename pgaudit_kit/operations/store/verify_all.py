"""Look at every backup of a store again, and keep what was found as evidence beside it."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from pgaudit_kit.audits.asking import not_checked
from pgaudit_kit.audits.file_digest import digest_if_there
from pgaudit_kit.audits.result import checks_to_list
from pgaudit_kit.audits.verify import verify
from pgaudit_kit.checks.dump_whole import check_digest, check_globals
from pgaudit_kit.display import html
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.operations.store.names import INCREMENTAL_FORMAT
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.proofs import new_evidence
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.verify_packs import ReadPacks
from pgaudit_kit.records.evidence import Proof
from pgaudit_kit.records.manifest import DumpFile, Manifest
from pgaudit_kit.records.stored_backup import StoredBackup, Stray
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome, worst


@dataclass(frozen=True)
class VerifiedBackup:
    """A backup and what its checks found now; `note` says why no evidence of it could be kept."""

    backup: StoredBackup
    check_list: tuple[Check, ...]
    note: str = ""

    @property
    def verdict(self) -> Outcome:
        """The worst outcome."""
        return worst(c.outcome for c in self.check_list)

    @property
    def found(self) -> str:
        """In a few words what decided."""
        decisive = [c for c in self.check_list if c.outcome is self.verdict]
        if self.verdict is Outcome.PASSED and len(decisive) > 1:
            return f"all {many(len(decisive), 'check')} passed"
        return f"{decisive[0].id}: {decisive[0].found}"


@dataclass(frozen=True)
class VerifiedStore:
    """Every backup of a store, verified, and what else lies there."""

    store: str
    backups: tuple[VerifiedBackup, ...]
    strays: tuple[Stray, ...]

    @property
    def verdict(self) -> Outcome:
        """The worst of all; `not_checked` when there was no backup."""
        told = [s.outcome for s in self.strays if s.outcome]
        return worst([worst(b.verdict for b in self.backups), *told])

    @property
    def sentence(self) -> str:
        """The verdict in one sentence for people."""
        if not self.backups:
            return f"{self.store}: no backup is there."
        counts = Counter(str(b.verdict).replace("_", " ") for b in self.backups)
        problems = sum(s.outcome is not None for s in self.strays)
        told = ", ".join(f"{number} {word}" for word, number in counts.items())
        return f"{self.store}: {told}" + (f"; incomplete, unreadable or lost besides: {problems}." if problems else ".")

    @property
    def next_steps(self) -> tuple[str, ...]:
        """The remedies of all checks that did not pass, each once."""
        checks = [c for b in self.backups for c in b.check_list]
        return tuple(dict.fromkeys(c.remedy for c in checks if c.outcome is not Outcome.PASSED and c.remedy))

    def __repr__(self) -> str:
        return f"<VerifiedStore {self.store}: {self.verdict}, {many(len(self.backups), 'backup')}>"

    def _repr_html_(self) -> str:
        """For a notebook: the verdict, what to do next, every backup, what else lies there."""
        rows = [(str(one.verdict), one.backup.dump_file, one.backup.target, one.found) for one in self.backups]
        strays = html.table(["name", "what it is"], [(s.name, s.reason) for s in self.strays], caption="What else lies there")
        return html.fragment(
            html.banner(str(self.verdict), self.sentence),
            html.next_steps(self.next_steps),
            html.table(["verdict", "backup", "target", "found"], rows, caption="Backups"),
            strays if self.strays else "",
        )

    def to_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "verdict": str(self.verdict),
            "store": self.store,
            "backups": [
                {
                    "backup": one.backup.dump_file,
                    "target": one.backup.target,
                    "verdict": str(one.verdict),
                    "checks": checks_to_list(one.check_list),
                    "note": one.note,
                }
                for one in self.backups
            ],
            "strays": [{"name": s.name, "kind": str(s.kind), "reason": s.reason} for s in self.strays],
        }


def verify_all(
    store: str | os.PathLike[str] | Store, *, deep: bool = False, progress: Callable[[VerifiedBackup], None] | None = None
) -> VerifiedStore:
    """Read every dump of *store* and the roles beside it, and hold their digests against its manifest; with *deep* ask all of `verify`.

    What was found is kept as evidence, except that something could not be looked at, which says nothing of the backup. *progress* is
    given each one when it is done. Raises the errors of `open_store`, and StoreFailed when the store cannot be listed.
    """
    place = open_store(store)
    backups, strays = place.look()
    packs = _ReadOnce(place, frozenset(b.encoding for b in backups if b.format == INCREMENTAL_FORMAT))
    verified = []
    for backup in backups:
        verified.append(_verify_one(place, backup, packs, deep=deep))
        if progress:
            progress(verified[-1])
    return VerifiedStore(place.label, tuple(verified), (*strays, *packs.strays))


class _ReadOnce:
    """The packs of a store, read when an incremental backup asks for them, once for all of them."""

    def __init__(self, store: Store, encodings: frozenset[str]) -> None:
        self._store = store
        self._encodings = encodings
        self._packs: ReadPacks | None = None

    def checks(self, backup: StoredBackup, manifest: Manifest) -> list[Check]:
        """What is to be asked of the chunks of *backup*; nothing of one that has none. Raises StoreFailed, FileNotFoundError, DumpError."""
        if backup.format != INCREMENTAL_FORMAT:
            return []
        if self._packs is None:
            self._packs = ReadPacks(self._store, self._encodings)
            self._packs.note()
        return self._packs.checks(backup.dump_file, manifest)

    @property
    def strays(self) -> tuple[Stray, ...]:
        """What else is to be told of the packs, if they were read."""
        return self._packs.strays if self._packs else ()


def _verify_one(store: Store, backup: StoredBackup, packs: _ReadOnce, *, deep: bool) -> VerifiedBackup:
    begun = time.monotonic()
    checks = _checks_of(store, backup, packs, deep=deep)
    done = VerifiedBackup(backup, checks)
    if done.verdict is Outcome.NOT_CHECKED:
        return done
    seconds = time.monotonic() - begun
    evidence = new_evidence(Proof.VERIFIED, done.verdict, sha256=backup.sha256, seconds=seconds, checks=checks)
    try:
        store.write_evidence(backup, evidence)
    except PgAuditError as error:
        return VerifiedBackup(backup, checks, note=f"no evidence of it was kept: {error}")
    return done


def _checks_of(store: Store, backup: StoredBackup, packs: _ReadOnce, *, deep: bool) -> tuple[Check, ...]:
    recorded = DumpFile(backup.dump_file, backup.sha256, backup.size_bytes)
    try:
        found = store.digest(backup)
        digest = check_digest(recorded, sha256=found.sha256, size_bytes=found.size_bytes)
        manifest = store.manifest(backup)
        beside = [_check_globals(store, manifest.globals_file)] if manifest.globals_file else []
        beside += _checks_of_chunks(backup, manifest, packs) if digest.outcome is Outcome.PASSED else []
        if deep and digest.outcome is Outcome.PASSED:
            return (*verify(store.open(backup), manifest=manifest).check_list, *beside)
    except (PgAuditError, OSError) as error:
        return (_not_checked("dump.digest", error),)
    return (digest, *beside)


def _checks_of_chunks(backup: StoredBackup, manifest: Manifest, packs: _ReadOnce) -> list[Check]:
    """What could be asked; that it could not takes nothing from what was found out besides."""
    try:
        return packs.checks(backup, manifest)
    except (PgAuditError, OSError) as error:
        return [_not_checked("chunks.whole", error)]


def _check_globals(store: Store, recorded: DumpFile) -> Check:
    return check_globals(recorded, digest_if_there(store.where(PurePath(recorded.name).name)))


def _not_checked(check_id: str, error: PgAuditError | OSError) -> Check:
    if isinstance(error, PgAuditError):
        return not_checked(check_id, error.message, error.remedy)
    return not_checked(check_id, error.strerror or str(error), "Check the store's rights, and its disk.")
