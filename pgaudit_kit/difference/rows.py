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
ROWS_PER_PASS = 250_000  # rows held at once; a table that differs everywhere costs more passes, not more memory


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
    counts_left, sums_left = _buckets(left.row_blocks(name, columns), bucket_of)
    counts_right, sums_right = _buckets(right.row_blocks(name, columns), bucket_of)
    differing = [b for b in range(BUCKETS) if (counts_left[b], sums_left[b]) != (counts_right[b], sums_right[b])]
    for group in _groups(differing, [a + b for a, b in zip(counts_left, counts_right, strict=True)]):
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
    counts = [0] * BUCKETS
    sums = [0] * BUCKETS
    for line in lines_of(blocks):
        bucket = bucket_of(line)
        counts[bucket] += 1
        sums[bucket] += xxh3_128_intdigest(line)
    return counts, sums


def _groups(buckets: list[int], rows_in: list[int]) -> Iterator[frozenset[int]]:
    """Divide *buckets* so that each group holds at most ROWS_PER_PASS rows (or is one bucket)."""
    group: list[int] = []
    held = 0
    for bucket in buckets:
        if group and held + rows_in[bucket] > ROWS_PER_PASS:
            yield frozenset(group)
            group, held = [], 0
        group.append(bucket)
        held += rows_in[bucket]
    if group:
        yield frozenset(group)


def _lines_in(blocks: Iterator[bytes], bucket_of: Callable[[bytes], int], group: frozenset[int]) -> Iterator[bytes]:
    return (line for line in lines_of(blocks) if bucket_of(line) in group)


def _pair(surplus: Counter[bytes], columns: Sequence[str], key: Sequence[str]) -> Iterator[RowDifference]:
    """Turn lines that one side has more often than the other into row differences, paired by key."""
    by_key: dict[tuple[str | None, ...], tuple[list[tuple[str | None, ...]], list[tuple[str | None, ...]]]] = defaultdict(lambda: ([], []))
    names = tuple(key or columns)
    picks = [list(columns).index(name) for name in names]
    for line, times in surplus.items():
        if times:
            row = decode_line(line) if columns else ()
            by_key[tuple(row[i] for i in picks)][0 if times > 0 else 1].extend([row] * abs(times))
    for value, (lefts, rights) in by_key.items():
        named = dict(zip(names, value, strict=True))
        for a, b in zip(lefts, rights, strict=False):
            changes = (Change(c, x, y) for c, x, y in zip(columns, a, b, strict=True) if x != y)
            yield RowDifference("changed", named, tuple(changes))
        paired = min(len(lefts), len(rights))
        yield from (RowDifference("only_left", named) for _ in lefts[paired:])
        yield from (RowDifference("only_right", named) for _ in rights[paired:])
