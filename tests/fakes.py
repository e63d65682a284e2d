"""A Source in memory, for what does not need a server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.rows.copy_text import project
from pgaudit_kit.rows.fingerprint import fingerprint_of


@dataclass
class FakeSource:
    """Objects as given; rows as COPY text per table, as one block or *rows_at_once*. `readings`: how often rows were asked for."""

    label: str = "fake"
    provenance: Provenance = field(default_factory=lambda: Provenance(format="fake"))
    inventory: Inventory = field(default_factory=Inventory)
    copy_text: dict[TableName, tuple[tuple[str, ...], bytes]] = field(default_factory=dict)
    rows_at_once: int = 0
    readings: int = 0

    @property
    def table_data(self) -> dict[TableName, TableData]:
        return {name: TableData(name, columns, rows=text.count(b"\n")) for name, (columns, text) in self.copy_text.items()}

    def fingerprint(self, name: TableName, columns: Sequence[str] | None = None) -> Fingerprint:
        return fingerprint_of(self.row_blocks(name, columns))

    def row_blocks(self, name: TableName, columns: Sequence[str] | None = None) -> Iterator[bytes]:
        self.readings += 1
        own, text = self.copy_text[name]
        lines = text.split(b"\n")[:-1]
        step = self.rows_at_once or len(lines) or 1
        blocks = (b"".join(line + b"\n" for line in lines[at : at + step]) for at in range(0, len(lines), step))
        yield from project(blocks, own, own if columns is None else columns)
