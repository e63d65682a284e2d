"""The SQL of keys, checks and indexes of tables that are restored under other names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pgaudit_kit.difference.rescue_sql import qualified, quoted
from pgaudit_kit.records.identifiers import read_identifier, read_name
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.table_data import TableName

# In this order: a foreign key needs the key that it refers to
_CONSTRAINTS = ("CHECK CONSTRAINT", "CONSTRAINT", "FK CONSTRAINT")
_REFERENCES = re.compile(r"\)\s+REFERENCES\s+")
_INDEX = re.compile(r"CREATE (?:UNIQUE )?INDEX ")
_ON = re.compile(r"\s+ON (?:ONLY )?")


def moved_objects(inventory: Inventory, moved: Mapping[TableName, TableName]) -> tuple[list[str], list[str]]:
    """Return the statements that give the tables of *moved* (from, to) their checks, keys and indexes; and what was left out, in sentences.

    A foreign key to a table that is not moved is left out: the table of that name in the database is another moment's.
    """
    statements: list[str] = []
    left_out: list[str] = []
    indexes = [item for item in inventory.of_kind("INDEX") if _table_of(item) in moved and not item.attributes.get("attached_to")]
    backing = {(item.key.schema, item.key.name) for item in inventory.of_kind("CONSTRAINT")}  # these make their index themselves
    for item in indexes:
        if (item.key.schema, item.key.name) not in backing:
            statements += _said(_index(item, moved), item, left_out)
    for kind in _CONSTRAINTS:
        for item in inventory.of_kind(kind):
            if _table_of(item) in moved and not item.attributes.get("attached_to"):
                statements += _said(_constraint(item, moved), item, left_out)
    return statements, left_out


def _said(sql: str | None, item: DatabaseObject, left_out: list[str]) -> Iterator[str]:
    if sql is not None:
        yield sql
    else:
        reason = "it refers to a table that is not restored" if item.key.kind == "FK CONSTRAINT" else "its definition is not understood"
        left_out.append(f"{item.key} is left out: {reason}.")


def _table_of(item: DatabaseObject) -> TableName:
    return TableName(item.key.schema or "", item.key.parent or "")


def _constraint(item: DatabaseObject, moved: Mapping[TableName, TableName]) -> str | None:
    definition = item.attributes.get("definition")
    if definition and item.key.kind == "FK CONSTRAINT":
        definition = _with_moved_name(definition, _REFERENCES.search(definition), moved)
    if not definition:
        return None
    return f"ALTER TABLE {qualified(moved[_table_of(item)])} ADD CONSTRAINT {quoted(item.key.name)} {definition}"


def _index(item: DatabaseObject, moved: Mapping[TableName, TableName]) -> str | None:
    definition = item.attributes.get("definition") or ""
    create = _INDEX.match(definition)
    name = read_identifier(definition, create.end()) if create else None
    return _with_moved_name(definition, _ON.match(definition, name[1]), moved) if name else None


def _with_moved_name(definition: str, before: re.Match[str] | None, moved: Mapping[TableName, TableName]) -> str | None:
    """*definition* with the name of the table behind *before* replaced; None when it is not moved, or not there."""
    name = read_name(definition, before.end()) if before else None
    if before is None or name is None:
        return None
    schema, table, end = name
    new = moved.get(TableName(schema or "", table))
    return f"{definition[: before.end()]}{qualified(new)}{definition[end:]}" if new else None
