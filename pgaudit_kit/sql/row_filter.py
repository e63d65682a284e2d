"""`where`: a SQL condition on the typed rows of one table, evaluated by DuckDB batch by batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pgaudit_kit.rows.copy_arrow import Batch, CopyColumn, pa
from pgaudit_kit.rows.sql_columns import NotNative, SqlColumn, as_text, distinct_names, quote_text
from pgaudit_kit.sql.duckdb_errors import check_text, duckdb_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_EVERY_COLUMN = ("*", "columns", "rowid")
_LISTED = 30  # columns named in a message; a table may have 1,600
SETTINGS = {
    "TimeZone": "UTC",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_access": False,
    "lock_configuration": True,
}


def harden(connection: DuckDBPyConnection) -> None:
    """See to it that no SQL can reach files, the network or Python's variables, nor change this."""
    for name in ("python_enable_replacements", "python_enable_replacement_scans"):  # the name changed with DuckDB 2
        if connection.execute("SELECT count(*) FROM duckdb_settings() WHERE name = ?", [name]).fetchall() == [(1,)]:
            connection.execute(f"SET {name} = false")
    for name, value in SETTINGS.items():
        connection.execute(f"SET {name} = {quote_text(str(value))}")


class RowFilter:
    """The condition *where* on rows of a table with these *columns*, which it may call by the *table*'s name."""

    def __init__(self, where: str, columns: Sequence[str], table: str, resource: str) -> None:
        import duckdb

        check_text(where, resource)
        self._where = where
        self._table = table
        self._resource = resource
        self._names = dict(zip(columns, distinct_names(columns), strict=True))
        folded = where.lower()
        everything = any(word in folded for word in _EVERY_COLUMN)
        # A name that only seems to be there is read for nothing; one that is there is never missed.
        self.columns = tuple(c for c in columns if everything or self._names[c].lower().replace('"', '""') in folded)
        self._bound: list[SqlColumn] = []
        self._positions: list[int] = []
        self._connection = duckdb.connect(":memory:")
        # Else pyarrow would evaluate simple conditions, and has its own ideas of NaN, infinity and decimals.
        self._connection.execute("SET disabled_optimizers = 'filter_pushdown'")
        harden(self._connection)

    @property
    def numerics(self) -> list[SqlColumn]:
        """The columns whose digits must be counted before."""
        return [column for column in self._bound if column.copy.type.kind == "numeric"]

    def bind(self, columns: Mapping[str, CopyColumn]) -> None:
        """Say how the *columns* are read that batches will have, in this order. Raises UsageError for a condition that makes no sense."""
        self._positions = [list(columns).index(name) for name in self.columns]
        self._bound = [SqlColumn(columns[name], self._names[name]) for name in self.columns]
        self.keep(Batch(0, tuple(pa.chunked_array([], column.arrow_type) for column in columns.values())))

    def keep(self, batch: Batch) -> Any:
        """Return the indexes of the rows for which the condition is true. Raises NotNative, UsageError."""
        arrays = []
        for index, (column, position) in enumerate(zip(self._bound, self._positions, strict=True)):
            array = column.arrow(batch.columns[position])
            if array is None:
                as_text(column)
                raise NotNative([index])
            arrays.append(array)
        number = "row number"
        while number in self._names.values():
            number += "_"
        table = pa.table([*arrays, pa.array(range(batch.rows), pa.int64())], names=[*(c.name for c in self._bound), number])
        quoted = f'"{number}"'
        names = list(self._names.values())
        listed = ", ".join(names[:_LISTED]) + (" …" if len(names) > _LISTED else "")
        remedy = f"`where` is a condition in DuckDB's SQL on the columns {listed}{self._hint()}."
        with duckdb_sql(self._resource, remedy):
            rows = self._connection.from_arrow(table).project(", ".join([*(c.expression for c in self._bound), quoted]))
            kept = rows.set_alias(self._table).filter(self._where).project(quoted).to_arrow_table()
        return kept.column(0).combine_chunks().sort()

    def _hint(self) -> str:
        renamed = [f'"{name}" is called "{new}"' for name, new in self._names.items() if name != new]
        return f" ({', '.join(renamed)}, since DuckDB does not tell case)" if renamed else ""
