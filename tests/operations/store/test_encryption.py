"""Encrypted stores: nothing of the rows lies there in the open, the key opens all of it, and without it nothing is harmed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyrage
import pytest

from pgaudit_kit.dumps.files.age import IDENTITY_VARIABLE, is_sealed
from pgaudit_kit.errors import UnsupportedDump, UsageError
from pgaudit_kit.operations.store.encryption import RECIPIENTS, encrypt_to
from pgaudit_kit.operations.store.local_store import LocalStore
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.sweep import sweep
from pgaudit_kit.operations.store.sweep_plan import Fate
from pgaudit_kit.operations.store.verify_all import verify_all
from pgaudit_kit.records.verdict import Outcome
from tests.operations.store.conftest import AT
from tests.operations.store.small_backups import back_up, read_back, rows

AT_ONCE = timedelta(0)
DAY = timedelta(days=1)


def new_key(folder: Path, name: str = "key.txt") -> str:
    identity = pyrage.x25519.Identity.generate()
    (folder / name).write_text(f"{identity}\n")
    return str(identity.to_public())


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The public key whose secret one the environment names."""
    monkeypatch.setenv(IDENTITY_VARIABLE, str(tmp_path / "key.txt"))
    return new_key(tmp_path)


@pytest.fixture
def filled(any_store: Store, key: str) -> Store:
    encrypt_to(any_store, [key])
    back_up(any_store, AT, {"t": rows(*range(300))}, full_bytes=1 << 20)
    back_up(any_store, AT + DAY, {"t": rows(*range(60))}, full_bytes=1 << 20)
    return any_store


def test_packs_indexes_and_backups_are_encrypted_and_shared(filled: Store) -> None:
    folder = filled.packs.folder
    assert len(filled.packs.ids()) == 1  # the second backup has nothing new
    for file in folder.sizes():
        assert is_sealed(folder.read(file)) == (file != RECIPIENTS)
    assert verify_all(filled).verdict is Outcome.PASSED
    for backup in filled.backups():
        assert read_back(filled, backup.dump_file)["t"][:60] == rows(*range(60))


def test_a_sweep_writes_anew_what_is_encrypted_when_it_is_told_to_whom(filled: Store, key: str) -> None:
    filled.delete(filled.backups()[0])
    fresh = open_store(filled.folder if isinstance(filled, LocalStore) else filled.where("").rstrip("/"))
    kept = sweep(fresh, grace=AT_ONCE)
    assert [(f.fate, "--encrypt-to" in f.why) for f in kept.fates] == [(Fate.KEEP, True)]
    done = sweep(fresh, grace=AT_ONCE, recipients=[key])
    assert len(done.deleted) == 1
    (pack,) = fresh.packs.ids()
    assert is_sealed(fresh.packs.folder.read(f"{pack}.pack"))
    assert read_back(fresh, fresh.backups()[0].dump_file) == {"t": rows(*range(60))}


def test_without_the_key_nothing_is_said_against_it_and_nothing_goes(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.delete(filled.backups()[0])
    before = dict(filled.packs.folder.sizes())
    monkeypatch.delenv(IDENTITY_VARIABLE)
    fresh = open_store(filled.folder if isinstance(filled, LocalStore) else filled.where("").rstrip("/"))
    assert len(fresh.backups()) == 1
    assert verify_all(fresh).verdict is Outcome.NOT_CHECKED
    done = sweep(fresh, grace=AT_ONCE)
    assert "--identity" in done.not_swept
    assert fresh.packs.folder.sizes() == before
    with pytest.raises(UnsupportedDump):
        fresh.packs.known()


def test_all_of_a_store_is_encrypted_to_the_same_keys_or_none_is(any_store: Store, key: str, tmp_path: Path) -> None:
    other = new_key(tmp_path, "other.txt")
    encrypt_to(any_store, [key, other])
    back_up(any_store, AT, {"t": rows(1)})
    encrypt_to(any_store, [other, key])
    for wrong in ([key], [], [key, new_key(tmp_path, "third.txt")]):
        with pytest.raises(UsageError, match="is encrypted to 2 keys"):
            encrypt_to(any_store, wrong)


def test_a_store_with_backups_does_not_become_an_encrypted_one(any_store: Store, key: str) -> None:
    back_up(any_store, AT, {"t": rows(1)})
    with pytest.raises(UsageError, match="not encrypted"):
        encrypt_to(any_store, [key])
    encrypt_to(any_store, [])


def test_that_nobody_says_to_whom_any_more_does_not_open_a_store(filled: Store, key: str) -> None:
    filled.packs.folder.remove(RECIPIENTS)
    for given in ([], [key]):
        with pytest.raises(UsageError, match="is missing"):
            encrypt_to(filled, given)
    filled.packs.recipients = ()
    filled.delete(filled.backups()[0])
    assert {f.fate for f in sweep(filled, grace=AT_ONCE).fates} == {Fate.KEEP}  # nothing is written anew in the open
    filled.packs.folder.write(RECIPIENTS, key.encode())
    encrypt_to(filled, [key])


def test_a_key_that_opens_nothing_takes_nothing_from_what_can_be_asked_without_it(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_key(tmp_path, "another.txt")
    monkeypatch.setenv(IDENTITY_VARIABLE, str(tmp_path / "another.txt"))
    fresh = open_store(filled.folder if isinstance(filled, LocalStore) else filled.where("").rstrip("/"))
    verified = verify_all(fresh)
    assert verified.verdict is Outcome.NOT_CHECKED
    outcomes = {c.id: c.outcome for one in verified.backups for c in one.check_list}
    assert outcomes == {"dump.digest": Outcome.PASSED, "chunks.whole": Outcome.NOT_CHECKED}


def test_the_secret_key_is_needed_fits_and_lies_elsewhere(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path / "store", create=True)
    inside = new_key(tmp_path / "store", "my key.txt")
    for identity, recipient, told in (
        (None, key, "reads back what it writes"),
        (tmp_path / "key.txt", inside, "does not open"),
        (tmp_path / "store" / "my key.txt", inside, "lies in the store"),
    ):
        monkeypatch.setenv(IDENTITY_VARIABLE, str(identity or ""))
        with pytest.raises(UsageError, match=told):
            encrypt_to(store, [recipient])
    assert not store.packs.folder.sizes()


def test_a_broken_encrypted_pack_is_told_and_healed(filled: Store) -> None:
    (pack,) = filled.packs.ids()
    content = bytearray(filled.packs.folder.read(f"{pack}.pack"))
    content[len(content) // 2] ^= 1
    filled.packs.folder.write(f"{pack}.pack", bytes(content))
    assert verify_all(filled).verdict is Outcome.FAILED
    back_up(filled, AT + 2 * DAY, {"t": rows(*range(300))})
    assert verify_all(filled).verdict is Outcome.PASSED
