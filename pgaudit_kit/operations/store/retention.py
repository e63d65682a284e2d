"""Which backups are kept, and by which rule: a plan, made of facts alone. Deleting is `prune`'s."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import ClassVar

from pgaudit_kit.operations.store.chunk_sizes import ChunkSizes
from pgaudit_kit.records.stored_backup import StoredBackup

NEWEST_PROVEN = "newest proven"
NEWEST = "newest, none is proven"
DAMAGED = "damaged: look at it, then delete it yourself"
MAX_TOTAL = "max total size"


@dataclass(frozen=True)
class Retention:
    """How many to keep, for each target by itself; a backup that any rule wants is kept.

    `last`: the newest ones. `hourly` … `yearly`: of each of the last so many hours (days, ISO weeks …) that have a backup the newest
    one. `within`: all that are no older. `max_total_size_bytes`: of all those the newest ones that fit; by itself, of all.
    """

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    within: timedelta | None = None
    max_total_size_bytes: int | None = None

    @property
    def are_none(self) -> bool:
        """Whether nothing is said, so that nothing may be deleted."""
        return self == Retention()


@dataclass(frozen=True)
class Kept:
    """A backup that stays, and the `rules` that keep it (`daily 3`: it is the third of those that `daily` keeps)."""

    backup: StoredBackup
    rules: tuple[str, ...]
    is_kept: ClassVar = True

    @property
    def why(self) -> str:
        """The rules as one text."""
        return ", ".join(self.rules)


@dataclass(frozen=True)
class Doomed:
    """A backup that goes, and why."""

    backup: StoredBackup
    why: str
    is_kept: ClassVar = False


def plan(backups: Iterable[StoredBackup], rules: Retention, now: datetime, chunks: ChunkSizes | None = None) -> tuple[Kept | Doomed, ...]:
    """Return what becomes of each of *backups*, newest first within its target.

    *now* must know its zone: hours, days, weeks … are those of its calendar. Backups of another target are counted by themselves, and
    so are those that were told to leave something out, each selection apart, and portable ones, which cannot stand for full ones. Of
    each such group the newest proven backup always stays, and the newest one when none is proven; damaged ones stay for a person to
    look at, and take the place of no other. *chunks*: what incremental backups take besides their files; of those of a group each counts
    once, for the newest backup that uses it.
    """

    def series(backup: StoredBackup) -> tuple[str, str, bool]:
        return backup.target, backup.selection, backup.portable

    groups = (tuple(group) for _, group in groupby(sorted(backups, key=series), key=series))
    return tuple(fate for group in groups for fate in _plan_group(group, rules, now, chunks or ChunkSizes()))


def _plan_group(group: Sequence[StoredBackup], rules: Retention, now: datetime, chunks: ChunkSizes) -> list[Kept | Doomed]:
    newest_first = sorted(group, key=lambda b: (b.taken_at, b.name), reverse=True)
    sound = [b for b in newest_first if not b.is_damaged]
    named = _named_by_rules(sound, rules, now)
    always = next(((b, NEWEST_PROVEN) for b in sound if b.is_proven), (sound[0], NEWEST) if sound else None)
    too_large = _beyond_size(sound, named, always[0] if always else None, rules, chunks)
    fates: list[Kept | Doomed] = []
    for backup in newest_first:
        reasons = named.get(backup.name, [])
        if backup.is_damaged:
            fates.append(Kept(backup, (DAMAGED,)))
        elif always and backup is always[0]:
            fates.append(Kept(backup, (always[1], *(() if backup.name in too_large else reasons))))
        elif reasons and backup.name not in too_large:
            fates.append(Kept(backup, tuple(reasons)))
        else:
            fates.append(Doomed(backup, f"beyond the {MAX_TOTAL}" if reasons else "no rule keeps it"))
    return fates


def _named_by_rules(newest_first: Sequence[StoredBackup], rules: Retention, now: datetime) -> dict[str, list[str]]:
    """The rules that want a backup, by its name."""
    named: dict[str, list[str]] = {}
    for number, backup in enumerate(newest_first[: rules.last], 1):
        named.setdefault(backup.name, []).append(f"last {number}")
    for word, period in _PERIODS.items():
        seen: set[object] = set()
        for backup in newest_first:
            this = period(backup.taken_at.astimezone(now.tzinfo))
            if this not in seen and len(seen) < getattr(rules, word):
                seen.add(this)
                named.setdefault(backup.name, []).append(f"{word} {len(seen)}")
    for backup in newest_first:
        if rules.within is not None and now - backup.taken_at <= rules.within:
            named.setdefault(backup.name, []).append("within")
        if rules.max_total_size_bytes is not None and rules == Retention(max_total_size_bytes=rules.max_total_size_bytes):
            named.setdefault(backup.name, []).append(MAX_TOTAL)
    return named


# The offset tells the two hours apart that have one name when clocks are set back
_PERIODS: dict[str, Callable[[datetime], object]] = {
    "hourly": lambda at: (at.date(), at.hour, at.utcoffset()),
    "daily": lambda at: at.date(),
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: at.year,
}


def _beyond_size(
    newest_first: Sequence[StoredBackup], named: dict[str, list[str]], always: StoredBackup | None, rules: Retention, chunks: ChunkSizes
) -> frozenset[str]:
    """The names that do not fit, from the first that does not: a gap in the middle would be harder to understand than a shorter past."""
    if rules.max_total_size_bytes is None or always is None:
        return frozenset()
    counted = chunks.used.get(always.dump_file, frozenset())
    size_of_always = always.size_bytes + chunks.of(always.dump_file)
    left = rules.max_total_size_bytes - size_of_always
    wanted = [b for b in newest_first if b.name in named and b is not always]
    for place, backup in enumerate(wanted):
        left -= backup.size_bytes + chunks.beside(backup.dump_file, counted)
        counted |= chunks.used.get(backup.dump_file, frozenset())
        if left < 0:
            beyond = {b.name for b in wanted[place:]}
            break
    else:
        beyond = set()
    return frozenset(beyond | ({always.name} if size_of_always > rules.max_total_size_bytes else set()))
