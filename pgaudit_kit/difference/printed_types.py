"""Columns whose text depends on how a session is set, whatever their type holds such a value in: arrays, domains, composites, ranges."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from pgaudit_kit.records.identifiers import read_name, read_parents
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.table_columns import declared_columns
from pgaudit_kit.records.table_data import TableName

_WITH_ROW_TYPE = ("TYPE", "TABLE", "FOREIGN TABLE")


def columns_printed_by(inventory: Inventory, pattern: re.Pattern[str]) -> dict[TableName, tuple[str, ...]]:
    """The columns, by table, of which a part is of a built-in type that *pattern* matches; inherited ones and those of a type included."""
    holders = _types_that_hold(inventory, pattern)
    holds = cache(lambda type_text: _holds(type_text, pattern, holders))
    found = {}
    for table in inventory.of_kind("TABLE"):
        name = TableName(table.key.schema or "", table.key.name)
        columns = (c for c in declared_columns(inventory, name) or () if holds(c.attributes.get("type")))
        if names := tuple(dict.fromkeys(c.name for c in columns)):
            found[name] = names
    return found


def _types_that_hold(inventory: Inventory, pattern: re.Pattern[str]) -> set[tuple[str | None, str]]:
    """The user's types (and tables, each of which is a type) that hold such a value, however deep."""
    parts = [found for item in inventory.of_kind("DOMAIN", *_WITH_ROW_TYPE) for found in _parts(item)]
    holders: set[tuple[str | None, str]] = set()
    while more := {name for name, types in parts if name not in holders and any(_holds(t, pattern, holders) for t in types)}:
        holders |= more
    return holders


def _parts(item: DatabaseObject) -> list[tuple[tuple[str | None, str], list[str | None]]]:
    """The types that *item* makes, and what each is made of."""
    name = (item.key.schema, item.key.name)
    types = list(dict.fromkeys(c.attributes.get("type") for c in item.columns))
    if item.key.kind == "DOMAIN":
        return [(name, [item.attributes.get("base_type")])]
    if item.key.kind == "TABLE":  # of a child also those of its parents
        types += [str(TableName(schema or "", parent)) for schema, parent in read_parents(item.attributes.get("inherits") or "")]
    if not (subtype := item.attributes.get("subtype")):
        return [(name, types)]
    multirange = read_name(item.attributes.get("multirange_type_name") or "", 0)
    return [(name, [subtype]), ((multirange[0] or item.key.schema, multirange[1]) if multirange else _multirange(name), [subtype])]


def _multirange(name: tuple[str | None, str]) -> tuple[str | None, str]:
    """The name that CREATE TYPE gives by itself (typecmds.c, makeMultirangeTypeName)."""
    return name[0], name[1].replace("range", "multirange", 1) if "range" in name[1] else f"{name[1]}_multirange"


def _holds(type_text: str | None, pattern: re.Pattern[str], holders: set[tuple[str | None, str]]) -> bool:
    if not type_text:
        return False
    if pattern.match(type_text):
        return True
    return bool(holders) and _name_of(type_text) in holders


@lru_cache(4096)
def _name_of(type_text: str) -> tuple[str | None, str] | None:
    name = read_name(type_text, 0)
    return name[:2] if name else None
