"""Which columns tell the rows of a table apart: read from an inventory, so dumps and servers answer alike."""

from __future__ import annotations

import re

from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.table_data import TableName

# What pg_get_constraintdef prints before and inside the parentheses: PRIMARY KEY (id, "Weird ""name")
_KEY = re.compile(r'(PRIMARY KEY|UNIQUE)(?: NULLS NOT DISTINCT)? \(((?:"(?:[^"]|"")*"|[^()"])*)\)')
_IDENTIFIER = re.compile(r'"((?:[^"]|"")*)"|([^\s,"]+)')


def key_columns(inventory: Inventory, table: TableName) -> tuple[str, ...]:
    """Return the columns of the primary key of *table*, else of a unique constraint over NOT NULL columns, else ()."""
    candidates: list[tuple[str, tuple[str, ...]]] = []
    for constraint in inventory.of_kind("CONSTRAINT"):
        if (constraint.key.schema, constraint.key.parent) != (table.schema, table.name):
            continue
        match = _KEY.match(constraint.attributes.get("definition") or "")
        if match and "WITHOUT OVERLAPS" not in match[2]:
            candidates.append((match[1], _identifiers(match[2])))
    for kind, columns in sorted(candidates):  # PRIMARY KEY sorts before UNIQUE
        if kind == "PRIMARY KEY" or _all_not_null(inventory, table, columns):
            return columns
    return ()


def _identifiers(text: str) -> tuple[str, ...]:
    return tuple(quoted.replace('""', '"') if quoted or not bare else bare for quoted, bare in _IDENTIFIER.findall(text))


def _all_not_null(inventory: Inventory, table: TableName, columns: tuple[str, ...]) -> bool:
    owner = next((o for o in inventory.of_kind("TABLE") if _is(o, table)), None)
    if owner is None:
        return False
    not_null = {c.name for c in owner.columns if c.attributes.get("not_null") == "true"}
    return not_null.issuperset(columns)


def _is(item: DatabaseObject, table: TableName) -> bool:
    return (item.key.schema, item.key.name) == (table.schema, table.name)
