"""The rows of all tables of two sources: compared, then settled with what the settings of their sessions explain."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from pgaudit_kit.difference.hash_partitions import together
from pgaudit_kit.difference.rows import RowCounts, RowResult
from pgaudit_kit.difference.sessions import Alignment
from pgaudit_kit.difference.tables import compare_rows, rows_that_differ
from pgaudit_kit.display.progress import Progress
from pgaudit_kit.records.difference import TableDifference
from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS, is_without_large_objects
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName


@dataclass(frozen=True)
class ComparedTables:
    """The tables of two sources with aligned sessions. *limit*: rows listed of each; *objects_told*: objects are compared, too."""

    left: Source
    right: Source
    alignment: Alignment
    limit: int
    objects_told: bool

    def all_rows(self, *, left_out: Container[str], progress: bool | None) -> dict[TableName, tuple[TableDifference, RowResult]]:
        """Every table whose rows were compared, with the rows of it that differ; without those *left_out*, named `rows of <table>`."""
        with Progress("comparing rows", wanted=progress) as bar:
            compared = {t.name: (t, rows) for t, rows in compare_rows(self.left, self.right, limit=self.limit, read=bar.add)}
        elsewhere = {name for name, (_, rows) in compared.items() if self._differs_elsewhere(name, rows)}
        tables = together([table for table, _ in compared.values()], self.left, self.right)
        return {
            settled.name: self._settled(settled, *compared[settled.name])
            for settled in self.alignment.settle(tables, elsewhere=elsewhere)
            if f"rows of {settled.name}" not in left_out and not self._told_as_left_out(settled)
        }

    def _settled(self, settled: TableDifference, table: TableDifference, rows: RowResult) -> tuple[TableDifference, RowResult]:
        """A table as the alignment has settled it, with rows that fit."""
        if settled.status == "not_checked":
            return settled, RowResult(RowCounts(), why_not=settled.reason)
        if settled.status == "equivalent" and not self.objects_told and self._lost_columns(settled.name):
            return replace(settled, status="different"), RowResult(RowCounts(), why_not=settled.reason)  # no object says it
        if settled.status != "different":
            return settled, rows if settled is table else RowResult(RowCounts())
        if settled is table and not self.alignment.doubts(table.name):
            return settled, rows
        left, right, left_out = self.alignment.for_rows(table.name)
        return settled, rows_that_differ(left, right, table.name, without=left_out, limit=self.limit)

    def _differs_elsewhere(self, name: TableName, rows: RowResult) -> bool:
        """Whether all rows that changed are listed, and neither their keys nor what changed of them is what a setting prints."""
        changed = [row for row in rows.listed if row.status == "changed"]
        printed = self.alignment.printed(name)
        seen = (printed.isdisjoint((*row.key, *(c.attribute for c in row.columns))) for row in changed)
        return 0 < rows.counts.changed == len(changed) and all(seen)

    def _lost_columns(self, name: TableName) -> bool:
        """Whether one side holds a column of that table that the other lacks."""
        held = [s.table_data[name].columns for s in (self.left, self.right) if name in s.table_data]
        return len({frozenset(columns) for columns in held}) > 1

    def _told_as_left_out(self, table: TableDifference) -> bool:
        """Whether these are large objects that one side was made without: `skipped` tells that once, of objects and contents alike."""
        return table.name == LARGE_OBJECT_ROWS and any(
            is_without_large_objects(s.inventory) and table.name not in s.table_data for s in (self.left, self.right)
        )
