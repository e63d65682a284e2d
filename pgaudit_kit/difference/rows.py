"""Which rows differ, in bounded memory: rows fall into buckets by key; only buckets that differ are read again.

The first pass keeps, for each bucket, the sum of its rows' hashes and the memory they would take. Both passes work on whole
blocks: one hash call per row, and numpy for all sums.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeAlias

from xxhash import xxh3_64_intdigest, xxh3_128_digest

from pgaudit_kit.records.difference import Change, RowDifference, Status
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import decode_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers: TypeAlias = NDArray[np.uint64]

BUCKETS = 1 << 14
BYTES_PER_PASS = 160 << 20  # held at once; a table that differs everywhere costs more passes, not more memory
_ROW_BYTES = 500  # what a row takes beside its line: its key, its places in dictionaries and lists

KeysOf: TypeAlias = Callable[[list[bytes]], list[bytes]]
"""From COPY lines to the COPY text of their keys."""


@dataclass(frozen=True, slots=True)
class RowCounts:
    """How many rows of a table are missing on the right, extra there, and changed."""

    missing: int = 0
    extra: int = 0
    changed: int = 0


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


@dataclass(frozen=True, slots=True)
class _Buckets:
    """Of each bucket: the memory that its rows would take, and the two halves of the sum of their hashes, modulo 2^64 each."""

    sizes: Numbers
    sums: Numbers


def compare_rows(
    left: Source,
    right: Source,
    name: TableName,
    columns: Sequence[str],
    key: Sequence[str],
    *,
    see: Callable[[RowPair], None] | None = None,
) -> Iterator[RowDifference]:
    """Yield each row of *name* that differs over *columns*, as `differing_rows` finds it and *see* is shown it."""
    names = tuple(key or columns)
    for pair in differing_rows(left, right, name, columns, key):
        if see:
            see(pair)
        changes: tuple[Change, ...] = ()
        if pair.left is not None and pair.right is not None:
            values = zip(columns, _decoded(pair.left, columns), _decoded(pair.right, columns), strict=True)
            changes = tuple(Change(c, x, y) for c, x, y in values if x != y)
        yield RowDifference(pair.status, dict(zip(names, pair.key, strict=True)), changes)


def differing_rows(left: Source, right: Source, name: TableName, columns: Sequence[str], key: Sequence[str]) -> Iterator[RowPair]:
    """Yield each row of *name* that differs over *columns*; its COPY lines have those columns.

    Rows are paired by *key*; without one a row is its own key, and the table is compared as a multiset.
    Raises RowsNotAvailable when a source holds no rows.
    """
    import numpy as np

    keys_of = _keys_of(columns, key)
    lefts = _buckets(left.row_blocks(name, columns), keys_of)
    rights = _buckets(right.row_blocks(name, columns), keys_of)
    differ = (lefts.sizes != rights.sizes) | (lefts.sums != rights.sums).any(axis=0)
    for group in _groups(np.flatnonzero(differ).tolist(), (lefts.sizes + rights.sizes).tolist()):
        times = Counter(_lines_in(left.row_blocks(name, columns), keys_of, group))
        surplus = times if key else times.copy()
        surplus.subtract(_lines_in(right.row_blocks(name, columns), keys_of, group))
        for pair in _pair(surplus, columns, key):
            yield pair if key or pair.left is None else replace(pair, times=times[pair.left])


def _keys_of(columns: Sequence[str], key: Sequence[str]) -> KeysOf | None:
    """Return the function from lines to keys; None where a row is its own key."""
    if not key:
        return None
    picks = [list(columns).index(name) for name in key]
    if len(picks) == 1:
        (pick,) = picks
        return lambda lines: [line.split(b"\t", pick + 1)[pick] for line in lines]
    return lambda lines: [b"\t".join([fields[i] for i in picks]) for fields in (line.split(b"\t") for line in lines)]


def _lines_with_buckets(blocks: Iterator[bytes], keys_of: KeysOf | None) -> Iterator[tuple[list[bytes], Numbers]]:
    """Yield the lines of each block with the numbers of their buckets."""
    import numpy as np

    for block in blocks:
        lines = block.split(b"\n")
        lines.pop()
        keys = keys_of(lines) if keys_of else lines
        yield lines, np.fromiter(map(xxh3_64_intdigest, keys), np.uint64, len(keys)) % np.uint64(BUCKETS)


def _buckets(blocks: Iterator[bytes], keys_of: KeysOf | None) -> _Buckets:
    import numpy as np

    found = _Buckets(np.zeros(BUCKETS, np.uint64), np.zeros((2, BUCKETS), np.uint64))
    for lines, buckets in _lines_with_buckets(blocks, keys_of):
        digests = np.frombuffer(b"".join(map(xxh3_128_digest, lines)), "<u8").reshape(-1, 2)
        places = buckets.astype(np.intp)
        np.add.at(found.sums[0], places, digests[:, 0])
        np.add.at(found.sums[1], places, digests[:, 1])
        np.add.at(found.sizes, places, np.fromiter(map(len, lines), np.uint64, len(lines)) + np.uint64(_ROW_BYTES))
    return found


def _groups(buckets: list[int], bytes_in: list[int]) -> Iterator[list[int]]:
    """Divide *buckets* so that each group holds at most BYTES_PER_PASS (or is one bucket)."""
    group: list[int] = []
    held = 0
    for bucket in buckets:
        if group and held + bytes_in[bucket] > BYTES_PER_PASS:
            yield group
            group, held = [], 0
        group.append(bucket)
        held += bytes_in[bucket]
    if group:
        yield group


def _lines_in(blocks: Iterator[bytes], keys_of: KeysOf | None, group: Sequence[int]) -> Iterator[bytes]:
    """Yield the lines that are in the buckets of *group*."""
    import numpy as np

    wanted = np.zeros(BUCKETS, bool)
    wanted[list(group)] = True
    for lines, buckets in _lines_with_buckets(blocks, keys_of):
        for place in np.flatnonzero(wanted[buckets.astype(np.intp)]):
            yield lines[place]


def _pair(surplus: Counter[bytes], columns: Sequence[str], key: Sequence[str]) -> Iterator[RowPair]:
    """Pair, by key, the lines that one side has more often than the other."""
    by_key: dict[tuple[str | None, ...], tuple[list[bytes], list[bytes]]] = defaultdict(lambda: ([], []))
    picks = [list(columns).index(name) for name in key or columns]
    for line, times in surplus.items():
        if times:
            row = _decoded(line, columns)
            by_key[tuple(row[i] for i in picks)][0 if times > 0 else 1].extend([line] * abs(times))
    for value, (lefts, rights) in by_key.items():
        yield from (RowPair(value, a, b) for a, b in zip_longest(lefts, rights))


def _decoded(line: bytes, columns: Sequence[str]) -> tuple[str | None, ...]:
    return decode_line(line) if columns else ()
