"""Rows of one side that have found no partner yet: hashes and places, and lines while they fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pgaudit_kit.errors import RowsNotAvailable
from pgaudit_kit.rows.fingerprint import digests_of, hashes_of, lines_in

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pgaudit_kit.rows.fingerprint import Hashes

    Places = NDArray[np.signedinteger[Any]]

ALL_HASHES = 1 << 64
_KEPT_LINES_BYTES = 8 << 20  # of each side
_LINE_BYTES = 60  # what a line takes beside its text
_FEW, _MANY_FEW = 4096, 256  # rows of a small part, and how many small parts are put together
_CLASSES = 16  # into which many candidates are divided to be sorted, so that sorting takes little memory
_MANY = 1 << 20


@dataclass
class _Part:
    """Candidates in the order of their places: `first` + `places` (None: one behind the other). `lines` None: not kept."""

    hashes: Hashes
    first: int
    places: Places | None
    lines: list[bytes] | None
    wanted: NDArray[np.bool_] | None = None  # once both sides are known: which of them have no partner

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Forget the others."""
        import numpy as np

        if which.all():
            return
        places = np.flatnonzero(which).astype(np.int32)  # of a part: few enough
        if self.lines is not None:
            self.lines = [self.lines[place] for place in places.tolist()]
        self.hashes = self.hashes[which]
        self.places = places if self.places is None else self.places[which]

    def positions(self) -> Places:
        """Places among all rows of the side."""
        import numpy as np

        return self.first + (np.arange(len(self.hashes)) if self.places is None else self.places)


class Candidates:
    """Those of one side whose hashes are from *begin* on and below `limit`; rows with others are not taken in."""

    MOST: ClassVar[int] = 10_500_000  # of both sides together: 8 to 12 bytes each

    def __init__(self, begin: int = 0) -> None:
        self.begin = begin
        self.limit = ALL_HASHES
        self._parts: list[_Part] = []
        self._small: list[_Part] = []
        self._count = 0
        self._kept_bytes = 0

    def __len__(self) -> int:
        return self._count

    def add(self, hashes: Hashes, first: int, places: Places | None, lines: list[bytes]) -> None:
        """Take in rows; they stand behind all that were taken in before."""
        part = _Part(hashes.copy(), first, places, lines)
        if self.begin or self.limit != ALL_HASHES:
            part.keep(_within(hashes, self.begin, self.limit))
        if not len(part.hashes):
            return
        self._count += len(part.hashes)
        self._kept_bytes += sum(map(len, part.lines or ())) + _LINE_BYTES * len(part.hashes)
        if self._kept_bytes > _KEPT_LINES_BYTES:
            part.lines = None
        if len(part.hashes) < _FEW:
            self._small.append(part)
        if len(self._small) >= _MANY_FEW or len(part.hashes) >= _FEW:
            self._put_together()
        if len(part.hashes) >= _FEW:
            self._parts.append(part)

    def _put_together(self) -> None:
        """Make one part of the small ones."""
        import numpy as np

        if not self._small:
            return
        lines = [line for part in self._small for line in part.lines or ()]
        one = _Part(
            np.concatenate([part.hashes for part in self._small]),
            0,
            np.concatenate([part.positions() for part in self._small]),
            lines if all(part.lines is not None for part in self._small) else None,
        )
        self._parts.append(one)
        self._small.clear()

    def half_limit(self) -> int:
        """Half of the hashes that are taken in now."""
        return self.begin + (self.limit - self.begin) // 2

    def lower_limit(self, limit: int) -> None:
        """From now on take in hashes below *limit* only, and forget the others."""
        self._put_together()
        self.limit = limit
        for part in self._parts:
            part.keep(_within(part.hashes, self.begin, limit))
        self._count = sum(len(part.hashes) for part in self._parts)

    def sorted_class(self, number: int, classes: int) -> Hashes:
        """The hashes of one of *classes* classes, sorted."""
        import numpy as np

        self._put_together()
        parts = [part.hashes[_is_class(part.hashes, number, classes)] for part in self._parts]
        found: Hashes = np.concatenate(parts) if parts else np.empty(0, np.uint64)
        found.sort()
        return found

    def want(self, surplus: Hashes, of: int, number: int, classes: int) -> None:
        """Mark as wanted, of that class, as many rows of each hash as *surplus* (sorted) has; *of* is the size of the class."""
        import numpy as np

        picker = _Picker(surplus)
        for part in self._parts:
            if part.wanted is None:
                part.wanted = np.zeros(len(part.hashes), bool)
            mine = _is_class(part.hashes, number, classes)
            if len(surplus) == of:
                part.wanted |= mine
            elif len(surplus):
                part.wanted[mine] = picker.pick(part.hashes[mine])

    def lines(self, blocks: Callable[[], Iterator[bytes]]) -> Iterator[list[bytes]]:
        """Yield the lines of the wanted rows, many at a time; *blocks* opens all rows of the side, for lines that were not kept."""
        import numpy as np

        unread: list[_Part] = []
        for part in self._parts:
            if part.wanted is None or not part.wanted.any():
                continue
            if part.lines is None:
                part.keep(part.wanted)
                unread.append(part)
            else:
                yield [part.lines[place] for place in np.flatnonzero(part.wanted).tolist()]
        self._parts = []
        if unread:
            yield from _lines_at(unread, blocks())


def cancel(left: Candidates, right: Candidates) -> None:
    """Mark on both sides the rows that the other has less often."""
    classes = 1 if len(left) + len(right) < _MANY else _CLASSES
    for number in range(classes):
        lefts, rights = left.sorted_class(number, classes), right.sorted_class(number, classes)
        left.want(_surplus(lefts, rights), len(lefts), number, classes)
        right.want(_surplus(rights, lefts), len(rights), number, classes)


def _surplus(these: Hashes, those: Hashes) -> Hashes:
    """The hashes that *these* have more often than *those*, as often as that; all sorted."""
    import numpy as np

    nth = np.arange(len(these)) - these.searchsorted(these)
    there = those.searchsorted(these, "right") - those.searchsorted(these)
    return these[nth >= there]


def _within(hashes: Hashes, begin: int, limit: int) -> NDArray[np.bool_]:
    import numpy as np

    found: NDArray[np.bool_] = hashes >= np.uint64(begin)
    if limit < ALL_HASHES:
        found &= hashes < np.uint64(limit)
    return found


def _is_class(hashes: Hashes, number: int, classes: int) -> NDArray[np.bool_]:
    import numpy as np

    found: NDArray[np.bool_] = hashes % np.uint64(classes) == np.uint64(number)
    return found


class _Picker:
    """Picks rows by hash, each hash as often as it stands in *surplus*, which is sorted."""

    def __init__(self, surplus: Hashes) -> None:
        import numpy as np

        self._surplus = surplus
        self._left = np.ones(len(surplus), bool)

    def pick(self, hashes: Hashes) -> NDArray[np.bool_]:
        import numpy as np

        order = hashes.argsort(kind="stable")
        ordered = hashes[order]
        begins, ends = self._surplus.searchsorted(ordered), self._surplus.searchsorted(ordered, "right")
        picked = np.zeros(len(hashes), bool)
        for place, begin, end in zip(*(found[begins < ends].tolist() for found in (order, begins, ends)), strict=True):
            free = self._left[begin:end]
            if free.any():
                free[free.argmax()] = False
                picked[place] = True
        return picked


def _lines_at(parts: list[_Part], blocks: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines at the places of *parts*, which are in order. Raises RowsNotAvailable when other rows stand there now."""
    import numpy as np

    first = 0
    waiting = iter(parts)
    part = next(waiting, None)
    places, done = (part.positions(), 0) if part else (np.empty(0, np.intp), 0)
    for block in blocks:
        end = first + block.count(b"\n")
        lines: list[bytes] = []
        while part and (upto := int(places.searchsorted(end))) > done:
            lines = lines or lines_in(block)
            found = [lines[place - first] for place in places[done:upto].tolist()]
            if not np.array_equal(hashes_of(digests_of(found)), part.hashes[done:upto]):
                raise RowsNotAvailable("the rows changed while they were compared", remedy="Compare again when nothing rewrites the table.")
            yield found
            done = upto
            if done == len(places):
                part = next(waiting, None)
                places, done = (part.positions(), 0) if part else (places, 0)
        first = end
    if part:
        raise RowsNotAvailable("the rows changed while they were compared", remedy="Compare again when nothing rewrites the table.")
