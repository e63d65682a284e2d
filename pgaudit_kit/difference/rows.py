"""Which rows differ, in bounded memory: the lines that one side has more often than the other, paired by key.

`tally` counts them exactly and lists some, for people to look at; `differing_rows` gives all of them, for what has to act on each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

from pgaudit_kit.difference.keys import RowKey
from pgaudit_kit.difference.row_matching import Matching, match_rows
from pgaudit_kit.difference.row_spill import SpilledHashes, SpilledLines
from pgaudit_kit.difference.shared_chunks import unshared
from pgaudit_kit.records.difference import Change, RowDifference, Status
from pgaudit_kit.records.loss import TimesTouched
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import NULL, decode_line
from pgaudit_kit.rows.fingerprint import digests_of, hashes_of, lines_in

if TYPE_CHECKING:
    from pgaudit_kit.rows.fingerprint import Hashes

ROWS_LISTED = 10_000


@dataclass(frozen=True, slots=True)
class RowCounts:
    """How many rows of a table are missing on the right, extra there, and changed."""

    missing: int = 0
    extra: int = 0
    changed: int = 0


@dataclass(frozen=True)
class RowResult:
    """The rows of one table that differ: exact counts, and some of them, in the order of their keys.

    `times` says when all of them were touched, `why_not` why they could not be listed ("" when they could).
    """

    counts: RowCounts
    listed: tuple[RowDifference, ...] = ()
    why_not: str = ""
    times: TimesTouched | None = None


@dataclass(frozen=True, slots=True)
class RowPair:
    """One row that differs: its key's values, and its COPY line on each side, None where it is not.

    `times` is how often the very line is on the left: more than once only where no key tells rows apart.
    """

    key: tuple[str | None, ...]
    left: bytes | None
    right: bytes | None
    times: int = 1

    @property
    def status(self) -> Status:
        """On which side it is."""
        return "only_left" if self.right is None else "only_right" if self.left is None else "changed"


@dataclass(frozen=True)
class RowShape:
    """The columns of the lines compared, and the key by which they are paired; without one a row is its own key."""

    columns: tuple[str, ...]
    key: RowKey | None = None

    def keys_of(self, lines: list[bytes]) -> list[bytes]:
        """What each line's key says, by which equal ones are the same; the line itself where one of a unique index is NULL."""
        if self.key is None:
            return lines
        keys = self._printed_keys(lines, self.key)
        if self.key.kinds:
            keys = [b"\t".join(self.key.alike(key.split(b"\t"))) for key in keys]
        if self.key.nulls != "distinct":
            return keys
        return [line if NULL in key.split(b"\t") else key for key, line in zip(keys, lines, strict=True)]

    def _printed_keys(self, lines: list[bytes], key: RowKey) -> list[bytes]:
        picks = [self.columns.index(name) for name in key.columns]
        last = max(picks)
        fields = [line.split(b"\t", last + 1) for line in lines]
        return [row[last] for row in fields] if len(picks) == 1 else [b"\t".join([row[i] for i in picks]) for row in fields]

    def printed_alike_first(self, ones: list[bytes], others: list[bytes]) -> tuple[list[bytes], list[bytes]]:
        """Lines of one key, of both sides: those whose keys are printed alike come first, in the same order.

        A server may tell apart what we take for equal, such as letters of no ASCII under lc_ctype C.
        """
        if self.key is None or len(ones) == len(others) == 1:
            return ones, others
        ours, theirs = self._printed_keys(ones, self.key), self._printed_keys(others, self.key)
        both = {*ours} & {*theirs}
        ordered = (
            sorted(zip(keys, lines, strict=True), key=lambda x: (x[0] not in both, x)) for keys, lines in ((ours, ones), (theirs, others))
        )
        first, second = ([line for _, line in pairs] for pairs in ordered)
        return first, second

    def is_told(self, line: bytes, key_text: bytes) -> bool:
        """Whether *key_text*, what `keys_of` gives for *line*, tells it apart: not without a key, nor by a NULL that is equal to none."""
        return self.key is not None and (self.key.nulls != "distinct" or key_text is not line)

    def key_values(self, line: bytes) -> tuple[str | None, ...]:
        """The values of the key of one line; of all columns where its key is none, since it is equal to no other."""
        row = self.values(line)
        if self.key is None:
            return row
        values = tuple(row[self.columns.index(name)] for name in self.key.columns)
        return row if self.key.nulls == "distinct" and None in values else values

    def values(self, line: bytes) -> tuple[str | None, ...]:
        """The values of one line."""
        return decode_line(line) if self.columns else ()

    def described(self, pair: RowPair) -> RowDifference:
        """*pair* with its changed columns by name."""
        changes: tuple[Change, ...] = ()
        if pair.left is not None and pair.right is not None:
            values = zip(self.columns, self.values(pair.left), self.values(pair.right), strict=True)
            changes = tuple(Change(c, x, y) for c, x, y in values if x != y)
        named = self.key.columns if self.key and len(pair.key) == len(self.key.columns) else self.columns
        return RowDifference(pair.status, dict(zip(named, pair.key, strict=True)), changes)


def match(left: Source, right: Source, name: TableName, columns: Sequence[str], *, read: Callable[[int], None] | None = None) -> Matching:
    """Read the rows of *name* over *columns* on both sides (`row_matching.match_rows`); of chunks that both consist of, nothing."""
    if rest := unshared(left, right, name, columns):
        matching = match_rows(rest.left, rest.right, read=read)
        ones, others = matching.fingerprints
        return replace(matching, fingerprints=(ones + rest.shared, others + rest.shared))
    return match_rows(lambda: left.row_blocks(name, columns), lambda: right.row_blocks(name, columns), read=read)


def tally(matching: Matching, shape: RowShape, *, limit: int = ROWS_LISTED, see: Callable[[bytes, int], None] | None = None) -> RowResult:
    """Count the rows that differ, and list up to *limit* of them: those with the lowest hashes of keys, so that pairs are whole.

    *see* is shown the line of each of them, and its side: 0 is the left one.
    """
    samples = _Sample(limit, in_pairs=shape.key is not None), _Sample(limit, in_pairs=shape.key is not None)
    with SpilledHashes() as hashes:
        for side, lines in matching.unmatched():
            keys = _hashes(shape.keys_of(lines))
            if see:
                for line in lines:
                    see(line, side)
            samples[side].add(keys, lines)
            hashes.add(side, keys)
        changed = hashes.in_both() if shape.key else 0
        missing, extra = (count - changed for count in hashes.counts)
    below = min(sample.limit for sample in samples)
    pairs = sorted(_pairs(samples[0].below(below), samples[1].below(below), shape), key=_order)
    return RowResult(RowCounts(missing, extra, changed), tuple(map(shape.described, pairs[:limit])))


def differing_rows(left: Source, right: Source, name: TableName, columns: Sequence[str], key: RowKey | None) -> Iterator[RowPair]:
    """Yield every row of *name* that differs over *columns*; its COPY lines have those columns.

    Rows are paired by *key*; without one a row is its own key, and the table is compared as a multiset: each of several rows
    that are the same is given, one behind the other. Raises RowsNotAvailable when a source holds no rows.
    """
    shape = RowShape(tuple(columns), key)
    with SpilledLines() as keyed, SpilledLines() as unkeyed:
        for side, lines in match(left, right, name, columns).unmatched():
            keys = shape.keys_of(lines)
            for spilled, has_key in ((keyed, True), (unkeyed, False)):
                chosen = [line for line, key_text in zip(lines, keys, strict=True) if shape.is_told(line, key_text) == has_key]
                spilled.add(side, _hashes(shape.keys_of(chosen)), chosen)
        for lefts, rights in keyed.divisions():
            yield from _pairs(lefts, rights, shape)
        yield from _each_with_times(unkeyed, shape, left, name)


def _each_with_times(spilled: SpilledLines, shape: RowShape, left: Source, name: TableName) -> Iterator[RowPair]:
    """Yield the rows that no key tells apart, with how often each is on the left side."""
    import numpy as np

    wanted = [np.unique(hashes_of(digests_of(lefts))) for lefts, _ in spilled.divisions()]
    hashes = np.unique(np.concatenate(wanted))
    times = np.zeros(len(hashes), np.int64)
    for block in left.row_blocks(name, shape.columns) if len(hashes) else ():
        found = hashes_of(digests_of(lines_in(block)))
        places = np.minimum(hashes.searchsorted(found), len(hashes) - 1)
        np.add.at(times, places[hashes[places] == found], 1)
    for lefts, rights in spilled.divisions():
        counts = dict(zip(lefts, times[hashes.searchsorted(hashes_of(digests_of(lefts)))].tolist(), strict=True))
        yield from (RowPair(shape.key_values(line), line, None, counts[line]) for line in sorted(lefts))
        yield from (RowPair(shape.key_values(line), None, line) for line in sorted(rights))


def _pairs(lefts: Iterable[bytes], rights: Iterable[bytes], shape: RowShape) -> Iterator[RowPair]:
    """Pair lines by key. Keys that are there more often (the other side lost its unique index) are paired in the order of their lines."""
    if shape.key is None:
        yield from (RowPair(shape.key_values(line), line, None) for line in lefts)
        yield from (RowPair(shape.key_values(line), None, line) for line in rights)
        return
    by_key: dict[bytes, tuple[list[bytes], list[bytes]]] = {}
    for side, lines in enumerate((list(lefts), list(rights))):
        for key, line in zip(shape.keys_of(lines), lines, strict=True):
            by_key.setdefault(key, ([], []))[side].append(line)
    for ones, others in by_key.values():
        for left, right in zip_longest(*shape.printed_alike_first(ones, others)):
            yield RowPair(shape.key_values(left if left is not None else right), left, right)


@dataclass
class _Sample:
    """Some lines, *most* of them. *in_pairs*: those with the lowest hashes, all below `limit`, so that partners are in both samples."""

    most: int
    in_pairs: bool
    limit: int = 1 << 64
    _held: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, hashes: Hashes, lines: list[bytes]) -> None:
        """Take in lines with the hashes of their keys."""
        if not self.in_pairs:
            self._held += [(0, line) for line in lines[: self.most - len(self._held)]]
            return
        self._held += [(number, line) for number, line in zip(hashes.tolist(), lines, strict=True) if number < self.limit]
        if len(self._held) > 2 * self.most:
            self._held.sort()
            self.limit = self._held[self.most][0]
            self._held = [held for held in self._held[: self.most] if held[0] < self.limit]

    def below(self, limit: int) -> Iterator[bytes]:
        """The lines whose hashes are below *limit*."""
        return (line for number, line in self._held if number < limit)


def _hashes(keys: list[bytes]) -> Hashes:
    import numpy as np

    return np.fromiter(map(xxh3_64_intdigest, keys), np.uint64, len(keys))


_NUMBER_WIDTH = 40


def _order(pair: RowPair) -> tuple[str, ...]:
    """Whole numbers by value, all else as text."""
    return tuple("" if value is None else value.rjust(_NUMBER_WIDTH) if value.isdecimal() else value for value in pair.key)
