"""Columns that a table has from its parents: what a restore makes of their order and of their compression."""

from __future__ import annotations

import re

from pgaudit_kit.records.difference import Change, ObjectDifference
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey

COLUMN_ORDER = "column order"
_COMPRESSION = re.compile(r"column (.*) compression", re.DOTALL)
_QUALIFIED = re.compile(r'("(?:[^"]|"")*"|[^.",]+)\.("(?:[^"]|"")*"|[^.",]+)(?:, |\Z)')


def same_order_when_restored(difference: ObjectDifference, change: Change, left: Inventory, right: Inventory) -> bool:
    """Whether *change* is one of the order of columns that restoring a dump of one side makes that of the other.

    A table that got its parent later (ALTER TABLE … INHERIT) has its columns in an order of its own; pg_dump writes them into a
    CREATE TABLE … INHERITS, and there those of the parents come first (tablecmds.c, MergeAttributes).
    """
    if change.attribute != COLUMN_ORDER or any(other.attribute == "inherits" for other in difference.changes):
        return False
    if not left.by_key[difference.key].attributes.get("inherits"):
        return False
    restored = [_restored_order(difference.key, inventory, frozenset()) for inventory in (left, right)]
    orders = [columns.split(", ") for columns in (change.left or "", change.right or "")]
    return any([name for name in made if name in order] == order for made, order in ((restored[0], orders[1]), (restored[1], orders[0])))


def _restored_order(key: ObjectKey, inventory: Inventory, below: frozenset[ObjectKey]) -> list[str]:
    table = inventory.by_key.get(key)
    if table is None or key in below:
        return []
    names: dict[str, None] = {}
    for parent in _parents(table):
        names |= dict.fromkeys(_restored_order(parent, inventory, below | {key}))
    names |= dict.fromkeys(column.name for column in table.columns if column.attributes.get("type") is not None)
    return list(names)


def compression_when_restored(key: ObjectKey, change: Change, left: Inventory, right: Inventory) -> bool:
    """Whether *change* is one of the compression of a column that restoring a dump of the side without it makes that of the other.

    pg_dump says SET COMPRESSION of what has one, and has no word for what has none; a child that is created takes over that of its
    parent's column (tablecmds.c, MergeAttributes).
    """
    name = _COMPRESSION.fullmatch(change.attribute)
    if name is None or (change.left is None) == (change.right is None):
        return False
    without = left if change.left is None else right
    above = _compressions_above(key, name[1], without, frozenset())
    return above == {change.left or change.right}


def _compressions_above(key: ObjectKey, column: str, inventory: Inventory, below: frozenset[ObjectKey]) -> set[str | None]:
    """The compressions that a column has in the parents of a table, and in theirs."""
    table = inventory.by_key.get(key)
    found: set[str | None] = set()
    for parent in _parents(table) if table and key not in below else ():
        columns = inventory.by_key[parent].columns if parent in inventory.by_key else ()
        found |= {c.attributes["compression"] for c in columns if c.name == column and "compression" in c.attributes}
        found |= _compressions_above(parent, column, inventory, below | {key})
    return found


def _parents(table: DatabaseObject) -> list[ObjectKey]:
    return [ObjectKey("TABLE", _raw(schema), _raw(name)) for schema, name in _QUALIFIED.findall(table.attributes.get("inherits") or "")]


def _raw(identifier: str) -> str:
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier
