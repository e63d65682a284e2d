"""Sweeps of stores of every kind: what goes, what stays, and what a backup that runs meanwhile has seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
import pytest

from pgaudit_kit.dumps.incremental.pack_index import PackIndex
from pgaudit_kit.operations.store.packs import PackStore
from pgaudit_kit.operations.store.prune import prune
from pgaudit_kit.operations.store.remote_store import RemoteStore
from pgaudit_kit.operations.store.retention import Retention
from pgaudit_kit.operations.store.running_backups import SWEEP, RunningBackup, running_backups, running_note
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.sweep import Swept, sweep
from pgaudit_kit.operations.store.sweep_plan import Fate, Mark
from tests.operations.store.conftest import AT
from tests.operations.store.small_backups import Tables, back_up, read_back, rows

AT_ONCE = timedelta(0)
LATER = AT + timedelta(days=1)


def delete_first(store: Store) -> None:
    store.delete(store.backups()[0])


def contents(store: Store) -> dict[str, dict[str, list[bytes]]]:
    return {b.dump_file: read_back(store, b.dump_file) for b in store.backups()}


def two_backups(store: Store, first: Tables, second: Tables) -> dict[str, dict[str, list[bytes]]]:
    back_up(store, AT, first)
    back_up(store, LATER, second)
    delete_first(store)
    return contents(store)


def test_what_only_a_deleted_backup_used_goes_and_the_rest_stays(any_store: Store) -> None:
    kept = two_backups(any_store, {"t": rows(*range(300))}, {"t": rows(*range(100), *range(1000, 1100))})
    before = any_store.packs.folder.sizes()
    done = sweep(any_store, grace=AT_ONCE)
    assert done.deleted
    assert done.freed_bytes > 0
    assert contents(any_store) == kept
    assert sum(any_store.packs.folder.sizes().values()) < sum(before.values())
    again = sweep(any_store, grace=AT_ONCE)
    assert {f.fate for f in again.fates} == {Fate.KEEP}
    assert again.deleted == ()
    back_up(any_store, LATER + timedelta(days=1), {"t": rows(*range(300))})
    assert len(contents(any_store)) == 2


def test_within_the_grace_everything_is_still_there(any_store: Store) -> None:
    two_backups(any_store, {"t": rows(*range(300))}, {"t": rows(1000)})
    before = any_store.packs.ids()
    done = sweep(any_store)
    assert done.deleted == ()
    assert any_store.packs.ids() >= before
    assert any_store.packs.condemned()
    assert done.waiting_bytes > 0
    assert {f.fate for f in sweep(any_store).fates} == {Fate.KEEP, Fate.WAIT}


def test_a_dry_run_changes_nothing(any_store: Store) -> None:
    two_backups(any_store, {"t": rows(*range(300))}, {"t": rows(1000)})
    before = dict(any_store.packs.folder.sizes())
    done = sweep(any_store, grace=AT_ONCE, dry_run=True)
    assert {f.fate for f in done.fates} == {Fate.KEEP, Fate.CONDEMN}
    assert any_store.packs.folder.sizes() == before


def test_a_store_without_packs_is_left_as_it_is(any_store: Store) -> None:
    assert sweep(any_store) == Swept()
    assert dict(any_store.entries()) == {}


def test_a_pack_of_which_little_is_used_is_written_anew_before_it_goes(any_store: Store) -> None:
    back_up(any_store, AT, {"t": rows(*range(200))}, full_bytes=1 << 20)
    back_up(any_store, LATER, {"t": rows(*range(40))}, full_bytes=1 << 20)
    delete_first(any_store)
    kept = contents(any_store)
    large, *_ = sorted(any_store.packs.ids(), key=lambda p: -any_store.packs.folder.sizes()[f"{p}.pack"])
    waiting = sweep(any_store)
    assert {f.pack.id for f in waiting.fates if f.fate is Fate.REWRITE} == {large}
    assert large in any_store.packs.condemned()
    assert contents(any_store) == kept
    done = sweep(any_store, grace=AT_ONCE)
    assert large in done.deleted
    assert contents(any_store) == kept


def test_a_pack_in_which_what_is_used_is_not_found_any_more_stays(any_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    back_up(any_store, AT, {"t": rows(*range(200))}, full_bytes=1 << 20)
    back_up(any_store, LATER, {"t": rows(*range(40))}, full_bytes=1 << 20)
    delete_first(any_store)
    kept = contents(any_store)
    with monkeypatch.context() as patch:
        patch.setattr(PackStore, "index", lambda _, pack: PackIndex.of(pack, ()))
        done = sweep(any_store, grace=AT_ONCE)
    assert done.deleted == ()
    assert contents(any_store) == kept


def test_what_a_backup_has_seen_stays_until_it_is_over_however_short_the_grace_is(any_store: Store) -> None:
    back_up(any_store, AT, {"t": rows(*range(100))})
    delete_first(any_store)
    with running_note(any_store.packs.folder, "other") as note:
        _, seen = any_store.packs.known()
        done = sweep(any_store, grace=AT_ONCE)
        assert done.deleted == ()
        assert any_store.packs.ids() == seen
        for pack in seen:
            any_store.packs.condemn(pack, AT, {note.file})
        assert sweep(any_store, grace=AT_ONCE).deleted == ()
        assert any_store.packs.ids() == seen
    assert set(sweep(any_store, grace=AT_ONCE).deleted) == seen


def test_a_condemned_pack_that_is_used_again_is_spared(any_store: Store) -> None:
    back_up(any_store, AT, {"t": rows(*range(30))})
    for pack in any_store.packs.ids():
        any_store.packs.condemn(pack, AT, ())
    done = sweep(any_store, grace=AT_ONCE)
    assert {f.fate for f in done.fates} == {Fate.SPARE}
    assert any_store.packs.condemned() == frozenset()
    assert len(contents(any_store)) == 1


def test_what_a_killed_backup_left_goes(any_store: Store) -> None:
    store = any_store.packs
    back_up(any_store, AT, {"t": rows(*range(30))})
    kept = contents(any_store)
    store.folder.write(f"{'ab' * 32}.pack", b"without an index")
    store.folder.write(f"{'cd' * 32}.index", b"without a pack")
    store.folder.write(f"{'ef' * 32}.condemned", b"without anything")
    long_ago = (datetime.now(UTC) - timedelta(days=5)).isoformat()
    store.folder.write("running-x-1-0.json", _note("another machine", long_ago))
    sweep(any_store, grace=AT_ONCE)
    sweep(any_store, grace=AT_ONCE)
    assert {file[:4] for file in store.folder.sizes()} & {"abab", "cdcd", "efef", "runn"} == set()
    assert contents(any_store) == kept


def _note(machine: str, at: str) -> bytes:
    import json
    from dataclasses import asdict

    return json.dumps({"what": "pgaudit_kit running backup", **asdict(RunningBackup("t", "", machine, 1, at, at))}).encode()


def test_only_one_sweep_at_a_time(any_store: Store) -> None:
    two_backups(any_store, {"t": rows(*range(30))}, {"t": rows(1000)})
    before = any_store.packs.ids()
    with running_note(any_store.packs.folder, "", SWEEP):
        assert "another sweep" in sweep(any_store, grace=AT_ONCE).not_swept
    assert any_store.packs.ids() == before
    assert running_backups(any_store.packs.folder, SWEEP) == {}
    assert sweep(any_store, grace=AT_ONCE).deleted


@pytest.mark.parametrize("harm", ["file", "list"])
def test_while_what_a_backup_uses_cannot_be_read_nothing_goes(any_store: Store, harm: str) -> None:
    two_backups(any_store, {"t": rows(*range(300))}, {"t": rows(1000)})
    (kept,) = any_store.backups()
    if harm == "file":
        any_store.write_text(kept.dump_file, "nonsense")
    else:
        for pack in any_store.packs.ids():
            any_store.packs.folder.write(f"{pack}.pack", b"nonsense")
    before = dict(any_store.packs.folder.sizes())
    done = sweep(any_store, grace=AT_ONCE)
    assert kept.dump_file in done.not_swept
    assert any_store.packs.folder.sizes() == before


def test_a_backup_whose_manifest_is_missing_keeps_its_chunks(any_store: Store) -> None:
    back_up(any_store, AT, {"t": rows(*range(30))})
    (backup,) = any_store.backups()
    manifest = any_store.read_text(f"{backup.name}.manifest.json")
    any_store.inner_folder("x")
    _remove(any_store, f"{backup.name}.manifest.json")
    assert any_store.backups() == ()
    assert sweep(any_store, grace=AT_ONCE).deleted == ()
    any_store.write_text(f"{backup.name}.manifest.json", manifest)
    assert contents(any_store) == {backup.dump_file: {"t": rows(*range(30))}}


def _remove(store: Store, file: str) -> None:
    if isinstance(store, RemoteStore):
        store.remove([file])
    else:
        Path(store.where(file)).unlink()


def test_an_index_that_cannot_be_read_is_left_with_its_pack(any_store: Store) -> None:
    two_backups(any_store, {"t": rows(*range(30))}, {"t": rows(1000)})
    any_store.packs.folder.write(f"{'ab' * 32}.pack", b"what is in it")
    any_store.packs.folder.write(f"{'ab' * 32}.index", b"nobody knows")
    any_store.packs.condemn("ab" * 32, AT, ())
    sweep(any_store, grace=AT_ONCE)
    assert "ab" * 32 in any_store.packs.ids()
    assert any_store.packs.mark("ab" * 32) == Mark(AT, frozenset())


def test_what_is_read_of_a_pack_while_it_is_rewritten_is_proved(any_store: Store) -> None:
    back_up(any_store, AT, {"t": rows(*range(200))}, full_bytes=1 << 20)
    back_up(any_store, LATER, {"t": rows(*range(40))}, full_bytes=1 << 20)
    delete_first(any_store)
    large, *_ = sorted(any_store.packs.ids(), key=lambda p: -any_store.packs.folder.sizes()[f"{p}.pack"])
    content = bytearray(any_store.packs.folder.read(f"{large}.pack"))
    content[60] ^= 1
    any_store.packs.folder.write(f"{large}.pack", bytes(content))
    done = sweep(any_store, grace=AT_ONCE)
    (fate,) = (f for f in done.fates if f.pack.id == large)
    assert (fate.fate, "it is broken" in fate.why) == (Fate.KEEP, True)
    assert large in any_store.packs.ids()


def test_several_targets_share_chunks_and_none_loses_any(any_store: Store) -> None:
    same = {"t": rows(*range(100))}
    back_up(any_store, AT, same, database="app")
    before = any_store.packs.ids()
    back_up(any_store, AT, same, database="copy")
    assert any_store.packs.ids() == before
    delete_first(any_store)
    sweep(any_store, grace=AT_ONCE)
    assert list(contents(any_store).values()) == [same]


def test_a_prune_sweeps_what_only_deleted_backups_used(any_store: Store) -> None:
    for day in range(4):
        back_up(any_store, AT + timedelta(days=day), {"t": rows(*range(day * 100, day * 100 + 60))})
    planned = prune(any_store, Retention(last=1), dry_run=True, grace=AT_ONCE)
    assert planned.deleted == planned.swept.deleted == ()
    done = prune(any_store, Retention(last=1), grace=AT_ONCE)
    assert len(done.deleted) == 3
    assert done.swept.freed_bytes > 0
    assert set(done.to_dict()) > {"swept", "needed_by_running"}
    assert list(contents(any_store).values()) == [{"t": rows(*range(300, 360))}]


def test_a_backup_that_a_running_one_builds_on_stays_for_it(any_store: Store) -> None:
    for day in range(2):
        back_up(any_store, AT + timedelta(days=day), {"t": rows(day)})
    first = any_store.backups()[0]
    with running_note(any_store.packs.folder, "app") as note:
        note.builds_on(first.dump_file)
        done = prune(any_store, Retention(last=1), grace=AT_ONCE)
        assert (done.deleted, done.needed) == ((), (first.name,))
    assert prune(any_store, Retention(last=1), grace=AT_ONCE).deleted == (first.name,)


@pytest.mark.parametrize("name", ["precious.inc", "app-2026.inc.bak"])
def test_a_backup_that_somebody_has_given_another_name_keeps_its_chunks(any_store: Store, name: str, tmp_path: Path) -> None:
    back_up(any_store, AT, {"t": rows(*range(300))})
    (backup,) = any_store.backups()
    with fsspec.open(any_store.where(backup.dump_file)) as stream:
        _put_beside(any_store, name, stream.read(), tmp_path)
    any_store.delete(backup)
    done = sweep(any_store, grace=AT_ONCE)
    assert (done.not_swept, done.deleted) == ("", ())
    assert read_back(any_store, name) == {"t": rows(*range(300))}


def test_what_is_called_alike_and_is_no_backup_stands_in_nobodys_way(any_store: Store, tmp_path: Path) -> None:
    two_backups(any_store, {"t": rows(*range(300))}, {"t": rows(1000)})
    _put_beside(any_store, "header.inc", b"<?php", tmp_path)
    assert sweep(any_store, grace=AT_ONCE).deleted


def _put_beside(store: Store, name: str, content: bytes, scratch: Path) -> None:
    if isinstance(store, RemoteStore):
        (scratch / name).write_bytes(content)
        store.upload(scratch / name, name)
    else:
        Path(store.where(name)).write_bytes(content)
