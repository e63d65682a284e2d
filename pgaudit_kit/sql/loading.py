"""Tables on their way into DuckDB: read as often as their types need, alike where a query names the same table of two sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from pgaudit_kit.display.progress import Progress
from pgaudit_kit.errors import UsageError
from pgaudit_kit.rows.copy_arrow import Batch, CannotConvert, pa
from pgaudit_kit.rows.sql_columns import NotNative, SqlColumn, as_text, distinct_names, make_alike, quote_name
from pgaudit_kit.sql.typed_table import TypedTable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BATCH = "batch of pgaudit"


class Load:
    """One table on its way into DuckDB, to *place* (catalog, schema, name there); *label* is what people call it.

    *used* are the names (in lower case) of columns that may be needed, None for all; `names` are those that are read. `hint` says which of
    its columns are called otherwise there; "" when there are none.
    """

    def __init__(
        self, connection: DuckDBPyConnection, table: TypedTable, place: Sequence[str], label: str, used: frozenset[str] | None
    ) -> None:
        self._connection = connection
        self.table = table
        self._label = label
        self._schema, self._place = ".".join(map(quote_name, place[:-1])), ".".join(map(quote_name, place))
        if not table.columns:
            remedy = "`tables` has the number of its rows."
            raise UsageError(f"{table.name} has no columns, which DuckDB does not allow", resource=table.resource, remedy=remedy)
        names = distinct_names(table.columns)
        called = dict(zip(table.columns, names, strict=True))
        self.names = [name for name, new in called.items() if used is None or new.lower() in used] or [table.columns[0]]
        self.columns = [SqlColumn(table.copy_column(name), called[name]) for name in self.names]
        renamed = [f"{quote_name(name)} is {new}" for name, new in zip(table.columns, names, strict=True) if name != new]
        self.hint = f"Of {label}, {', '.join(renamed)}." if renamed else ""

    @property
    def note(self) -> str:
        """Which columns are text because of a value, and what that means; "" when there are none."""
        texts = ", ".join(quote_name(column.name) for column in self.columns if not column.native)
        why = "a value is none that DuckDB's type can hold (NaN, too many digits, a list of lists …)"
        return f"In {self._label}, {why}, so these columns are text here, and sort and compare as text: {texts}." if texts else ""

    def survey(self) -> None:
        """Count the digits of numbers that declare none."""
        self.table.survey([column for column in self.columns if column.copy.type.kind == "numeric"])

    def run(self, *, progress: bool | None) -> None:
        """Read the rows into DuckDB."""
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {self._schema}")
        while True:
            columns = ", ".join(f"{quote_name(column.name)} {column.type}" for column in self.columns)
            self._connection.execute(f"CREATE OR REPLACE TABLE {self._place} ({columns})")
            batches = self.table.batches([column.copy for column in self.columns])
            try:
                with Progress(self._label, wanted=progress) as bar, closing(batches):
                    for batch in batches:
                        self._insert(batch)
                        bar.add(batch.rows)
            except (CannotConvert, NotNative):  # it is noted which columns must be read otherwise
                continue
            return

    def _insert(self, batch: Batch) -> None:
        arrays = [column.arrow(array) for column, array in zip(self.columns, batch.columns, strict=True)]
        if refused := [index for index, array in enumerate(arrays) if array is None]:
            for index in refused:
                as_text(self.columns[index])
            raise NotNative(refused)
        self._connection.register(_BATCH, pa.table(arrays, names=[column.name for column in self.columns]))
        expressions = ", ".join(column.expression for column in self.columns)
        self._connection.execute(f"INSERT INTO {self._place} SELECT {expressions} FROM {quote_name(_BATCH)}")  # noqa: S608  # all names are quoted
        self._connection.unregister(_BATCH)


def load_all(loads: Sequence[Load], *, progress: bool | None) -> None:
    """Read all tables into DuckDB; columns of the same table in several sources get the same type, so that equal values are equal."""
    for load in loads:
        load.survey()
    _make_alike(loads)
    waiting = list(loads)
    while waiting:
        for load in waiting:
            load.run(progress=progress)
        waiting = _make_alike(loads)


def _make_alike(loads: Iterable[Load]) -> list[Load]:
    """Let columns of one name and kind in tables of one name have one type; return the loads whose columns changed by that."""
    alike: dict[tuple[object, str, str], list[tuple[Load, SqlColumn]]] = {}
    for load in loads:
        for name, column in zip(load.names, load.columns, strict=True):
            alike.setdefault((load.table.name, name, column.copy.type.kind), []).append((load, column))
    changed: dict[int, Load] = {}
    for same in alike.values():
        for index in make_alike([column for _, column in same]):
            load = same[index][0]
            changed[id(load)] = load
    return list(changed.values())
