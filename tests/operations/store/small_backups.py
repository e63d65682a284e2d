"""Incremental backups of tables that are lists of rows: written by the rules of real ones, without a database."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from pgaudit_kit.dumps.files.age import sealed
from pgaudit_kit.dumps.incremental.chunk_bytes import digest_of
from pgaudit_kit.dumps.incremental.index_file import write_index_file
from pgaudit_kit.dumps.incremental.nodes import read_chunk_list, write_chunk_list
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.operations.store.known_chunks import KnownChunks
from pgaudit_kit.operations.store.names import backup_name
from pgaudit_kit.operations.store.packs import PackWriter
from pgaudit_kit.operations.store.running_backups import running_note
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.stored_chunks import Copy, StoredChunks, read_copy
from pgaudit_kit.operations.store.used_chunks import read_index
from pgaudit_kit.records.chunks import Chunk, ChunkedTable, ChunkKind, IncrementalIndex
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.rows.fingerprint import fingerprint_of
from tests.operations.store.conftest import finish, manifest_of
from tests.packed_chunks import pack_chunk

T = TypeVar("T")
ROWS_OF_A_CHUNK, CHUNKS_OF_A_NODE = 5, 4
Tables = Mapping[str, Sequence[bytes]]


class SmallWriter:
    """Chunks on their way into packs, each once."""

    def __init__(self, store: Store, known: KnownChunks, *, full_bytes: int) -> None:
        self.known = known
        self.packs = PackWriter(store.packs, full_bytes=full_bytes)

    def keep(self, kind: ChunkKind, raw: bytes, fingerprint: Fingerprint) -> bytes:
        digest = digest_of(kind, raw)
        if digest not in self.known:
            self.packs.add(kind, digest, pack_chunk(raw, level=1), size_bytes=len(raw), fingerprint=fingerprint)
            self.known.add(digest)
        return digest

    def table(self, number: int, name: str, rows: Sequence[bytes]) -> ChunkedTable:
        chunks = []
        for some in _batched(rows, ROWS_OF_A_CHUNK):
            raw = b"".join(some)
            found = fingerprint_of([raw])
            chunks.append(Chunk(self.keep(ChunkKind.ROWS, raw, found), len(raw), found))
        nodes = []
        for part in _batched(chunks, CHUNKS_OF_A_NODE):
            digest = self.keep(ChunkKind.LIST, write_chunk_list(part), Fingerprint())
            nodes.append(Chunk(digest, sum(c.size_bytes for c in part), sum((c.fingerprint for c in part), Fingerprint())))
        return ChunkedTable(number, TableName("public", name), ("a",), "", 1, tuple(nodes))


def back_up(store: Store, at: datetime, tables: Tables, *, database: str = "app", full_bytes: int = 4000, pause_seconds: float = 0) -> str:
    """Keep a backup that holds *tables*, with a pause between looking at the store and writing; return where it is."""
    with running_note(store.packs.folder, database), store.receive(backup_name(database, None, at), ".inc") as incoming:
        known, _ = store.packs.known()
        time.sleep(pause_seconds)
        writer = SmallWriter(store, known, full_bytes=full_bytes)
        chunked = tuple(writer.table(number, name, rows) for number, (name, rows) in enumerate(tables.items(), 1))
        writer.packs.flush()
        incoming.path.write_bytes(sealed(write_index_file(IncrementalIndex("0", chunked), b"PGDMP"), store.packs.recipients))
        return finish(incoming, _manifest(database, at, chunked))


def _manifest(database: str, at: datetime, tables: Sequence[ChunkedTable]) -> Manifest:
    data = {t.name: TableData(t.name, t.columns, rows=t.fingerprint.rows, fingerprint=t.fingerprint) for t in tables}
    return replace(manifest_of(database, at), table_data=data)


def read_back(store: Store, file: str) -> dict[str, list[bytes]]:
    """The rows of all tables of a backup, each chunk proved against its name."""
    chunks = StoredChunks(store.packs)
    places: dict[bytes, list[Copy]] = {}
    for pack in store.packs.ids():
        for chunk in store.packs.index(pack).chunks:
            places.setdefault(chunk.digest, []).append(Copy(pack, chunk))
    tables = {}
    for table in read_index(store, file).tables:
        listed = [c for node in table.nodes for c in read_chunk_list(chunks.read_list(node.digest), resource=file)]
        tables[table.name.name] = [row for c in listed for row in _any_copy(store, places[c.digest]).splitlines(keepends=True)]
    return tables


def _any_copy(store: Store, copies: Sequence[Copy]) -> bytes:
    for copy in copies[:-1]:
        with suppress(DamagedDump):
            return read_copy(store.packs, copy)
    return read_copy(store.packs, copies[-1])


def rows(*numbers: int) -> list[bytes]:
    """A row for each number, which do not compress to nothing."""
    return [b"%d\t%s\n" % (n, hashlib.sha256(b"%d" % n).hexdigest().encode()) for n in numbers]


def _batched(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[at : at + size] for at in range(0, len(items), size))
