"""A dump file as a source: one class over the readers of all formats."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pgaudit_kit.display.source_frames import SourceFrames
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.files.folders import Folder
from pgaudit_kit.dumps.reader import ChunkLists, Contents, DumpReader, StoredRows
from pgaudit_kit.dumps.scripts.script_pieces import MetaCommand
from pgaudit_kit.dumps.shared_ranges import fingerprints_of
from pgaudit_kit.errors import DamagedDump, RowsNotAvailable
from pgaudit_kit.records.chunks import Chunk
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.large_objects import LARGE_OBJECT_COLUMNS, LARGE_OBJECT_ROWS
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.toc import Damage, TocEntry
from pgaudit_kit.rows.copy_text import project
from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.rows.worker_processes import process_count
from pgaudit_kit.sql.source_table import TablesByName

if TYPE_CHECKING:
    from pandas import DataFrame

    from pgaudit_kit.dumps.archives.archive import ArchiveReader
    from pgaudit_kit.sql.row_source import RowSource
    from pgaudit_kit.sql.typed_table import TypedTable

ROWS_PER_FRAME = 100_000


class Dump(TablesByName, SourceFrames):
    """A dump that `read_dump` opened. It satisfies `records.source.Source`.

    Everything is read when it is first asked for, and once. Of a custom archive, entries and objects come from its
    head alone; counts, `damage` and `provenance.complete` take one pass over the whole file. Of a plain script, everything
    takes one pass. Rows are streamed: no table is ever held. No file stays open, but for what is wrapped in a compression and
    was left half-way: there the next reader goes on.

    Attributes: `file`, where its bytes lie (a file, or the folder of a directory archive); `path`, that of a local one, or None.
    """

    def __init__(self, file: DumpFile | Folder, reader: DumpReader, *, database: str | None = None) -> None:
        """*database*: which one of a file of several."""
        self.file = file
        self._database = database
        self.path = file.path
        self._reader = reader
        self._was_read = False
        self._fingerprints: dict[tuple[TableName, tuple[str, ...]], Fingerprint] = {}
        self._table_data: tuple[Contents, Mapping[TableName, TableData]] | None = None

    @property
    def label(self) -> str:
        """The file's name, and behind a # the database when the file holds several."""
        return self.file.label if self._database is None else f"{self.file.label}#{self._database}"

    @property
    def provenance(self) -> Provenance:
        """Where the dump comes from. `complete` is False for a damaged one, None for a script without pg_dump's frame.

        Of an incremental backup it is None, too, until its rows were read: counts and fingerprints are known without.
        """
        known = self._was_read or self._reader.counted is None
        return replace(self._reader.provenance, complete=self.complete if known else None)

    @property
    def complete(self) -> bool | None:
        """Whether it is whole, after all of it was read; None for a script without pg_dump's frame."""
        return False if self.damage else True if self._reader.end_is_known else None

    @property
    def told(self) -> Provenance:
        """What the dump says of itself: `provenance`, but for `complete`, which is known at its end only."""
        return self._reader.provenance

    @property
    def toc_entries(self) -> tuple[TocEntry, ...]:
        """The table of contents, entry for entry as the file lists it; of a plain script, its header comments."""
        return self._reader.toc_entries

    @property
    def archive(self) -> ArchiveReader | None:
        """What an archive is written from (`archives.archive_writer`); None for a script."""
        from pgaudit_kit.dumps.archives.archive import ArchiveReader

        return self._reader if isinstance(self._reader, ArchiveReader) else None

    @property
    def remedy_of_rows(self) -> str:
        """What to do about rows that are damaged, where another dump is not what helps; else ""."""
        return self.archive.remedy_of_rows if self.archive else ""

    @property
    def listed_entries(self) -> tuple[TocEntry, ...]:
        """The entries that `pg_restore -l` lists: without those of every archive that set the reader's state or name the database."""
        if self._reader.format == "plain":
            return self.toc_entries
        return tuple(entry for entry in self.toc_entries if entry.is_listed)

    @property
    def inventory(self) -> Inventory:
        """The objects."""
        return self._reader.inventory

    @property
    def table_data(self) -> Mapping[TableName, TableData]:
        """The tables whose rows the dump holds, in the order of the file. `size_bytes` is in the dump's own encoding.

        The last one are the large objects, when there are any (`records.large_objects`).
        """
        contents = self._counts
        if self._table_data is None or self._table_data[0] is not contents:
            self._table_data = contents, _table_data(contents)
        return self._table_data[1]

    @property
    def _counts(self) -> Contents:
        """What is known of the rows: without reading them, where that can be, and as long as they were not read."""
        return self._reader.counted or self._reader.contents

    @property
    def table_names(self) -> tuple[TableName, ...]:
        """The tables that the dump has rows of, in the order of the file; of an archive without reading any."""
        return self._reader.table_names

    @property
    def damage(self) -> tuple[Damage, ...]:
        """What is broken; () when the dump is whole."""
        self._was_read = True
        return self._reader.contents.damage

    @property
    def script_commands(self) -> tuple[MetaCommand, ...]:
        r"""The commands for psql in a plain script (`\connect`, `\restrict` …), in order; () for an archive."""
        return self._reader.script_commands

    def chunk_lists(self, name: TableName) -> ChunkLists | None:
        """The lists of chunks that the rows of *name* lie in; None when they do not."""
        return self.archive.chunk_lists(name) if self.archive else None

    def rows_of_chunks(self, name: TableName, chunks: Sequence[Chunk], columns: Sequence[str] | None = None) -> Iterator[bytes]:
        """The rows of some of the chunks of *name*, as `row_blocks` gives them. Raises RowsNotAvailable, DamagedDump."""
        lists = self.chunk_lists(name)
        if lists is None:
            raise RowsNotAvailable(f"the rows of {name} lie in no chunks", resource=self.file.resource, table=str(name))
        blocks = lists.rows(chunks)
        return blocks if columns is None else project(blocks, self.table_data[name].columns, columns)

    def row_blocks(self, name: TableName, columns: Sequence[str] | None = None) -> Iterator[bytes]:
        r"""The rows of *name* as blocks of COPY text in UTF-8, each of whole lines ended by \n, of 128 KiB or more.

        *columns*: only these, in this order. Raises RowsNotAvailable when there are none to read, DamagedDump (at once or
        on the way) when they are broken.
        """
        stored = self._stored(name)
        if columns is None:
            return stored.blocks
        if unknown := [column for column in columns if column not in stored.columns]:
            message = f"{name} has no rows of column {unknown[0]!r} in this dump"
            raise RowsNotAvailable(message, resource=self.file.resource, table=str(name), remedy=f"It has: {', '.join(stored.columns)}.")
        return project(stored.blocks, stored.columns, columns)

    def _stored(self, name: TableName) -> StoredRows:
        """The rows of *name*. Raises RowsNotAvailable, DamagedDump."""
        if name != LARGE_OBJECT_ROWS or name in self._counts.tables:
            return self._reader.rows(name)
        contents = self._counts
        if contents.large_objects is None:
            raise RowsNotAvailable("no large objects in this dump", resource=self.file.resource, table=str(name))
        if contents.large_objects_broken:
            message = f"the large objects are damaged: {contents.large_objects_broken}"
            remedy = "Take them from another dump; the tables of this one can still be read."
            raise DamagedDump(message, resource=self.file.resource, table=str(name), remedy=remedy)
        return StoredRows(LARGE_OBJECT_COLUMNS, iter(contents.large_objects.blocks))

    @property
    def large_object_bytes(self) -> int:
        """The size of the contents of all large objects. Takes the pass that counts rows."""
        objects = self._counts.large_objects
        return objects.content_bytes if objects else 0

    def large_objects(self) -> Iterator[tuple[int, Iterator[bytes]]]:
        """OID and content of each large object, in the order of the file; content in pieces, which are to be read before the next object.

        Raises DamagedDump, at the object that is broken.
        """
        return self._reader.large_objects()

    def hash_while_counting(self) -> None:
        """Have an archive's rows hashed by the pass that counts them, if that has not been made: for who wants both, half the work."""
        self._reader.hashes_rows = True

    def fingerprint(self, name: TableName, columns: Sequence[str] | None = None) -> Fingerprint:
        """Count and fingerprint of all rows of *name* over *columns* (default: all). Raises RowsNotAvailable, DamagedDump.

        Many rows of a bare script are shared out between processes; see `fingerprints`.
        """
        key = _fingerprint_key(name, columns)
        self._take_what_was_hashed()
        if key not in self._fingerprints:
            self._share_out([name], columns)
        if key not in self._fingerprints:
            self._fingerprints[key] = fingerprint_of(self.row_blocks(name, columns))
        return self._fingerprints[key]

    def fingerprints(self, names: Iterable[TableName] | None = None) -> dict[TableName, Fingerprint]:
        """Count and fingerprint of all rows of *names* (default: all tables); those whose rows cannot be read are left out.

        Tables that lie bare in a local script, 64 MiB or more together, are read by up to four processes of their own;
        the environment variable PGAUDIT_PROCESSES says another number, 1 for none.
        """
        wanted = list(self.table_data if names is None else names)
        self._take_what_was_hashed()
        self._share_out(wanted, None)
        found = {}
        for name in wanted:
            with suppress(RowsNotAvailable, DamagedDump):  # `fingerprint` tells them whoever asks for that table
                found[name] = self.fingerprint(name)
        return found

    def _take_what_was_hashed(self) -> None:
        if self._reader.hashes_rows:
            for name, found in self._counts.fingerprints.items():
                self._fingerprints.setdefault(_fingerprint_key(name, None), found)

    def _share_out(self, names: Iterable[TableName], columns: Sequence[str] | None) -> None:
        """Make the fingerprints of *names* in several processes, as far as that pays and their rows can be read."""
        ranges = {}
        wanted = {}
        for name in names:
            key = _fingerprint_key(name, columns)
            try:
                stored = None if key in self._fingerprints else self._stored(name)
            except (RowsNotAvailable, DamagedDump):
                continue
            if stored and stored.ranges and set(columns or ()) <= set(stored.columns):
                ranges[key], wanted[key] = stored.ranges, tuple(stored.columns if columns is None else columns)
        if processes := process_count(sum(part.size_bytes for parts in ranges.values() for part in parts)):
            self._fingerprints |= fingerprints_of(ranges, wanted, processes=processes)

    # ---- frames

    @property
    def toc(self) -> DataFrame:
        """Frame `toc` (display.frames): one row per entry that `pg_restore -l` lists, in file order."""
        from pgaudit_kit.display.frames import toc_frame

        return toc_frame(self.listed_entries)

    def read_table(
        self,
        name: str | TableName,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        *,
        limit: int | None = None,
        parse_json: bool = False,
    ) -> DataFrame:
        """The rows of *name* as a frame: one row per row in file order, one column per column, dtypes as in `rows.frame_columns`.

        In short: nullable Int16/32/64, boolean, Float32/64; decimal128 or Decimal for numeric, never a float; datetime64[us, UTC] for
        timestamptz; string for text and all types without a dtype of their own; category for enums; bytes, lists, Interval. A date or
        timestamp column with infinity or a year outside 1 to 9999 is object, where those values are text. A dump of rows alone does not
        say types: all columns are string.

        *name*: `schema.table`, quoted as in SQL where SQL needs it, or a bare name that is there only once. *columns*: only these, in
        this order; generated columns are in no dump. *where*: a condition in DuckDB's SQL on the columns of this table
        (`"price > 10 and born >= date '2024-01-01'"`, with types as in `rows.sql_columns`), also on columns that are not asked for.
        *limit*: the first rows only, and no more of the file is read. *parse_json*: json and jsonb as Python objects instead of text.
        An empty table gives the same columns without rows.

        Raises RowsNotAvailable, DamagedDump, UsageError (no name, no such column, a condition that DuckDB cannot evaluate).
        """
        return self.typed_table(name).frame(columns, where, limit=limit, parse_json=parse_json)

    def iter_rows(
        self,
        name: str | TableName,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        *,
        batch_rows: int = ROWS_PER_FRAME,
        parse_json: bool = False,
    ) -> Iterator[DataFrame]:
        """The rows of *name* as frames of *batch_rows* rows, the last one shorter; at least one. Memory does not grow with the table.

        Everything else is as for `read_table`; all frames have the same dtypes. To know them, the table is read once before the first
        frame is given. The index goes on from frame to frame. Raises as `read_table`.
        """
        return self.typed_table(name).frames(columns, where, batch_rows=batch_rows, parse_json=parse_json)

    def query(self, sql: str, *, limit: int | None = None, progress: bool | None = None) -> DataFrame:
        """The result of one SELECT, in DuckDB's SQL, over the tables of this dump; see `sql.query`.

        Only the tables that it names are read, streaming, into a temporary database on disk. *limit*: the first rows of the result.
        *progress*: a bar on standard error while rows are read for more than a second; None: on a terminal and in a notebook.
        Warns (UserWarning) of columns that are text because DuckDB's type cannot hold one of their values.
        Raises UsageError (SQL that cannot be run, a table that is not there), RowsNotAvailable, DamagedDump.
        """
        from pgaudit_kit.sql.named_sources import UNNAMED
        from pgaudit_kit.sql.query import run_query

        result = run_query({UNNAMED: self.row_source}, sql, limit=limit, progress=progress)
        for note in result.notes:
            warnings.warn(note, stacklevel=2)
        return result.frame()

    @property
    def row_source(self) -> RowSource:
        """Its tables as SQL sees them: what `query` reads from."""
        from pgaudit_kit.sql.row_source import RowSource

        return RowSource(self.label, self.inventory, self.table_names, self._reader.rows)

    def typed_table(self, name: str | TableName) -> TypedTable:
        """The rows of *name* with the types of their columns: what `read_table` and `iter_rows` read from."""
        from pgaudit_kit.sql.typed_table import TypedTable

        table = name if isinstance(name, TableName) else self.row_source.find(name, own=True)
        return TypedTable.of(table, self.inventory, self.label, self._reader.rows)

    def __repr__(self) -> str:
        return f"<Dump {self.label!r}: {self._reader.format}>"

    def _repr_html_(self) -> str:
        """For a notebook: what the file says of itself, and what it holds. Does not read a custom archive's rows."""
        from pgaudit_kit.display import html

        facts = self._reader.provenance
        kinds = Counter(entry.desc for entry in self.listed_entries)
        shown = {
            "dump": self.label,
            "format": f"{facts.format} {facts.archive_version or ''}".strip(),
            "compression": facts.compression,
            "database": facts.database,
            "server": facts.server_version,
            "pg_dump": facts.pg_dump_version,
            "taken": facts.created_at,
            "size in bytes": facts.size_bytes,
        }
        return html.fragment(html.summary(shown), html.table(["desc", "entries"], list(kinds.items()), caption="Table of contents"))


def _table_data(contents: Contents) -> Mapping[TableName, TableData]:
    if contents.large_objects is None:
        return contents.tables
    broken = f"damaged: {contents.large_objects_broken}" if contents.large_objects_broken else ""
    return {**contents.tables, LARGE_OBJECT_ROWS: contents.large_objects.table_data(not_readable=broken)}


def _fingerprint_key(name: TableName, columns: Sequence[str] | None) -> tuple[TableName, tuple[str, ...]]:
    return name, tuple(columns) if columns is not None else ("*",)
