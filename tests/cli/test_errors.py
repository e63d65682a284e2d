"""Wrong input gets one line that says what and what next, the right exit code, and no traceback."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

Run = Callable[..., "subprocess.CompletedProcess[str]"]
PASSWORD = "hunter2-but-longer"


def assert_one_line(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr + done.stdout
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("pgaudit: ")
    assert "Traceback" not in done.stderr + done.stdout
    assert PASSWORD not in done.stderr + done.stdout
    for word in words:
        assert word.lower() in lines[0].lower(), lines[0]


def _files(folder: Path) -> dict[str, Path]:
    contents: dict[str, bytes] = {
        "empty": b"",
        "html": b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n",
        "xml": b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>\n',
        "binary": bytes(range(256)) * 20,
        "text": b"Dear diary,\ntoday we lost the database.\n",
        "mysql": b"-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: localhost    Database: app\n",
    }
    for name, content in contents.items():
        (folder / f"{name}.sql").write_bytes(content)
    sqlite3.connect(folder / "sqlite.sql").execute("CREATE TABLE t (a)").connection.close()
    return {name: folder / f"{name}.sql" for name in [*contents, "sqlite"]}


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("empty", "empty"),
        ("html", "html"),
        ("xml", "xml"),
        ("binary", "binary"),
        ("text", "text"),
        ("mysql", "mysql"),
        ("sqlite", "sqlite"),
    ],
)
@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_what_is_no_dump_is_called_by_its_name(pgaudit: Run, tmp_path: Path, name: str, word: str, command: str) -> None:
    assert_one_line(pgaudit(command, str(_files(tmp_path)[name])), 2, name + ".sql", word)


def test_a_path_that_does_not_exist(pgaudit: Run) -> None:
    assert_one_line(pgaudit("inspect", "no/such.dump"), 2, "no/such.dump")


def test_a_folder_that_is_no_dump(pgaudit: Run, tmp_path: Path) -> None:
    assert_one_line(pgaudit("inspect", str(tmp_path)), 2, "folder")


@pytest.mark.parametrize("damage", [0.01, 0.2, 0.6, 0.98])
@pytest.mark.parametrize("option", ["plain", "custom"])
def test_a_truncated_dump_fails_verify_and_is_never_compared_to_an_end(
    pgaudit: Run, server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path, option: str, damage: float
) -> None:
    url = make_database()
    run = [str(server.bin_folder / "psql"), "-X", "-q", "-d", url, "-c"]
    subprocess.run([*run, "CREATE TABLE t AS SELECT i, md5(i::text) AS m FROM generate_series(1, 5000) i"], check=True)
    whole = tmp_path / "whole"
    subprocess.run([str(server.bin_folder / "pg_dump"), "-F", option[0], "-f", str(whole), url], check=True)
    cut = tmp_path / "cut.dump"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * damage)])
    assert pgaudit("verify", str(whole)).returncode == 0
    verified = pgaudit("verify", str(cut))
    assert verified.returncode == 1, verified.stdout + verified.stderr
    assert "Traceback" not in verified.stderr
    compared = pgaudit("diff", str(cut), url)
    assert compared.returncode == 3, compared.stdout + compared.stderr
    assert "Traceback" not in compared.stderr


@pytest.mark.parametrize(
    ("target", "code", "word"),
    [
        ("postgresql://me:{p}@127.0.0.1:1/app", 3, "127.0.0.1"),
        ("postgresql://me:{p}@no-such-host.invalid/app", 3, "no-such-host.invalid"),
        ("env:NO_SUCH_VARIABLE", 2, "NO_SUCH_VARIABLE"),
        ("dotenv:missing.env", 2, "missing.env"),
        ("mysql://me:{p}@localhost/app", 2, "postgresql"),
        ("env:MYSQL_URL", 2, "MYSQL_URL"),
    ],
)
def test_targets_that_lead_nowhere(pgaudit: Run, target: str, code: int, word: str) -> None:
    mysql = f"mysql://me:{PASSWORD}@localhost/app"
    assert_one_line(pgaudit("backup", target.format(p=PASSWORD), MYSQL_URL=mysql), code, word)


def test_a_missing_database(pgaudit: Run, server: EmbeddedServer) -> None:
    assert_one_line(pgaudit("backup", server.url("no_such_database")), 3, "no_such_database")


def test_backup_without_target_and_without_env_file(pgaudit: Run) -> None:
    assert_one_line(pgaudit("backup"), 2, ".env")


def test_an_unknown_option_is_wrong_usage(pgaudit: Run) -> None:
    done = pgaudit("inspect", "--no-such-option", "x")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback_wherever_it_stands(pgaudit: Run) -> None:
    for arguments in (["--debug", "inspect", "no/such"], ["inspect", "no/such", "--debug"]):
        assert "Traceback" in pgaudit(*arguments).stderr
