"""Pruning deletes what was planned and shown, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.store.prune import Fate, prune
from pgaudit_kit.operations.store.retention import Retention
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.records.verdict import Outcome
from tests.operations.store.conftest import AT, put, rehearsed


def days_in(store: Store) -> list[int]:
    return [b.taken_at.day for b in store.backups()]


@pytest.fixture
def filled(any_store: Store) -> Store:
    """Backups of the 1st to the 5th, the last of which is not proven, and two files of others."""
    for day in range(1, 6):
        at = datetime(2026, 1, day, 3, tzinfo=UTC)
        put(any_store, at, verdict=Outcome.NOT_CHECKED if day == 5 else Outcome.PASSED, suffix=".dir" if day == 2 else ".dump")
    any_store.write_text("app-20250101T000000Z.dump", "an old dump without a manifest")
    any_store.write_text("README", "not ours")
    return any_store


def test_what_no_rule_keeps_goes_and_what_we_did_not_write_stays(filled: Store) -> None:
    done = prune(filled, Retention(last=1))
    assert days_in(filled) == [4, 5]
    assert [f.backup.taken_at.day for f in done.fates if not f.is_kept] == [3, 2, 1]
    assert len(done.deleted) == 3
    assert done.freed_bytes == 5 + 10 + 5
    assert {"README", "app-20250101T000000Z.dump"} < set(filled.entries())
    assert len(filled.entries()) == 2 + 2 * 3
    again = prune(filled, Retention(last=1))
    assert again.deleted == ()


def test_a_dry_run_and_a_no_delete_nothing(filled: Store) -> None:
    before = filled.entries()
    shown: list[Sequence[Fate]] = []

    def refuse(fates: Sequence[Fate]) -> bool:
        shown.append(fates)
        return False

    planned = prune(filled, Retention(last=1), dry_run=True)
    assert prune(filled, Retention(last=1), confirm=refuse) == planned
    assert shown == [planned.fates]
    assert filled.entries() == before


def test_without_a_rule_nothing_is_deleted(filled: Store) -> None:
    with pytest.raises(UsageError, match="no rule"):
        prune(filled, Retention())
    assert days_in(filled) == [1, 2, 3, 4, 5]


def test_what_turns_out_to_be_needed_while_a_person_reads_the_plan_stays(filled: Store) -> None:
    def meanwhile(_: Sequence[Fate]) -> bool:
        (fourth,) = (b for b in filled.backups() if b.taken_at.day == 4)
        filled.write_evidence(fourth, rehearsed(fourth.sha256, Outcome.FAILED))
        return True

    prune(filled, Retention(last=1), confirm=meanwhile)
    assert days_in(filled) == [3, 4, 5]  # the 3rd is the newest proven one now; the 4th is damaged


def test_a_new_backup_that_comes_meanwhile_dooms_nothing_that_was_not_shown(filled: Store) -> None:
    def meanwhile(_: Sequence[Fate]) -> bool:
        put(filled, AT + timedelta(days=1))
        return True

    done = prune(filled, Retention(last=1), confirm=meanwhile)
    assert len(done.deleted) == 3
    assert AT + timedelta(days=1) in [b.taken_at for b in filled.backups()]
    assert [b.taken_at.day for b in filled.backups()][:2] == [4, 5]
