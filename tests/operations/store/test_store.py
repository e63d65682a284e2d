"""What every store does alike, whatever it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pgaudit_kit.audits.file_digest import file_digest
from pgaudit_kit.errors import StoreFailed, UsageError
from pgaudit_kit.operations.store.open_store import find_backup, open_store
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.records.evidence import Proof
from pgaudit_kit.records.stored_backup import Stray, StrayKind
from pgaudit_kit.records.verdict import Outcome
from tests.operations.store.conftest import AT, manifest_of, put, rehearsed, write_dump

NAME = "app-20260131T120509Z"


@pytest.mark.parametrize("suffix", [".dump", ".sql.gz", ".tar", ".dir"])
def test_what_was_put_into_a_store_is_in_it_byte_for_byte(suffix: str, any_store: Store, tmp_path: Path) -> None:
    where = put(any_store, suffix=suffix, content=b"some bytes", with_globals=True)
    (backup,) = any_store.backups()
    assert any_store.open(backup) == where
    assert where.endswith(f"/{NAME}{suffix}")
    assert (backup.name, backup.dump_file) == (NAME, NAME + suffix)
    assert (backup.target, backup.database, backup.rows) == ("app (db.example:5432/app)", "app", 7)
    assert (backup.taken_at, backup.seconds, backup.partial) == (AT, 1.5, False)
    assert backup.format == {".dump": "custom", ".sql.gz": "plain", ".tar": "tar", ".dir": "directory"}[suffix]
    local = tmp_path / "the same"
    local.mkdir() if suffix == ".dir" else local.touch()
    write_dump(local, b"some bytes")
    expected = file_digest(local)
    found = any_store.digest(backup)
    assert (backup.sha256, backup.size_bytes) == (found.sha256, found.size_bytes) == (expected.sha256, expected.size_bytes)
    assert backup.is_proven
    assert set(any_store.entries()) == {NAME + s for s in (suffix, ".manifest.json", ".verified.json", ".globals.sql")}
    assert any_store.look()[1] == ()


def test_nothing_of_it_is_there_before_it_is_published_nor_when_it_never_was(any_store: Store) -> None:
    def write_half(error: BaseException) -> None:
        with any_store.receive(NAME, ".dump") as incoming:
            write_dump(incoming.path, b"half")
            assert any_store.backups() == ()
            (stray,) = any_store.look()[1]
            assert stray.reason == "is being written, or deleted"
            assert any_store.clean() == []  # we live
            raise error

    for error in (KeyboardInterrupt(), ValueError()):
        with pytest.raises(type(error)):
            write_half(error)
        assert any_store.entries() == {}


def test_names_that_are_taken_are_not_given_again(any_store: Store) -> None:
    put(any_store)
    with any_store.receive(NAME, ".sql") as one, any_store.receive(NAME, ".dump") as other:
        assert (one.name, other.name) == (f"{NAME}-2", f"{NAME}-3")


def test_a_dump_that_is_not_what_its_manifest_says_is_not_kept_remotely(any_store: Store) -> None:
    if any_store.label.startswith("/"):
        pytest.skip("a local dump is the very file that was read back")
    with any_store.receive(NAME, ".dump") as incoming:
        write_dump(incoming.path, b"before")
        recorded = replace(file_digest(incoming.path), name=incoming.dump_file)
        write_dump(incoming.path, b"beware")
        with pytest.raises(StoreFailed, match="not, byte for byte, what was written"):
            incoming.publish(replace(manifest_of("app", AT), dump_file=recorded), rehearsed(recorded.sha256))
    assert any_store.entries() == {}


def test_evidence_is_kept_beside_the_backup_and_the_last_of_a_kind_counts(any_store: Store) -> None:
    put(any_store)
    (backup,) = any_store.backups()
    any_store.write_evidence(backup, rehearsed(backup.sha256))
    any_store.write_evidence(backup, rehearsed(backup.sha256, Outcome.FAILED))
    (backup,) = any_store.backups()
    proofs = {e.proof: e.verdict for e in backup.evidence}
    assert proofs == {Proof.VERIFIED: "passed", Proof.REHEARSED: "failed"}
    assert backup.is_damaged
    assert not backup.is_proven


def test_evidence_of_other_bytes_says_nothing_and_is_named(any_store: Store) -> None:
    put(any_store)
    (backup,) = any_store.backups()
    any_store.write_evidence(backup, rehearsed("00" * 32, Outcome.FAILED))
    ((backup,), strays) = any_store.look()
    assert backup.is_proven
    assert strays == (Stray(f"{NAME}.rehearsed.json", StrayKind.UNREADABLE, "is evidence of another file"),)


def test_deleting_a_backup_leaves_the_others_and_what_is_not_ours(any_store: Store) -> None:
    put(any_store, with_globals=True)
    put(any_store, AT + timedelta(days=1), suffix=".dir")
    any_store.write_text("notes.txt", "mine")
    first, second = any_store.backups()
    any_store.delete(first)
    assert any_store.backups() == (second,)
    assert [s.name for s in any_store.look()[1]] == ["notes.txt"]
    any_store.delete(second)
    assert set(any_store.entries()) == {"notes.txt"}


def test_damaged_and_foreign_files_are_named_and_hide_no_backup(any_store: Store) -> None:
    put(any_store, AT + timedelta(days=9))
    (good,) = any_store.backups()
    text = any_store.read_text(f"{good.name}.manifest.json")
    later = "app-20270131T120509Z"
    any_store.write_text("app.dump", "not by this name")
    any_store.write_text(f"{NAME}.dump", "no manifest")
    any_store.write_text(f"{later}.manifest.json", text[:100])
    any_store.write_text(f"{later}-2.manifest.json", text)
    any_store.write_text(f"{later}-3.globals.sql", "")
    any_store.write_text(f"{later}-4.manifest.json", text.replace(good.name, f"{later}-4"))
    any_store.write_text(f"{good.name}.rehearsed.json", "{}")
    backups, strays = any_store.look()
    assert [b.name for b in backups] == [good.name]
    expected = {
        "app.dump": "was not written by pgaudit",
        f"{NAME}.dump": "is incomplete: its manifest is missing",
        f"{later}.manifest.json": "cannot be read: not JSON",
        f"{later}-2.manifest.json": "is incomplete: its dump app-20260209T120509Z.dump is missing",
        f"{later}-3.globals.sql": "belongs to a backup that is not there",
        f"{later}-4.manifest.json": f"is incomplete: its dump {later}-4.dump is missing",
        f"{good.name}.rehearsed.json": "cannot be read: not evidence of this pgaudit",
    }
    assert {s.name for s in strays} == set(expected)
    for stray in strays:
        assert stray.reason.startswith(expected[stray.name])


def test_a_dump_of_another_size_is_damaged(any_store: Store) -> None:
    put(any_store)
    any_store.write_text(f"{NAME}.dump", "PGDM")
    (backup,) = any_store.backups()
    assert backup.is_damaged
    assert backup.verdict == "failed"


def test_a_backup_is_found_by_the_place_of_its_dump(any_store: Store, tmp_path: Path) -> None:
    where = put(any_store)
    found = find_backup(where)
    assert found is not None
    assert found[1] == any_store.backups()[0]
    assert find_backup(where.replace(NAME, "other")) is None
    assert find_backup(tmp_path / "no such folder" / "x.dump") is None


def test_a_folder_is_made_for_its_owner_only_and_only_when_told(tmp_path: Path) -> None:
    place = tmp_path / "a" / "backups"
    with pytest.raises(UsageError, match="there is no store"):
        open_store(place)
    store = open_store(place, create=True)
    assert place.stat().st_mode & 0o777 == 0o700
    assert open_store(place).label == open_store(f"file://{place}").label == store.label == str(place)
    assert open_store(store) is store


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    with pytest.raises(UsageError, match="is a file"):
        open_store(tmp_path / "store")
    with pytest.raises(UsageError, match="no URL of a known kind"):
        open_store("nonsense://x/y")


def test_a_bucket_that_is_not_there_is_not_made(s3: None) -> None:
    store = open_store("s3://mistyped/backups", create=True)
    assert store.backups() == ()
    with pytest.raises(StoreFailed, match="there is no store s3://mistyped/backups"), store.receive(NAME, ".dump"):
        pass


def test_no_message_names_a_credential(s3: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(StoreFailed) as caught:
        open_store("s3://user:s3cr3t-of-s3@backups/x").backups()
    assert "s3cr3t" not in f"{caught.value} {caught.value!r} {caught.value.__dict__}"
    s3fs.S3FileSystem.clear_instance_cache()
