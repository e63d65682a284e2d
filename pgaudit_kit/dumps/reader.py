"""What `Dump` asks of the reader of one format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pgaudit_kit.dumps.row_ranges import RowRange
from pgaudit_kit.dumps.scripts.script_pieces import MetaCommand
from pgaudit_kit.records.chunks import Chunk
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.toc import Damage, TocEntry
from pgaudit_kit.rows.large_objects import LargeObjectRows


@dataclass(frozen=True, slots=True)
class StoredRows:
    """The rows of one table: the columns of its COPY lines, and blocks of whole lines in UTF-8 of 128 KiB or more.

    `ranges` are the same rows as they lie in a local file, () when they are wrapped or stored in another form there.
    """

    columns: tuple[str, ...]
    blocks: Iterator[bytes]
    ranges: tuple[RowRange, ...] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """What one pass over all rows found. `damaged` are the tables whose rows are broken; all damage, theirs too, is in `damage`.

    `large_objects` are those whose content was there, None without any; `large_objects_broken` says why they are not all of them.
    `fingerprints`: of the rows that were hashed in the same pass (`DumpReader.hashes_rows`).
    """

    tables: Mapping[TableName, TableData]
    damage: tuple[Damage, ...]
    damaged: Mapping[TableName, Damage]
    large_objects: LargeObjectRows | None = None
    large_objects_broken: str = ""
    fingerprints: Mapping[TableName, Fingerprint] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChunkLists:
    """The rows of a table as chunks: `nodes` are lists, `chunks` gives what is on some of them, `rows` the lines of some chunks, in UTF-8.

    Both functions raise DamagedDump, also on the way.
    """

    nodes: tuple[Chunk, ...]
    chunks: Callable[[Iterable[Chunk]], Iterator[Chunk]]
    rows: Callable[[Iterable[Chunk]], Iterator[bytes]]


class DumpReader(Protocol):
    """One dump, as its format stores it. Everything is read when it is first asked for, and once."""

    format: str
    hashes_rows: bool
    """Whether the pass that counts rows is to hash them, too: an archive then need not be unpacked twice. Set before that pass."""

    @property
    def provenance(self) -> Provenance:
        """What the dump says of itself; `complete` is None."""

    @property
    def toc_entries(self) -> tuple[TocEntry, ...]:
        """The entries, in the order of the file."""

    @property
    def inventory(self) -> Inventory:
        """The objects."""

    @property
    def table_names(self) -> tuple[TableName, ...]:
        """The tables that it holds rows of."""

    @property
    def contents(self) -> Contents:
        """Tables, counts and damage: this reads the whole file."""

    @property
    def counted(self) -> Contents | None:
        """What is known of all rows without reading them; None where only reading tells (`contents`)."""

    @property
    def end_is_known(self) -> bool:
        """Whether a missing end can be told: False for a script whose header and footer were both taken away."""

    @property
    def script_commands(self) -> tuple[MetaCommand, ...]:
        """The commands for psql in a plain script."""

    def rows(self, name: TableName) -> StoredRows:
        """The rows of *name*. Raises RowsNotAvailable when there are none to read, DamagedDump when they are known to be broken."""

    def large_objects(self) -> Iterator[tuple[int, Iterator[bytes]]]:
        """OID and content, in pieces, of each large object; the pieces of one are read before the next. Raises DamagedDump."""
