"""Incremental backups as dumps: the archive of the schema is read as any archive, its rows come out of chunks."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from pgaudit_kit.dumps.archives.archive import ArchiveReader
from pgaudit_kit.dumps.archives.archive_toc import ArchiveEntry, read_archive
from pgaudit_kit.dumps.archives.byte_cursor import ByteCursor
from pgaudit_kit.dumps.archives.raw_toc import RawToc, read_raw_entries, read_raw_header
from pgaudit_kit.dumps.files.decompression import PIECE, DumpFile
from pgaudit_kit.dumps.incremental.chunk_reader import ChunkReader
from pgaudit_kit.dumps.incremental.chunked_data import ChunkedData
from pgaudit_kit.dumps.incremental.index_file import read_index_file
from pgaudit_kit.dumps.incremental.pack_files import packs_beside
from pgaudit_kit.dumps.reader import ChunkLists, Contents
from pgaudit_kit.dumps.row_text import located
from pgaudit_kit.dumps.text_encoding import whole_lines
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.records.chunks import Chunk, ChunkedTable
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.toc import Damage
from pgaudit_kit.rows.large_objects import LargeObjectRows


def incremental_backup(file: DumpFile) -> IncrementalReader:
    """Open the incremental backup *file*; its packs are read when rows are asked for.

    Raises DamagedDump when it is not whole, UnsupportedDump for one of a newer release, or of which nothing can lie beside it.
    """
    with file.open() as stream:
        stored = b"".join(iter(lambda: stream.read(PIECE), b""))
    return IncrementalReader(file, stored)


class IncrementalReader(ArchiveReader):
    """*stored*: the bytes of *file*. What its lists say is known without reading rows; `contents` reads and proves all of them."""

    hashes_rows = True

    def __init__(self, file: DumpFile, stored: bytes) -> None:
        self.index, schema = read_index_file(stored, resource=file.resource)
        archive = read_archive(ByteCursor(io.BytesIO(schema), resource=file.resource), "custom")
        self.chunks = ChunkReader(packs_beside(file), self.index.packs, resource=file.resource)
        self._chunked = ChunkedData(archive, self.index, self.chunks, resource=file.resource)
        super().__init__(
            archive,
            self._chunked,
            format="incremental",
            resource=file.resource,
            size_bytes=lambda: file.size_bytes,
            raw_toc=lambda: _raw_toc(schema, file.resource),
        )

    @property
    def remedy_of_rows(self) -> str:
        """What to do about rows that are damaged."""
        return self.chunks.remedy

    @property
    def counted(self) -> Contents:
        """What the lists say, which add up to the digests that name them; once all was read, what was found."""
        return self.contents if "contents" in self.__dict__ else self._listed

    @cached_property
    def contents(self) -> Contents:
        """All data, read once: each chunk is held against its digest, each table against what its list says."""
        found = super().contents
        told = sum((objects.fingerprint for objects in self.index.large_objects), Fingerprint())
        there = found.large_objects.table_data().fingerprint if found.large_objects else Fingerprint()
        if found.large_objects_broken or told == there:
            return found
        what = f"its large objects are not those that its list tells of: {there and there.rows:,} are there, {told.rows:,} should be"
        return replace(found, damage=(*found.damage, Damage(what)), large_objects_broken=what)

    def chunks_of(self, name: TableName) -> tuple[Chunk, ...]:
        """The chunks of the rows of *name*, in order; () when it has none. Raises DamagedDump."""
        entry = self._entries.get(name)
        return tuple(self._chunked.chunks_of(entry)) if entry else ()

    def chunk_lists(self, name: TableName) -> ChunkLists | None:
        """The lists of chunks that the rows of *name* lie in; None when it has none, or its encoding is not known."""
        listed = self.listed_table(name)
        if listed is None or self._why_not_readable():
            return None

        def rows(chunks: Iterable[Chunk]) -> Iterator[bytes]:
            blocks = whole_lines(self._chunked.read_chunks(chunks), encoding=self.archive.encoding)
            return located(blocks, table=str(name), resource=self.resource, offset=None, remedy=self.remedy_of_rows)

        return ChunkLists(listed.nodes, self._chunked.listed, rows)

    def listed_table(self, name: TableName) -> ChunkedTable | None:
        """What is listed of *name*."""
        entry = self._entries.get(name)
        return self._chunked.tables.get(entry.dump_id) if entry else None

    @cached_property
    def _listed(self) -> Contents:
        tables = {name: self._listed_data(name) for name in self._entries}
        sums = {name: data.fingerprint for name, data in tables.items() if data.fingerprint}
        objects, broken = self._listed_objects()
        return Contents(tables, (), {}, objects, broken, sums)

    def _listed_data(self, name: TableName) -> TableData:
        listed = self.listed_table(name)
        if listed is None:
            return TableData(name, self._copy_columns(self._entries[name]) or (), not_readable="damaged: no list says what it consists of")
        reason = self._why_not_readable()
        found = None if reason else listed.fingerprint
        return TableData(name, listed.columns, listed.fingerprint.rows, listed.size_bytes, found, not_readable=reason)

    def _listed_objects(self) -> tuple[LargeObjectRows | None, str]:
        objects = LargeObjectRows()
        try:
            for entry in self.archive.entries:
                if entry.toc.desc == "BLOBS" and entry.toc.has_data:
                    for item in self._chunked.listed_objects(entry):
                        objects.add_known(item.oid, item.size_bytes, item.xxh3_128)
        except DamagedDump as error:
            return objects, error.message
        return (objects, "") if objects.rows else (None, "")

    def _count(self, name: TableName, entry: ArchiveEntry, pieces: Iterator[bytes]) -> TableData:
        found = super()._count(name, entry, pieces)
        listed = self._chunked.tables[entry.dump_id]
        if (found.rows, found.size_bytes) != (listed.fingerprint.rows, listed.size_bytes):
            what = f"it has {found.rows:,} rows, and its list tells of {listed.fingerprint.rows:,}"
            raise DamagedDump(what, resource=self.resource)
        return found

    def _hash(self, entry: ArchiveEntry, blocks: Iterator[bytes]) -> Fingerprint:
        """What their list says: chunks are held against the digests that name them, and fingerprints add up.

        That their bytes are of their encoding neither says: they were taken as the server gave them.
        """
        for _ in blocks:
            pass
        return self._chunked.tables[entry.dump_id].fingerprint


def _raw_toc(schema: bytes, resource: str) -> RawToc:
    cursor = ByteCursor(io.BytesIO(schema), resource=resource)
    header = read_raw_header(cursor, "custom")
    return header, read_raw_entries(cursor, header)
