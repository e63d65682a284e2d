"""Which tables of a dump a SQL statement uses, and what they are called in DuckDB."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pgaudit_kit.dumps.identifiers import read_parents
from pgaudit_kit.dumps.query.duckdb_errors import duckdb_sql
from pgaudit_kit.errors import PgAuditError, RowsNotAvailable, UsageError
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.sql_columns import distinct_names

_NAMED_NODES = frozenset({"RECURSIVE_CTE_NODE", "CTE_NODE"})
_SHOW = re.compile(r"\s*SHOW\b", re.IGNORECASE)
_PUBLIC = "public"
_NO_ROWS = {
    "VIEW": "is a view: the dump has its definition, not its rows",
    "MATERIALIZED VIEW": "is a materialized view: the dump has its definition, not its rows",
    "FOREIGN TABLE": "is a foreign table: its rows are on another server",
    "SEQUENCE": "is a sequence, not a table",
    "TABLE": "is a table whose rows the dump does not have",
}


@dataclass(frozen=True, slots=True)
class QueryTable:
    """A table that a query may use: its name, that in DuckDB, and the tables whose rows are its rows."""

    name: TableName
    sql_schema: str
    sql_name: str
    members: tuple[TableName, ...]


@dataclass(frozen=True)
class QueryTables:
    """All tables that queries on a dump may use.

    A partitioned table has the rows of its partitions, and a parent of inheritance also those of its children, as in PostgreSQL.
    """

    inventory: Inventory
    with_rows: Sequence[TableName]
    resource: str
    tables: Mapping[TableName, QueryTable] = field(init=False)

    def __post_init__(self) -> None:
        children = _children(self.inventory)
        has_rows = frozenset(self.with_rows)
        members = {name: _members(name, children, has_rows) for name in dict.fromkeys([*self.with_rows, *children])}
        found = [name for name, its in members.items() if its]
        schemas = list(dict.fromkeys(name.schema for name in found))
        tables = {}
        for schema, sql_schema in zip(schemas, distinct_names(schemas), strict=True):
            of_schema = [name for name in found if name.schema == schema]
            for name, sql_name in zip(of_schema, distinct_names([name.name for name in of_schema]), strict=True):
                tables[name] = QueryTable(name, sql_schema, sql_name, members[name])
        object.__setattr__(self, "tables", tables)

    def used_by(self, sql: str, connection: Any) -> tuple[list[QueryTable], list[str]]:
        """Return the tables that *sql* uses, and the schemas (as DuckDB calls them) in which its unqualified names are to be found.

        DuckDB parses the statement, so that names of its own common table expressions are none of these. Raises UsageError,
        RowsNotAvailable.
        """
        with duckdb_sql(self.resource, "Give one SELECT in DuckDB's SQL, which is close to PostgreSQL's."):
            self._check_statement(sql, connection)
            (text,) = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
        used: dict[TableName, QueryTable] = {}
        path = [_PUBLIC]
        for schema, table in dict.fromkeys(_tables_in(json.loads(text), frozenset())):
            found = self._find(schema, table)
            used[found.name] = found
            if schema is None:
                path.append(found.sql_schema)
        return list(used.values()), list(dict.fromkeys(path))

    def _check_statement(self, sql: str, connection: Any) -> None:
        statements = connection.extract_statements(sql)
        kinds = [str(statement.type).rpartition(".")[2].removesuffix("_STATEMENT") for statement in statements]
        if len(kinds) != 1 or kinds[0] != "SELECT":
            what = f"{len(kinds)} statements" if len(kinds) != 1 else f"a statement of kind {kinds[0]}"
            raise UsageError(f"the SQL is {what}", resource=self.resource, remedy="Give one SELECT: a dump can only be read.")
        if _SHOW.match(sql):
            raise UsageError(
                "SHOW lists nothing of a dump", resource=self.resource, remedy="`pgaudit inspect` and dump.tables list its tables."
            )

    def _find(self, schema: str | None, table: str) -> QueryTable:
        alike = [
            t
            for t in self.tables.values()
            if _is_called(table, t.name.name, t.sql_name) and _is_called(schema, t.name.schema, t.sql_schema)
        ]
        if schema is None:
            alike = [t for t in alike if t.name.schema == _PUBLIC] or alike
        called = [t for t in alike if t.sql_name.lower() == table.lower() and _is_called(schema, t.sql_schema)]
        if len(called) == 1:
            return called[0]
        if called:
            known = ", ".join(str(t.name) for t in called)
            raise UsageError(f"{table} is there more than once", resource=self.resource, remedy=f"Say which one: {known}.")
        if alike:
            numbered = ", ".join(f"{t.name} is {t.sql_schema}.{t.sql_name}" for t in alike)
            message = f"{table} may be more than one table: DuckDB does not tell upper from lower case"
            raise UsageError(message, resource=self.resource, remedy=f"Here {numbered}.")
        raise self._missing(schema, table)

    def _missing(self, schema: str | None, table: str) -> PgAuditError:
        """The error of a name that is no table with rows: it says what it is instead."""
        text = f"{schema}.{table}" if schema else table
        for found in self.inventory.objects:
            if found.key.kind in _NO_ROWS and found.key.name.lower() == table.lower() and schema in {None, found.key.schema}:
                message = f"{found.key.schema}.{found.key.name} {_NO_ROWS[found.key.kind]}"
                remedy = "dump.objects has the definition of a view: query the tables that it reads." if "VIEW" in found.key.kind else ""
                return RowsNotAvailable(message, resource=self.resource, table=text, remedy=remedy)
        known_names = [f"{t.sql_schema}.{t.sql_name}" for t in self.tables.values()]
        close = difflib.get_close_matches(text if schema else f"{_PUBLIC}.{table}", known_names) or known_names[:5]
        remedy = f"It has rows of {', '.join(close) or 'no table at all'}."
        return UsageError(f"no table {text} in this dump", resource=self.resource, remedy=remedy)


def _is_called(given: str | None, *names: str) -> bool:
    """Whether *given* is one of *names* for DuckDB; None is any."""
    return given is None or given.lower() in {name.lower() for name in names}


def _tables_in(node: Any, visible: frozenset[str]) -> Iterator[tuple[str | None, str]]:
    """Yield schema and name of the tables in a statement that DuckDB parsed; *visible* are the names of common table expressions there.

    One of `WITH` is seen by those after it and by the query, and by itself only when it is recursive.
    """
    if isinstance(node, list):
        for item in node:
            yield from _tables_in(item, visible)
    if not isinstance(node, dict):
        return
    kind = str(node.get("type"))  # of an expression it may be an object
    if kind == "BASE_TABLE":
        schema, table = node.get("schema_name") or None, node["table_name"]
        if schema or table.lower() not in visible:
            yield schema, table
    if kind in _NAMED_NODES:
        visible |= {str(node.get("cte_name")).lower()}
    expressions = (node.get("cte_map") or {}).get("map") or []
    for expression in expressions:
        yield from _tables_in(expression.get("value"), visible)
        visible |= {str(expression.get("key")).lower()}
    for name, value in node.items():
        if name != "cte_map":
            yield from _tables_in(value, visible)


def _children(inventory: Inventory) -> dict[TableName, list[TableName]]:
    """Partitions and children of inheritance, by their parent."""
    children: dict[TableName, list[TableName]] = {}
    for table in inventory.of_kind("TABLE"):
        name = TableName(table.key.schema or "", table.key.name)
        for attribute in ("partition_of", "inherits"):
            for schema, parent in read_parents(table.attributes.get(attribute) or ""):
                children.setdefault(TableName(schema or name.schema, parent), []).append(name)
    return children


def _members(name: TableName, children: Mapping[TableName, Iterable[TableName]], has_rows: frozenset[TableName]) -> tuple[TableName, ...]:
    """*name* and all below it, those that have rows; each once, also when a damaged dump says that they go in a circle."""
    seen = [name]
    for table in seen:
        seen += [child for child in children.get(table, ()) if child not in seen]
    return tuple(table for table in seen if table in has_rows)
