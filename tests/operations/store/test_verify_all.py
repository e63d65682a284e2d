"""Every backup of a store is looked at again, and what was found stays beside it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.verify_all import VerifiedBackup, verify_all
from pgaudit_kit.records.evidence import Proof
from pgaudit_kit.records.verdict import Outcome
from tests.operations.store.conftest import AT, put


def test_a_byte_that_changed_is_found_and_remembered(any_store: Store) -> None:
    put(any_store, content=b"some bytes")
    put(any_store, AT + timedelta(days=1), suffix=".dir", verdict=Outcome.NOT_CHECKED)
    any_store.write_text("app-20260131T120509Z.dump", "some bites")
    seen = []
    done = verify_all(any_store, progress=lambda one: seen.append((one.backup.name, str(one.verdict))))
    assert seen == [("app-20260131T120509Z", "failed"), ("app-20260201T120509Z", "passed")]
    assert done.verdict is Outcome.FAILED
    first, second = any_store.backups()
    assert first.is_damaged
    assert second.is_proven
    proof = second.proof(Proof.VERIFIED)
    assert proof is not None
    assert [c["id"] for c in proof.checks] == ["dump.digest"]
    any_store.write_text("app-20260131T120509Z.dump", "some bytes")
    assert verify_all(any_store).verdict is Outcome.PASSED
    assert any_store.backups()[0].is_proven


def test_a_lost_dump_fails_and_one_without_manifest_cannot_be_checked(any_store: Store) -> None:
    put(any_store)
    put(any_store, AT + timedelta(days=1))
    any_store.write_text("app-20250101T000000Z.sql", "no manifest")
    any_store.write_text("README", "not ours")
    done = verify_all(any_store)
    assert done.verdict is Outcome.NOT_CHECKED
    text = any_store.read_text("app-20260201T120509Z.manifest.json")
    any_store.write_text("app-20260203T120509Z.manifest.json", text.replace("app-20260201T", "app-20260203T"))
    assert verify_all(any_store).verdict is Outcome.FAILED
    assert {b["verdict"] for b in verify_all(any_store).to_dict()["backups"]} == {"passed"}


def test_a_store_without_backups_is_not_green(any_store: Store) -> None:
    done = verify_all(any_store)
    assert done.verdict is Outcome.NOT_CHECKED
    assert done.sentence.endswith("no backup is there.")


def test_what_cannot_be_read_is_not_checked_and_leaves_no_evidence(any_store: Store) -> None:
    put(any_store)
    put(any_store, AT + timedelta(days=1))
    second = any_store.backups()[1]
    evidence = any_store.read_text(f"{second.name}.verified.json")

    def meanwhile(one: VerifiedBackup) -> None:
        if one.backup != second:
            any_store.delete(second)
            any_store.write_text(f"{second.name}.verified.json", evidence)

    done = verify_all(any_store, progress=meanwhile)
    assert [str(b.verdict) for b in done.backups] == ["passed", "not_checked"]
    assert done.verdict is Outcome.NOT_CHECKED
    assert done.backups[1].check_list[0].remedy
    assert any_store.read_text(f"{second.name}.verified.json") == evidence


def test_no_store_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        verify_all(tmp_path / "nowhere")
