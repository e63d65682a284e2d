"""Custom archives (pg_dump -Fc): entries from the TOC, rows from the data blocks (src/bin/pg_dump/pg_backup_custom.c)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from pgaudit_kit.dumps.archive_toc import ArchiveEntry, read_archive
from pgaudit_kit.dumps.byte_cursor import ByteCursor
from pgaudit_kit.dumps.copy_statement import parse_copy
from pgaudit_kit.dumps.counting import RowCounter
from pgaudit_kit.dumps.data_blocks import DataBlocks
from pgaudit_kit.dumps.decompression import DumpFile
from pgaudit_kit.dumps.insert_rows import InsertReader, NotCopyable
from pgaudit_kit.dumps.reader import Contents, StoredRows
from pgaudit_kit.dumps.row_text import damaged_table, inserted_lines, located, shape_problem, without_end_mark
from pgaudit_kit.dumps.script_pieces import MetaCommand
from pgaudit_kit.dumps.table_columns import columns_of
from pgaudit_kit.dumps.text_encoding import UTF8, codec_of, whole_lines
from pgaudit_kit.errors import DamagedDump, RowsNotAvailable
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.toc import Damage, TocEntry

_READABLE = ("none", "gzip")


class CustomReader:
    """A custom archive. Its header and TOC are read at once: raises DamagedDump, UnsupportedDump."""

    format = "custom"
    end_is_known = True
    script_commands: tuple[MetaCommand, ...] = ()

    def __init__(self, file: DumpFile) -> None:
        self._file = file
        self._resource = str(file.path)
        with file.open() as stream:
            self._archive = read_archive(ByteCursor(stream, resource=self._resource))
        self._blocks = DataBlocks(file, self._archive)
        self._entries = {
            TableName(e.toc.schema or "", e.toc.tag): e for e in self._archive.entries if e.toc.desc == "TABLE DATA" and e.toc.has_data
        }

    @cached_property
    def provenance(self) -> Provenance:
        """What the header says."""
        archive = self._archive
        return Provenance(
            format=self.format,
            database=archive.database,
            server_version=archive.server_version,
            pg_dump_version=archive.pg_dump_version,
            archive_version=archive.version,
            compression=archive.compression,
            encoding=archive.encoding,
            created_at=archive.created_at,
            size_bytes=self._file.size_bytes,
            settings={"client_encoding": archive.encoding, "standard_conforming_strings": "on" if archive.standard_strings else "off"},
        )

    @cached_property
    def toc_entries(self) -> tuple[TocEntry, ...]:
        """The TOC."""
        return tuple(entry.toc for entry in self._archive.entries)

    @cached_property
    def inventory(self) -> Inventory:
        """The objects, from the entries' definitions."""
        from pgaudit_kit.dumps.ddl.builder import InventoryBuilder

        builder = InventoryBuilder()
        for entry in self.toc_entries:
            if entry.definition:
                builder.feed(entry.definition, entry)
        return builder.build()

    @property
    def table_names(self) -> tuple[TableName, ...]:
        """The tables that have a data entry."""
        return tuple(self._entries)

    @cached_property
    def contents(self) -> Contents:
        """All data blocks, read once."""
        tables: dict[TableName, TableData] = {}
        names = {entry.dump_id: name for name, entry in self._entries.items()}

        def visit(entry: ArchiveEntry, pieces: Iterable[bytes]) -> None:
            if name := names.get(entry.dump_id):
                tables[name] = self._count(name, entry, pieces)
            elif self._archive.compression in _READABLE:
                for _ in pieces:  # a large object: its checksum is all there is to check
                    pass

        damage = []
        damaged = {}
        for entry, problem in self._blocks.read_all(visit):
            table = names.get(entry.dump_id) if entry else None
            what = f"{entry.toc.desc} {entry.toc.tag}: {problem.message}" if entry and not table else problem.message
            damage.append(Damage(what, offset=problem.offset, table=str(table) if table else None))
            if entry and table:
                damaged[table] = damage[-1]
                tables[table] = TableData(table, self._copy_columns(entry) or (), not_readable=f"damaged: {problem.message}")
        return Contents({name: tables[name] for name in self._entries}, tuple(damage), damaged)

    def rows(self, name: TableName) -> StoredRows:
        """The rows of *name*, read from its own block alone unless they are INSERT statements."""
        entry = self._entries.get(name)
        table = str(name)
        if not entry:
            raise RowsNotAvailable(f"no rows of {table} in this dump", resource=self._resource, table=table)
        known = self.contents if "contents" in self.__dict__ or not entry.toc.copy_statement else None
        if known and (damage := known.damaged.get(name)):
            raise damaged_table(damage.what, table=table, resource=self._resource, offset=damage.offset, line=None)
        columns = known.tables[name].columns if known else self._copy_columns(entry)
        reason = known.tables[name].not_readable if known else self._why_not_readable()
        if reason or columns is None:
            raise RowsNotAvailable(f"the rows of {table} cannot be read: {reason}", resource=self._resource, table=table)
        offset = self._blocks.offset_of(entry)
        if entry.toc.copy_statement:
            rows = without_end_mark(self._blocks.pieces_of(entry))
            blocks = whole_lines(rows, encoding=self._archive.encoding)
        else:
            lines = inserted_lines(self._blocks.pieces_of(entry), self._insert_reader(), self._archive.encoding)
            blocks = whole_lines(lines, encoding=UTF8)
        return StoredRows(columns, located(blocks, table=table, resource=self._resource, offset=offset))

    def _insert_reader(self) -> InsertReader:
        return InsertReader(standard_strings=self._archive.standard_strings)

    def _why_not_readable(self) -> str:
        """Why no rows of this archive can be read; "" when they can."""
        if self._archive.compression not in _READABLE:
            return f"this archive is compressed with {self._archive.compression}, which this version does not read"
        if codec_of(self._archive.encoding) is None:
            return f"its encoding {self._archive.encoding} is not known to Python"
        return ""

    def _copy_columns(self, entry: ArchiveEntry) -> tuple[str, ...] | None:
        statement = parse_copy(entry.toc.copy_statement or "")
        return statement.columns if statement else None

    def _count(self, name: TableName, entry: ArchiveEntry, pieces: Iterable[bytes]) -> TableData:
        columns = self._copy_columns(entry)
        if self._archive.compression not in _READABLE:
            return TableData(name, columns or (), not_readable=self._why_not_readable())
        if not entry.toc.copy_statement:
            return self._count_inserts(name, pieces)
        if columns is None:
            raise DamagedDump("its COPY statement makes no sense", resource=self._resource)
        counter = RowCounter()
        for block in without_end_mark(pieces):
            counter.add(block, 0, len(block))
        if problem := shape_problem(counter.rows, counter.tabs, columns):
            raise DamagedDump(problem, resource=self._resource)
        return TableData(name, columns, rows=counter.rows, size_bytes=counter.size_bytes, not_readable=self._why_not_readable())

    def _count_inserts(self, name: TableName, pieces: Iterable[bytes]) -> TableData:
        if reason := self._why_not_readable():
            return TableData(name, (), not_readable=reason)
        reader = self._insert_reader()
        size = 0
        try:
            for lines in inserted_lines(pieces, reader, self._archive.encoding):
                size += len(lines)
        except NotCopyable as error:
            return TableData(name, (), not_readable=f"its INSERT statements cannot be turned into rows: {error}")
        columns = (
            reader.columns(columns_of(self.inventory, name)) if reader.rows else columns_of(self.inventory, name, generated=False) or ()
        )
        if columns is None:
            return TableData(name, (), not_readable="its INSERT statements do not name their columns, and the table's own do not fit")
        return TableData(name, columns, rows=reader.rows, size_bytes=size)
