"""The files of incremental backups: what is written is read back, and what is not whole is told."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.dumps.incremental.chunk_bytes import are_frames_of, digest_of, pack_chunks, unpack_chunk
from pgaudit_kit.dumps.incremental.index_file import MAGIC, read_index_file, write_index_file
from pgaudit_kit.dumps.incremental.nodes import chunks_listed, read_chunk_list, read_object_list, write_chunk_list, write_object_list
from pgaudit_kit.dumps.incremental.pack_index import PackIndex, read_pack_index, write_pack_index
from pgaudit_kit.errors import DamagedDump, UnsupportedDump
from pgaudit_kit.records.chunks import Chunk, ChunkedObjects, ChunkedTable, ChunkKind, IncrementalIndex, PackedChunk, StoredObject
from pgaudit_kit.records.fingerprint import Fingerprint, ServerHash
from pgaudit_kit.records.table_data import TableName
from tests.packed_chunks import pack_chunk

_DIGEST = st.binary(min_size=32, max_size=32)
_SIZE = st.integers(0, 2**40)
_SUM = st.builds(Fingerprint, _SIZE, st.integers(0, 2**128 - 1))
_CHUNK = st.builds(Chunk, _DIGEST, _SIZE, _SUM)
_PIECE = st.builds(Chunk, _DIGEST, _SIZE)
_PACKED = st.builds(PackedChunk, _DIGEST, st.sampled_from(ChunkKind), _SIZE, _SIZE, _SIZE, _SUM)
_OBJECT = st.builds(StoredObject, st.integers(1, 2**32 - 1), _SIZE, st.binary(min_size=16, max_size=16), st.lists(_PIECE).map(tuple))
# as names of a database in SQL_ASCII are, too
_NAME = st.text(st.characters(exclude_categories=()), min_size=1, max_size=9)
_HASH = st.none() | st.builds(ServerHash, _SIZE, st.integers(-(2**90), 2**90), st.text())
_TABLE = st.builds(
    ChunkedTable,
    dump_id=st.integers(1, 2**31),
    name=st.builds(TableName, _NAME, _NAME),
    columns=st.lists(_NAME).map(tuple),
    copy_statement=st.text(),
    target_bytes=_SIZE,
    nodes=st.lists(_CHUNK).map(tuple),
    server_hash=_HASH,
)
_INDEX = st.builds(
    IncrementalIndex,
    tool_version=st.text(),
    tables=st.lists(_TABLE, unique_by=lambda t: t.dump_id).map(tuple),
    large_objects=st.lists(st.builds(ChunkedObjects, st.integers(1, 99), st.lists(_CHUNK).map(tuple))).map(tuple),
    packs=st.lists(_DIGEST.map(bytes.hex)).map(tuple),
    base=st.text(),
)


@given(st.lists(_PACKED).map(tuple))
def test_the_index_of_a_pack_reads_back(chunks: tuple[PackedChunk, ...]) -> None:
    index = PackIndex.of("ab" * 32, chunks)
    again = read_pack_index(write_pack_index(index), resource="x")
    assert again == index
    assert again.chunks == chunks
    assert len(again) == len(chunks)


@given(st.lists(_CHUNK), st.lists(_OBJECT))
def test_nodes_read_back(chunks: list[Chunk], objects: list[StoredObject]) -> None:
    node, of_objects = write_chunk_list(chunks), write_object_list(objects)
    assert list(read_chunk_list(node, resource="x")) == chunks
    assert list(read_object_list(of_objects, resource="x")) == objects
    assert list(chunks_listed(node, resource="x")) == chunks
    assert list(chunks_listed(of_objects, resource="x")) == [piece for item in objects for piece in item.pieces]


@given(_INDEX, st.binary())
def test_the_file_of_a_backup_reads_back(index: IncrementalIndex, archive: bytes) -> None:
    assert read_index_file(write_index_file(index, archive), resource="x") == (index, archive)


def test_tables_that_were_reused_are_told() -> None:
    tables = tuple(ChunkedTable(n, TableName("public", "t"), (), "", 1) for n in (3, 4))
    index = IncrementalIndex("0", tables, base="app-1", reused=frozenset({4}))
    assert read_index_file(write_index_file(index, b""), resource="x")[0].reused == {4}


def _sample() -> bytes:
    table = ChunkedTable(
        7, TableName("public", "t"), ("a",), "COPY public.t (a) FROM stdin;\n", 1 << 15, (Chunk(b"\1" * 32, 8, Fingerprint(2, 9)),)
    )
    return write_index_file(IncrementalIndex("0", (table,)), b"PGDMP and more")


@pytest.mark.parametrize("at", range(0, len(_sample()), 7))
def test_every_changed_byte_of_the_file_is_told(at: int) -> None:
    stored = bytearray(_sample())
    stored[at] ^= 1
    with pytest.raises((DamagedDump, UnsupportedDump)):
        read_index_file(bytes(stored), resource="x")


@pytest.mark.parametrize("end", range(0, len(_sample()), 5))
def test_a_file_that_is_cut_short_is_told(end: int) -> None:
    with pytest.raises((DamagedDump, UnsupportedDump)):
        read_index_file(_sample()[:end], resource="x")


def test_nodes_that_do_not_add_up_are_told() -> None:
    body = _sample()[:-32]
    import zstandard

    start = len(MAGIC) + 2
    length = int.from_bytes(body[start : start + 8], "little")
    plain = zstandard.decompress(body[start + 8 : start + 8 + length]).replace(b'"rows": 2', b'"rows": 3')
    frame = zstandard.compress(plain)
    forged = body[:start] + len(frame).to_bytes(8, "little") + frame + body[start + 8 + length :]
    with pytest.raises(DamagedDump, match="do not add up"):
        read_index_file(forged + hashlib.sha256(forged).digest(), resource="x")


def _index() -> bytes:
    chunks = tuple(PackedChunk(bytes([n]) * 32, ChunkKind.ROWS, n * 10, 10, 99, Fingerprint(1, n)) for n in range(5))
    return write_pack_index(PackIndex.of("0f" * 32, chunks))


@pytest.mark.parametrize("at", range(len(_index())))
def test_every_changed_byte_of_an_index_is_told(at: int) -> None:
    stored = bytearray(_index())
    stored[at] ^= 2
    with pytest.raises((DamagedDump, UnsupportedDump)):
        read_pack_index(bytes(stored), resource="x")
    with pytest.raises((DamagedDump, UnsupportedDump)):
        read_pack_index(_index()[:at], resource="x")


def test_a_chunk_is_proved_against_its_name() -> None:
    raw = b"1\tone\n2\ttwo\n" * 50
    stored, digest = pack_chunk(raw, level=3), digest_of(ChunkKind.ROWS, raw)
    known = {"digest": digest, "size_bytes": len(raw), "resource": "x"}
    assert unpack_chunk(stored, kind=ChunkKind.ROWS, **known) == raw  # type: ignore[arg-type]  # the three are of three types
    with pytest.raises(DamagedDump, match="digest"):
        unpack_chunk(stored, kind=ChunkKind.BLOB, **known)  # type: ignore[arg-type]
    with pytest.raises(DamagedDump, match="digest"):
        unpack_chunk(pack_chunk(raw[::-1], level=3), kind=ChunkKind.ROWS, **known)  # type: ignore[arg-type]
    with pytest.raises(DamagedDump, match="another size"):
        unpack_chunk(pack_chunk(raw + b"3\n", level=3), kind=ChunkKind.ROWS, **known)  # type: ignore[arg-type]
    with pytest.raises(DamagedDump, match="unpacked"):
        unpack_chunk(stored[:-4], kind=ChunkKind.ROWS, **known)  # type: ignore[arg-type]


def test_many_chunks_are_packed_as_each_alone_and_held_against_what_they_were_made_of() -> None:
    raws = [b"1\tone\n" * 900, b"2\n", bytes(range(256)) * 200]
    frames = pack_chunks(raws, level=2)
    assert frames == [pack_chunk(raw, level=2) for raw in raws]
    assert are_frames_of(frames, raws)
    assert not are_frames_of(frames, [raws[0], b"3\n", raws[2]])
    assert not are_frames_of([frames[0], frames[1], frames[0]], raws)
    assert not are_frames_of([frames[0], b"no frame", frames[2]], raws)


def test_a_frame_that_claims_to_be_huge_is_not_unpacked() -> None:
    stored = pack_chunk(bytes(1 << 26), level=3)
    with pytest.raises(DamagedDump, match="another size"):
        unpack_chunk(stored, digest=bytes(32), kind=ChunkKind.ROWS, size_bytes=12, resource="x")
