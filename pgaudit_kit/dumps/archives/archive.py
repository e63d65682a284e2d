"""Archives (pg_dump -Fc, -Fd, -Ft): objects from the entries, rows from the data, wherever those lie."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from inspect import GEN_CLOSED, getgeneratorstate
from pathlib import PurePath

from pgaudit_kit.display.progress import reading_file
from pgaudit_kit.dumps.archives.archive_data import ArchiveData, Problem
from pgaudit_kit.dumps.archives.archive_toc import Archive, ArchiveEntry
from pgaudit_kit.dumps.archives.raw_toc import RawToc
from pgaudit_kit.dumps.archives.toc_contradictions import contradictions, large_object_problems
from pgaudit_kit.dumps.copy_statement import parse_copy
from pgaudit_kit.dumps.counting import RowCounter
from pgaudit_kit.dumps.files.read_ahead import read_ahead
from pgaudit_kit.dumps.populated import with_known_populated
from pgaudit_kit.dumps.reader import ChunkLists, Contents, StoredRows
from pgaudit_kit.dumps.row_text import damaged_table, inserted_lines, located, shape_problem, with_inserts_end, without_end_mark
from pgaudit_kit.dumps.scripts.insert_rows import InsertReader, NotCopyable
from pgaudit_kit.dumps.scripts.script_pieces import MetaCommand
from pgaudit_kit.dumps.text_encoding import UNCHECKED, codec_of, whole_lines
from pgaudit_kit.errors import DamagedDump, RowsNotAvailable
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import Unmodelled
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_columns import columns_of
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.toc import Damage, TocEntry
from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.rows.large_objects import LargeObjectRows

# Entries whose data are known: rows, large objects, and the comments on those up to 8.4, which are SQL
_KNOWN_DATA = frozenset({"TABLE DATA", "BLOBS", "BLOB COMMENTS"})
_END_MARK_LINE = b"\n\\.\n"


class ArchiveReader:
    """An *archive*, whose header and TOC were read, and its *data*. *format*: custom, directory, tar, incremental.

    *raw_toc* reads header and entries byte for byte.
    """

    end_is_known = True
    script_commands: tuple[MetaCommand, ...] = ()
    hashes_rows = False

    def __init__(
        self,
        archive: Archive,
        data: ArchiveData,
        *,
        format: str,  # noqa: A002  # the word of pg_dump
        resource: str,
        size_bytes: Callable[[], int],
        raw_toc: Callable[[], RawToc],
    ) -> None:
        self.format = format
        self.archive = archive
        self.data = data
        self.raw_toc = raw_toc
        self.resource = resource
        self._size_bytes = size_bytes
        self._entries: dict[TableName, ArchiveEntry] = {}
        self._hashed: dict[TableName, Fingerprint] = {}
        for entry in archive.entries:
            if entry.toc.desc == "TABLE DATA" and entry.toc.has_data:
                self._entries.setdefault(_name_of(entry), entry)

    @property
    def remedy_of_rows(self) -> str:
        """What to do about rows that are damaged; "" is what helps with any dump."""
        return ""

    @property
    def counted(self) -> Contents | None:
        """Nothing is known of rows without reading them."""
        return None

    def chunk_lists(self, name: TableName) -> ChunkLists | None:  # noqa: ARG002  # incremental backups have some
        """The lists of chunks that the rows of *name* lie in; None: they do not."""
        return None

    @cached_property
    def provenance(self) -> Provenance:
        """What the header says, and how the data are compressed."""
        archive = self.archive
        return Provenance(
            format=self.format,
            database=archive.database,
            server_version=archive.server_version,
            pg_dump_version=archive.pg_dump_version,
            archive_version=".".join(map(str, archive.version)),
            compression=self.data.compression,
            encoding=archive.encoding,
            created_at=archive.created_at,
            size_bytes=self._size_bytes(),
            settings={"client_encoding": archive.encoding, "standard_conforming_strings": "on" if archive.standard_strings else "off"},
        )

    @cached_property
    def toc_entries(self) -> tuple[TocEntry, ...]:
        """The TOC."""
        return tuple(entry.toc for entry in self.archive.entries)

    @cached_property
    def inventory(self) -> Inventory:
        """The objects, from the entries' definitions. Entries with data of an unknown kind are unmodelled."""
        from pgaudit_kit.dumps.ddl.builder import InventoryBuilder

        builder = InventoryBuilder()
        for entry in self.toc_entries:
            if entry.definition:
                builder.feed(entry.definition, entry)
        built = builder.build(pg_dump_version=self.archive.pg_dump_version, server_version=self.archive.server_version)
        built = with_known_populated(built, self.toc_entries)
        unknown = tuple(
            Unmodelled(kind=e.desc, schema=e.schema or "", name=e.tag, reason="an entry with data of a kind that is not known")
            for e in self.toc_entries
            if e.has_data and e.desc not in _KNOWN_DATA
        )
        return replace(built, unmodelled=built.unmodelled + unknown) if unknown else built

    @property
    def table_names(self) -> tuple[TableName, ...]:
        """The tables that have a data entry."""
        return tuple(self._entries)

    def large_objects(self) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Yield OID and content, in pieces, of each large object, in the order of the archive.

        The pieces of one are to be read before the next is asked for. Raises DamagedDump, at the object that is broken.
        """
        for entry in self.archive.entries:
            if entry.toc.desc == "BLOBS" and entry.toc.has_data:
                yield from self.data.large_objects_of(entry)

    @cached_property
    def contents(self) -> Contents:
        """All data, read once."""
        tables: dict[TableName, TableData] = {}
        oids: dict[int, list[int]] = {e.dump_id: [] for e in self.archive.entries if e.toc.desc == "BLOBS" and e.toc.has_data}
        objects = LargeObjectRows()
        names = {entry.dump_id: name for name, entry in self._entries.items()}

        def visit(entry: ArchiveEntry, oid: int | None, pieces: Iterator[bytes]) -> None:
            if name := names.get(entry.dump_id):
                tables[name] = self._count(name, entry, pieces)
                return
            if oid is None:
                _drain(pieces)
                return
            oids.setdefault(entry.dump_id, []).append(oid)
            _read_large_object(objects, oid, pieces)

        problems = [Problem(oddity) for oddity in self.archive.oddities]
        problems += contradictions(self.archive, resource=self.resource)
        with reading_file(PurePath(self.resource).name, self._size_bytes):
            broken = self.data.read_all(visit)
        whole = {dump_id: found for dump_id, found in oids.items() if not any(p.entry and p.entry.dump_id == dump_id for p in broken)}
        problems += broken
        problems += large_object_problems(self.archive, whole, resource=self.resource)
        return self._contents(tables, problems, objects)

    def take_over(self, earlier: ArchiveReader) -> bool:
        """Take what *earlier* has counted of the same file, before the places of its data were written into its table of contents.

        False when something is broken, or that table now says anything else than where each data block was found; nothing is taken then.
        """
        early, now = earlier.archive, self.archive
        places = {e.dump_id: earlier.data.place_of(e)[0] for e in early.entries if e.toc.has_data}
        expected = tuple(replace(e, offset=places.get(e.dump_id)) for e in early.entries)
        broken = earlier.contents.damage or now.oddities or list(contradictions(now, resource=self.resource))
        if broken or replace(early, entries=expected) != now:
            return False
        self.hashes_rows = earlier.hashes_rows
        self.contents = earlier.contents
        return True

    def _contents(self, tables: dict[TableName, TableData], problems: list[Problem], objects: LargeObjectRows) -> Contents:
        damage = []
        damaged: dict[TableName, Damage] = {}
        for problem in problems:
            entry, error = problem.entry, problem.error
            table = _name_of(entry) if entry and entry.toc.desc == "TABLE DATA" else None
            what = f"{entry.toc.desc} {entry.toc.tag}: {error.message}" if entry and not table else error.message
            told = Damage(what, offset=error.offset, table=str(table) if table else None, member=problem.member or None)
            damage.append(told)
            if table in self._entries and table not in damaged:
                damaged[table] = told
                columns = self._copy_columns(self._entries[table]) or ()
                tables[table] = TableData(table, columns, not_readable=f"damaged: {error.message}")
        broken = next((p.error.message for p in problems if p.entry and p.entry.toc.desc == "BLOBS"), "")
        hashed = {name: found for name, found in self._hashed.items() if name not in damaged}
        objects_there = objects if objects.rows or broken else None
        return Contents({name: tables[name] for name in self._entries}, tuple(damage), damaged, objects_there, broken, hashed)

    def rows(self, name: TableName) -> StoredRows:
        """The rows of *name*, read from its own data alone unless they are INSERT statements."""
        entry = self._entries.get(name)
        table = str(name)
        if not entry:
            raise RowsNotAvailable(f"no rows of {table} in this dump", resource=self.resource, table=table)
        known = self.contents if "contents" in self.__dict__ or not entry.toc.copy_statement else None
        if known and (damage := known.damaged.get(name)):
            raise damaged_table(
                damage.what,
                table=table,
                resource=self.resource,
                offset=damage.offset,
                line=None,
                member=damage.member,
                remedy=self.remedy_of_rows,
            )
        columns = known.tables[name].columns if known else self._copy_columns(entry)
        reason = known.tables[name].not_readable if known else self._why_not_readable()
        if reason or columns is None:
            raise RowsNotAvailable(f"the rows of {table} cannot be read: {reason}", resource=self.resource, table=table)
        try:
            offset, member = self.data.place_of(entry)
        except DamagedDump as error:
            raise damaged_table(
                error.message, table=table, resource=self.resource, offset=error.offset, line=None, remedy=self.remedy_of_rows
            ) from error
        if entry.toc.copy_statement:
            rows = without_end_mark(self.data.pieces_of(entry))
            blocks = whole_lines(rows, encoding=self.archive.encoding)
        else:
            lines = inserted_lines(with_inserts_end(self.data.pieces_of(entry)), self._insert_reader(), self.archive.encoding)
            blocks = whole_lines(lines, encoding=UNCHECKED)
        return StoredRows(
            columns, located(blocks, table=table, resource=self.resource, offset=offset, member=member, remedy=self.remedy_of_rows)
        )

    def _insert_reader(self) -> InsertReader:
        return InsertReader(standard_strings=self.archive.standard_strings)

    def _why_not_readable(self) -> str:
        """Why no rows of this archive can be read; "" when they can."""
        if codec_of(self.archive.encoding) is None:
            return f"its encoding {self.archive.encoding} is not known to Python"
        return ""

    def _copy_columns(self, entry: ArchiveEntry) -> tuple[str, ...] | None:
        statement = parse_copy(entry.toc.copy_statement or "")
        return statement.columns if statement else None

    def _count(self, name: TableName, entry: ArchiveEntry, pieces: Iterator[bytes]) -> TableData:
        if not entry.toc.copy_statement:
            return self._count_inserts(name, pieces)
        columns = self._copy_columns(entry)
        if columns is None:
            raise DamagedDump("its COPY statement makes no sense", resource=self.resource, offset=entry.toc_offset)
        counter = RowCounter()
        counted = _Counted(without_end_mark(read_ahead(pieces)), counter, columns, self.resource)
        if self.hashes_rows and not self._why_not_readable():
            with suppress(NotHashed):
                self._hashed[name] = counted.hashed(self.archive.encoding, lambda blocks: self._hash(entry, blocks))
        for _ in counted:
            pass
        if problem := shape_problem(counter.rows, counter.tabs, columns):
            raise DamagedDump(problem, resource=self.resource)
        if not columns and counter.size_bytes != counter.rows:
            raise DamagedDump("it has no columns, but values", resource=self.resource)
        return TableData(name, columns, rows=counter.rows, size_bytes=counter.size_bytes, not_readable=self._why_not_readable())

    def _hash(self, entry: ArchiveEntry, blocks: Iterator[bytes]) -> Fingerprint:  # noqa: ARG002  # who has hashes of an entry takes those
        """The fingerprint of the rows of *entry*, *blocks* of lines in UTF-8, which are read to their end. Raises DamagedDump."""
        return fingerprint_of(blocks)

    def _count_inserts(self, name: TableName, pieces: Iterator[bytes]) -> TableData:
        if reason := self._why_not_readable():
            return TableData(name, (), not_readable=reason)
        reader = self._insert_reader()
        size = 0
        try:
            for lines in inserted_lines(with_inserts_end(pieces), reader, self.archive.encoding):
                size += len(lines)
        except NotCopyable as error:
            return TableData(name, (), not_readable=f"its INSERT statements cannot be turned into rows: {error}")
        stored = columns_of(self.inventory, name, generated=False)
        columns = reader.columns(columns_of(self.inventory, name), stored) if reader.rows else stored or ()
        if columns is None:
            return TableData(name, (), not_readable="its INSERT statements do not name their columns, and the table's own do not fit")
        return TableData(name, columns, rows=reader.rows, size_bytes=size)


class NotHashed(Exception):
    """Rows that can be counted and not be hashed: reading them says why."""


class _Counted:
    """The *blocks* of a table's rows, counted as they go by. Raises DamagedDump."""

    def __init__(self, blocks: Iterator[bytes], counter: RowCounter, columns: tuple[str, ...], resource: str) -> None:
        self._counter = counter
        self._blocks = self._counting(blocks, columns, resource)
        self._at_end = False

    def __iter__(self) -> Iterator[bytes]:
        return self._blocks

    def hashed(self, encoding: str, made: Callable[[Iterator[bytes]], Fingerprint]) -> Fingerprint:
        """What is *made* of the rows, in UTF-8, while they are counted. Raises NotHashed, where counting can go on."""
        try:
            return made(whole_lines(self._blocks, encoding=encoding))
        except DamagedDump as error:
            if getgeneratorstate(self._blocks) == GEN_CLOSED and not self._at_end:  # it is what the blocks themselves have raised
                raise
            raise NotHashed from error

    def _counting(self, blocks: Iterator[bytes], columns: tuple[str, ...], resource: str) -> Generator[bytes]:
        before = b"\n"
        for block in blocks:
            self._counter.add(block, 0, len(block))
            if len(columns) <= 1:  # with more columns, it lacks field separators, which are counted
                before += block
                if _END_MARK_LINE in before:
                    raise DamagedDump(r"one of its rows is the end mark \.", resource=resource)
                before = before[-len(_END_MARK_LINE) + 1 :]
            yield block
        self._at_end = True


def _drain(pieces: Iterator[bytes]) -> None:
    """Read what is no rows: that its stream ends well is all there is to check. Raises DamagedDump."""
    for _ in pieces:
        pass


def _read_large_object(objects: LargeObjectRows, oid: int, pieces: Iterator[bytes]) -> None:
    """Read a large object to its end and add it. Raises DamagedDump."""
    try:
        objects.read(oid, pieces)
    except DamagedDump as error:
        raise DamagedDump(f"large object {oid}: {error.message}", resource=error.resource, offset=error.offset) from error


def _name_of(entry: ArchiveEntry) -> TableName:
    return TableName(entry.toc.schema or "", entry.toc.tag)
