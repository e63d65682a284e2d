"""The order of columns that a table has itself and from its parents too: a restore puts them where the parents have them."""

from __future__ import annotations

import re

from pgaudit_kit.records.difference import Change, ObjectDifference
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import ObjectKey

COLUMN_ORDER = "column order"
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
    for schema, name in _QUALIFIED.findall(table.attributes.get("inherits") or ""):
        names |= dict.fromkeys(_restored_order(ObjectKey("TABLE", _raw(schema), _raw(name)), inventory, below | {key}))
    names |= dict.fromkeys(column.name for column in table.columns if column.attributes.get("type") is not None)
    return list(names)


def _raw(identifier: str) -> str:
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier
