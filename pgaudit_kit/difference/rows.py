"""Which rows differ, in bounded memory: rows fall into buckets by key; only buckets that differ are read again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from xxhash import xxh3_64_intdigest, xxh3_128_intdigest

from pgaudit_kit.records.difference import Change, RowDifference
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import decode_line, lines_of

BUCKETS = 1 << 14
BYTES_PER_PASS = 160 << 20  # held at once; a table that differs everywhere costs more passes, not more memory
_ROW_BYTES = 500  # what a row takes beside its line: its key, its places in dictionaries and lists


@dataclass(frozen=True, slots=True)
class RowCounts:
    """How many rows of a table are missing on the right, extra there, and changed."""

    missing: int = 0
    extra: int = 0
    changed: int = 0


def compare_rows(left: Source, right: Source, name: TableName, columns: Sequence[str], key: Sequence[str]) -> Iterator[RowDifference]:
    """Yield each row of *name* that differs over *columns*.

    Rows are paired by *key*; without one a row is its own key, and the table is compared as a multiset.
    Raises RowsNotAvailable when a source holds no rows.
    """
    bucket_of = _bucketer(columns, key)
    sizes_left, sums_left = _buckets(left.row_blocks(name, columns), bucket_of)
    sizes_right, sums_right = _buckets(right.row_blocks(name, columns), bucket_of)
    differing = [b for b in range(BUCKETS) if (sizes_left[b], sums_left[b]) != (sizes_right[b], sums_right[b])]
    for group in _groups(differing, [a + b for a, b in zip(sizes_left, sizes_right, strict=True)]):
        surplus: Counter[bytes] = Counter(_lines_in(left.row_blocks(name, columns), bucket_of, group))
        surplus.subtract(_lines_in(right.row_blocks(name, columns), bucket_of, group))
        yield from _pair(surplus, columns, key)


def _bucketer(columns: Sequence[str], key: Sequence[str]) -> Callable[[bytes], int]:
    """Return the function from a COPY line to the number of its bucket."""
    if not key:
        return lambda line: xxh3_64_intdigest(line) % BUCKETS
    picks = [list(columns).index(name) for name in key]
    if picks == [0]:
        return lambda line: xxh3_64_intdigest(line.split(b"\t", 1)[0]) % BUCKETS

    def bucket(line: bytes) -> int:
        fields = line.split(b"\t")
        return xxh3_64_intdigest(b"\t".join([fields[i] for i in picks])) % BUCKETS

    return bucket


def _buckets(blocks: Iterator[bytes], bucket_of: Callable[[bytes], int]) -> tuple[list[int], list[int]]:
    """The memory that the rows of each bucket would take, and the sum of their hashes."""
    sizes = [0] * BUCKETS
    sums = [0] * BUCKETS
    for line in lines_of(blocks):
        bucket = bucket_of(line)
        sizes[bucket] += len(line) + _ROW_BYTES
        sums[bucket] += xxh3_128_intdigest(line)
    return sizes, sums


def _groups(buckets: list[int], bytes_in: list[int]) -> Iterator[frozenset[int]]:
    """Divide *buckets* so that each group holds at most BYTES_PER_PASS (or is one bucket)."""
    group: list[int] = []
    held = 0
    for bucket in buckets:
        if group and held + bytes_in[bucket] > BYTES_PER_PASS:
            yield frozenset(group)
            group, held = [], 0
        group.append(bucket)
        held += bytes_in[bucket]
    if group:
        yield frozenset(group)


def _lines_in(blocks: Iterator[bytes], bucket_of: Callable[[bytes], int], group: frozenset[int]) -> Iterator[bytes]:
    return (line for line in lines_of(blocks) if bucket_of(line) in group)


def _pair(surplus: Counter[bytes], columns: Sequence[str], key: Sequence[str]) -> Iterator[RowDifference]:
    """Turn lines that one side has more often than the other into row differences, paired by key."""
    by_key: dict[tuple[str | None, ...], tuple[list[bytes], list[bytes]]] = defaultdict(lambda: ([], []))
    names = tuple(key or columns)
    picks = [list(columns).index(name) for name in names]
    for line, times in surplus.items():
        if times:
            row = _decoded(line, columns)
            by_key[tuple(row[i] for i in picks)][0 if times > 0 else 1].extend([line] * abs(times))
    for value, (lefts, rights) in by_key.items():
        named = dict(zip(names, value, strict=True))
        for a, b in zip(lefts, rights, strict=False):
            values = zip(columns, _decoded(a, columns), _decoded(b, columns), strict=True)
            yield RowDifference("changed", named, tuple(Change(c, x, y) for c, x, y in values if x != y))
        paired = min(len(lefts), len(rights))
        yield from (RowDifference("only_left", named) for _ in lefts[paired:])
        yield from (RowDifference("only_right", named) for _ in rights[paired:])


def _decoded(line: bytes, columns: Sequence[str]) -> tuple[str | None, ...]:
    return decode_line(line) if columns else ()
