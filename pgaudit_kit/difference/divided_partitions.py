"""Tables whose partitions were divided otherwise since: rows that one side has in a partition lie in another one on the other side."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pgaudit_kit.difference.partitions import PartitionTree
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName

_DEFAULT = "DEFAULT"
_HASH = "HASH "


@dataclass(frozen=True, slots=True)
class Divided:
    """A partitioned table of both sides, the partitions of the left side whose rows may lie in others on the right side, and those."""

    table: TableName
    moved: tuple[TableName, ...]
    come: tuple[TableName, ...]


def divided_tables(
    left: PartitionTree, right: PartitionTree, left_holds: Collection[TableName], right_holds: Collection[TableName]
) -> Iterator[Divided]:
    """Yield the tables nearest to where both sides divide otherwise. *left_holds*, *right_holds*: the tables with rows of either side.

    A partition that was detached and kept, or only added, moves no rows: its own are compared under its own name.
    """
    both = left.keys.keys() & right.keys.keys()
    below = {partition for table in both for partition in left.partitions.get(table, ())}
    waiting = sorted(both - below)
    while waiting:
        table = waiting.pop()
        moved = _moved(table, left, right, right_holds)
        come = _moved(table, right, left, left_holds) if moved else []
        if come:
            yield Divided(table, _leaves_of(moved, left), _leaves_of(come, right))
        else:
            waiting += sorted(both & left.partitions.get(table, {}).keys())


def where_else(left: Source, right: Source) -> dict[TableName, frozenset[TableName]]:
    """Return, for tables of *left* that are divided otherwise in *right*, into or out of none included, where their rows may lie there.

    That is in partitions that *left* does not have, or has with other bounds: another one has rows of its own, however it grows.
    """
    trees = PartitionTree.of(left.inventory), PartitionTree.of(right.inventory)
    found: dict[TableName, frozenset[TableName]] = {}
    for divided in divided_tables(*trees, left.table_data, right.table_data):
        below = trees[0].leaves(divided.table)
        found |= dict.fromkeys(below, frozenset(trees[1].leaves(divided.table)).difference(_as_they_were(divided.table, *trees)))
    for table in trees[1].keys.keys() - trees[0].keys.keys() & left.table_data.keys():
        found.setdefault(table, frozenset(trees[1].leaves(table)))
    for table in trees[0].keys.keys() - trees[1].keys.keys() & right.table_data.keys():
        found = {**dict.fromkeys(trees[0].leaves(table), frozenset({table})), **found}
    return found


def _as_they_were(table: TableName, left: PartitionTree, right: PartitionTree) -> Iterator[TableName]:
    """The partitions of *right* with rows that *left* has within the same bounds."""
    ours, theirs = left.partitions.get(table, {}), right.partitions.get(table, {})
    if left.keys.get(table) == right.keys.get(table):
        for partition in (p for p, bound in theirs.items() if ours.get(p) == bound):
            yield from _as_they_were(partition, left, right) if partition in right.keys else (partition,)


def _leaves_of(partitions: Collection[TableName], tree: PartitionTree) -> tuple[TableName, ...]:
    return tuple(leaf for partition in partitions for leaf in tree.leaves(partition))


def _moved(table: TableName, tree: PartitionTree, other: PartitionTree, other_holds: Collection[TableName]) -> list[TableName]:
    """The partitions of *table* whose rows may lie in other ones of the *other* side."""
    ours, theirs = tree.partitions.get(table, {}), other.partitions.get(table, {})
    kept = {p for p in ours.keys() - theirs.keys() if all(leaf in other_holds for leaf in tree.leaves(p))}
    changed = {p for p, bound in ours.items() if theirs.get(p) != bound} - kept
    come = theirs.keys() - ours.keys()
    if not changed and not come:
        return []
    if tree.keys[table].startswith(_HASH) or tree.keys[table] != other.keys[table]:
        return sorted(ours)
    return sorted(changed | {p for p, bound in ours.items() if bound == _DEFAULT})
