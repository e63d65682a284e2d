"""Packs in stores of every kind, and what a new backup takes for known."""

from __future__ import annotations

import os
import random
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pgaudit_kit.dumps.files.compression import decoded
from pgaudit_kit.dumps.incremental.chunk_bytes import digest_of, unpack_chunk
from pgaudit_kit.dumps.incremental.nodes import write_chunk_list
from pgaudit_kit.dumps.incremental.pack_index import PackIndex
from pgaudit_kit.errors import StoreFailed
from pgaudit_kit.operations.store.known_chunks import KnownChunks
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.packs import PackWriter
from pgaudit_kit.operations.store.running_backups import RunningBackup, running_backups, running_note
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.sweep_plan import Mark
from pgaudit_kit.operations.store.upload_markers import born, this_machine
from pgaudit_kit.records.chunks import Chunk, ChunkKind
from pgaudit_kit.records.fingerprint import Fingerprint
from tests.packed_chunks import pack_chunk

AT = datetime(2026, 1, 31, 12, 5, 9, tzinfo=UTC)


def _write(store: Store, contents: list[bytes], *, full_bytes: int = 1 << 20) -> list[str]:
    writer = PackWriter(store.packs, full_bytes=full_bytes)
    for raw in contents:
        digest = digest_of(ChunkKind.ROWS, raw)
        writer.add(ChunkKind.ROWS, digest, pack_chunk(raw, level=3), size_bytes=len(raw), fingerprint=Fingerprint(1, len(raw)))
    writer.flush()
    return writer.packs


def _rows(count: int) -> list[bytes]:
    dice = random.Random(5)  # noqa: S311
    return [dice.randbytes(300) + b"\n" for _ in range(count)]


def test_chunks_come_back_out_of_packs(any_store: Store) -> None:
    contents = _rows(40)
    packs = _write(any_store, contents, full_bytes=4000)
    assert len(packs) > 2
    assert any_store.packs.ids() == set(packs)
    found = {}
    for pack, index in any_store.packs.indexes(packs):
        assert isinstance(index, PackIndex)
        assert index == any_store.packs.index(pack)
        for chunk in index.chunks:
            stored = any_store.packs.read(pack, chunk)
            found[chunk.digest] = unpack_chunk(stored, digest=chunk.digest, kind=chunk.kind, size_bytes=chunk.size_bytes, resource=pack)
            assert chunk.fingerprint == Fingerprint(1, 301)
    assert sorted(found.values()) == sorted(contents)
    known, seen = any_store.packs.known()
    assert seen == set(packs)
    assert all(digest_of(ChunkKind.ROWS, raw) in known for raw in contents)
    assert digest_of(ChunkKind.BLOB, contents[0]) not in known


def test_a_store_without_packs_knows_nothing_and_stays_as_it_is(any_store: Store) -> None:
    known, packs = any_store.packs.known()
    assert b"\0" * 32 not in known
    assert packs == any_store.packs.ids() == any_store.packs.condemned() == frozenset()
    assert any_store.packs.damaged() == {}
    assert dict(any_store.entries()) == {}


def test_packs_are_no_strangers_in_a_store(any_store: Store) -> None:
    _write(any_store, _rows(3))
    assert any_store.look() == ((), ())


def test_what_is_condemned_damaged_cut_short_or_without_index_is_not_known(any_store: Store) -> None:
    contents = _rows(5)
    names = [digest_of(ChunkKind.ROWS, raw) for raw in contents]
    packs = [_write(any_store, [raw])[0] for raw in contents]
    store = any_store.packs
    store.condemn(packs[0], AT)
    assert store.condemned() == {packs[0]}
    assert store.condemned_at(packs[0]) == AT
    assert store.condemned_at(packs[1]) is None
    store.set_damaged({packs[1]: {names[1]}})
    store.folder.write(f"{packs[2]}.pack", b"cut")
    store.folder.remove(f"{packs[3]}.index")
    known, seen = store.known()
    assert [name in known for name in names] == [False, False, False, False, True]
    assert seen == {packs[1], packs[4]}
    store.pardon(packs[0])
    store.set_damaged({})
    _write(any_store, contents[2:4])
    known, _ = store.known()
    assert all(name in known for name in names)
    store.remove(packs[4])
    assert packs[4] not in store.ids()
    assert names[4] not in store.known()[0]


def test_what_is_written_again_has_a_name_of_its_own(any_store: Store) -> None:
    [raw] = _rows(1)
    name = digest_of(ChunkKind.ROWS, raw)
    [cut] = _write(any_store, [raw])
    any_store.packs.folder.write(f"{cut}.pack", b"cut")
    [again] = _write(any_store, [raw])
    assert again != cut
    assert name in any_store.packs.known()[0]
    any_store.packs.set_damaged({again: {name}})
    assert name not in any_store.packs.known()[0]
    _write(any_store, [raw])
    assert name in any_store.packs.known()[0]  # the broken copy is still told, and there is a better one


def test_a_mark_says_who_ran_when_it_was_there(any_store: Store) -> None:
    [pack] = _write(any_store, _rows(1))
    store = any_store.packs
    assert store.mark(pack) is None
    store.condemn(pack, AT)
    assert store.mark(pack) == Mark(AT, None)
    for running in (frozenset({"running-a.json", "running-b.json"}), frozenset[str]()):
        store.condemn(pack, AT, running)
        assert store.mark(pack) == Mark(AT, running)
    store.folder.write(f"{pack}.condemned", b"nonsense")
    mark = store.mark(pack)
    assert mark is not None
    assert mark.running is None


def test_a_pack_can_be_read_with_any_program_that_knows_zstd(any_store: Store) -> None:
    contents = _rows(3)
    [pack] = _write(any_store, contents)
    stored = any_store.packs.folder.read(f"{pack}.pack")
    assert b"".join(decoded([stored], "zstd", resource="x")) == b"".join(contents)


def test_an_index_that_is_broken_takes_nothing_else_with_it(any_store: Store) -> None:
    contents = _rows(2)
    packs = [_write(any_store, [raw])[0] for raw in contents]
    any_store.packs.folder.write(f"{packs[0]}.index", b"nonsense")
    known, seen = any_store.packs.known()
    assert [digest_of(ChunkKind.ROWS, raw) in known for raw in contents] == [False, True]
    assert seen == {packs[1]}


def test_the_frames_of_a_pack_tell_what_it_holds(any_store: Store) -> None:
    line, blob, listed = b"a\tb\n", b"\xff\0", write_chunk_list([Chunk(b"x" * 32, 5)])
    kinds = {line: ChunkKind.ROWS, blob: ChunkKind.BLOB, listed: ChunkKind.LIST, b"x" * 300_000: ChunkKind.BLOB}
    writer = PackWriter(any_store.packs)
    for raw, kind in kinds.items():
        writer.add(kind, digest_of(kind, raw), pack_chunk(raw, level=3), size_bytes=len(raw))
    writer.flush()
    [pack] = writer.packs
    made = any_store.packs.index_of_frames(pack)
    assert made is not None
    assert set(any_store.packs.index(pack).chunks) <= set(made.chunks)
    assert {c.digest for c in made.chunks} == {digest_of(ChunkKind.BLOB, raw) for raw in kinds} | {
        digest_of(ChunkKind.ROWS, line),
        digest_of(ChunkKind.LIST, listed),
    }
    content = any_store.packs.folder.read(f"{pack}.pack")
    for harmed in (content[:-1], content + b"x", content[:-1] + bytes([content[-1] ^ 1]), b""):
        any_store.packs.folder.write(f"{pack}.pack", harmed)
        assert any_store.packs.index_of_frames(pack) is None
    any_store.packs.folder.remove(f"{pack}.pack")
    assert any_store.packs.index_of_frames(pack) is None


def test_a_list_of_damage_that_cannot_be_read_stops_it(any_store: Store) -> None:
    any_store.packs.folder.write("damaged.json", b"{")
    with pytest.raises(StoreFailed, match=r"damaged\.json"):
        any_store.packs.known()


def test_known_chunks_are_a_set() -> None:
    dice = random.Random(3)  # noqa: S311
    some = [dice.randbytes(32) for _ in range(500)]
    alike = [some[0][:8] + dice.randbytes(24) for _ in range(5)]  # they share what is looked up first
    known = KnownChunks([b"".join(some[10:250]), b"".join(some[250:]), *alike[:3]])
    assert [digest in known for digest in some] == [False] * 10 + [True] * 490
    assert [digest in known for digest in alike] == [True] * 3 + [False] * 2
    known.add(some[4])
    known.add(alike[4])
    assert some[4] in known
    assert alike[4] in known
    assert alike[3] not in known


def test_the_packs_of_many_chunks_are_asked_for_at_once() -> None:
    dice = random.Random(4)  # noqa: S311
    some = [dice.randbytes(32) for _ in range(40)]
    alike = [some[0][:8] + dice.randbytes(24) for _ in range(3)]
    known = KnownChunks([b"".join(some[:20]), b"".join(some[20:]), b"".join(alike[:2])], packs=["p", "q", "r"])
    assert known.packs_of(some[:20]) == frozenset("p")
    assert known.packs_of([some[0], some[39], alike[1]]) == frozenset("pqr")
    assert known.packs_of([some[1], alike[2]]) is None
    known.add(alike[2])
    assert known.packs_of([some[1], alike[2]]) == frozenset("p")
    assert known.packs_of([]) == KnownChunks().packs_of([]) == frozenset()
    assert KnownChunks().packs_of(some) is None


def test_what_a_killed_writer_left_is_cleaned_up(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s", create=True)
    _write(store, _rows(1))
    left = tmp_path / "s/packs/.0abc.pack.partial-999999"
    left.write_bytes(b"half")
    assert store.packs.folder.clean() == [left.name]
    assert not left.exists()
    assert len(store.packs.ids()) == 1


def test_a_running_backup_says_so_while_it_runs(any_store: Store) -> None:
    folder = any_store.packs.folder
    with running_note(folder, "db.example:5432/app") as note:
        note.builds_on("app-20260131T120509Z")
        [found] = running_backups(folder).values()
        assert isinstance(found, RunningBackup)
        assert (found.target, found.base, found.pid) == ("db.example:5432/app", "app-20260131T120509Z", os.getpid())
        assert datetime.now(UTC) - found.began_at < timedelta(minutes=1)
        assert not found.is_over(datetime.now(UTC))
        assert any_store.look() == ((), ())
    assert running_backups(folder) == {}


def test_when_a_backup_is_over() -> None:
    stamp = AT.isoformat()
    elsewhere = RunningBackup("t", "", "another machine", 1, stamp, (AT + timedelta(days=1)).isoformat())
    assert not elsewhere.is_over(AT + timedelta(days=3))
    assert elsewhere.is_over(AT + timedelta(days=4, seconds=1))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells when a process began")
def test_another_process_that_got_the_number_of_a_killed_one_is_not_it() -> None:
    stamp = AT.isoformat()
    own = RunningBackup("t", "", this_machine(), os.getpid(), stamp, stamp, born(os.getpid()))
    assert not own.is_over(AT)
    assert replace(own, born="").is_over(AT) is False  # a note of which nobody knows
    assert replace(own, born="1").is_over(AT)


def test_a_note_that_cannot_be_read_is_not_overlooked(any_store: Store) -> None:
    any_store.packs.folder.write("running-x-1-a.json", b"{")
    assert running_backups(any_store.packs.folder) == {"running-x-1-a.json": None}


def test_what_is_forgotten_is_in_no_pack_until_it_is_written_anew() -> None:
    first, second = (digest_of(ChunkKind.ROWS, raw) for raw in (b"1", b"2"))
    known = KnownChunks([first, second], packs=["a", "b"])
    known.forget(first)
    assert first not in known
    assert (known.pack_of(first), known.pack_of(second)) == (None, "b")
    assert known.packs_of([first, second]) is None
    known.add(first)
    assert first in known
    assert (known.pack_of(first), known.packs_of([first, second])) == (None, frozenset({"b"}))
