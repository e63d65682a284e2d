"""Several sources in one query, each a catalog of DuckDB under its name: `dump.public.users`, `dump.users`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgaudit_kit.errors import UsageError
from pgaudit_kit.sql.query_tables import PUBLIC, QueryTable, QueryTables
from pgaudit_kit.sql.row_source import RowSource
from pgaudit_kit.sql.statement import TableReference, tables_named

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNNAMED = "rows of a dump"  # the catalog of a source that was given without a name: no schema should be called so
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_RESERVED = frozenset({"main", "memory", "system", "temp"})  # catalogs that DuckDB has, or a schema that each of its catalogs has


@dataclass(frozen=True, slots=True)
class UsedTable:
    """A table that a statement uses. `bare`: it names the table without its schema, as `dump.users` or `users`."""

    source: str
    table: QueryTable
    bare: bool


class NamedSources:
    """The *sources* of a query, by name. Raises UsageError for names that DuckDB cannot have."""

    def __init__(self, sources: Mapping[str, RowSource]) -> None:
        if not sources:
            raise UsageError("a query needs a source", remedy="Name one: dump=FILE, live=TARGET.")
        for name in sources:
            if name != UNNAMED and (not _NAME.match(name) or name.lower() in _RESERVED):
                remedy = "Take letters, digits and _ for it, and none of DuckDB's own: main, memory, system, temp."
                raise UsageError(f"a source cannot be called {name!r}", remedy=remedy)
        if len({name.lower() for name in sources}) < len(sources):
            message = f"the names {', '.join(sources)} are not distinct: DuckDB does not tell upper from lower case"
            raise UsageError(message, remedy="Choose other names.")
        self._tables = {name: QueryTables(source) for name, source in sources.items()}
        self.sources = dict(sources)
        self.label = " and ".join(source.label for source in sources.values())

    def used_by(self, sql: str, connection: DuckDBPyConnection) -> list[UsedTable]:
        """Return the tables that *sql* uses. Raises UsageError, RowsNotAvailable."""
        return list(dict.fromkeys(self._find(named) for named in tables_named(sql, connection, self.label)))

    def _find(self, named: TableReference) -> UsedTable:
        source, schema = self._catalog(named.catalog), named.schema
        if named.catalog is not None and source is None:
            raise UsageError(f"no source is called {named.catalog}", resource=self.label, remedy=self._remedy(named))
        if source is None and (source := self._catalog(schema)) is not None:
            schema = None
        if source is None:
            if len(self._tables) > 1:
                raise UsageError(f"{named} may be a table of several sources", resource=self.label, remedy=self._remedy(named))
            (source,) = self._tables
        return UsedTable(source, self._tables[source].find(schema, named.table), bare=schema is None)

    def _catalog(self, given: str | None) -> str | None:
        return next((name for name in self._tables if name != UNNAMED and given is not None and name.lower() == given.lower()), None)

    def _remedy(self, named: TableReference) -> str:
        if UNNAMED in self._tables:
            return "Write schema.table."
        forms = (f"{name}.{named.schema or PUBLIC}.{named.table}" for name in self._tables)
        return f"Say which one: {', '.join(forms)}."

    def __iter__(self) -> Iterator[str]:
        return iter(self.sources)
