"""Which rows are on one side only: both sides are read at once, side by side, as multisets of lines.

The rows of a dump stand in the order of the table that it was made of, and a table that was restored from it has that order too. So as
long as both sides go on alike, comparing is all that is done; where they stop doing so, a window of rows on each side is searched for
where they go on. What has no partner there is a *candidate*: its hash and place are kept, and its line while that fits in memory. At
the end candidates that are on both sides after all (rows that stand elsewhere) cancel each other out, whatever their order; the others
are the rows that differ. Only if their lines were too many to be kept, a side is read once more, for those places.

Rows are known by the lower half of their xxh3_128, which also makes the fingerprints of both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from pgaudit_kit.difference.row_candidates import ALL_HASHES, Candidates, cancel
from pgaudit_kit.records.fingerprint import MODULUS, Fingerprint
from pgaudit_kit.rows.fingerprint import digests_of, hashes_of, lines_in, sum_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pgaudit_kit.rows.fingerprint import Hashes

Blocks: TypeAlias = Callable[[], Iterator[bytes]]
"""Opens a side's rows from their beginning: blocks of COPY lines."""

_WINDOW = 256  # rows of each side in which a common row is looked for first
_WIDEST_WINDOW = 1 << 16


@dataclass(frozen=True)
class Matching:
    """Both sides' fingerprints, and `unmatched()`: the lines that one side (0: left, 1: right) has more often than the other.

    Lines come many at a time, in no particular order of sides. Ask for them once, right away; both sides may be read again.
    """

    fingerprints: tuple[Fingerprint, Fingerprint]
    unmatched: Callable[[], Iterator[tuple[int, list[bytes]]]]


def match_rows(left: Blocks, right: Blocks, *, read: Callable[[int], None] | None = None) -> Matching:
    """Read both sides once and return what came of it; *read* is told how many rows more were read. Raises whatever reading raises."""
    first = _read(left, right, Candidates(), Candidates(), read)

    def unmatched() -> Iterator[tuple[int, list[bytes]]]:
        sides = first
        while True:
            cancel(sides.left.candidates, sides.right.candidates)
            for number, (candidates, blocks) in enumerate(((sides.left.candidates, left), (sides.right.candidates, right))):
                for lines in candidates.lines(blocks):
                    yield number, lines
            beyond = sides.left.candidates.limit  # both have the same
            if beyond == ALL_HASHES:
                return
            sides = _read(left, right, Candidates(beyond), Candidates(beyond), None)

    return Matching((first.left.fingerprint, first.right.fingerprint), unmatched)


@dataclass
class _Side:
    """The rows of one side that were read and are not matched yet: their hashes and lines; `first` is the place of the first one."""

    blocks: Iterator[bytes]
    candidates: Candidates
    hashes: Hashes
    read: Callable[[int], None] | None = None
    lines: list[bytes] = field(default_factory=list)
    first: int = 0
    ended: bool = False
    _sum: int = 0

    @property
    def fingerprint(self) -> Fingerprint:
        """That of all rows, once they were read to the end."""
        return Fingerprint(self.first, self._sum % MODULUS)

    def fill(self, rows: int) -> int:
        """Read until there are *rows*, or all that are left; return how many there are."""
        import numpy as np

        while len(self.lines) < rows and not self.ended:
            block = next(self.blocks, None)
            if block is None:
                self.ended = True
            elif lines := lines_in(block):
                if self.read:
                    self.read(len(lines))
                digests = digests_of(lines)
                self._sum += sum_of(digests)
                hashes = hashes_of(digests)
                self.hashes = np.concatenate((self.hashes, hashes)) if self.lines else hashes
                self.lines = self.lines + lines if self.lines else lines
        return len(self.lines)

    def drop(self, rows: int) -> None:
        """Forget the first *rows*: they have their partners."""
        self.first += rows
        self.hashes = self.hashes[rows:]
        del self.lines[:rows]

    def give_up(self, rows: int, matched: NDArray[np.intp] | None = None) -> None:
        """Make candidates of the first *rows* but for those at *matched*."""
        import numpy as np

        if matched is None:
            self.candidates.add(self.hashes[:rows], self.first, None, self.lines[:rows])
        else:
            alone = np.ones(rows, bool)
            alone[matched] = False
            places = np.flatnonzero(alone)
            self.candidates.add(self.hashes[places], self.first, places, [self.lines[place] for place in places.tolist()])
        self.drop(rows)


@dataclass(frozen=True)
class _Sides:
    left: _Side
    right: _Side


def _read(left: Blocks, right: Blocks, lefts: Candidates, rights: Candidates, read: Callable[[int], None] | None) -> _Sides:
    """Read both sides to their ends, filling *lefts* and *rights*."""
    import numpy as np

    nothing = np.empty(0, np.uint64)
    with closing_blocks(left()) as ones, closing_blocks(right()) as others:
        sides = _Sides(_Side(ones, lefts, nothing, read), _Side(others, rights, nothing, read))
        _align(sides)
        for side in (sides.left, sides.right):
            while rows := side.fill(1):
                side.give_up(rows)
                _bound(sides)
    return sides


@contextmanager
def closing_blocks(blocks: Iterator[bytes]) -> Iterator[Iterator[bytes]]:
    """Stop a server's work when it is not read to its end."""
    try:
        yield blocks
    finally:
        if isinstance(blocks, Generator):
            blocks.close()


def _align(sides: _Sides) -> None:
    """Go through both sides until one ends."""
    left, right = sides.left, sides.right
    window = _WINDOW
    while left.fill(1) and right.fill(1):
        both = min(len(left.lines), len(right.lines))
        alike = left.hashes[:both] == right.hashes[:both]
        same = both if alike.all() else int(alike.argmin())
        left.drop(same)
        right.drop(same)
        if same < both:
            window = _search(left, right, window)
            _bound(sides)


def _search(left: _Side, right: _Side, window: int) -> int:
    """Find where the sides go on alike; return the window to begin with the next time."""
    while True:
        rows = min(left.fill(window), window), min(right.fill(window), window)
        places = _common(left.hashes[: rows[0]], right.hashes[: rows[1]])
        if len(places[0]):
            for side, matched in zip((left, right), places, strict=True):
                side.give_up(int(matched.max()) + 1, matched)
            return _WINDOW
        if window >= _WIDEST_WINDOW or max(rows) < window:
            left.give_up(rows[0])
            right.give_up(rows[1])
            return window
        window *= 4


def _common(left: Hashes, right: Hashes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the places of rows that are in both, pair by pair: the n-th of equal ones with the n-th on the other side."""
    import numpy as np

    orders = left.argsort(kind="stable"), right.argsort(kind="stable")
    lefts, rights = left[orders[0]], right[orders[1]]
    nth = np.arange(len(rights)) - rights.searchsorted(rights)
    partner = lefts.searchsorted(rights) + nth
    found = partner < len(lefts)
    found[found] = lefts[partner[found]] == rights[found]
    return orders[0][partner[found]], orders[1][found]


def _bound(sides: _Sides) -> None:
    """Keep the memory of candidates bounded: when there are too many, those of the upper half of hashes wait for another reading."""
    both = sides.left.candidates, sides.right.candidates
    while sum(map(len, both)) > Candidates.MOST:
        lower = both[0].half_limit()
        for candidates in both:
            candidates.lower_limit(lower)
