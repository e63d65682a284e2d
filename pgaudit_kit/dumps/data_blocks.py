"""The data blocks of a custom archive, found by their offsets or by walking, read one after another or one alone.

    block := type, dump id, body        body of a table := chunks        body of large objects := (OID ≠ 0, chunks)*, 0

A walk is needed when the archive was written to a pipe. pg_dump 16 and later, redirected to a file, leaves a second TOC
behind the last block (PGDUMP_FORMATS: "the redirect artefact"), so a walk ends when all expected blocks were seen, not
at the end of the file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TypeAlias

from pgaudit_kit.dumps.archive_toc import Archive, ArchiveEntry
from pgaudit_kit.dumps.byte_cursor import ByteCursor
from pgaudit_kit.dumps.compression import decoded
from pgaudit_kit.dumps.decompression import ByteStream, DumpFile
from pgaudit_kit.errors import DamagedDump

_TABLE, _LARGE_OBJECTS = 1, 3
Visit: TypeAlias = Callable[[ArchiveEntry, Iterable[bytes]], None]
Problem: TypeAlias = tuple[ArchiveEntry | None, DamagedDump]


class DataBlocks:
    """All data blocks of *archive* in *file*."""

    def __init__(self, file: DumpFile, archive: Archive) -> None:
        self._file = file
        self._archive = archive
        self._resource = str(file.path)
        self._expected = {entry.dump_id: entry for entry in archive.entries if entry.toc.has_data}

    def read_all(self, visit: Visit) -> list[Problem]:
        """Call *visit* with each entry and its decoded bytes (for large objects once per object), in the order of the file.

        A visitor may leave bytes unread, and raise DamagedDump. Returns what is broken, with its entry where that is known.
        """
        problems: list[Problem] = []
        missing = dict(self._expected)
        if all(entry.offset is not None for entry in missing.values()):
            self._read_at_offsets(missing, visit, problems)
        else:
            self._walk(missing, visit, problems)
        problems.extend((entry, self._damaged("its data block is missing")) for entry in missing.values())
        return problems

    def offset_of(self, entry: ArchiveEntry) -> int:
        """Return the offset of the block of *entry*. Raises DamagedDump when there is none."""
        offset = entry.offset if entry.offset is not None else self._walked.get(entry.dump_id)
        if offset is None:
            raise self._damaged("its data block is missing")
        return offset

    def pieces_of(self, entry: ArchiveEntry) -> Iterator[bytes]:
        """Yield the decoded bytes of the table *entry*. Raises DamagedDump."""
        offset = self.offset_of(entry)
        with self._file.open(offset) as stream:
            cursor = self._cursor(stream, offset)
            if self._head_of(entry, cursor) != _TABLE:
                raise self._damaged("its offset points at large objects")
            yield from self._decoded(cursor.chunks())

    @cached_property
    def _walked(self) -> dict[int, int]:
        """Offset of each block, by dump id, found by skipping from chunk to chunk."""
        found: dict[int, int] = {}
        self._walk(dict(self._expected), lambda _entry, _pieces: None, [], found)
        return found

    # ---- the two ways through the file

    def _read_at_offsets(self, missing: dict[int, ArchiveEntry], visit: Visit, problems: list[Problem]) -> None:
        ahead = deque(sorted(((entry.offset or 0, entry) for entry in missing.values()), key=lambda pair: pair[0]))
        while ahead:
            with self._file.open(ahead[0][0]) as stream:
                cursor = self._cursor(stream, ahead[0][0])
                while ahead and ahead[0][0] == cursor.position and not cursor.in_chunks:
                    offset, entry = ahead.popleft()
                    del missing[entry.dump_id]
                    try:
                        self._body(self._head_of(entry, cursor), cursor, entry, visit)
                    except DamagedDump as error:
                        problems.append((entry, _at(error, offset)))

    def _walk(self, missing: dict[int, ArchiveEntry], visit: Visit, problems: list[Problem], found: dict[int, int] | None = None) -> None:
        entry: ArchiveEntry | None = None
        offset = self._archive.data_start
        with self._file.open(offset) as stream:
            cursor = self._cursor(stream, offset)
            while missing and not cursor.in_chunks:
                entry, offset = None, cursor.position
                try:
                    if cursor.at_end():
                        break
                    kind, dump_id = self._head(cursor)
                    entry = self._claim(missing, dump_id)
                    if found is not None:
                        found[dump_id] = offset
                    self._body(kind, cursor, entry, visit)
                except DamagedDump as error:
                    problems.append((entry, _at(error, offset)))
                    if not entry:
                        break

    def _head(self, cursor: ByteCursor) -> tuple[int, int]:
        kind = cursor.byte()
        if kind not in (_TABLE, _LARGE_OBJECTS):
            raise self._damaged(f"a data block of unknown type {kind}")
        return kind, cursor.integer()

    def _head_of(self, entry: ArchiveEntry, cursor: ByteCursor) -> int:
        kind, dump_id = self._head(cursor)
        if dump_id != entry.dump_id:
            raise self._damaged("its offset points at something else")
        return kind

    def _claim(self, missing: dict[int, ArchiveEntry], dump_id: int) -> ArchiveEntry:
        if dump_id not in missing:
            raise self._damaged(f"a data block of entry {dump_id}, which should have none here")
        return missing.pop(dump_id)

    def _body(self, kind: int, cursor: ByteCursor, entry: ArchiveEntry, visit: Visit) -> None:
        if kind == _TABLE:
            self._datum(cursor, entry, visit)
            return
        problem: DamagedDump | None = None
        while cursor.integer():  # the OID; above 2^31 it shows as a negative number, and is of no use here
            try:
                self._datum(cursor, entry, visit)
            except DamagedDump as error:
                problem = problem or error
                if cursor.in_chunks:
                    break
        if problem:
            raise problem

    def _datum(self, cursor: ByteCursor, entry: ArchiveEntry, visit: Visit) -> None:
        """One run of chunks: visited, then read to its end whatever was broken in what it holds."""
        chunks = cursor.chunks()
        try:
            visit(entry, self._decoded(chunks))
        finally:
            for _ in chunks:
                pass

    def _decoded(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The bytes that *chunks* stand for; those of an algorithm that is not read as they are."""
        if self._archive.compression == "gzip":
            return decoded(chunks, "zlib", resource=self._resource)
        return chunks

    def _damaged(self, what: str) -> DamagedDump:
        return DamagedDump(what, resource=self._resource)

    def _cursor(self, stream: ByteStream, offset: int) -> ByteCursor:
        return ByteCursor(stream, resource=self._resource, position=offset, int_size=self._archive.int_size)


def _at(error: DamagedDump, offset: int) -> DamagedDump:
    """The error with the offset of its block, when it has none of its own."""
    if error.offset is None:
        error.offset = offset
    return error
