"""Is this backup like those before it? Much less than yesterday is news, whoever deleted it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from statistics import median
from typing import TypeAlias

from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Check, Outcome

FAR_BELOW = 0.5
"""A size, or a number of rows, under this share of what it was is far below."""
_FEW_ROWS = 100  # a table of fewer comes and goes
FEW_BYTES = 100_000
"""Smaller dumps come and go with a few rows."""
_NAMED = 5
_Lost: TypeAlias = list[tuple[TableName, int, int]]
"""A table, its rows before, and now."""


def check_size(size_bytes: int, before: Sequence[int], *, share: float | None = None) -> Check:
    """`backup.size`: the dump is not far smaller than *before*, the sizes of the recent ones of its kind (at least one).

    *share*: what part of their median it must have; without one it is a half, and sizes under 100 kB say nothing.
    """
    usual = round(median(before))
    small = size_bytes < (FAR_BELOW if share is None else share) * usual and (share is not None or usual >= FEW_BYTES)
    return Check(
        id="backup.size",
        question="Is it as large as the recent ones?",
        outcome=Outcome.WARNED if small else Outcome.PASSED,
        expected=f"about {usual:,} bytes, the median of the last {len(before)}",
        found=f"{size_bytes:,} bytes{f', {size_bytes / usual:.0%} of that' if usual else ''}",
        compared=len(before),
        remedy="See what is gone: pgaudit diff LAST_BACKUP TARGET. Keep the older backups until you know." if small else "",
    )


def check_rows_kept(now: Manifest, last: Manifest, *, elsewhere: Mapping[TableName, Collection[TableName]] | None = None) -> Check:
    """`backup.rows_kept`: no table has lost most of its rows since the *last* backup of the same database.

    *elsewhere*: the tables in which rows of another one, which was divided otherwise since, may lie now (`divided_partitions.where_else`).
    """
    before = {n: d.rows for n, d in last.table_data.items() if d.rows is not None and n != LARGE_OBJECT_ROWS}
    lost = [(name, rows, after) for name, rows in before.items() if (after := _rows_of(now, name)) < FAR_BELOW * rows and rows >= _FEW_ROWS]
    lost = [*_without_moved(lost, now, last, elsewhere or {})]
    lost.sort(key=lambda entry: entry[2] - entry[1])
    told = [f"{name}: {rows:,} → {after:,} rows" for name, rows, after in lost]
    more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return Check(
        id="backup.rows_kept",
        question="Has any table lost most of its rows since the last backup?",
        outcome=Outcome.WARNED if lost else Outcome.PASSED,
        expected=f"no fewer than half the rows of {last.taken_at}",
        found="; ".join(told[:_NAMED]) + more if told else "none has",
        compared=len(before),
        remedy="If nobody meant it, see what is gone (pgaudit diff LAST_BACKUP TARGET --rows) and keep that backup." if lost else "",
        evidence=tuple({"table": str(name), "rows_before": rows, "rows": after} for name, rows, after in lost),
    )


def _without_moved(
    lost: _Lost, now: Manifest, last: Manifest, elsewhere: Mapping[TableName, Collection[TableName]]
) -> Iterator[tuple[TableName, int, int]]:
    """Those of *lost* whose rows have not come to the tables that they were divided into."""
    for places in dict.fromkeys(frozenset(elsewhere.get(name, ())) for name, _, _ in lost):
        together = [entry for entry in lost if frozenset(elsewhere.get(entry[0], ())) == places]
        came = sum(max(0, _rows_of(now, place) - _rows_of(last, place)) for place in places)
        if sum(after for _, _, after in together) + came < FAR_BELOW * sum(rows for _, rows, _ in together):
            yield from together


def _rows_of(manifest: Manifest, name: TableName) -> int:
    """Those of a table that is gone are gone, too."""
    data = manifest.table_data.get(name)
    return (data.rows or 0) if data else 0
