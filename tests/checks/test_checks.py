"""Checks on facts alone: green only over something, red for each fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgaudit_kit.checks.constraints import check_foreign_keys, check_indexes_valid
from pgaudit_kit.checks.dump_whole import check_complete, check_digest, check_rows_readable
from pgaudit_kit.checks.migrations import check_files, check_ledger_match, check_ledger_state
from pgaudit_kit.checks.required_tables import check_required_tables
from pgaudit_kit.checks.restored_state import (
    check_extension_versions,
    check_orphans,
    check_populated,
    check_triggers,
    check_validated,
)
from pgaudit_kit.checks.rows_match import check_row_counts, check_row_fingerprints
from pgaudit_kit.checks.sequences import check_sequence_values, check_sequences_ahead, unmoved
from pgaudit_kit.migration_tools.folders import sha256
from pgaudit_kit.migration_tools.prisma import TOOL as PRISMA
from pgaudit_kit.migration_tools.states import statuses_of
from pgaudit_kit.migration_tools.tool import MigrationFile, MigrationFiles
from pgaudit_kit.records.difference import TableDifference
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.ledger import Ledger, Migration, MigrationStatus
from pgaudit_kit.records.loss import DanglingKey, KeyState
from pgaudit_kit.records.manifest import DumpFile
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey
from pgaudit_kit.records.sequence_use import SequenceUse
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.toc import Damage
from pgaudit_kit.records.verdict import Outcome

T = TableName("public", "t")
LEDGER = TableName("public", "_prisma_migrations")


def _inventory(kind: str, **attributes: str) -> Inventory:
    return Inventory((DatabaseObject(ObjectKey(kind, "public", "x", "t"), attributes),))


def test_damage_fails_and_names_its_place() -> None:
    check = check_complete(complete=False, damage=(Damage("broken zlib stream", offset=1234, table="public.t"),), entries=3)
    assert check.outcome is Outcome.FAILED
    assert "table public.t, byte 1,234" in check.found
    assert check.remedy


def test_of_much_damage_the_causes_come_first_and_the_rest_is_counted() -> None:
    tables = [Damage("its file is missing", table=f"public.t{n}") for n in range(9)]
    check = check_complete(complete=False, damage=(*tables, Damage("the tar file ends early", offset=512)), entries=30)
    assert check.found.startswith("the tar file ends early (byte 512); its file is missing (table public.t0)")
    assert check.found.endswith("; and 6 more")
    assert len(check.evidence) == 10


@pytest.mark.parametrize(
    ("complete", "entries", "outcome"),
    [(True, 1, "passed"), (False, 1, "failed"), (None, 1, "not_checked"), (True, 0, "not_checked")],
)
def test_completeness(complete: bool | None, entries: int, outcome: str) -> None:
    assert check_complete(complete=complete, damage=(), entries=entries).outcome == outcome


def test_broken_rows_fail_while_unsupported_rows_are_not_checked() -> None:
    data = TableData(T, ("a",), 5)
    assert check_rows_readable([data], []).outcome is Outcome.PASSED
    assert check_rows_readable([data, data], [(data, "broken", True)]).outcome is Outcome.FAILED
    assert check_rows_readable([data, data], [(data, "lz4", False)]).outcome is Outcome.NOT_CHECKED


def test_digest() -> None:
    assert check_digest(DumpFile("a", "ff", 3), sha256="ff", size_bytes=3).outcome is Outcome.PASSED
    assert check_digest(DumpFile("a", "ff", 3), sha256="fe", size_bytes=3).outcome is Outcome.FAILED


def test_equal_counts_with_other_rows_pass_the_count_and_fail_the_fingerprint() -> None:
    tables = [TableDifference(T, "different", 5, 5)]
    assert check_row_counts(tables).outcome is Outcome.PASSED
    assert check_row_fingerprints(tables).outcome is Outcome.FAILED
    assert check_row_counts([TableDifference(T, "different", 5, 4)]).outcome is Outcome.FAILED
    assert check_row_fingerprints([TableDifference(T, "not_checked", reason="x")]).outcome is Outcome.NOT_CHECKED
    assert check_row_fingerprints([]).outcome is Outcome.NOT_CHECKED


def test_required_tables_may_be_named_with_or_without_schema() -> None:
    assert check_required_tables(["t", "public.t"], [T]).outcome is Outcome.PASSED
    missing = check_required_tables(["t", "users"], [T])
    assert missing.outcome is Outcome.FAILED
    assert "users" in missing.found


def test_a_moved_sequence_warns_and_one_behind_its_column_fails() -> None:
    a, b = _inventory("SEQUENCE", last_value="7", is_called="true"), _inventory("SEQUENCE", last_value="9", is_called="true")
    assert check_sequence_values(a, a).outcome is Outcome.PASSED
    assert check_sequence_values(a, b).outcome is Outcome.WARNED
    none = check_sequence_values(a, Inventory())
    assert (none.outcome, none.found) == (Outcome.NOT_CHECKED, "no sequence on both sides whose value was recorded")
    assert check_sequences_ahead([SequenceUse("s", "t.id", 1, 8, 7)]).outcome is Outcome.PASSED
    assert check_sequences_ahead([SequenceUse("s", "t.id", 1, 7, 7)]).outcome is Outcome.FAILED
    assert check_sequences_ahead([SequenceUse("s", "t.id", -1, -8, -7)]).outcome is Outcome.PASSED
    assert check_sequences_ahead([SequenceUse("s", "t.id", 1, 1, None)]).outcome is Outcome.PASSED
    shared = check_sequences_ahead([SequenceUse("s", "t.id", 1, 3, 9), SequenceUse("s", "u.id", 1, 3, 7)])
    assert shared.remedy == "SELECT setval('s', 9)", "the last one would take the first one back"
    assert check_sequences_ahead([SequenceUse("s", "t.id", 1, None, 7)]).outcome is Outcome.NOT_CHECKED
    assert check_sequences_ahead([]).outcome is Outcome.NOT_CHECKED


def test_a_sequence_that_was_behind_when_it_was_backed_up_warns() -> None:
    inventory, moved = _inventory("SEQUENCE", last_value="7", is_called="true"), _inventory("SEQUENCE", last_value="8", is_called="true")
    (key,) = inventory.by_key
    uses = [SequenceUse("s", "t.id", 1, 8, 9, key)]
    assert check_sequences_ahead(uses, unmoved=unmoved(inventory, inventory)).outcome is Outcome.WARNED
    assert check_sequences_ahead(uses, unmoved=unmoved(inventory, moved)).outcome is Outcome.FAILED
    unknown = _inventory("SEQUENCE")
    assert check_sequences_ahead(uses, unmoved=unmoved(unknown, unknown)).outcome is Outcome.FAILED
    assert check_sequences_ahead([*uses, SequenceUse("o", "o.id", 1, 1, 2)], unmoved={key}).outcome is Outcome.FAILED


def test_an_index_that_was_invalid_when_it_was_backed_up_is_no_failure() -> None:
    before = _inventory("INDEX", valid="false")
    assert check_indexes_valid(before, before).outcome is Outcome.PASSED


def test_missing_and_invalid_indexes_fail() -> None:
    wanted = _inventory("INDEX")
    assert check_indexes_valid(wanted, _inventory("INDEX", valid="true")).outcome is Outcome.PASSED
    assert check_indexes_valid(wanted, _inventory("INDEX", valid="false")).outcome is Outcome.FAILED
    assert check_indexes_valid(wanted, Inventory()).outcome is Outcome.FAILED


def test_missing_and_unvalidated_foreign_keys_fail() -> None:
    wanted = _inventory("FK CONSTRAINT", definition="FOREIGN KEY (a) REFERENCES t(id)")
    assert check_foreign_keys(wanted, wanted).outcome is Outcome.PASSED
    loose = _inventory("FK CONSTRAINT", definition="FOREIGN KEY (a) REFERENCES t(id) NOT VALID")
    assert check_foreign_keys(wanted, loose).outcome is Outcome.FAILED
    assert check_foreign_keys(wanted, Inventory()).outcome is Outcome.FAILED


def _ledger(*migrations: Migration) -> Ledger:
    return Ledger("prisma", LEDGER, migrations)


def test_the_ledger_must_be_the_same_row_for_row() -> None:
    one, two = Migration("1", "init", "aa", "s", "f"), Migration("2", "next", "bb", "s", "f")
    assert check_ledger_match(_ledger(one, two), _ledger(two, one)).outcome is Outcome.PASSED
    assert "missing next" in check_ledger_match(_ledger(one, two), _ledger(one)).found
    assert check_ledger_match(_ledger(one), _ledger(one, two)).outcome is Outcome.FAILED
    assert check_ledger_match(_ledger(one), _ledger(Migration("1", "init", "zz", "s", "f"))).outcome is Outcome.FAILED
    assert check_ledger_match(_ledger(one), None).outcome is Outcome.FAILED


def _status(
    name: str, checksum: str, started: str, finished: str | None = None, *, files: dict[str, bytes] | None = None
) -> list[MigrationStatus]:
    """The statuses of a ledger with this row of Prisma, and of a folder with these scripts."""
    ledger = _ledger(Migration("1", name, checksum, started, finished))
    scripts = tuple(MigrationFile(name, name, frozenset({sha256(content)})) for name, content in (files or {}).items())
    return statuses_of(PRISMA, "t", ledger, None if files is None else MigrationFiles(Path(), scripts))


def test_a_failed_migration_fails_and_in_a_dump_that_is_verified_warns() -> None:
    failed = _status("init", "aa", "s")
    assert check_ledger_state(_status("init", "aa", "s", "f")).outcome is Outcome.PASSED
    assert check_ledger_state(failed).outcome is Outcome.FAILED
    assert check_ledger_state(failed, at_worst=Outcome.WARNED).outcome is Outcome.WARNED
    assert "init: it began and did not end" in check_ledger_state(failed).found
    assert check_ledger_state([]).outcome is Outcome.NOT_CHECKED


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"init": b"x"}, "the same, by SHA-256"),
        ({"init": b"y"}, "init: its file is not the one that was applied"),
        ({}, "init: it is in the ledger, and the folder has no such migration"),
        ({"init": b"x", "next": b"z"}, "next: it is not applied"),
    ],
)
def test_edited_missing_and_pending_files_are_named(files: dict[str, bytes], said: str) -> None:
    check = check_files(_status("init", sha256(b"x"), "s", "f", files=files), (), checksums="SHA-256")
    assert check.found == said
    assert check.outcome is (Outcome.PASSED if "same" in said else Outcome.FAILED)
    assert bool(check.remedy) is (check.outcome is Outcome.FAILED)


def _object(kind: str, name: str = "x", **attributes: str) -> Inventory:
    return Inventory((DatabaseObject(ObjectKey(kind, "public", name, "t"), attributes),))


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        ("true", "true", "passed"),
        ("true", "false", "failed"),
        ("false", "true", "failed"),
        ("false", "false", "passed"),
        (None, "true", "not_checked"),
    ],
)
def test_materialized_views_are_populated_as_they_were(before: str | None, after: str, outcome: str) -> None:
    told = {} if before is None else {"populated": before}
    check = check_populated(_object("MATERIALIZED VIEW", **told), _object("MATERIALIZED VIEW", populated=after))
    assert check.outcome == outcome


@pytest.mark.parametrize(
    ("before", "after"), [({}, {"enabled": "DISABLE"}), ({"enabled": "ALWAYS"}, {}), ({"enabled": "REPLICA"}, {"enabled": "ALWAYS"})]
)
def test_a_trigger_that_fires_otherwise_is_named(before: dict[str, str], after: dict[str, str]) -> None:
    assert check_triggers(_object("TRIGGER", **before), _object("TRIGGER", **before)).outcome is Outcome.PASSED
    check = check_triggers(_object("TRIGGER", **before), _object("TRIGGER", **after))
    assert check.outcome is Outcome.FAILED
    assert "TRIGGER public.x on t" in check.found
    assert check_triggers(_object("TRIGGER"), Inventory()).outcome is Outcome.FAILED


def test_a_constraint_that_is_not_validated_any_more_is_named() -> None:
    whole, loose = (
        _object("CHECK CONSTRAINT", definition="CHECK ((a > 0))"),
        _object("CHECK CONSTRAINT", definition="CHECK ((a > 0)) NOT VALID"),
    )
    assert check_validated(whole, whole).outcome is Outcome.PASSED
    assert check_validated(loose, loose).outcome is Outcome.PASSED
    assert check_validated(whole, loose).outcome is Outcome.FAILED
    assert check_validated(whole, Inventory()).found == "missing CHECK CONSTRAINT public.x on t"


def test_an_extension_in_another_version_is_a_warning_and_a_missing_one_fails() -> None:
    one, two = _object("EXTENSION", version="1.0"), _object("EXTENSION", version="2.0")
    assert check_extension_versions(one, one).outcome is Outcome.PASSED
    assert check_extension_versions(one, two).outcome is Outcome.WARNED
    assert check_extension_versions(_object("EXTENSION"), two).outcome is Outcome.PASSED  # a dump does not say it
    assert check_extension_versions(one, Inventory()).outcome is Outcome.FAILED
    always_there = Inventory((DatabaseObject(ObjectKey("EXTENSION", None, "plpgsql")), *one.objects))
    assert check_extension_versions(always_there, one).outcome is Outcome.PASSED


def _key(rows: int | None, state: KeyState = "in force") -> DanglingKey:
    return DanglingKey("fk", T, ("a",), LEDGER, ("id",), state, rows, "" if rows is not None else "temporal")


@pytest.mark.parametrize(
    ("keys", "outcome"),
    [
        ([_key(0)], "passed"),
        ([_key(3)], "failed"),
        ([_key(3, "not valid")], "warned"),
        ([_key(3, "not valid"), _key(1)], "failed"),
        ([_key(None)], "not_checked"),
        ([_key(0), _key(None)], "passed"),
        ([], "not_checked"),
    ],
)
def test_orphans_fail_unless_the_key_allowed_them(keys: list[DanglingKey], outcome: str) -> None:
    assert check_orphans(keys).outcome == outcome


def test_one_thing_is_told_as_one() -> None:
    one = TableDifference(T, "same", rows_left=1, rows_right=1)
    assert check_row_counts([one]).expected == "1 row in 1 table"
    assert check_row_fingerprints([one]).expected == "1 table with the same fingerprint"
    assert check_sequence_values(*[_inventory("SEQUENCE", last_value="7", is_called="true")] * 2).expected.startswith("1 sequence ")
