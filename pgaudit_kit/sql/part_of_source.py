"""Some tables of a source, as a Source: to find out how it prints values without reading anything else of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pgaudit_kit.errors import RowsNotAvailable
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.rows.copy_text import project
from pgaudit_kit.sql.row_source import RowSource


@dataclass(frozen=True)
class PartOfSource:
    """The tables of a source that a query uses, as a Source: nothing else of it is read, as it would be to count its rows."""

    rows: RowSource
    used: Sequence[TableName]

    @property
    def label(self) -> str:
        """That of the whole source."""
        return self.rows.label

    @property
    def provenance(self) -> Provenance:
        """Without settings: where they are recorded, there are no rows."""
        return Provenance(format=self.rows.what)

    @cached_property
    def inventory(self) -> Inventory:
        """The tables that the rows lie in."""
        names = {(name.schema, name.name) for name in self.table_data}
        return Inventory(tuple(o for o in self.rows.inventory.of_kind("TABLE") if (o.key.schema, o.key.name) in names))

    @cached_property
    def table_data(self) -> Mapping[TableName, TableData]:
        """The same, with their columns."""
        names = dict.fromkeys(member for name in self.used for member in self.rows.members[name])
        return {name: TableData(name, self.rows.open_rows(name).columns) for name in names}

    def fingerprint(self, name: TableName, columns: Sequence[str] | None = None) -> Fingerprint:
        """Raise RowsNotAvailable: nobody asks for it here."""
        raise RowsNotAvailable(f"of {name} no fingerprint is made here ({columns})", resource=self.label, table=str(name))

    def row_blocks(self, name: TableName, columns: Sequence[str] | None = None) -> Iterator[bytes]:
        """The rows of *name*."""
        rows = self.rows.open_rows(name)
        return rows.blocks if columns is None else project(rows.blocks, rows.columns, columns)

    def has_ranges(self, name: TableName) -> bool:
        """Whether *name* has ranges of instants."""
        return any("tstz" in (c.attributes.get("type") or "") for o in self.inventory.objects for c in o.columns if o.key.name == name.name)
