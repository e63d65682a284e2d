"""A table that is partitioned on one side only: there, the rows of all its partitions are its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from pgaudit_kit.difference.partitions import leaves
from pgaudit_kit.difference.selection import SelectedSource
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.identifiers import read_name
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.wrapped_source import WrappedSource


def partitions_as_one(left: Source, right: Source) -> tuple[Source, Source]:
    """Return both sources so that a table which one holds whole and the other in partitions is one table of both."""
    return _as_one(left, right), _as_one(right, left)


def whole(source: Source) -> Source:
    """The source that *source* is a part of, or is."""
    return source.whole if isinstance(source, SelectedSource) else source


def _as_one(source: Source, other: Source) -> Source:
    """*source* with what it holds in partitions, and *other* does not, as tables; partitions that *other* holds too stay what they are."""
    alone = other.table_data.keys() - source.table_data.keys()
    parted = {name: held for name in alone if (held := _partitions(source, name, other)) is not None}
    return _Together(source, parted) if parted else source


def _partitions(source: Source, name: TableName, other: Source) -> tuple[TableName, ...] | None:
    """The partitions that hold the rows of *name*; None when it has none, or not all are tables whose rows are there for it alone."""
    inventory = whole(source).inventory  # a selection of the table leaves its partitions out
    item = inventory.by_key.get(ObjectKey("TABLE", name.schema, name.name))
    if item is None or not item.attributes.get("partition_key"):
        return None
    parted = leaves(inventory)
    below = parted.get(name, ())
    tables = {name, *(table for table, found in parted.items() if {*found} <= {*below})}
    foreign = (read_name(o.attributes.get("partition_of") or "", 0) for o in inventory.of_kind("FOREIGN TABLE"))
    if any(above and TableName(above[0] or "", above[1]) in tables for above in foreign):
        return None
    held = whole(source).table_data
    return below if all(leaf in held and leaf not in other.table_data for leaf in below) else None


class _Together(WrappedSource):
    """*source*, in which each table of *parted* has the rows of those partitions."""

    def __init__(self, source: Source, parted: Mapping[TableName, tuple[TableName, ...]]) -> None:
        super().__init__(source)
        self._parted = parted

    @cached_property
    def table_data(self) -> Mapping[TableName, TableData]:
        """Those of the source, without the partitions and with the tables of them."""
        within = {leaf for found in self._parted.values() for leaf in found}
        others = {name: data for name, data in self.whole.table_data.items() if name not in within}
        return {**others, **{name: self._data(name) for name in self._parted}}

    def _data(self, name: TableName) -> TableData:
        held = [whole(self.whole).table_data[leaf] for leaf in self._parted[name]]
        item = self.whole.inventory.by_key[ObjectKey("TABLE", name.schema, name.name)]
        columns = tuple(c.name for c in item.columns if not c.attributes.get("generated"))
        return TableData(name, columns, not_readable=next((data.not_readable for data in held if data.not_readable), ""))

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
