"""`dump["users"]`: one table of a dump or a live database, of which nothing is read until it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from pgaudit_kit.display import html
from pgaudit_kit.errors import RowsNotAvailable, UsageError
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_columns import declared_columns
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.units import many

if TYPE_CHECKING:
    from pandas import DataFrame

    from pgaudit_kit.sql.row_source import RowSource
    from pgaudit_kit.sql.typed_table import TypedTable

ROWS_PER_FRAME = 100_000
_HEAD = 5


class SourceTable:
    """A table by name: `read()`, `head()` and `iter()` give typed frames. A table may be larger than memory, so it is not one itself."""

    def __init__(self, source: Source, name: TableName, rows: RowSource) -> None:
        self.name = name
        self._source = source
        self._rows = rows

    def read(
        self, columns: Sequence[str] | None = None, where: str | None = None, *, limit: int | None = None, parse_json: bool = False
    ) -> DataFrame:
        """The rows as a frame; everything is as for `Dump.read_table`. Raises RowsNotAvailable, DamagedDump, UsageError."""
        return self._typed.frame(columns, where, limit=limit, parse_json=parse_json)

    def head(self, n: int = _HEAD) -> DataFrame:
        """The first *n* rows, of which no more is read. Raises as `read`."""
        return self.read(limit=n)

    def iter(
        self,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        *,
        batch_rows: int = ROWS_PER_FRAME,
        parse_json: bool = False,
    ) -> Iterator[DataFrame]:
        """The rows as frames of *batch_rows* rows; everything is as for `Dump.iter_rows`. Raises as `read`."""
        return self._typed.frames(columns, where, batch_rows=batch_rows, parse_json=parse_json)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns, generated ones aside: those are in no dump."""
        return self._typed.columns

    @property
    def types(self) -> dict[str, str]:
        """PostgreSQL's type of each column; "" where the source does not say it, as a dump of rows alone."""
        known = {c.name: c.attributes.get("type") for c in declared_columns(self._source.inventory, self.name) or ()}
        return {name: known.get(name) or "" for name in self.columns}

    @property
    def data(self) -> TableData | None:
        """Count, size and fingerprint, as far as they are known; None for a partitioned table. Counting a dump takes one pass over it."""
        return self._source.table_data.get(self.name)

    @property
    def _typed(self) -> TypedTable:
        return self._rows.table(self.name)

    def __repr__(self) -> str:
        return f"<Table {self.name} of {self._source.label}: {many(len(self.columns), 'column')}; .head(), .read(), .iter()>"

    def _repr_html_(self) -> str:
        """For a notebook: its first rows, and how to have the others. Counts nothing."""
        types = self.types
        head = self.head()
        rows = [tuple(row) for row in head.astype(object).itertuples(index=False)]
        columns = [f"{name} {types[name]}".strip() for name in head.columns]
        said = f"{self.name} of {self._source.label}: the first rows"
        how = ".read(columns=…, where=…, limit=…) gives a frame, .iter() one after another."
        return html.fragment(html.table(columns, rows, caption=said), html.text(how))


class TablesByName:
    """What a Source with rows gets, so that its tables can be had by name: `source["users"]`, `"users" in source`, and Tab."""

    def __getitem__(self, name: str | TableName) -> SourceTable:
        """The table *name*: `schema.table` as in SQL, or bare when only one schema has it. Raises RowsNotAvailable, UsageError."""
        rows = self._rows_by_name
        if not isinstance(name, str | TableName):
            raise UsageError(f"{name!r} is not the name of a table", resource=rows.label, remedy='Write ["schema.table"].')
        table = name if isinstance(name, TableName) else rows.find(name)
        if table not in rows.members:
            raise RowsNotAvailable(f"no rows of {table} in this {rows.what}", resource=rows.label, table=str(table))
        return SourceTable(cast("Source", self), table, rows)

    def __contains__(self, name: object) -> bool:
        """Whether *name* means one of its tables."""
        try:
            self[cast("str", name)]
        except (RowsNotAvailable, UsageError):
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        """The names of its tables, schema included."""
        return (str(name) for name in self._rows_by_name.members)

    def _ipython_key_completions_(self) -> list[str]:
        names = list(self._rows_by_name.members)
        bare = Counter(name.name for name in names)
        return [*(n.name for n in names if n.schema == "public" and bare[n.name] == 1 and str(n) == f"public.{n.name}"), *map(str, names)]

    @property
    def _rows_by_name(self) -> RowSource:
        from pgaudit_kit.sql.row_source import RowSource

        return RowSource.of(cast("Source", self))
