"""Some rows of a table, chosen by a condition of SQL, as they were: their own COPY lines, not values printed anew."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

from pgaudit_kit.rows.copy_arrow import CannotConvert, CopyColumn
from pgaudit_kit.rows.sql_columns import NotNative
from pgaudit_kit.sql.row_filter import RowFilter
from pgaudit_kit.sql.row_source import TableRows
from pgaudit_kit.sql.typed_table import TypedTable


def selected_rows(table: TypedTable, where: str) -> TypedTable:
    """Return *table* with only the rows for which *where* is true, a condition as for `Dump.read_table`.

    The table is read once at once, to know the types that the condition is about. Raises UsageError, RowsNotAvailable, DamagedDump.
    """
    rows = RowFilter(where, table.columns, table.name.name, table.resource)
    columns = [table.copy_column(name) for name in rows.columns]
    rows.bind(dict(zip(rows.columns, columns, strict=True)))
    table.survey(rows.numerics)
    while True:
        try:
            for _ in _lines(table, rows, columns):
                pass
        except (CannotConvert, NotNative):  # it is noted which columns must be read otherwise
            continue
        return replace(table, open_rows=lambda: TableRows(table.columns, _lines(table, rows, columns)))


def _lines(table: TypedTable, rows: RowFilter, columns: Sequence[CopyColumn]) -> Generator[bytes, None, None]:
    with closing(table.groups(columns)) as groups:
        for data, batch in groups:
            kept = rows.keep(batch).to_pylist()
            if len(kept) == batch.rows:
                yield data
            elif kept:
                lines = data.split(b"\n")
                yield b"\n".join([lines[index] for index in kept]) + b"\n"
