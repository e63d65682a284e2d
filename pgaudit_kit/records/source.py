"""The one narrow interface of everything that has an inventory: Dump, Snapshot, Manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableData, TableName


class Source(Protocol):
    """What `difference` and the audits ask of a source; they do not know which one they were given."""

    @property
    def label(self) -> str:
        """A name for people, without secrets: a file name, `host/database`."""

    @property
    def provenance(self) -> Provenance:
        """Where it comes from."""

    @property
    def inventory(self) -> Inventory:
        """Its objects."""

    @property
    def table_data(self) -> Mapping[TableName, TableData]:
        """The tables whose rows it holds (ordinary tables; not partitioned parents, views, foreign tables)."""

    def fingerprint(self, name: TableName, columns: Sequence[str] | None = None) -> Fingerprint:
        """Count and fingerprint of all rows of *name* over *columns* (default: `table_data[name].columns`).

        Raises RowsNotAvailable when the source cannot know it for these columns.
        """

    def row_blocks(self, name: TableName, columns: Sequence[str] | None = None) -> Iterator[bytes]:
        r"""The rows as blocks of COPY text in UTF-8: every block is whole lines, each ended by \n, no end mark.

        May be called again; every call gives the same rows. Raises RowsNotAvailable when there are none to read.
        """
