"""The data of an incremental backup: rows and large objects out of chunks, an `archive_data.ArchiveData`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pgaudit_kit.dumps.archives.archive_data import Problem, Visit
from pgaudit_kit.dumps.archives.archive_toc import Archive, ArchiveEntry
from pgaudit_kit.dumps.incremental.chunk_reader import ChunkReader
from pgaudit_kit.dumps.incremental.nodes import read_chunk_list, read_object_list
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.records.chunks import Chunk, ChunkKind, IncrementalIndex, StoredObject, sum_of

_PIECE_BYTES = 1 << 18
# What pg_dump writes behind the rows of a table (dumpTableData_copy)
END_OF_ROWS = b"\\.\n\n\n"


class ChunkedData:
    """The chunks that *index* lists for the entries of *archive*, read by *reader*."""

    compression = "zstd"

    def __init__(self, archive: Archive, index: IncrementalIndex, reader: ChunkReader, *, resource: str) -> None:
        self.tables = {table.dump_id: table for table in index.tables}
        self._objects = {objects.dump_id: objects for objects in index.large_objects}
        self._archive = archive
        self._reader = reader
        self._resource = resource

    def read_all(self, visit: Visit) -> list[Problem]:
        """Read every chunk; see `ArchiveData.read_all`. What one table lacks is a problem of that table alone."""
        problems = []
        for entry in self._archive.entries:
            if not entry.toc.has_data:
                continue
            try:
                if entry.toc.desc == "BLOBS":
                    for oid, pieces in self.large_objects_of(entry):
                        visit(entry, oid, pieces)
                else:
                    visit(entry, None, self.pieces_of(entry))
            except DamagedDump as error:
                problems.append(Problem(error, entry))
        return problems

    def place_of(self, entry: ArchiveEntry) -> tuple[int | None, str]:
        """Nothing: its chunks lie in packs. Raises DamagedDump when it has no list of them."""
        self._nodes(entry)
        return None, ""

    def pieces_of(self, entry: ArchiveEntry) -> Iterator[bytes]:
        """Yield the rows of the table *entry*, and their end mark. Raises DamagedDump."""
        yield from _joined(self._reader.read(self.chunks_of(entry), ChunkKind.ROWS))
        yield END_OF_ROWS

    def chunks_of(self, entry: ArchiveEntry) -> Iterator[Chunk]:
        """Yield the chunks of the table *entry*, in order. Raises DamagedDump."""
        return self.listed(self._nodes(entry))

    def listed(self, nodes: Iterable[Chunk]) -> Iterator[Chunk]:
        """Yield the chunks that *nodes* list, in order. Raises DamagedDump, behind them, when they are not what a node is the sum of."""
        for node in nodes:
            chunks = read_chunk_list(self._reader.one(node, ChunkKind.LIST), resource=self._resource)
            yield from chunks
            if (sum_of(chunks), sum(chunk.size_bytes for chunk in chunks)) != (node.fingerprint, node.size_bytes):
                what = f"the chunks in the list {node.digest.hex()} do not add up to what the backup says of it"
                raise DamagedDump(what, resource=self._resource)

    def read_chunks(self, chunks: Iterable[Chunk]) -> Iterator[bytes]:
        """Yield the rows of *chunks*. Raises DamagedDump."""
        return self._reader.read(chunks, ChunkKind.ROWS)

    def large_objects_of(self, entry: ArchiveEntry) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Yield OID and content of each large object of *entry*. Raises DamagedDump."""
        for item in self.listed_objects(entry):
            yield item.oid, self._reader.read(item.pieces, ChunkKind.BLOB)

    def listed_objects(self, entry: ArchiveEntry) -> Iterator[StoredObject]:
        """Yield what is known of each large object of *entry* without its content. Raises DamagedDump."""
        for node in self._nodes(entry):
            yield from read_object_list(self._reader.one(node, ChunkKind.LIST), resource=self._resource)

    def _nodes(self, entry: ArchiveEntry) -> tuple[Chunk, ...]:
        held = self._objects.get(entry.dump_id) if entry.toc.desc == "BLOBS" else self.tables.get(entry.dump_id)
        if held is None:
            raise DamagedDump("no list says what it consists of", resource=self._resource)
        return held.nodes


def _joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield *pieces*, some at a time: who hands them from thread to thread does so less often. Those before an error come out first."""
    held: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            held.append(piece)
            size += len(piece)
            if size >= _PIECE_BYTES:
                yield b"".join(held)
                held, size = [], 0
    except DamagedDump:
        if held:
            yield b"".join(held)
        raise
    if held:
        yield b"".join(held)
