"""`pgaudit rescue` as installed: what it prints, writes and runs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import Run
from tests.difference.test_rescue import before as before  # noqa: PLC0414  the fixture
from tests.difference.test_rescue import rows, run


def test_it_is_applied_after_yes_and_says_how_many_rows_came_back(pgaudit: Run, before: tuple[Path, str]) -> None:
    dump, url = before
    done = pgaudit("rescue", str(dump), url, "public.messages", "--with-parents", "--apply", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"verdict": "passed", "rows": 610, "tables": ["public.messages"], "lost_parents": []}
    assert rows(url, "SELECT count(*) FROM messages") == [(1200,)]
    again = pgaudit("rescue", str(dump), url, "public.messages", "--with-parents", "--apply", "--yes", "--json")
    assert json.loads(again.stdout)["rows"] == 0


def test_for_people_it_names_the_tables_that_rows_came_back_to_parents_included(pgaudit: Run, before: tuple[Path, str]) -> None:
    dump, url = before
    asked = pgaudit("rescue", str(dump), url, "messages", "--with-parents", "--apply", "--yes")
    assert "610 rows of public.messages, public.users are as before" in asked.stdout
    again = pgaudit("rescue", str(dump), url, "messages", "--apply", "--yes")
    assert "no row of public.messages had to come back" in again.stdout


def test_a_script_that_lacks_parents_says_so_and_changes_nothing(pgaudit: Run, before: tuple[Path, str]) -> None:
    dump, url = before
    done = pgaudit("rescue", str(dump), url, "messages", "--apply", "--yes")
    assert done.returncode == 3
    assert "10 rows of public.users that public.messages needs are lost too" in done.stderr
    assert "nothing was changed" in done.stderr
    assert "--with-parents" in done.stderr
    assert rows(url, "SELECT count(*) FROM users") == [(30,)]


def test_the_script_is_written_once_and_for_its_owner_only(pgaudit: Run, before: tuple[Path, str], tmp_path: Path) -> None:
    dump, url = before
    script = tmp_path / "rescue.sql"
    told = pgaudit("rescue", str(dump), url, "messages", "-o", str(tmp_path / "messages.sql"), "--json")
    lost = {"table": "public.users", "needed_by": "public.messages", "rows": 10, "why": "lost"}
    assert json.loads(told.stdout) == {"script": str(tmp_path / "messages.sql"), "tables": ["public.messages"], "lost_parents": [lost]}
    assert pgaudit("rescue", str(dump), url, "log", "-o", str(script)).returncode == 0
    assert script.stat().st_mode & 0o777 == 0o600
    second = pgaudit("rescue", str(dump), url, "log", "-o", str(script))
    assert (second.returncode, "there already" in second.stderr) == (2, True)
    run(url, script.read_text())
    assert rows(url, "SELECT count(*) FROM log") == [(8,)]


def test_what_is_to_be_run_instead_names_the_dump_and_the_database_given(pgaudit: Run, before: tuple[Path, str]) -> None:
    dump, url = before
    run(url, "DROP TABLE log")
    done = pgaudit("rescue", str(dump), url, "log")
    assert done.returncode == 3
    assert f"pgaudit extract {dump} public.log --into '{url}'" in done.stderr


def test_nothing_is_done_unless_somebody_confirms(pgaudit: Run, before: tuple[Path, str]) -> None:
    dump, url = before
    refused = pgaudit("rescue", str(dump), url, "log", "--apply", stdin=subprocess.DEVNULL)
    assert refused.returncode == 2
    assert rows(url, "SELECT count(*) FROM log") == [(5,)]


@pytest.mark.parametrize("arguments", [("--apply", "-o", "x.sql"), ("--json",)])
def test_options_that_cannot_be_meant_together_are_refused(pgaudit: Run, before: tuple[Path, str], arguments: tuple[str, ...]) -> None:
    assert pgaudit("rescue", str(before[0]), before[1], "log", *arguments).returncode == 2


def test_a_role_that_may_not_disable_triggers_is_told_the_way(pgaudit: Run, before: tuple[Path, str]) -> None:
    dump, url = before
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS rescuer")
        connection.execute("CREATE ROLE rescuer LOGIN")
        connection.execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO rescuer")
        connection.execute("GRANT SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO rescuer")
    done = pgaudit("rescue", str(dump), url.replace("//postgres@", "//rescuer@"), "messages", "users", "--apply", "--yes")
    assert done.returncode == 3
    assert "--fire-triggers" in done.stderr
    assert rows(url, "SELECT count(*) FROM users") == [(30,)]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP OWNED BY rescuer")
        connection.execute("DROP ROLE rescuer")
