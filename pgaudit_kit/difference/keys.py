"""Which columns tell the rows of a table apart: read from an inventory, so dumps and servers answer alike."""

from __future__ import annotations

import re

from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.table_data import TableName

_NAME = r'(?:"(?:[^"]|"")*"|[^\s",()]+)'
_COLUMNS = rf"\(({_NAME}(?:, {_NAME})*)\)"
# What pg_get_constraintdef and pg_get_indexdef print; an index with a WHERE, an expression or an operator class is no key
_CONSTRAINT = re.compile(rf"(?:PRIMARY KEY|UNIQUE)(?: NULLS NOT DISTINCT)? {_COLUMNS}")
_INDEX = re.compile(rf"CREATE UNIQUE INDEX .* USING \w+ {_COLUMNS}(?: INCLUDE {_COLUMNS})?(?: NULLS NOT DISTINCT)?\Z", re.DOTALL)
_IDENTIFIER = re.compile(r'"((?:[^"]|"")*)"|([^\s,"]+)')


def key_columns(inventory: Inventory, table: TableName) -> tuple[str, ...]:
    """Return the columns of the primary key of *table*, else of its narrowest unique constraint or index over NOT NULL columns, else ()."""
    candidates: list[tuple[bool, int, tuple[str, ...]]] = []
    for item in inventory.of_kind("CONSTRAINT", "INDEX"):
        definition = item.attributes.get("definition") or ""
        match = (_INDEX if item.key.kind == "INDEX" else _CONSTRAINT).match(definition)
        if match and item.attributes.get("valid") != "false" and (item.key.schema, item.key.parent) == (table.schema, table.name):
            columns = _identifiers(match[1])
            candidates.append((not definition.startswith("PRIMARY KEY"), len(columns), columns))
    for unique_only, _, columns in sorted(candidates):
        if not unique_only or _all_not_null(inventory, table, columns):
            return columns
    return ()


def _identifiers(text: str) -> tuple[str, ...]:
    return tuple(quoted.replace('""', '"') if quoted or not bare else bare for quoted, bare in _IDENTIFIER.findall(text))


def _all_not_null(inventory: Inventory, table: TableName, columns: tuple[str, ...]) -> bool:
    owner = next((o for o in inventory.of_kind("TABLE") if _is(o, table)), None)
    if owner is None:
        return False
    not_null = {c.name for c in owner.columns if c.attributes.get("not_null") == "true" and not c.attributes.get("generated")}
    return not_null.issuperset(columns)


def _is(item: DatabaseObject, table: TableName) -> bool:
    return (item.key.schema, item.key.name) == (table.schema, table.name)
