"""An incremental backup that has been written, as a source: its objects, and its tables as the sums of their chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, reduce
from operator import add

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.errors import RowsNotAvailable
from pgaudit_kit.records.chunks import NO_ROWS, IncrementalIndex
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.large_objects import LARGE_OBJECT_COLUMNS, LARGE_OBJECT_ROWS
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableData, TableName


class WrittenChunks:
    """See `records.source.Source`. *schema*: the archive beside the chunks."""

    def __init__(self, index: IncrementalIndex, schema: Dump) -> None:
        self.label = "the backup"
        self._index = index
        self._schema = schema

    @property
    def provenance(self) -> Provenance:
        """What the archive says of itself."""
        return self._schema.told

    @property
    def inventory(self) -> Inventory:
        """The objects of the archive."""
        return self._schema.inventory

    @cached_property
    def table_data(self) -> Mapping[TableName, TableData]:
        """The tables, with counts and fingerprints."""
        found = {
            table.name: TableData(table.name, table.columns, table.fingerprint.rows, table.size_bytes, table.fingerprint)
            for table in self._index.tables
        }
        if any(objects.nodes for objects in self._index.large_objects):
            total = reduce(add, (objects.fingerprint for objects in self._index.large_objects), NO_ROWS)
            found[LARGE_OBJECT_ROWS] = TableData(LARGE_OBJECT_ROWS, LARGE_OBJECT_COLUMNS, total.rows, None, total)
        return found

    def fingerprint(self, name: TableName, columns: Sequence[str] | None = None) -> Fingerprint:
        """The sum over its chunks. Raises RowsNotAvailable for other columns."""
        data = self.table_data[name]
        if data.fingerprint is None or (columns is not None and tuple(columns) != data.columns):
            raise RowsNotAvailable(f"no fingerprint of {name} over these columns is known", resource=self.label, table=str(name))
        return data.fingerprint

    def row_blocks(self, name: TableName, columns: Sequence[str] | None = None) -> Iterator[bytes]:  # noqa: ARG002  the interface of Source
        """Never gives rows: raises RowsNotAvailable."""
        raise RowsNotAvailable(f"the rows of {name} are not read here", resource=self.label, table=str(name))
