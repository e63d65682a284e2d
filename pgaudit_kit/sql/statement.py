"""One SELECT, as DuckDB's own parser sees it: is it one, and which tables does it name?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgaudit_kit.errors import UsageError
from pgaudit_kit.sql.columns_used import columns_used
from pgaudit_kit.sql.duckdb_errors import check_text, duckdb_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NAMED_NODES = frozenset({"RECURSIVE_CTE_NODE", "CTE_NODE"})
_SHOW = re.compile(r"\s*SHOW\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TableReference:
    """A table as a statement names it: None for what it does not say."""

    catalog: str | None
    schema: str | None
    table: str

    def __str__(self) -> str:
        return ".".join(part for part in (self.catalog, self.schema, self.table) if part is not None)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a SELECT names: tables, each once, its own common table expressions not among them; `columns` as in `sql.columns_used`."""

    tables: tuple[TableReference, ...]
    columns: frozenset[str] | None


def read_statement(sql: str, connection: DuckDBPyConnection, resource: str) -> Statement:
    """Return what *sql* names. Raises UsageError for all but one SELECT."""
    check_text(sql, resource)
    with duckdb_sql(resource, "Give one SELECT in DuckDB's SQL, which is close to PostgreSQL's."):
        statements = connection.extract_statements(sql)
        kinds = [str(statement.type).rpartition(".")[2].removesuffix("_STATEMENT") for statement in statements]
        if len(kinds) != 1 or kinds[0] != "SELECT":
            what = f"{len(kinds)} statements" if len(kinds) != 1 else f"a statement of kind {kinds[0]}"
            raise UsageError(f"the SQL is {what}", resource=resource, remedy="Give one SELECT: rows can only be read here.")
        if _SHOW.match(sql):
            raise UsageError("SHOW lists nothing here", resource=resource, remedy="`pgaudit inspect` and dump.tables list the tables.")
        [(text,)] = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
    parsed = json.loads(text)
    if parsed.get("error"):
        message = f"the SQL is of a form that cannot be taken apart: {parsed.get('error_message')}"
        raise UsageError(message, resource=resource, remedy="Write it as a plain SELECT.")
    return Statement(tuple(dict.fromkeys(_tables_in(parsed, frozenset()))), columns_used(parsed))


def _tables_in(node: Any, visible: frozenset[str]) -> Iterator[TableReference]:
    """Yield the tables in a statement that DuckDB parsed; *visible* are the names of common table expressions there.

    One of `WITH` is seen by those after it and by the query, and by itself only when it is recursive.
    """
    if isinstance(node, list):
        for item in node:
            yield from _tables_in(item, visible)
    if not isinstance(node, dict):
        return
    kind = str(node.get("type"))  # of an expression it may be an object
    if kind == "BASE_TABLE":
        named = TableReference(node.get("catalog_name") or None, node.get("schema_name") or None, node["table_name"])
        if named.schema or named.table.lower() not in visible:
            yield named
    if kind in _NAMED_NODES:
        visible |= {str(node.get("cte_name")).lower()}
    expressions = (node.get("cte_map") or {}).get("map") or []
    for expression in expressions:
        yield from _tables_in(expression.get("value"), visible)
        visible |= {str(expression.get("key")).lower()}
    for name, value in node.items():
        if name != "cte_map":
            yield from _tables_in(value, visible)
