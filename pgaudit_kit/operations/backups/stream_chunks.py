"""The rows of an archive as pg_dump writes it to a pipe, cut into chunks and listed, table by table: nothing else of it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import add

from pgaudit_kit.dumps.archives.archive_stream import ArchiveStream
from pgaudit_kit.dumps.archives.archive_toc import Archive, ArchiveEntry
from pgaudit_kit.dumps.copy_statement import parse_copy
from pgaudit_kit.dumps.files.byte_stream import ByteStream
from pgaudit_kit.dumps.incremental.node_cutting import cut_lists
from pgaudit_kit.dumps.incremental.nodes import write_chunk_list, write_object_list
from pgaudit_kit.dumps.row_text import without_end_mark
from pgaudit_kit.dumps.text_encoding import to_utf8
from pgaudit_kit.errors import BackupFailed, DamagedDump
from pgaudit_kit.operations.backups.chunk_sink import ChunkSink
from pgaudit_kit.records.chunks import NO_ROWS, Chunk, ChunkedObjects, ChunkedTable, ChunkKind, StoredObject, sum_of
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.chunk_cutting import TARGET_BYTES, ChunkCutter
from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.rows.large_objects import ContentHash

_PIECE_BYTES = 1 << 18


@dataclass
class StreamContents:
    """What came: the archive without its data (`toc`: its bytes), the tables and the large objects, as chunks."""

    archive: Archive
    toc: bytes
    tables: list[ChunkedTable] = field(default_factory=list)
    large_objects: list[ChunkedObjects] = field(default_factory=list)


def chunk_stream(stream: ByteStream, sink: ChunkSink, targets: Mapping[TableName, int]) -> StreamContents:
    """Read *stream* to its end, handing chunks to *sink*. *targets*: how large those of a table are cut, where that is known.

    Raises DamagedDump for what pg_dump does not write, BackupFailed for rows that no restore would take, and what *sink* raises.
    """
    archived = ArchiveStream(stream, resource="pg_dump")
    contents = StreamContents(archived.archive, archived.toc)
    for entry, data in archived.blocks():
        if entry.toc.desc == "BLOBS":
            objects = (_chunked_object(oid, pieces, sink) for oid, pieces in data if oid is not None)
            contents.large_objects.append(ChunkedObjects(entry.dump_id, tuple(_object_nodes(objects, sink))))
        else:
            for _, pieces in data:
                contents.tables.append(_chunked_table(entry, pieces, sink, targets, archived.archive.encoding))
    return contents


def _chunked_table(
    entry: ArchiveEntry, pieces: Iterator[bytes], sink: ChunkSink, targets: Mapping[TableName, int], encoding: str
) -> ChunkedTable:
    name = TableName(entry.toc.schema or "", entry.toc.tag)
    statement = parse_copy(entry.toc.copy_statement or "")
    if statement is None:
        raise DamagedDump(f"the rows of {name} have no COPY statement", resource="pg_dump", table=str(name))
    target = targets.get(name, TARGET_BYTES)
    nodes = tuple(_nodes(_chunks(name, pieces, sink, target, encoding), sink))
    return ChunkedTable(entry.dump_id, name, statement.columns, entry.toc.copy_statement or "", target, nodes)


def _chunks(name: TableName, pieces: Iterator[bytes], sink: ChunkSink, target: int, encoding: str) -> Iterator[Chunk]:
    cutter = ChunkCutter(target)
    for block in _whole_lines(without_end_mark(pieces)):
        text = _text_of(name, block, encoding)
        for cut in cutter.feed(block, None if text is block else text):
            yield sink.put(ChunkKind.ROWS, *cut)
    for cut in cutter.end():
        yield sink.put(ChunkKind.ROWS, *cut)


def _text_of(name: TableName, block: bytes, encoding: str) -> bytes:
    """*block* in UTF-8. Raises BackupFailed for bytes that are not of *encoding*, which no restore would take."""
    try:
        return to_utf8(block, encoding)
    except DamagedDump as error:
        raise BackupFailed(
            f"no backup was written: rows of {name} have {error.message}, which the server gives and would not take back",
            resource="pg_dump",
            table=str(name),
            remedy="Find these rows and mend them: a server takes none of the rows of a table in which it finds such bytes.",
        ) from error


def _whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *pieces* with their borders moved to line ends."""
    begun: list[bytes] = []
    for piece in pieces:
        end = piece.rfind(b"\n") + 1
        if end:
            yield b"".join((*begun, piece[:end])) if begun or end < len(piece) else piece
            begun = [piece[end:]] if end < len(piece) else []
        else:
            begun.append(piece)
    if begun:
        raise DamagedDump("a row without an end", resource="pg_dump")


def _nodes(chunks: Iterable[Chunk], sink: ChunkSink) -> Iterator[Chunk]:
    for listed in cut_lists(chunks):
        node = sink.put(ChunkKind.LIST, write_chunk_list(listed))
        yield Chunk(node.digest, sum(c.size_bytes for c in listed), sum_of(listed))


def _chunked_object(oid: int, pieces: Iterator[bytes], sink: ChunkSink) -> tuple[StoredObject, Fingerprint]:
    content = ContentHash()
    kept = []
    for piece in _pieces_of(pieces):
        content.add(piece)
        kept.append(sink.put(ChunkKind.BLOB, piece))
    return StoredObject(oid, content.size_bytes, content.digest, tuple(kept)), fingerprint_of([content.line(oid)])


def _pieces_of(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in pieces of one size, but for the last."""
    held = b""
    for piece in pieces:
        held += piece
        while len(held) >= _PIECE_BYTES:
            yield held[:_PIECE_BYTES]
            held = held[_PIECE_BYTES:]
    if held:
        yield held


@dataclass(frozen=True, slots=True)
class _Listed:
    item: StoredObject
    fingerprint: Fingerprint

    @property
    def digest(self) -> bytes:
        return self.item.digest


def _object_nodes(objects: Iterable[tuple[StoredObject, Fingerprint]], sink: ChunkSink) -> Iterator[Chunk]:
    for listed in cut_lists(_Listed(*found) for found in objects):
        node = sink.put(ChunkKind.LIST, write_object_list(one.item for one in listed))
        total = reduce(add, (one.fingerprint for one in listed), NO_ROWS)
        yield Chunk(node.digest, sum(one.item.size_bytes for one in listed), total)
