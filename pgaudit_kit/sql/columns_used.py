"""Which columns a statement can mean: the others need not be read.

It errs on the side of reading: every text in the parsed statement counts as a name, and a form that is not known here means all columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_EVERY_COLUMN = frozenset({"STAR", "POSITIONAL_REFERENCE"})
_FROM = frozenset({"BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY", "EMPTY_FROM", "TABLE_FUNCTION", "EXPRESSION_LIST"})
_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_JOINS = frozenset({"REGULAR", "CROSS", "ASOF"})  # not NATURAL, which joins on all names that both sides have


def columns_used(statement: Any) -> frozenset[str] | None:
    """Return lower-case names among which are those of all columns that *statement*, parsed by DuckDB, uses; None: all columns."""
    texts: set[str] = set()
    tables: set[str] = set()
    named: set[str] = set()
    for node in _nodes(statement):
        if isinstance(node, str):
            texts.add(node.lower())
        elif isinstance(node, dict):
            if _may_mean_all(node):
                return None
            if node.get("class") == "COLUMN_REF":
                named.add(str(node["column_names"][-1]).lower())
            elif "sample" in node:
                tables |= {str(node.get("alias")).lower(), str(node.get("table_name")).lower()}
    return None if named & tables else frozenset(texts)  # a table's name as a value is its whole row


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    if isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from _nodes(inner)


def _may_mean_all(node: dict[str, Any]) -> bool:
    kind = node.get("type")
    if "class" in node:
        return node["class"] in _EVERY_COLUMN
    if "cte_map" in node:
        return kind not in _QUERIES or "BY_NAME" in str(node.get("setop_type"))
    if "sample" in node:
        renames = kind == "BASE_TABLE" and bool(node.get("column_name_alias"))
        return kind not in _FROM or renames or node.get("ref_type", "REGULAR") not in _JOINS
    return False
