from __future__ import annotations

from dataclasses import replace

import pytest

from pgaudit_kit.checks.backup_history import check_rows_kept, check_size
from pgaudit_kit.checks.backup_preflight import advice_on_locks, check_direct, check_locks, check_readable, check_space, check_standby
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.table_locks import TableLock
from pgaudit_kit.records.verdict import Outcome

USERS = TableName("public", "users")


def manifest(**rows: int) -> Manifest:
    tables = {TableName("public", n): TableData(TableName("public", n), ("id",), rows=count) for n, count in rows.items()}
    return Manifest("x", "2026-11-30T00:00:00+00:00", "1", Provenance("live"), Inventory(), tables)


@pytest.mark.parametrize(
    ("free", "last", "tables", "compressed", "outcome"),
    [
        (100, 101, 0, True, Outcome.FAILED),
        (101, 101, 9000, True, Outcome.PASSED),
        (100, None, 101, False, Outcome.WARNED),
        (100, None, 160, True, Outcome.PASSED),
        (100, None, 200, True, Outcome.WARNED),
    ],
)
def test_room_is_measured_by_the_last_backup_and_only_else_estimated(
    free: int, last: int | None, tables: int, compressed: bool, outcome: Outcome
) -> None:
    check = check_space(free_bytes=free, last_bytes=last, table_bytes=tables, compressed=compressed)
    assert check.outcome is outcome
    assert bool(check.remedy) is (outcome is not Outcome.PASSED)


def test_only_half_of_what_was_usual_is_news() -> None:
    assert check_size(500_000, [1_000_000, 900_000, 5_000_000]).outcome is Outcome.PASSED
    assert check_size(499_999, [1_000_000, 900_000, 5_000_000]).outcome is Outcome.WARNED
    assert check_size(10, [50_000]).outcome is Outcome.PASSED  # so small a dump says little by its size


def test_rows_that_are_gone_are_counted_also_of_tables_that_are_gone() -> None:
    last = manifest(users=1000, logs=100, few=99)
    assert check_rows_kept(manifest(users=500, logs=50, few=0), last).outcome is Outcome.PASSED
    check = check_rows_kept(manifest(users=499), last)
    assert check.outcome is Outcome.WARNED
    assert check.found == "public.users: 1,000 → 499 rows; public.logs: 100 → 0 rows"
    assert check.compared == 3


def test_a_last_backup_without_tables_says_nothing() -> None:
    assert check_rows_kept(manifest(users=5), manifest()).outcome is Outcome.NOT_CHECKED


def test_a_pooler_is_seen_by_its_url_or_by_its_answer() -> None:
    assert check_direct("h/d", pooled_by_url=False, pooled=False).outcome is Outcome.PASSED
    for seen in ({"pooled_by_url": True, "pooled": False}, {"pooled_by_url": False, "pooled": True}):
        check = check_direct("h/d", **seen)
        assert check.outcome is Outcome.WARNED
        assert "DIRECT_URL" in check.remedy


@pytest.mark.parametrize(("feedback", "delay", "safe"), [(True, "30s", True), (False, "-1", True), (False, "30s", False)])
def test_a_standby_that_cancels_queries_is_told(feedback: bool, delay: str, safe: bool) -> None:
    assert (check_standby(feedback=feedback, delay=delay).outcome is Outcome.PASSED) is safe


def test_each_table_that_cannot_be_read_whole_has_its_cause_and_its_cure() -> None:
    readable = TableData(USERS, ("id",))
    assert check_readable([readable]).outcome is Outcome.PASSED
    check = check_readable([readable, replace(readable, not_readable="role r may not SELECT from it: GRANT SELECT ON public.users TO r")])
    assert (check.outcome, check.found) == (Outcome.FAILED, "public.users: role r may not SELECT from it")
    assert "GRANT SELECT ON public.users TO r" in check.remedy
    assert check_readable([]).outcome is Outcome.NOT_CHECKED


def test_who_holds_a_lock_is_told_as_far_as_the_role_may_know() -> None:
    assert (
        str(TableLock(USERS, 7, granted=True, user="ann", application="psql", seconds=61.4))
        == "public.users is locked by process 7 (ann, psql, for 61 s)"
    )
    prepared = TableLock(USERS, None, granted=True)
    assert str(prepared) == "public.users is locked by a prepared transaction"
    assert "pg_terminate_backend" not in advice_on_locks([prepared])
    assert "SELECT pg_terminate_backend(7)" in advice_on_locks([TableLock(USERS, 7, granted=False)])
    assert check_locks([prepared], tables=1).found.startswith("waited: ")
