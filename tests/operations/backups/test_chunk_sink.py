"""Chunks on their way into packs: in bounded memory, each once, and what goes wrong is told to whoever hands them over."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from pgaudit_kit.dumps.incremental.chunk_bytes import digest_of, pack_chunks
from pgaudit_kit.errors import StoreFailed
from pgaudit_kit.operations.backups import chunk_sink
from pgaudit_kit.operations.backups.chunk_sink import ChunkSink, prove_pack
from pgaudit_kit.operations.store.known_chunks import KnownChunks
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.packs import PackStore
from pgaudit_kit.records.chunks import ChunkKind
from pgaudit_kit.records.fingerprint import Fingerprint

PIECE = 1 << 20


def _packs(tmp_path: Path) -> PackStore:
    return open_store(tmp_path / "store", create=True).packs


def _random(count: int, size: int = PIECE) -> list[bytes]:
    dice = random.Random(4)  # noqa: S311
    return [dice.randbytes(size) for _ in range(count)]


def test_what_is_handed_over_lies_in_packs_each_once(tmp_path: Path) -> None:
    store, raws = _packs(tmp_path), _random(20)
    with ChunkSink(store, KnownChunks(), level=1) as sink:
        first = [sink.put(ChunkKind.ROWS, raw, Fingerprint(1, 2)) for raw in raws]
        assert [sink.put(ChunkKind.ROWS, raw, Fingerprint(1, 2)) for raw in raws] == first
        sink.finish()
    assert (sink.new_chunks, sink.new_bytes) == (20, 20 * PIECE)
    assert store.ids() == set(sink.written)
    assert len(sink.written) > 1
    known, _ = store.known()
    assert all(chunk.digest in known for chunk in first)
    with ChunkSink(store, known, level=1) as again:
        for raw in raws:
            again.put(ChunkKind.ROWS, raw)
        again.finish()
    assert (again.new_chunks, again.used_packs) == (0, set(sink.written))


class _Slow(PackStore):
    """A place that takes a pack only when it may."""

    def __init__(self, store: PackStore) -> None:
        super().__init__(store.folder)
        self.may = threading.Event()

    def put(self, *arguments: object) -> str:
        self.may.wait(120)
        return super().put(*arguments)  # type: ignore[arg-type]


def test_as_long_as_the_store_takes_nothing_no_more_than_some_megabytes_wait(tmp_path: Path) -> None:
    slow = _Slow(_packs(tmp_path))
    handed: list[int] = []
    with ChunkSink(slow, KnownChunks(), level=1) as sink:

        def hand_over() -> None:
            for raw in _random(100):
                sink.put(ChunkKind.ROWS, raw)
                handed.append(len(raw))

        thread = threading.Thread(target=hand_over)
        thread.start()
        thread.join(3)
        assert thread.is_alive()
        assert sum(handed) <= 50 * PIECE
        slow.may.set()
        thread.join(120)
        sink.finish()
    assert sum(handed) == 100 * PIECE


class _Broken(PackStore):
    def put(self, *_: object) -> str:
        raise StoreFailed("no room", resource="store")


def test_what_the_store_refuses_is_told_to_whoever_hands_over(tmp_path: Path) -> None:
    def hand_over() -> None:
        with ChunkSink(_Broken(_packs(tmp_path).folder), KnownChunks(), level=1) as sink:
            for raw in _random(200):
                sink.put(ChunkKind.ROWS, raw)
            sink.finish()

    with pytest.raises(StoreFailed, match="no room"):
        hand_over()


def test_a_sink_that_was_left_takes_no_more(tmp_path: Path) -> None:
    store = _packs(tmp_path)
    sink = ChunkSink(store, KnownChunks(), level=1)

    def interrupted() -> None:
        with sink:
            sink.put(ChunkKind.ROWS, b"1\n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert store.ids() == set()
    with pytest.raises(ValueError, match="nothing more"):
        sink.put(ChunkKind.ROWS, b"2\n")


def test_a_pack_that_lies_there_otherwise_than_it_was_written_is_told(tmp_path: Path) -> None:
    store = _packs(tmp_path)
    with ChunkSink(store, KnownChunks(), level=1) as sink:
        sink.put(ChunkKind.ROWS, b"1\tone\n" * 50)
        sink.finish()
    [pack] = sink.written
    prove_pack(store, pack)
    content = store.read_whole(pack)
    store.folder.write(f"{pack}.pack", content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(StoreFailed, match="not those that were written"):
        prove_pack(store, pack)
    store.folder.remove(f"{pack}.pack")
    with pytest.raises(StoreFailed, match="not there"):
        prove_pack(store, pack)
    assert digest_of(ChunkKind.ROWS, b"1\tone\n" * 50) not in store.known()[0]


def test_what_does_not_unpack_to_what_it_was_is_never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a bit of the memory falls over: nobody would know before rows are needed."""
    monkeypatch.setattr(
        chunk_sink, "pack_chunks", lambda raws, *, level: pack_chunks([raw.replace(b"1", b"2") for raw in raws], level=level)
    )
    store = _packs(tmp_path)

    def hand_over() -> None:
        with ChunkSink(store, KnownChunks(), level=1) as sink:
            sink.put(ChunkKind.ROWS, b"1\n")
            sink.finish()

    with pytest.raises(StoreFailed, match="does not unpack to what it was"):
        hand_over()
    assert store.ids() == set()
