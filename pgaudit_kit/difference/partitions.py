"""What a partition has from the tables above it: the way up, the way down to the rows, and the triggers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pgaudit_kit.records.identifiers import read_name
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.zoned_text import in_utc


@dataclass(frozen=True)
class PartitionTree:
    """The partitioned tables of an inventory: the key of each (pg_get_partkeydef), and its partitions with the bounds of each.

    Timestamps in bounds are in UTC, whatever zone they were printed under. `foreign`: the partitions whose rows lie on another server.
    """

    keys: Mapping[TableName, str]
    partitions: Mapping[TableName, Mapping[TableName, str]]
    foreign: frozenset[TableName]

    @classmethod
    def of(cls, inventory: Inventory) -> PartitionTree:
        """The tree of all tables of *inventory*."""
        keys: dict[TableName, str] = {}
        partitions: dict[TableName, dict[TableName, str]] = {}
        foreign = set()
        for item in inventory.of_kind("TABLE", "FOREIGN TABLE"):
            name = TableName(item.key.schema or "", item.key.name)
            if key := item.attributes.get("partition_key"):
                keys[name] = key
            if above := _parent(item):
                partitions.setdefault(above, {})[name] = in_utc((item.attributes.get("partition_bound") or "").encode()).decode()
                if item.key.kind == "FOREIGN TABLE":
                    foreign.add(name)
        return cls(keys, partitions, frozenset(foreign))

    def leaves(self, table: TableName) -> tuple[TableName, ...]:
        """Those below *table* that hold rows, by name; *table* itself when it is not partitioned."""
        if table not in self.keys:
            return (table,)
        return tuple(sorted(leaf for below in self.partitions.get(table, ()) for leaf in self.leaves(below)))


def leaves(inventory: Inventory) -> dict[TableName, tuple[TableName, ...]]:
    """Return, for each partitioned table, those below it that hold rows."""
    above = inventory.partition_parents
    found: dict[TableName, tuple[TableName, ...]] = {}
    for partition in above.keys() - set(above.values()):
        for table in _climb(partition, above):
            found[table] = (*found.get(table, ()), partition)
    return {table: tuple(sorted(below)) for table, below in found.items()}


def holding(source: Source) -> dict[TableName, tuple[TableName, ...]]:
    """As `leaves`, with the tables of *source* that hold those rows: where partitions are as one, the table of them."""
    above = source.inventory.partition_parents
    found = {}
    for table, below in leaves(source.inventory).items():
        holders = (next((t for t in (leaf, *_climb(leaf, above)) if t in source.table_data), leaf) for leaf in below)
        found[table] = tuple(dict.fromkeys(holders))
    return found


def joined(source: Source) -> dict[TableName, tuple[TableName]]:
    """Return, for each partition whose rows a table above it has in *source*, that table."""
    above = source.inventory.partition_parents
    places = {
        leaf: next((t for t in _climb(leaf, above) if t in source.table_data), None) for leaf in above.keys() - source.table_data.keys()
    }
    return {leaf: (place,) for leaf, place in places.items() if place}


def downwards(table: TableName, inventory: Inventory) -> tuple[TableName, ...]:
    """Return all tables that are partitions of *table*, or of one of those."""
    found, seen = [table], {table}  # as in _climb
    for place in found:
        below = [partition for partition in inventory.partitions_of.get(place, ()) if partition not in seen]
        found += below
        seen.update(below)
    return tuple(found[1:])


def upwards(table: TableName, inventory: Inventory) -> tuple[TableName, ...]:
    """Return the tables that *table* is a partition of, the nearest first."""
    return tuple(_climb(table, inventory.partition_parents))


def triggers_of(inventory: Inventory, table: TableName) -> dict[str, str | None]:
    """Return the names of the triggers that stand on *table*, with `enabled` (records.objects) of each.

    A partition has the row triggers of the tables above it; where one is enabled otherwise, the inventory lists it there again.
    """
    above = inventory.partition_parents
    found: dict[str, str | None] = {}
    for place in (table, *_climb(table, above)):
        for trigger in inventory.of_kind("TRIGGER"):
            if (trigger.key.schema, trigger.key.parent) == (place.schema, place.name) and (place == table or _is_of_rows(trigger)):
                found.setdefault(trigger.key.name, trigger.attributes.get("enabled"))
    return found


def _is_of_rows(trigger: DatabaseObject) -> bool:
    definition = trigger.attributes.get("definition")
    return definition is None or " FOR EACH ROW " in definition


def _parent(item: DatabaseObject) -> TableName | None:
    above = read_name(item.attributes.get("partition_of") or "", 0)
    return TableName(above[0] or "", above[1]) if above else None


def _climb(table: TableName, above: Mapping[TableName, TableName]) -> Iterator[TableName]:
    seen = {table}  # a damaged dump may say that they go in a circle
    while table in above and above[table] not in seen:
        table = above[table]
        seen.add(table)
        yield table
