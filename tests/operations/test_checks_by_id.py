"""Checks of operations that other tests meet by their words only: their outcome, over something, by their ids."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgaudit_kit.checks.backup_preflight import check_program, check_space
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.rehearsals.verdicts import check_not_kept, check_not_told
from pgaudit_kit.operations.restores.preflight import check_script
from pgaudit_kit.records.verdict import Check

SCRIPT = "--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE public.t (a integer);\n{}\n--\n-- PostgreSQL database dump complete\n--\n"


def _script(tmp_path: Path, line: str) -> Check:
    file = tmp_path / "d.sql"
    file.write_text(SCRIPT.format(line), encoding="utf-8")
    return check_script(read_dump(file))


@pytest.mark.parametrize(
    ("check", "check_id", "outcome"),
    [
        (check_program("pg_dump 15.3", server="15.1"), "backup.pg_dump", "passed"),
        (check_space(free_bytes=9, last_bytes=8, table_bytes=1, compressed=True), "backup.space", "passed"),
        (check_space(free_bytes=7, last_bytes=8, table_bytes=1, compressed=True), "backup.space", "failed"),
        (check_not_told(["acl"]), "rehearsal.not_told", "warned"),
        (check_not_kept("no room"), "rehearsal.evidence", "warned"),
    ],
)
def test_each_ends_as_it_should_over_something(check: Check, check_id: str, outcome: str) -> None:
    assert (check.id, str(check.outcome), check.compared > 0) == (check_id, outcome, True)


def test_a_script_is_clean_until_a_command_of_psql_is_in_it(tmp_path: Path) -> None:
    clean, dirty = _script(tmp_path, ""), _script(tmp_path, "\\! date")
    assert (clean.id, str(clean.outcome), clean.compared) == ("restore.script", "passed", 1)
    assert str(dirty.outcome) == "failed"
    assert dirty.remedy
