"""A source that stands before another one and is as that one in all that it does not say otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableData, TableName


class WrappedSource:
    """*source*, which is `whole`: what a subclass does not change is its own. It is a Source itself."""

    def __init__(self, source: Source) -> None:
        self.whole = source

    @property
    def label(self) -> str:
        """A name for people."""
        return self.whole.label

    @property
    def provenance(self) -> Provenance:
        """Where it comes from."""
        return self.whole.provenance

    @property
    def inventory(self) -> Inventory:
        """Its objects."""
        return self.whole.inventory

    @property
    def table_data(self) -> Mapping[TableName, TableData]:
        """The tables whose rows it holds."""
        return self.whole.table_data

    def fingerprint(self, name: TableName, columns: Sequence[str] | None = None) -> Fingerprint:
        """Count and fingerprint of the rows of *name*. Raises what the source raises."""
        return self.whole.fingerprint(name, columns)

    def row_blocks(self, name: TableName, columns: Sequence[str] | None = None) -> Iterator[bytes]:
        """The rows of *name*. Raises what the source raises."""
        return self.whole.row_blocks(name, columns)
