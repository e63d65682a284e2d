"""Several sources in one query, each a catalog of DuckDB under its name: `dump.public.users`, `dump.users`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from pgaudit_kit.errors import PgAuditError, UsageError
from pgaudit_kit.sql.query_tables import QueryTable, QueryTables
from pgaudit_kit.sql.row_source import RowSource
from pgaudit_kit.sql.statement import Statement, TableReference

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

    def used_by(self, statement: Statement) -> list[UsedTable]:
        """Return the tables that *statement* uses. Raises UsageError, RowsNotAvailable."""
        return list(dict.fromkeys(self._find(named) for named in statement.tables))

    def _find(self, named: TableReference) -> UsedTable:
        source, schema = self._catalog(named.catalog), named.schema
        if named.catalog is not None and source is None:
            raise UsageError(f"no source is called {named.catalog}", resource=self.label, remedy=self._remedy(named.schema, named.table))
        if source is None and (source := self._catalog(schema)) is not None:
            schema = None
        if source is None and len(self._tables) > 1:
            remedy = self._remedy(schema, named.table)
            raise UsageError(f"{named} does not say which source is meant", resource=self.label, remedy=remedy)
        source = source or next(iter(self._tables))
        return UsedTable(source, self._tables[source].find(schema, named.table), bare=schema is None)

    def _catalog(self, given: str | None) -> str | None:
        return next((name for name in self._tables if name != UNNAMED and given is not None and name.lower() == given.lower()), None)

    def _remedy(self, schema: str | None, table: str) -> str:
        """Say how a table of that name is called, in the sources that have it."""
        found = []
        for name, tables in self._tables.items():
            with suppress(PgAuditError):
                there = tables.find(schema, table)
                found.append(".".join(([] if name == UNNAMED else [name]) + [there.sql_schema, there.sql_name]))
        if found:
            return f"Write {' or '.join(found)}."
        return (
            "Write schema.table." if UNNAMED in self._tables else f"Write SOURCE.schema.table; the sources are {', '.join(self._tables)}."
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.sources)
