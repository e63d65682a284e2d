"""The types of a table's columns, from the objects of the dump: enums with their labels, domains down to their base."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pgaudit_kit.records.identifiers import read_name
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey
from pgaudit_kit.records.table_columns import declared_columns
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.pg_types import TEXT, PgType, array_of, built_in_type

_DEEPEST = 64  # domains over domains; a damaged dump may name a circle
_BRACKETS = re.compile(r"(?:\s*\[\d*\])+\Z")
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_OID = "oid"


def types_of(inventory: Inventory, name: TableName, columns: Sequence[str]) -> tuple[PgType, ...]:
    """Return the types of *columns* of *name*; text where the dump does not say (rows alone, extensions' configuration tables)."""
    declared = declared_columns(inventory, name)
    types = {c.name: c.attributes["type"] for c in declared or () if c.attributes.get("type")}
    if declared is not None and _OID not in types:
        types[_OID] = _OID  # WITH OIDS, up to 11
    return tuple(resolve(types.get(column) or "text", inventory, home=name.schema) for column in columns)


def resolve(sql: str, inventory: Inventory, *, home: str | None, depth: int = 0) -> PgType:
    """Return the type that *sql* names in a dump; text for one that neither PostgreSQL nor the dump knows.

    *home*: the schema in which unqualified names of dumps before the releases of March 2018 are looked up.
    """
    bare = _BRACKETS.sub("", sql.strip())
    if bare != sql.strip():
        return array_of(resolve(bare, inventory, home=home, depth=depth), bare)
    found = read_name(bare, 0)
    schema, name, end = found or (None, bare, len(bare))
    if schema in (None, "pg_catalog") and (built_in := built_in_type(_without_quotes(bare, schema, name, end))):
        return built_in
    for user_type in _candidates(inventory, schema, name, home):
        if user_type.key.kind == "DOMAIN" and depth < _DEEPEST:
            return resolve(user_type.attributes.get("base_type") or "text", inventory, home=user_type.key.schema, depth=depth + 1)
        if user_type.attributes.get("form") == "enum":
            labels = _LITERAL.findall(user_type.attributes.get("labels") or "")
            return PgType("enum", labels=tuple(label.replace("''", "'") for label in labels))
        break
    return TEXT


def _without_quotes(bare: str, schema: str | None, name: str, end: int) -> str:
    """A built-in type as `built_in_type` knows it: `double precision` is two words, `"char"` is not the type `char`, but text like it."""
    return f"{name}{bare[end:]}" if schema or bare.startswith('"') else bare


def _candidates(inventory: Inventory, schema: str | None, name: str, home: str | None) -> list[DatabaseObject]:
    """The types of that name, the likeliest first."""
    if schema:
        keys = [ObjectKey(kind, schema, name) for kind in ("DOMAIN", "TYPE")]
        return [inventory.by_key[key] for key in keys if key in inventory.by_key]
    found = [user_type for user_type in inventory.of_kind("DOMAIN", "TYPE") if user_type.key.name == name]
    return sorted(found, key=lambda user_type: [home, "public", user_type.key.schema].index(user_type.key.schema))
