"""The tables of one source that a query may name, and what they are called in DuckDB."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pgaudit_kit.errors import PgAuditError, RowsNotAvailable, UsageError
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.sql_columns import distinct_names
from pgaudit_kit.sql.row_source import RowSource

PUBLIC = "public"
_NO_ROWS = {
    "VIEW": "is a view: the {what} has its definition, and rows are read of tables only",
    "MATERIALIZED VIEW": "is a materialized view: the {what} has its definition, and rows are read of tables only",
    "FOREIGN TABLE": "is a foreign table: its rows are on another server",
    "SEQUENCE": "is a sequence, not a table",
    "TABLE": "is a table whose rows the {what} does not have",
}


@dataclass(frozen=True, slots=True)
class QueryTable:
    """A table that a query may use: its name, and that in DuckDB."""

    name: TableName
    sql_schema: str
    sql_name: str


@dataclass(frozen=True)
class QueryTables:
    """All tables of *source* that queries may use."""

    source: RowSource
    tables: Mapping[TableName, QueryTable] = field(init=False)

    def __post_init__(self) -> None:
        found = list(self.source.members)
        schemas = list(dict.fromkeys(name.schema for name in found))
        tables = {}
        for schema, sql_schema in zip(schemas, distinct_names(schemas), strict=True):
            of_schema = [name for name in found if name.schema == schema]
            for name, sql_name in zip(of_schema, distinct_names([name.name for name in of_schema]), strict=True):
                tables[name] = QueryTable(name, sql_schema, sql_name)
        object.__setattr__(self, "tables", tables)

    def find(self, schema: str | None, table: str) -> QueryTable:
        """Return the table of that name; without a *schema* that of public, or of the one other schema that has it.

        Raises UsageError, RowsNotAvailable.
        """
        resource = self.source.label
        alike = [
            t
            for t in self.tables.values()
            if _is_called(table, t.name.name, t.sql_name) and _is_called(schema, t.name.schema, t.sql_schema)
        ]
        if schema is None:
            alike = [t for t in alike if t.name.schema == PUBLIC] or alike
        called = [t for t in alike if t.sql_name.lower() == table.lower() and _is_called(schema, t.sql_schema)]
        if len(called) == 1:
            return called[0]
        if called:
            known = ", ".join(str(t.name) for t in called)
            raise UsageError(f"{table} is there more than once", resource=resource, remedy=f"Say which one: {known}.")
        if alike:
            numbered = ", ".join(f"{t.name} is {t.sql_schema}.{t.sql_name}" for t in alike)
            message = f"{table} may be more than one table: DuckDB does not tell upper from lower case"
            if len(alike) == 1:
                message = f"{table} has a name of bytes that are no UTF-8"
            raise UsageError(message, resource=resource, remedy=f"Here {numbered}.")
        raise self._missing(schema, table)

    def _missing(self, schema: str | None, table: str) -> PgAuditError:
        """The error of a name that is no table with rows: it says what it is instead."""
        text = f"{schema}.{table}" if schema else table
        resource, what = self.source.label, self.source.what
        for found in self.source.inventory.objects:
            if found.key.kind in _NO_ROWS and found.key.name.lower() == table.lower() and schema in {None, found.key.schema}:
                message = f"{found.key.schema}.{found.key.name} {_NO_ROWS[found.key.kind].format(what=what)}"
                remedy = "`objects` has the definition of a view: query the tables that it reads." if "VIEW" in found.key.kind else ""
                return RowsNotAvailable(message, resource=resource, table=text, remedy=remedy)
        known_names = [f"{t.sql_schema}.{t.sql_name}" for t in self.tables.values()]
        close = difflib.get_close_matches(text if schema else f"{PUBLIC}.{table}", known_names) or known_names[:5]
        remedy = f"It has rows of {', '.join(close) or 'no table at all'}."
        return UsageError(f"no table {text} in this {what}", resource=resource, remedy=remedy)


def _is_called(given: str | None, *names: str) -> bool:
    """Whether *given* is one of *names* for DuckDB; None is any."""
    return given is None or given.lower() in {name.lower() for name in names}
