"""What an incremental backup is made of: chunks of rows, named by what is in them, and the ordered lists of them that make a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import add

from pgaudit_kit.records.fingerprint import Fingerprint, ServerHash
from pgaudit_kit.records.table_data import TableName

DIGEST_BYTES = 32
INCREMENTAL = ".inc"
NO_ROWS = Fingerprint()


class ChunkKind(StrEnum):
    """What the bytes of a chunk are: whole COPY lines, a node (a list of what a table or large objects hold), a piece of a large object."""

    ROWS = "rows"
    LIST = "list"
    BLOB = "blob"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk as a list names it. `digest`: of its bytes and its kind; `size_bytes`: uncompressed; `fingerprint`: of the rows in it.

    Of a node, size and fingerprint are the sums of what is below it, not of the node itself.
    """

    digest: bytes
    size_bytes: int
    fingerprint: Fingerprint = NO_ROWS


@dataclass(frozen=True, slots=True)
class PackedChunk:
    """Where a chunk lies in a pack: `stored_bytes` from `offset` on, which are one frame of zstd, `size_bytes` when unpacked."""

    digest: bytes
    kind: ChunkKind
    offset: int
    stored_bytes: int
    size_bytes: int
    fingerprint: Fingerprint = NO_ROWS


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A large object: its OID, size, xxh3_128 (16 bytes) and pieces, in order."""

    oid: int
    size_bytes: int
    xxh3_128: bytes
    pieces: tuple[Chunk, ...] = ()

    @property
    def digest(self) -> bytes:
        """What says where a list of objects is cut."""
        return self.xxh3_128


@dataclass(frozen=True, slots=True)
class ChunkedTable:
    """The rows of a table: `nodes` are lists of chunks, in order, each row in exactly one chunk.

    `dump_id`: of its TABLE DATA entry in the archive beside it; `target_bytes`: how large its chunks are cut, on average;
    `server_hash`: what the server made of the same rows, where it could.
    """

    dump_id: int
    name: TableName
    columns: tuple[str, ...]
    copy_statement: str
    target_bytes: int
    nodes: tuple[Chunk, ...] = ()
    server_hash: ServerHash | None = None

    @property
    def fingerprint(self) -> Fingerprint:
        """Of all its rows: the sum of those of its nodes."""
        return sum_of(self.nodes)

    @property
    def size_bytes(self) -> int:
        """Of its rows as COPY text."""
        return sum(node.size_bytes for node in self.nodes)


@dataclass(frozen=True, slots=True)
class ChunkedObjects:
    """The large objects of one BLOBS entry, whose id is `dump_id`: `nodes` are lists of `StoredObject`.

    The fingerprint of a node is that of the rows that stand for its objects (records.large_objects), its size that of their contents.
    """

    dump_id: int
    nodes: tuple[Chunk, ...] = ()

    @property
    def fingerprint(self) -> Fingerprint:
        """Of the rows that stand for all its objects."""
        return sum_of(self.nodes)


@dataclass(frozen=True, slots=True)
class IncrementalIndex:
    """What the file of an incremental backup says besides the archive of its schema.

    `packs`: in which its chunks were seen when it was written, a hint; `base`: the name of the backup whose lists it took over where
    nothing had changed, "" when there was none; `reused`: the dump ids of those tables.
    """

    tool_version: str
    tables: tuple[ChunkedTable, ...] = ()
    large_objects: tuple[ChunkedObjects, ...] = ()
    packs: tuple[str, ...] = ()
    base: str = ""
    reused: frozenset[int] = frozenset()

    @property
    def nodes(self) -> tuple[Chunk, ...]:
        """All lists of chunks that it names."""
        of_tables = tuple(node for table in self.tables for node in table.nodes)
        return of_tables + tuple(node for objects in self.large_objects for node in objects.nodes)


def sum_of(chunks: Iterable[Chunk]) -> Fingerprint:
    """The fingerprint of the rows in all of *chunks*."""
    return reduce(add, (chunk.fingerprint for chunk in chunks), NO_ROWS)
