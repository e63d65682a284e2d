"""How many rows of a live database point at a row that is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.catalog_query import query

if TYPE_CHECKING:
    from pgaudit_kit.server.snapshot import Snapshot


_COUNT = "SELECT pg_catalog.count(*) AS orphans FROM {child} AS child WHERE {points} AND NOT EXISTS ({finds})"
_FINDS = "SELECT FROM {parent} AS parent WHERE {equal}"


@dataclass(frozen=True, slots=True)
class Relation:
    """Something that can be read as a table: of each column the operator for equal values and the collation."""

    kind: str
    columns: Mapping[str, tuple[str, str | None]]


def relations(live: Snapshot) -> dict[TableName, Relation]:
    """Return what can be read as a table, without what PostgreSQL brings itself."""
    found: dict[TableName, Relation] = {}
    columns: dict[TableName, dict[str, tuple[str, str | None]]] = {}
    for row in live.ask(query("referring_columns", live.major)):
        name = TableName(row["schema"], row["name"])
        held = columns.setdefault(name, {})
        held[row["column_name"]] = (row["equality"], row["collation"])
        found[name] = Relation(row["kind"], held)
    return found


def count_orphans(
    live: Snapshot,
    known: Mapping[TableName, Relation],
    child: tuple[TableName, Sequence[str]],
    parent: tuple[TableName, Sequence[str]],
    *,
    match_full: bool,
) -> int:
    """Return how many rows of *child* (a table and columns) find no row of *parent*, which may be gone.

    NULL points at nothing, as the constraint has it. Both tables are read once (a hash join, where no index helps). What is in
    partitions counts, what is in other child tables does not: ri_triggers.c, RI_Initial_Check. Raises QueryFailed, also when this
    role may not read one of them.
    """
    table, columns = child
    nulls = [f"child.{_quoted(c)} IS NULL" for c in columns]
    points = f"NOT ({' AND '.join(nulls)})" if match_full else f"NOT ({' OR '.join(nulls)})"
    finds = _FINDS.format(parent=_from(parent[0], known), equal=_equal(child, parent, known)) if parent[0] in known else "SELECT LIMIT 0"
    (row,) = live.ask(_COUNT.format(child=_from(table, known), points=points, finds=finds))
    return int(row["orphans"])


def _equal(child: tuple[TableName, Sequence[str]], parent: tuple[TableName, Sequence[str]], known: Mapping[TableName, Relation]) -> str:
    conditions = []
    for mine, theirs in zip(child[1], parent[1], strict=True):
        equality, collation = known[parent[0]].columns[theirs]
        same = known[child[0]].columns[mine][1] in (collation, None)
        collate = "" if same or collation is None else f" COLLATE {collation}"
        conditions.append(f"parent.{_quoted(theirs)} OPERATOR({equality}) child.{_quoted(mine)}{collate}")
    return " AND ".join(conditions)


def _from(table: TableName, known: Mapping[TableName, Relation]) -> str:
    only = "ONLY " if known[table].kind == "r" else ""
    return f"{only}{_quoted(table.schema)}.{_quoted(table.name)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
