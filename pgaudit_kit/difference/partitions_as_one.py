"""Tables whose rows the two sides divide into other partitions, or one of them into none: the rows of all partitions are the table's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property

from pgaudit_kit.difference.divided_partitions import divided_tables
from pgaudit_kit.difference.partitions import PartitionTree
from pgaudit_kit.difference.row_matching import closing_blocks
from pgaudit_kit.difference.selection import SelectedSource
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.wrapped_source import WrappedSource


def partitions_as_one(left: Source, right: Source) -> tuple[Source, Source]:
    """Return both sources so that such a table is one table of both; other partitions stay tables of their own. Harmless twice."""
    trees = PartitionTree.of(whole(left).inventory), PartitionTree.of(whole(right).inventory)  # a selection may leave either out
    if not any(tree.keys for tree in trees):
        return left, right
    tables = _divided(left, right, trees)
    left, right = (_together(side, tree, tables) for side, tree in zip((left, right), trees, strict=True))
    ours, theirs = (_alone(*sides) for sides in ((left, right, trees[0]), (right, left, trees[1])))
    return _together(left, trees[0], ours), _together(right, trees[1], theirs)


def in_doubt(left: Source, right: Source) -> dict[TableName, str]:
    """Why rows of which partitions may lie in others of the other side, which are not compared: left out by a selection, or by a dump.

    *left* and *right* are as `partitions_as_one` gives them.
    """
    trees = PartitionTree.of(whole(left).inventory), PartitionTree.of(whole(right).inventory)
    held = whole(left).table_data.keys(), whole(right).table_data.keys()
    sides = [*zip((left, right), trees, strict=True)]
    found = [(d.table, d.moved, (*d.moved, *d.come)) for d in divided_tables(*trees, *held)]
    for one, tree, other in ((left, trees[0], right), (right, trees[1], left)):
        found += [(name, (), (name, *tree.leaves(name))) for name in _held_alone(whole(one), whole(other), tree)]
    doubts: dict[TableName, str] = {}
    for table, moved, concerned in found:
        missing = [leaf for side, tree in sides for leaf in tree.leaves(table) if leaf not in side.table_data]
        is_one = all(table in side.table_data for side in (left, right))
        if missing and not is_one and (not moved or any(leaf not in held[0] or has_rows(whole(left), leaf) for leaf in moved)):
            why = f"{table} is divided otherwise on the other side, and of {missing[0]} no rows are compared"
            doubts |= dict.fromkeys(concerned, f"its rows may lie in other partitions: {why}")
    return doubts


def whole(source: Source) -> Source:
    """The source that *source* is a part of, or another view of; else itself."""
    while isinstance(source, WrappedSource):
        source = source.whole
    return source


def giver(source: Source, name: TableName) -> Source:
    """The source whose own rows of *name* are those of *source*: not of a view that makes other rows of them."""
    while isinstance(source, SelectedSource) or (isinstance(source, _Together) and not source.joins(name)):
        source = source.whole
    return source


def has_rows(source: Source, name: TableName) -> bool:
    """Whether there are any; when they cannot be read, there may be."""
    rows = source.table_data[name].rows
    if rows is not None:
        return rows > 0
    try:
        with closing_blocks(source.row_blocks(name)) as blocks:
            return any(blocks)
    except PgAuditError:
        return True


def _divided(left: Source, right: Source, trees: tuple[PartitionTree, PartitionTree]) -> list[TableName]:
    """The tables that are partitioned otherwise on both sides, where rows of the left side are concerned."""
    held = left.table_data.keys(), right.table_data.keys()
    return [
        found.table
        for found in divided_tables(*trees, *held)
        if all(_are_held(tree, tree.leaves(found.table), holds) for tree, holds in zip(trees, held, strict=True))
        if any(has_rows(left, leaf) for leaf in found.moved)
    ]


def _alone(source: Source, other: Source, tree: PartitionTree) -> list[TableName]:
    """The tables that *source* holds in partitions, all of them, and *other* whole."""
    held = whole(source).table_data.keys()
    return [name for name in _held_alone(source, other, tree) if _are_held(tree, tree.leaves(name), held)]


def _held_alone(source: Source, other: Source, tree: PartitionTree) -> list[TableName]:
    """The tables that *source* has partitions of and *other* holds whole; partitions that *other* holds too stay what they are."""
    alone = other.table_data.keys() - source.table_data.keys()
    return [name for name in alone if name in tree.keys and not {*tree.leaves(name)} & other.table_data.keys()]


def _are_held(tree: PartitionTree, leaves: Sequence[TableName], held: Collection[TableName]) -> bool:
    """Whether the rows of all of them are there: not of those that lie on another server."""
    return all(leaf in held and leaf not in tree.foreign for leaf in leaves)


def _together(source: Source, tree: PartitionTree, tables: Sequence[TableName]) -> Source:
    return _Together(source, {table: tree.leaves(table) for table in tables}) if tables else source


class _Together(WrappedSource):
    """*source*, in which each table of *parted* has the rows of those partitions."""

    def __init__(self, source: Source, parted: Mapping[TableName, tuple[TableName, ...]]) -> None:
        super().__init__(source)
        self._parted = parted

    def joins(self, name: TableName) -> bool:
        """Whether its rows of *name* are those of partitions."""
        return name in self._parted

    @cached_property
    def table_data(self) -> Mapping[TableName, TableData]:
        """Those of the source, without the partitions and with the tables of them."""
        within = {leaf for found in self._parted.values() for leaf in found}
        others = {name: data for name, data in self.whole.table_data.items() if name not in within}
        return {**others, **{name: self._data(name) for name in self._parted}}

    def _data(self, name: TableName) -> TableData:
        held = [whole(self.whole).table_data[leaf] for leaf in self._parted[name]]
        item = whole(self.whole).inventory.by_key[ObjectKey("TABLE", name.schema, name.name)]
        columns = tuple(c.name for c in item.columns if not c.attributes.get("generated"))
        counts = [data.rows for data in held]
        rows = None if None in counts else sum(filter(None, counts))
        return TableData(name, columns, rows, not_readable=next((data.not_readable for data in held if data.not_readable), ""))

    def fingerprint(self, name: TableName, columns: Sequence[str] | None = None) -> Fingerprint:
        """Count and fingerprint of all rows of *name*. Raises what the source raises."""
        if name not in self._parted:
            return self.whole.fingerprint(name, columns)
        wanted = self.table_data[name].columns if columns is None else columns
        return sum((self.whole.fingerprint(leaf, wanted) for leaf in self._parted[name]), Fingerprint())

    def row_blocks(self, name: TableName, columns: Sequence[str] | None = None) -> Iterator[bytes]:
        """The rows of *name*. Raises what the source raises."""
        if name not in self._parted:
            return self.whole.row_blocks(name, columns)
        return self._of_all(name, self.table_data[name].columns if columns is None else columns)

    def _of_all(self, name: TableName, columns: Sequence[str]) -> Iterator[bytes]:
        for leaf in self._parted[name]:
            yield from self.whole.row_blocks(leaf, columns)
