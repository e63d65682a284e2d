"""The data of a custom archive: blocks behind its table of contents, walked one after another or read one alone.

    block := type, dump id, body        body of a table := chunks        body of large objects := (OID ≠ 0, chunks)*, 0

The blocks are back to back, in the order of the entries, and nothing follows the last one: but for a second table of contents
that pg_dump 16 and later leaves when it is redirected to a file (PGDUMP_FORMATS: "the redirect artefact"). A table of contents
says where each block begins, unless it was written to a pipe. A walk therefore always goes through the whole file, checks
what the offsets say, and goes on behind a broken block where the next one begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from pgaudit_kit.dumps.archives.archive_data import Problem, Visit
from pgaudit_kit.dumps.archives.archive_toc import Archive, ArchiveEntry, reads_again
from pgaudit_kit.dumps.archives.byte_cursor import ByteCursor
from pgaudit_kit.dumps.files.compression import Algorithm, decoded
from pgaudit_kit.dumps.files.decompression import PIECE, ByteStream, DumpFile
from pgaudit_kit.errors import DamagedDump

TABLE_BLOCK, _LARGE_OBJECTS = 1, 3
_STREAMS: dict[str, Algorithm] = {"gzip": "zlib", "lz4": "lz4", "zstd": "zstd"}
# An OID above 2^31 is written as a negative number (WriteInt)
_OIDS = 1 << 32


class DataBlocks:
    """All data blocks of *archive* in *file*: an `archive_data.ArchiveData`."""

    def __init__(self, file: DumpFile, archive: Archive) -> None:
        self.archive = archive
        self.resource = file.resource
        self.expected = {entry.dump_id: entry for entry in archive.entries if entry.toc.has_data}
        self._file = file

    @property
    def compression(self) -> str:
        """What the header says."""
        return self.archive.compression

    def read_all(self, visit: Visit) -> list[Problem]:
        """Walk through the whole file; see `ArchiveData.read_all`."""
        walk = _Walk(self, visit)
        walk.run()
        self._walked = walk.found
        return walk.problems

    def place_of(self, entry: ArchiveEntry) -> tuple[int | None, str]:
        """Return the offset of the block of *entry*. Raises DamagedDump when there is none."""
        offset = entry.offset if entry.offset is not None else self._walked.get(entry.dump_id)
        if offset is None:
            raise self.damaged("its data block is missing")
        return offset, ""

    def pieces_of(self, entry: ArchiveEntry) -> Iterator[bytes]:
        """Yield the decoded bytes of the table *entry*. Raises DamagedDump."""
        for _, pieces in self._data_of(entry):
            yield from pieces

    def large_objects_of(self, entry: ArchiveEntry) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Yield OID and decoded bytes of each large object of *entry*; see `ArchiveData.large_objects_of`."""
        for oid, pieces in self._data_of(entry):
            if oid is not None:
                yield oid, pieces

    @cached_property
    def _walked(self) -> dict[int, int]:
        """Offset of each block, by dump id, found by skipping from chunk to chunk."""
        walk = _Walk(self, None)
        walk.run()
        return walk.found

    # ---- what the walk needs, too

    def open(self, offset: int) -> ByteStream:
        """The bytes of the file from *offset* on."""
        return self._file.open(offset)

    def cursor(self, stream: ByteStream, offset: int) -> ByteCursor:
        """A cursor over *stream*, which begins at *offset*."""
        return ByteCursor(stream, resource=self.resource, position=offset, int_size=self.archive.int_size)

    def head(self, cursor: ByteCursor) -> tuple[int, int]:
        """Type and dump id of the block that begins here. Raises DamagedDump when none does."""
        start = cursor.position
        kind = cursor.byte()
        if kind not in (TABLE_BLOCK, _LARGE_OBJECTS):
            raise self.damaged(f"no data block begins at byte {start:,}", start)
        return kind, cursor.integer()

    def body(self, entry: ArchiveEntry, cursor: ByteCursor) -> Iterator[tuple[int | None, Iterator[bytes]]]:
        """Yield the decoded bytes of a block: once for a table, once per large object with its OID. Passes over what was not read of each.

        Stops when it does not know any more where it is: then `cursor.in_chunks`. Raises DamagedDump.
        """
        if kind_of(entry) == TABLE_BLOCK:
            chunks = cursor.chunks()
            yield None, self._decoded(chunks)
            _pass(chunks)
            return
        while not cursor.in_chunks and (oid := cursor.integer()):
            chunks = cursor.chunks()
            yield oid % _OIDS, self._decoded(chunks)
            _pass(chunks)

    def damaged(self, what: str, offset: int | None = None) -> DamagedDump:
        """The error that says *what* is broken."""
        return DamagedDump(what, resource=self.resource, offset=offset)

    def _data_of(self, entry: ArchiveEntry) -> Iterator[tuple[int | None, Iterator[bytes]]]:
        offset = self.place_of(entry)[0] or 0
        with self.open(offset) as stream:
            cursor = self.cursor(stream, offset)
            if self.head(cursor) != (kind_of(entry), entry.dump_id):
                raise self.damaged("its offset points at something else", offset)
            yield from self.body(entry, cursor)

    def _decoded(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        algorithm = _STREAMS.get(self.archive.compression)
        return self._file.limited(decoded(chunks, algorithm, resource=self.resource)) if algorithm else chunks


def kind_of(entry: ArchiveEntry) -> int:
    """The type of the block of *entry* (WriteDataChunks)."""
    return _LARGE_OBJECTS if entry.toc.desc == "BLOBS" else TABLE_BLOCK


class _Walk:
    """One way through all blocks of a file. Afterwards `found` has the offsets by dump id, `problems` what is broken."""

    def __init__(self, blocks: DataBlocks, visit: Visit | None) -> None:
        self.problems: list[Problem] = []
        self.found: dict[int, int] = {}
        self._blocks = blocks
        self._visit = visit
        self._missing = dict(blocks.expected)
        self._at_offset = {entry.offset: entry for entry in self._missing.values() if entry.offset is not None}
        self._has_offsets = bool(self._at_offset)

    def run(self) -> None:
        position: int | None = self._blocks.archive.toc_end
        while position is not None:
            position = self._go(position)
        for entry in self._missing.values():
            where = f": it should begin at byte {entry.offset:,}" if entry.offset is not None else ""
            self._tell(f"its data block is missing{where}", entry.offset, entry)

    def _go(self, position: int) -> int | None:
        """Visit block after block from *position* to the end; or to one where the way is lost: then return where to go on."""
        with self._blocks.open(position) as stream:
            cursor = self._blocks.cursor(stream, position)
            start = position
            try:
                while not cursor.at_end():
                    start = cursor.position
                    if not self._missing and not self._has_offsets and cursor.peek() == 0:
                        self._second_toc(cursor)
                        return None
                    if not self._block(cursor):
                        return self._next_block(start)
            except DamagedDump as error:  # of what the whole file is wrapped in, between two blocks
                self.problems.append(Problem(_at(error, start)))
        return None

    def _block(self, cursor: ByteCursor) -> bool:
        """Visit the block that begins here. Returns whether the next one begins where the cursor stands now."""
        start = cursor.position
        here = self._at_offset.get(start)
        if here and here.dump_id not in self._missing:
            here = None
        try:
            kind, dump_id = self._blocks.head(cursor)
        except DamagedDump as error:
            self._not_a_block(error, start, here)
            return False
        entry = self._missing.pop(dump_id, None)
        if not entry or entry.offset not in (None, start):
            return self._stranger(cursor, start, dump_id, entry, here)
        self.found[dump_id] = start
        if kind != kind_of(entry):
            self._tell(f"its data block at byte {start:,} is of the wrong type", start, entry)
            return self._passed(entry, cursor)
        return self._visited(entry, cursor, start)

    def _not_a_block(self, error: DamagedDump, start: int, here: ArchiveEntry | None) -> None:
        if here:
            del self._missing[here.dump_id]
            self.problems.append(Problem(_at(error, start), here))
        elif self._missing:
            self.problems.append(Problem(_at(error, start)))
        else:
            self._tell(f"something that belongs to nothing follows the last data block, at byte {start:,}", start)

    def _stranger(self, cursor: ByteCursor, start: int, dump_id: int, entry: ArchiveEntry | None, here: ArchiveEntry | None) -> bool:
        """A block that should not be here: what is said of it, and of *here*, whose block should be."""
        if entry:
            self._tell(f"its data block begins at byte {start:,}, and not where its entry says, at byte {entry.offset:,}", start, entry)
        elif here:
            del self._missing[here.dump_id]
            self._tell(f"its data block at byte {start:,} says that it is of entry {dump_id}", start, here)
        elif known := self._blocks.expected.get(dump_id):
            self._tell(f"it has a second data block, at byte {start:,}", start, known)
        else:
            self._tell(f"a data block at byte {start:,} is of entry {dump_id}, which has none", start)
        return self._passed(entry or here or self._blocks.expected.get(dump_id), cursor)

    def _visited(self, entry: ArchiveEntry, cursor: ByteCursor, start: int) -> bool:
        try:
            for oid, pieces in self._blocks.body(entry, cursor):
                if self._visit:
                    try:
                        self._visit(entry, oid, pieces)
                    except DamagedDump as error:
                        self.problems.append(Problem(_at(error, start), entry))
        except DamagedDump as error:
            if not any(problem.entry is entry for problem in self.problems):
                self.problems.append(Problem(_at(error, start), entry))
            return False
        return not cursor.in_chunks

    def _passed(self, entry: ArchiveEntry | None, cursor: ByteCursor) -> bool:
        """Go behind the block of *entry* (None: of a table, as most are) without a look at what is in it."""
        try:
            if entry:
                for _ in self._blocks.body(entry, cursor):
                    pass
            else:
                _pass(cursor.chunks())
        except DamagedDump:
            return False
        return not cursor.in_chunks

    def _second_toc(self, cursor: ByteCursor) -> None:
        archive, start = self._blocks.archive, cursor.position
        with self._blocks.open(archive.toc_start) as stream:
            try:
                same = reads_again(cursor, self._blocks.cursor(stream, archive.toc_start), archive, self.found)
                if same and cursor.at_end():
                    return
                what = "is followed by something that belongs to nothing" if same else "differs from the first one"
                self._tell(f"the second table of contents, at byte {start:,}, {what}", cursor.position if same else start)
            except DamagedDump as error:
                self._tell(f"the second table of contents, at byte {start:,}, is broken: {error.message}", error.offset)

    def _next_block(self, position: int) -> int | None:
        """The next place behind *position* where a block that is still missing begins: by what entries say, or by its looks."""
        if not self._missing:
            return None
        if self._has_offsets:
            return min(
                (offset for offset, entry in self._at_offset.items() if offset > position and entry.dump_id in self._missing), default=None
            )
        size = self._blocks.archive.int_size
        # the zero that closes a block, then type and id of the next: text holds no zeros, and a compressed stream not these by chance
        seen = re.compile(rb"(?=\0{%d}[\1\3]\0(.{%d}))" % (size + 1, size), re.DOTALL)
        held, base = b"", position
        with self._blocks.open(position) as stream:
            while more := _read(stream):
                held += more
                for match in seen.finditer(held):
                    if int.from_bytes(match[1], "little") in self._missing:
                        return base + match.start() + size + 1
                base += max(len(held) - 2 * size - 2, 0)
                held = held[-2 * size - 2 :]
        return None

    def _tell(self, what: str, offset: int | None, entry: ArchiveEntry | None = None) -> None:
        self.problems.append(Problem(self._blocks.damaged(what, offset), entry))


def _read(stream: ByteStream) -> bytes:
    try:
        return stream.read(PIECE)
    except DamagedDump:  # told already, by the walk that came to the same place
        return b""


def _pass(chunks: Iterable[bytes]) -> None:
    for _ in chunks:
        pass


def _at(error: DamagedDump, offset: int) -> DamagedDump:
    """The error with the offset of its block, when it has none of its own."""
    if error.offset is None:
        error.offset = offset
    return error
