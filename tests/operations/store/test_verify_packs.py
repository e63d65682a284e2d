"""`verify --all` of incremental backups: each chunk, each sum, whom a lost or broken chunk affects, and that the next backup heals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.sweep import sweep
from pgaudit_kit.operations.store.verify_all import VerifiedStore, verify_all
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.verdict import Outcome
from tests.operations.store.conftest import AT, put
from tests.operations.store.small_backups import back_up, read_back, rows

DAY = timedelta(days=1)


def found(verified: VerifiedStore) -> dict[str, dict[str, str]]:
    """Of each backup, by its day, the checks and their outcomes."""
    return {f"{one.backup.taken_at:%d}": {c.id: str(c.outcome) for c in one.check_list} for one in verified.backups}


@pytest.fixture
def filled(any_store: Store) -> Store:
    """Two backups that share the table `same`, and one whose table `t` is its own; a pack for each chunk of some size."""
    back_up(any_store, AT, {"same": rows(*range(20)), "t": rows(*range(100, 110))}, full_bytes=300)
    back_up(any_store, AT + DAY, {"same": rows(*range(20)), "t": rows(*range(200, 210))}, full_bytes=300)
    return any_store


def pack_of(store: Store, row: bytes) -> str:
    """The pack that holds the chunk in which *row* is."""
    import zstandard

    for pack in sorted(store.packs.ids()):
        for chunk in store.packs.index(pack).chunks:
            if row in zstandard.decompress(store.packs.read(pack, chunk)):
                return pack
    raise AssertionError(row)


WHOLE = {"dump.digest": "passed", "chunks.whole": "passed", "chunks.sums": "passed"}


def test_whole_backups_pass_and_ordinary_ones_beside_them_too(filled: Store) -> None:
    put(filled, AT + 2 * DAY)
    verified = verify_all(filled)
    assert found(verified) == {"31": WHOLE, "01": WHOLE, "02": {"dump.digest": "passed"}}
    chunks = next(c for c in verified.backups[0].check_list if c.id == "chunks.whole")
    assert chunks.compared == 4 + 2 + 2  # of 30 rows, and a list of each table
    assert all(b.is_proven for b in filled.backups())
    assert not filled.packs.damaged()


@pytest.mark.parametrize("harm", ["changed", "cut short", "gone", "without index"])
def test_a_lost_or_broken_chunk_names_the_backups_and_tables_and_the_next_backup_heals_it(filled: Store, harm: str) -> None:
    own, shared = pack_of(filled, rows(105)[0]), pack_of(filled, rows(7)[0])
    for pack in (own, shared):
        file = f"{pack}.pack"
        content = bytearray(filled.packs.folder.read(file))
        content[-20] ^= 1
        if harm in {"changed", "cut short"}:
            filled.packs.folder.write(file, bytes(content) if harm == "changed" else bytes(content[:-30]))
        else:
            filled.packs.folder.remove(file if harm == "gone" else f"{pack}.index")
    verified = verify_all(filled)
    assert verified.verdict is Outcome.FAILED
    assert {day: checks["chunks.whole"] for day, checks in found(verified).items()} == {"31": "failed", "01": "failed"}
    told = {f"{one.backup.taken_at:%d}": next(c for c in one.check_list if c.id == "chunks.whole") for one in verified.backups}
    assert {e["table"] for e in told["31"].evidence} == {"public.same", "public.t"}
    assert {e["table"] for e in told["01"].evidence} == {"public.same"}
    assert set(filled.packs.damaged()) == ({own, shared} if harm in {"changed", "cut short"} else set())

    back_up(filled, AT + 2 * DAY, {"same": rows(*range(20)), "t": rows(*range(200, 210))})
    healed = verify_all(filled)
    assert {day: checks["chunks.whole"] for day, checks in found(healed).items()} == {"31": "failed", "01": "passed", "02": "passed"}
    for backup in filled.backups()[1:]:
        assert read_back(filled, backup.dump_file) == {"same": rows(*range(20)), "t": rows(*range(200, 210))}
    filled.delete(filled.backups()[0])
    assert not sweep(filled, grace=timedelta(0)).not_swept
    assert verify_all(filled).verdict is Outcome.PASSED
    assert not filled.packs.damaged()


@pytest.mark.parametrize("harm", ["broken", "another's"])
def test_packs_whose_index_is_broken_lose_nothing_and_the_next_sweep_writes_them_anew(filled: Store, harm: str) -> None:
    before = {b.dump_file: read_back(filled, b.dump_file) for b in filled.backups()}
    packs, folder = sorted(filled.packs.ids()), filled.packs.folder
    other = folder.read(f"{packs[-1]}.index")
    for pack in packs[:-1]:
        folder.write(f"{pack}.index", b"nonsense" if harm == "broken" else other)
    verified = verify_all(filled)
    assert found(verified) == {"31": WHOLE, "01": WHOLE}
    assert [(s.name, str(s.kind)) for s in verified.strays] == [(f"packs/{pack}.index", "index") for pack in packs[:-1]]
    assert verified.verdict is Outcome.PASSED
    assert not filled.packs.damaged()

    swept = sweep(filled, grace=timedelta(0))
    assert not swept.not_swept
    assert set(swept.deleted) == set(packs[:-1])
    assert verify_all(filled).strays == ()
    assert {b.dump_file: read_back(filled, b.dump_file) for b in filled.backups()} == before


def test_a_sweep_leaves_a_pack_that_is_broken_as_its_index_is(filled: Store) -> None:
    """Neither tells what is in it: it may be the last copy of something."""
    pack = pack_of(filled, rows(7)[0])
    filled.packs.folder.write(f"{pack}.index", b"nonsense")
    filled.packs.folder.write(f"{pack}.pack", filled.packs.folder.read(f"{pack}.pack")[:-1])
    assert found(verify_all(filled))["31"]["chunks.whole"] == "failed"
    sweep(filled, grace=timedelta(0))
    assert f"{pack}.pack" in filled.packs.folder.sizes()


def test_tables_that_do_not_add_up_to_the_manifest_fail(filled: Store) -> None:
    backup = filled.backups()[0]
    file = f"{backup.name}.manifest.json"
    manifest = Manifest.from_json(filled.read_text(file), label=file)
    tables = {
        name: replace(d, fingerprint=replace(d.fingerprint, digest=1)) if d.fingerprint else d for name, d in manifest.table_data.items()
    }
    filled.write_text(file, replace(manifest, table_data=tables).to_json())
    verified = verify_all(filled)
    assert found(verified)["31"] == {**WHOLE, "chunks.sums": "failed"}
    assert found(verified)["01"] == WHOLE


def test_without_recorded_fingerprints_sums_are_not_checked(filled: Store) -> None:
    backup = filled.backups()[0]
    file = f"{backup.name}.manifest.json"
    manifest = Manifest.from_json(filled.read_text(file), label=file)
    tables = {name: replace(d, fingerprint=None) for name, d in manifest.table_data.items()}
    filled.write_text(file, replace(manifest, table_data=tables).to_json())
    assert found(verify_all(filled))["31"] == {**WHOLE, "chunks.sums": "not_checked"}


def test_a_list_that_is_lost_is_a_lost_chunk(filled: Store) -> None:
    for pack in filled.packs.ids():
        filled.packs.folder.write(f"{pack}.pack", b"")
    verified = verify_all(filled)
    assert found(verified)["31"] == {**WHOLE, "chunks.whole": "failed", "chunks.sums": "not_checked"}
    assert verified.verdict is Outcome.FAILED


def test_a_table_that_is_recorded_and_nowhere_in_the_backup_fails(filled: Store) -> None:
    backup = filled.backups()[0]
    file = f"{backup.name}.manifest.json"
    manifest = Manifest.from_json(filled.read_text(file), label=file)
    more = TableData(TableName("public", "more"), ("a",), 3, fingerprint=Fingerprint(3, 9))
    filled.write_text(file, replace(manifest, table_data={**manifest.table_data, more.name: more}).to_json())
    verified = verify_all(filled)
    assert found(verified)["31"] == {**WHOLE, "chunks.sums": "failed"}
    assert "public.more" in verified.backups[0].found


def test_a_pack_that_cannot_be_read_says_nothing_of_its_chunks_and_nothing_of_others(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store", create=True)
    back_up(store, AT, {"same": rows(*range(20)), "t": rows(*range(100, 110))}, full_bytes=300)
    back_up(store, AT + DAY, {"same": rows(*range(20)), "t": rows(*range(200, 210))}, full_bytes=300)
    own = tmp_path / "store" / "packs" / f"{pack_of(store, rows(105)[0])}.pack"
    content = own.read_bytes()
    own.unlink()
    own.mkdir()  # which is as unreadable for root as for anybody
    verified = verify_all(store)
    assert found(verified) == {"31": {**WHOLE, "chunks.whole": "not_checked", "chunks.sums": "passed"}, "01": WHOLE}
    told = next(c for c in verified.backups[0].check_list if c.id == "chunks.whole")
    assert own.name in told.found
    assert [e["table"] for e in told.evidence] == ["public.t"]
    assert not store.packs.damaged()
    own.rmdir()
    own.write_bytes(content)
    assert verify_all(store).verdict is Outcome.PASSED
