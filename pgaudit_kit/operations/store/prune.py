"""Delete the backups that no rule keeps: the plan is shown first."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, TypeAlias

from pgaudit_kit.display import html
from pgaudit_kit.errors import StoreFailed, UsageError
from pgaudit_kit.operations.store.chunk_sizes import chunk_sizes
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.retention import Doomed, Kept, Retention, plan
from pgaudit_kit.operations.store.running_backups import running_backups
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.sweep import GRACE, Swept, sweep
from pgaudit_kit.records.units import many

Fate: TypeAlias = Kept | Doomed
Confirm: TypeAlias = Callable[[Sequence[Fate]], bool]


@dataclass(frozen=True)
class Pruned:
    """What becomes of each backup (`fates`), the names of those that were deleted, and what killed runs had left (`cleaned`).

    `needed`: those that a running backup builds on, and that stay for it; `swept`: what became of the chunks of incremental backups.
    """

    store: str
    fates: tuple[Fate, ...]
    deleted: tuple[str, ...] = ()
    cleaned: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    swept: Swept = field(default_factory=Swept)

    @property
    def freed_bytes(self) -> int:
        """Size of the dumps that were deleted."""
        return sum(fate.backup.found_size_bytes for fate in self.fates if fate.backup.name in self.deleted)

    def __repr__(self) -> str:
        return f"<Pruned {self.store}: {len(self.deleted)} of {many(len(self.fates), 'backup')} deleted, {self.freed_bytes:,} bytes freed>"

    def _repr_html_(self) -> str:
        """For a notebook: what became of each backup, and why."""
        gone = frozenset(self.deleted)
        rows = [
            ("kept" if f.is_kept else "deleted" if f.backup.name in gone else "would be deleted", f.backup.dump_file, f.why)
            for f in self.fates
        ]
        return html.fragment(html.text(repr(self).strip("<>")), html.table(["", "backup", "why"], rows, caption="Plan"))

    def to_dict(self) -> dict[str, Any]:
        """What `--json` prints: `swept` and `needed_by_running` of a store that has incremental backups."""
        of_packs = {"needed_by_running": list(self.needed), "swept": self.swept.to_dict()} if self.swept != Swept() else {}
        return {
            "store": self.store,
            "plan": [fate_to_dict(fate) for fate in self.fates],
            "deleted": list(self.deleted),
            "freed_bytes": self.freed_bytes,
            "cleaned": list(self.cleaned),
            **of_packs,
        }


def fate_to_dict(fate: Fate) -> dict[str, Any]:
    """One line of a plan as `--json` prints it."""
    return {
        "backup": fate.backup.dump_file,
        "target": fate.backup.target,
        "when": fate.backup.taken_at.isoformat(),
        "size_bytes": fate.backup.found_size_bytes,
        "kept_by": list(fate.rules) if isinstance(fate, Kept) else [],
        "reason": None if isinstance(fate, Kept) else fate.why,
    }


def prune(
    store: str | os.PathLike[str] | Store,
    keep: Retention,
    *,
    confirm: Confirm | None = None,
    dry_run: bool = False,
    zone: tzinfo = UTC,
    grace: timedelta = GRACE,
    recipients: Sequence[str] = (),
) -> Pruned:
    """Delete from *store* what *keep* does not want, oldest first, and what killed runs left; *dry_run*: only plan.

    Chunks of incremental backups that none uses any more are marked then, and deleted by the first prune that comes *grace* later;
    *recipients* as for `sweep`.

    *confirm* is given the plan and says whether to go on; without it nothing is asked. Days, weeks … are those of *zone*. Only what is
    doomed before and after the question is deleted. Raises UsageError when no rule is given, and the errors of `open_store`.
    """
    if keep.are_none:
        raise UsageError("no rule says what to keep", resource="retention", remedy="Give at least one, such as --keep-last 7.")
    place = open_store(store)
    fates = _planned(place, keep, zone)
    if dry_run or (confirm and not confirm(fates)):
        return Pruned(place.label, fates, swept=sweep(place, grace=grace, dry_run=True, recipients=recipients))
    cleaned = place.clean()
    again = _planned(place, keep, zone)
    shown = {(fate.backup.name, fate.backup.sha256) for fate in fates if not fate.is_kept}
    doomed = [f.backup for f in again if not f.is_kept and (f.backup.name, f.backup.sha256) in shown]
    bases = {note.base for note in running_backups(place.packs.folder).values() if note and not note.is_over(datetime.now(UTC))}
    needed = tuple(b.name for b in doomed if b.dump_file in bases)
    doomed = [b for b in doomed if b.dump_file not in bases]
    deleted: list[str] = []
    for backup in sorted(doomed, key=lambda b: b.taken_at):
        try:
            place.delete(backup)
        except StoreFailed as error:
            what = f"{error.message}; {many(len(deleted), 'backup')} deleted before, {backup.name} was not"
            raise StoreFailed(what, resource=place.label, remedy=error.remedy) from error
        deleted.append(backup.name)
    return Pruned(place.label, again, tuple(deleted), tuple(cleaned), needed, sweep(place, grace=grace, recipients=recipients))


def _planned(store: Store, keep: Retention, zone: tzinfo) -> tuple[Fate, ...]:
    backups = store.backups()
    sizes = chunk_sizes(store, backups) if keep.max_total_size_bytes is not None else None
    return plan(backups, keep, datetime.now(zone), sizes)
