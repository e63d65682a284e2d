"""`pgaudit restore` and `rollback` ask a person, or are told not to."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _count(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM t").fetchone()
        assert row
        return int(row[0])


@pytest.fixture
def app(make_database: Callable[..., str], pgaudit: Run, tmp_path: Path) -> tuple[str, str]:
    """A database of ten rows whose backup has all of them, while five are gone; its name and URL."""
    url = make_database("restore_me")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 10) i")
    assert pgaudit("backup", url).returncode == 0
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM t WHERE id > 5")
    (tmp_path / ".env.local").write_text(f"DATABASE_URL={url}\n")
    (backup,) = (tmp_path / "backups").glob("*.dump")
    return str(backup), url


def _drop_kept(url: str, server_url: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'restore\\_me\\_\\_%'").fetchall():
            connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))


def test_without_terminal_and_without_yes_nothing_is_done(app: tuple[str, str], pgaudit: Run) -> None:
    backup, url = app
    done = pgaudit("restore", backup, "dotenv:.env.local", stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert _count(url) == 5


def test_yes_restores_and_rollback_brings_the_broken_one_back(app: tuple[str, str], pgaudit: Run, server: object) -> None:
    backup, url = app
    try:
        done = pgaudit("restore", backup, url.replace("postgres@", "postgres:hunter2-but-longer@"), "--yes")
        assert done.returncode == 0, done.stderr
        assert "pgaudit rollback" in done.stdout
        assert "hunter2-but-longer" not in done.stdout + done.stderr
        assert "restore_me__before_" in done.stdout
        assert _count(url) == 10
        assert pgaudit("rollback", "dotenv:.env.local", "--yes").returncode == 0
        assert _count(url) == 5
    finally:
        _drop_kept(url, url.replace("/restore_me", "/postgres"))


@pytest.mark.parametrize(("typed", "code", "rows"), [("restore_me", 0, 10), ("restore-me", 3, 5)])
def test_the_name_must_be_typed(app: tuple[str, str], tmp_path: Path, typed: str, code: int, rows: int) -> None:
    backup, url = app
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from pgaudit_kit.cli.app import main; main()", "restore", backup, "dotenv:.env.local"]
    try:
        os.write(ours, typed.encode() + b"\n")
        done = subprocess.run(command, stdin=theirs, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == code, done.stderr
        assert "will be replaced" in done.stderr
        assert _count(url) == rows
    finally:
        os.close(ours)
        os.close(theirs)
        _drop_kept(url, url.replace("/restore_me", "/postgres"))


def test_in_place_needs_to_be_told_what_it_replaces(app: tuple[str, str], pgaudit: Run, tmp_path: Path) -> None:
    backup, url = app
    done = pgaudit("restore", backup, "dotenv:.env.local", "--in-place", "--yes")
    assert done.returncode == 3
    assert "is not empty, it holds 1 tables (public.t)" in done.stderr
    assert _count(url) == 5
    done = pgaudit("restore", backup, "dotenv:.env.local", "--in-place", "--replace-contents", "--yes", "--store", "before")
    assert done.returncode == 0, done.stderr
    assert "what it held before is in" in done.stdout
    assert _count(url) == 10
    assert len(list((tmp_path / "before").glob("*before-restore*.dump"))) == 1
    for wrong in (("--in-place", "--force"), ("--replace-contents",)):
        assert pgaudit("restore", backup, "dotenv:.env.local", "--yes", *wrong).returncode == 2


def test_what_was_there_before_is_kept_where_a_url_says_but_not_in_memory(app: tuple[str, str], pgaudit: Run, tmp_path: Path) -> None:
    backup, url = app
    in_place = ("restore", backup, "dotenv:.env.local", "--in-place", "--replace-contents", "--yes", "--json", "--store")
    refused = pgaudit(*in_place, "memory://here")
    assert refused.returncode == 2
    assert "gone when this command ends" in refused.stderr
    assert _count(url) == 5
    done = pgaudit(*in_place, f"file://{tmp_path}/before")
    assert done.returncode == 0, done.stderr
    assert Path(json.loads(done.stdout)["backup"]).parent == tmp_path / "before"
    assert not (tmp_path / "file:").exists()


def test_a_table_goes_into_a_new_schema(app: tuple[str, str], pgaudit: Run) -> None:
    backup, url = app
    done = pgaudit("restore", backup, "dotenv:.env.local", "--table", "t", "--into-schema", "older")
    assert done.returncode == 0, done.stderr
    assert "public.t → older.t: 10 rows" in done.stdout
    assert _count(url) == 5
    assert pgaudit("restore", backup, "dotenv:.env.local", "--table", "t", "--into-schema", "older").returncode == 2
    assert pgaudit("restore", backup, "dotenv:.env.local", "--table", "t", "--in-place").returncode == 2
    assert pgaudit("restore", backup, "dotenv:.env.local", "--data-only").returncode == 2
    shown = json.loads(pgaudit("restore", backup, "dotenv:.env.local", "--schema", "public", "--json").stdout)
    assert (shown["verdict"], shown["tables"]) == ("passed", [{"schema": "public", "name": "t", "rows": 10}])


def test_what_is_kept_is_listed_counted_and_dropped_by_name(app: tuple[str, str], pgaudit: Run) -> None:
    backup, url = app
    try:
        for _ in range(2):
            assert pgaudit("restore", backup, url, "--yes", "--jobs", "2", "--json").returncode == 0
        listed = json.loads(pgaudit("rollback", url, "--list", "--json").stdout)["kept"]
        assert [k["what"] for k in listed] == ["before", "before"]
        assert all(k["size_bytes"] > 1_000_000 for k in listed)
        oldest = listed[1]["name"]
        refused = pgaudit("rollback", url, "--drop", oldest)
        assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
        assert pgaudit("rollback", url, "--drop", "restore_me", "--yes").returncode == 2
        dropped = pgaudit("rollback", url, "--drop", oldest, "--yes")
        assert dropped.returncode == 0, dropped.stderr
        assert oldest in dropped.stdout
        done = pgaudit("restore", backup, url, "--yes", "--drop-old", "--json")
        plain = json.loads(done.stdout)
        assert plain["kept"] is None
        assert {"settings_left_out", "entries_left_out", "unasked"} <= plain.keys()
        assert listed[0]["name"] in pgaudit("rollback", url, "--list").stdout
        assert oldest not in pgaudit("rollback", url, "--list").stdout
        assert pgaudit("rollback", url, "--to", listed[0]["name"], "--yes").returncode == 0
        assert _count(url) == 10
    finally:
        _drop_kept(url, url.replace("/restore_me", "/postgres"))


@pytest.mark.parametrize(("line", "how", "code", "verdict", "party"), [
    ("ALTER TABLE ONLY public.t ADD CONSTRAINT few CHECK (id < 4);", [], 1, "failed", "backup"),
    ("ALTER TABLE ONLY public.t ADD CONSTRAINT few CHECK (id < 4);", ["--in-place", "--replace-contents"], 1, "failed", "backup"),
    ("SET default_table_access_method = hydra;", [], 3, "not_checked", "environment"),
])  # fmt: skip
def test_a_dump_that_the_server_refuses_ends_with_one_and_a_server_that_lacks_something_with_three(
    app: tuple[str, str], pgaudit: Run, tmp_path: Path, line: str, how: list[str], code: int, verdict: str, party: str
) -> None:
    _, url = app
    made = json.loads(pgaudit("backup", url, "--store", "scripts", "--format", "plain", "--json").stdout)
    script = next((tmp_path / "scripts").glob("*.sql"))
    assert made["verdict"] == "passed"
    edited = tmp_path / "edited.sql"
    edited.write_text(
        script.read_text().replace("-- PostgreSQL database dump complete", f"{line}\n--\n-- PostgreSQL database dump complete")
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM t WHERE id > 3")
    done = pgaudit("restore", str(edited), url, "--yes", "--json", *how)
    assert (done.returncode, json.loads(done.stdout)["verdict"], json.loads(done.stdout)["party"]) == (code, verdict, party), done.stderr
    assert _count(url) == 3
