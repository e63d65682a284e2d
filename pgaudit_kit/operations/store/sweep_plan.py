"""What becomes of each pack of chunks in a store: a plan, made of facts alone. Doing it is `sweep`'s.

Why nothing that is needed goes: a pack is deleted only after a mark that lies beside it, and who sees the mark uses nothing of that pack.
Whoever may have looked before the mark was there was running when it had been put, and is named in it: as long as one of those runs, the
pack stays. When none does any more, each has left a backup, which is asked what it uses, or nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

REWRITTEN_BELOW = 0.5


@dataclass(frozen=True, slots=True)
class Mark:
    """That a pack was of no use at `at`; `running`: what ran when the mark had been put, None when its writer was killed before asking."""

    at: datetime
    running: frozenset[str] | None


@dataclass(frozen=True)
class PackFacts:
    """A pack as it lies there since `written_at` (None: not known), by the store's clock.

    `chunks`: its chunks by digest, with their sizes in it; None when that is not known: without an index (`is_leftover`) it is no pack yet
    or none any more, and one that cannot be read is left alone. `damaged`: the digests whose bytes in it are known to be broken.
    `has_broken_index`: `chunks`, if they are known, are what the pack itself tells.
    """

    id: str
    size_bytes: int
    chunks: Mapping[bytes, int] | None
    is_leftover: bool = False
    written_at: datetime | None = None
    mark: Mark | None = None
    damaged: frozenset[bytes] = frozenset()
    has_broken_index: bool = False


class Fate(StrEnum):
    """What is to be done with a pack."""

    KEEP = "keep"
    REWRITE = "rewrite"  # what is used of it goes to new packs; then it is marked
    CONDEMN = "condemn"  # it is marked
    WAIT = "wait"  # it is marked, and its time has not come
    SPARE = "spare"  # the mark is taken away: it is of use again
    DELETE = "delete"


@dataclass(frozen=True)
class PackFate:
    """A pack, its fate, and why; `used`: the chunks that backups are to find in it."""

    pack: PackFacts
    fate: Fate
    why: str
    used: frozenset[bytes] = field(default=frozenset())


def plan_sweep(
    packs: Iterable[PackFacts], live: AbstractSet[bytes], running: Mapping[str, datetime | None], now: datetime, grace: timedelta
) -> tuple[PackFate, ...]:
    """Return what becomes of each of *packs*, in the order of their ids.

    *live*: the digests that any backup uses. *running*: whatever writes into the store now and may use more, with when it began by the
    store's clock. The packs are looked at first, then what runs, then what is live: what has ended between is then in there. *grace*: how
    long a pack stays after its mark.
    """
    known = sorted(packs, key=lambda pack: pack.id)
    used = _divided(known, live)
    return tuple(
        _fate_of_marked(pack, pack.mark, used[pack.id], running, now - grace) if pack.mark else _fate(pack, used[pack.id], running)
        for pack in known
    )


def _divided(packs: Collection[PackFacts], live: AbstractSet[bytes]) -> dict[str, frozenset[bytes]]:
    """For each pack the live chunks that are to be found in it: of several copies one, where it costs least.

    A copy in a pack that may go any moment is better than none, and so is one that is broken.
    """
    here = {pack.id: frozenset(live & pack.chunks.keys()) if pack.chunks else frozenset[bytes]() for pack in packs}
    ordered = sorted(packs, key=lambda pack: (pack.mark is not None, pack.has_broken_index, -_share(pack, here[pack.id]), pack.id))
    used = dict.fromkeys(here, frozenset[bytes]())
    found: set[bytes] = set()
    for broken in (False, True):
        for pack in ordered:
            copies = here[pack.id] & pack.damaged if broken else here[pack.id] - pack.damaged
            used[pack.id] |= copies - found
            found |= copies
    return used


def _share(pack: PackFacts, used: Iterable[bytes]) -> float:
    chunks = pack.chunks or {}
    return sum(chunks[digest] for digest in used) / (sum(chunks.values()) or 1)


def _fate(pack: PackFacts, used: frozenset[bytes], running: Mapping[str, datetime | None]) -> PackFate:
    if pack.chunks is None and not pack.is_leftover:
        return PackFate(pack, Fate.KEEP, "its index cannot be read, so nobody knows what is in it")
    if owner := _may_be_of(pack, running):
        return PackFate(pack, Fate.KEEP, f"it may be of {owner}, which is running", used)
    if pack.is_leftover:
        return PackFate(pack, Fate.CONDEMN, "it has no index: whoever wrote it was killed")
    if not used:
        return PackFate(pack, Fate.CONDEMN, "no backup uses it")
    share = _share(pack, used)
    why = "its index is broken" if pack.has_broken_index else f"{share:.0%} of it are used"
    anew = pack.has_broken_index or share < REWRITTEN_BELOW
    return PackFate(pack, Fate.REWRITE if anew and not used & pack.damaged else Fate.KEEP, why, used)


def _may_be_of(pack: PackFacts, running: Mapping[str, datetime | None]) -> str | None:
    """What runs and began before the pack was written: it has no backup yet that would speak for it."""
    at = pack.written_at
    return next((name for name, began in sorted(running.items()) if at is None or began is None or began <= at), None)


def _fate_of_marked(pack: PackFacts, mark: Mark, used: frozenset[bytes], running: Mapping[str, datetime | None], due: datetime) -> PackFate:
    if pack.chunks is None and not pack.is_leftover:
        return PackFate(pack, Fate.WAIT, "its index cannot be read, so nobody knows what is in it")
    if used:
        return PackFate(pack, Fate.SPARE, "a backup uses it again", used)
    if mark.running is None:
        return PackFate(pack, Fate.CONDEMN, "it was marked by a run that was killed")
    if still := sorted(mark.running & running.keys()):
        return PackFate(pack, Fate.WAIT, f"{still[0]} is running, and may have looked at it before it was marked")
    if mark.at > due:
        return PackFate(pack, Fate.WAIT, f"it was marked at {mark.at:%Y-%m-%d %H:%M:%S}, which is not long ago enough")
    return PackFate(pack, Fate.DELETE, f"no backup uses it since {mark.at:%Y-%m-%d %H:%M:%S}")
