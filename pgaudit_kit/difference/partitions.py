"""What a partition has from the tables above it: the way up, the way down to the rows, and the triggers."""

from __future__ import annotations

from collections.abc import Iterator

from pgaudit_kit.records.identifiers import read_name
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.table_data import TableName


def parents(inventory: Inventory) -> dict[TableName, TableName]:
    """Return the table that each partition is directly a partition of."""
    found = {}
    for item in inventory.of_kind("TABLE"):
        above = read_name(item.attributes.get("partition_of") or "", 0)
        if above:
            found[TableName(item.key.schema or "", item.key.name)] = TableName(above[0] or "", above[1])
    return found


def leaves(inventory: Inventory) -> dict[TableName, tuple[TableName, ...]]:
    """Return, for each partitioned table, those below it that hold rows."""
    above = parents(inventory)
    found: dict[TableName, tuple[TableName, ...]] = {}
    for partition in above.keys() - set(above.values()):
        for table in _climb(partition, above):
            found[table] = (*found.get(table, ()), partition)
    return {table: tuple(sorted(below)) for table, below in found.items()}


def upwards(table: TableName, inventory: Inventory) -> tuple[TableName, ...]:
    """Return the tables that *table* is a partition of, the nearest first."""
    return tuple(_climb(table, parents(inventory)))


def triggers_of(inventory: Inventory, table: TableName) -> dict[str, str | None]:
    """Return the names of the triggers that stand on *table*, with `enabled` (records.objects) of each.

    A partition has the row triggers of the tables above it; where one is enabled otherwise, the inventory lists it there again.
    """
    above = parents(inventory)
    found: dict[str, str | None] = {}
    for place in (table, *_climb(table, above)):
        for trigger in inventory.of_kind("TRIGGER"):
            if (trigger.key.schema, trigger.key.parent) == (place.schema, place.name) and (place == table or _is_of_rows(trigger)):
                found.setdefault(trigger.key.name, trigger.attributes.get("enabled"))
    return found


def _is_of_rows(trigger: DatabaseObject) -> bool:
    definition = trigger.attributes.get("definition")
    return definition is None or " FOR EACH ROW " in definition


def _climb(table: TableName, above: dict[TableName, TableName]) -> Iterator[TableName]:
    while table in above:
        table = above[table]
        yield table
