"""What was lost: per table how many rows and what share of it, when they were touched, and what now points at nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgaudit_kit.difference.partitions import upwards
from pgaudit_kit.difference.times_touched import TimesSeen, time_columns
from pgaudit_kit.display.frames import SCHEMAS, dangling_cells, sequence_cells
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.records.difference import TableDifference
from pgaudit_kit.records.loss import DanglingKey, TimesTouched
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import lines_of

if TYPE_CHECKING:
    from pgaudit_kit.difference.diff import Difference


@dataclass(frozen=True)
class TableLoss:
    """One table whose rows differ. What is None could not be found out, and `reason` says why."""

    name: TableName
    rows_left: int | None
    rows_right: int | None
    missing: int | None
    extra: int | None
    changed: int | None
    times: TimesTouched | None
    dangling: int | None
    dangling_to: int | None
    sequences_behind: int | None
    reason: str = ""

    @property
    def missing_share(self) -> float | None:
        """The missing ones among the rows of the left side, 0 to 1."""
        return self._share(self.missing)

    @property
    def changed_share(self) -> float | None:
        """The changed ones among the rows of the left side, 0 to 1."""
        return self._share(self.changed)

    def _share(self, rows: int | None) -> float | None:
        return None if rows is None or not self.rows_left else rows / self.rows_left

    def cells(self) -> tuple[Any, ...]:
        """The row of the frame `summary`."""
        times = (self.times.column, self.times.first, self.times.last) if self.times else (None, None, None)
        counts = (self.rows_left, self.rows_right, self.missing, self.extra, self.changed, self.missing_share, self.changed_share)
        return (
            *(self.name.schema, self.name.name, *counts, *times),
            *(self.dangling, self.dangling_to, self.sequences_behind, self.reason or None),
        )

    def cells_over_time(self) -> Iterator[tuple[Any, ...]]:
        """The rows of the frame `touched_over_time`."""
        if self.times:
            for held in self.times.over_time:
                yield self.name.schema, self.name.name, self.times.column, held.since, self.times.unit, held.left, held.right


def losses(difference: Difference) -> Iterator[TableLoss]:
    """Yield what was lost of each table whose rows differ."""
    for table in difference.table_differences:
        result = difference.row_result(table.name)
        known = not result.why_not or table.status in ("only_left", "only_right")
        yield TableLoss(
            table.name,
            rows_left=table.rows_left,
            rows_right=table.rows_right,
            missing=result.counts.missing if known else None,
            extra=result.counts.extra if known else None,
            changed=result.counts.changed if known else None,
            times=_times(difference, table),
            dangling=_rows_of(difference, table.name, lambda key: key.table),
            dangling_to=_rows_of(difference, table.name, lambda key: key.parent),
            sequences_behind=_behind(difference, table.name),
            reason=result.why_not or table.reason,
        )


def what_was_lost(difference: Difference) -> dict[str, Any]:
    """What `--json` says of it: the frames `summary`, `dangling` and `sequences`, and how many keys and sequences were looked at."""
    keys, uses = difference.dangling_keys, difference.sequence_uses
    rows = {
        "summary": [loss.cells() for loss in difference.losses],
        "dangling": [dangling_cells(k) for k in keys if k.rows != 0],
        "sequences": [sequence_cells(u) for u in uses if u.behind is not False],
    }
    entries = {name: [dict(zip(SCHEMAS[name], cells, strict=True)) for cells in held] for name, held in rows.items()}
    return {**entries, "looked_at": difference.looked_at}


def _times(difference: Difference, table: TableDifference) -> TimesTouched | None:
    """When the rows of *table* that differ were touched, on either side; None where no column tells, or they cannot be read."""
    if table.status not in ("only_left", "only_right"):
        return difference.row_result(table.name).times
    source = difference.left if table.status == "only_left" else difference.right
    columns = time_columns(source.inventory, table.name, source.table_data[table.name].columns)
    if not columns:
        return None
    seen = TimesSeen(columns, columns)
    try:
        for line in lines_of(source.row_blocks(table.name, columns)):
            seen.see(line, 0 if table.status == "only_left" else 1)
    except PgAuditError:
        return None  # comparing them has said why
    return seen.best(difference.right.provenance.created_at)


def _rows_of(difference: Difference, table: TableName, at: Callable[[DanglingKey], TableName]) -> int | None:
    """The rows that dangle by the keys that *table* is *at*; None when those of one are not known.

    Of a partition the table above has the keys, and which partition its rows are in was not asked.
    """
    if not (difference.left.inventory.of_kind("TABLE") or difference.right.inventory.of_kind("TABLE")):
        return None  # neither side says what points at what
    counts = [k.rows for k in difference.dangling_keys if at(k) == table]
    above = {*upwards(table, difference.left.inventory), *upwards(table, difference.right.inventory)}
    if None in counts or any(k.rows != 0 for k in difference.dangling_keys if at(k) in above):
        return None
    return sum(c or 0 for c in counts)


def _behind(difference: Difference, table: TableName) -> int | None:
    if not difference.right.inventory.of_kind("TABLE"):
        return None
    found = [u.behind for u in difference.sequence_uses if u.column.startswith(f"{table.schema}.{table.name}.")]
    return None if None in found else sum(map(bool, found))
