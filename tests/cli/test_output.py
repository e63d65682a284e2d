"""What the commands print, for people and for programs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def backed_up(make_database: Callable[..., str], pgaudit: Run, tmp_path: Path) -> tuple[str, Path]:
    """A small database whose values and names are awkward on a terminal, and its backup."""
    url = make_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute('CREATE TABLE "[red]x[/red]" (id int PRIMARY KEY, t text)')
        connection.execute("""INSERT INTO "[red]x[/red]" VALUES (1, NULL), (2, ''), (3, 'NULL'), (4, 'end'), (5, E'\\x1b[31m[b]m[/b]')""")
    done = pgaudit("backup", "env:APP", "--json", APP=url)
    plain = json.loads(done.stdout)
    assert {"verdict", "checks", "backups", "errors"} <= set(plain)
    assert plain["verdict"] == "passed"
    assert {"id", "outcome", "expected", "found", "compared", "remedy"} <= set(plain["checks"][0])
    return url, next((tmp_path / "backups").glob("*.dump"))


def _execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_null_the_empty_text_and_the_word_null_do_not_look_the_same(backed_up: tuple[str, Path], pgaudit: Run) -> None:
    url, dump = backed_up
    table = '"[red]x[/red]"'
    _execute(
        url,
        f"UPDATE {table} SET t = '' WHERE id = 1",
        f"UPDATE {table} SET t = 'NULL' WHERE id = 2",
        f"UPDATE {table} SET t = 'end ' WHERE id = 4",
    )
    done = pgaudit("diff", str(dump), "env:APP", "--rows", APP=url)
    assert done.returncode == 1
    listed = {line.split()[1]: line.split(maxsplit=3)[3].split() for line in done.stdout.splitlines() if line.startswith("changed  id=")}
    assert listed["id=1"] == ["NULL", "''"]
    assert listed["id=2"] == ["''", "'NULL'"]
    assert listed["id=4"] == ["end", "'end", "'"]


def test_markup_and_escapes_of_a_database_are_shown_as_they_are(backed_up: tuple[str, Path], pgaudit: Run) -> None:
    url, dump = backed_up
    _execute(url, """UPDATE "[red]x[/red]" SET t = 'x' WHERE id = 5""")
    shown = pgaudit("diff", str(dump), "env:APP", "--rows", APP=url).stdout
    assert 'Rows of public."[red]x[/red]"' in shown
    assert r"\x1b[31m[b]m[/b]" in shown
    assert "\x1b" not in shown


def test_no_name_reaches_the_terminal_as_an_escape(pgaudit: Run, make_database: Callable[..., str], tmp_path: Path) -> None:
    url = make_database()
    name = "e\x1b[31mvil"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE TABLE "{name}" (id int PRIMARY KEY)'.encode())
        assert pgaudit("backup", "env:APP", APP=url).returncode == 0
        connection.execute(f'INSERT INTO "{name}" VALUES (1)'.encode())
    dump = next((tmp_path / "backups").glob("*.dump"))
    evil = dump.rename(dump.with_name(f"{name}.dump"))
    for arguments in (["diff", str(evil), "env:APP", "--rows"], ["verify", str(evil)], ["inspect", str(evil)], ["inspect", f"{name}.gone"]):
        done = pgaudit(*arguments, APP=url)
        assert "\x1b" not in done.stdout + done.stderr, arguments
        assert r"e\x1b[31mvil" in done.stdout + done.stderr


def test_rows_that_a_manifest_cannot_tell_are_not_counted_as_none(backed_up: tuple[str, Path], pgaudit: Run) -> None:
    url, dump = backed_up
    _execute(url, """UPDATE "[red]x[/red]" SET t = 'x' WHERE id = 5""")
    done = pgaudit("diff", str(dump.with_suffix(".manifest.json")), "env:APP", APP=url)
    line = next(line for line in done.stdout.splitlines() if line.startswith('public."[red]x'))
    assert line.split()[1:3] == ["5", "5"]
    assert "0" not in line.split()
    assert "rows" in line


def test_json_is_all_that_stands_on_standard_output_also_when_a_database_cannot_be_reached(
    pgaudit: Run, make_database: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://me:pw-of-mine@127.0.0.1:1/app\n", encoding="utf-8")
    (tmp_path / ".env.local").write_text(f"DATABASE_URL='{make_database()}'\n", encoding="utf-8")
    done = pgaudit("backup", "--json")
    plain = json.loads(done.stdout)
    assert done.returncode == 3
    assert plain["verdict"] == "not_checked"
    assert len(plain["backups"]) == len(plain["errors"]) == 1
    assert done.stderr.startswith("pgaudit: cannot connect to dotenv:.env")
    assert "pw-of-mine" not in done.stdout + done.stderr


def test_snapshot_and_report_have_json_too(backed_up: tuple[str, Path], pgaudit: Run) -> None:
    url, dump = backed_up
    saved = json.loads(pgaudit("snapshot", "env:APP", "-o", "app.json", "--json", APP=url).stdout)
    assert saved["path"] == "app.json"
    assert saved["tables"] == 1
    assert saved["objects"] > 1
    reported = json.loads(pgaudit("report", "verify", "-p", f"dump={dump}", "--json").stdout)
    assert reported["verdict"] == "passed"
    assert (dump.parents[1] / reported["html"]).is_file()
    assert (dump.parents[1] / reported["notebook"]).is_file()


def test_parameters_of_a_report_come_from_a_file_too(backed_up: tuple[str, Path], pgaudit: Run, tmp_path: Path) -> None:
    _, dump = backed_up
    parameters = tmp_path / "params.yml"
    parameters.write_text(f"dump: {dump}\n", encoding="utf-8")
    reported = json.loads(pgaudit("report", "verify", "-f", str(parameters), "--json").stdout)
    assert reported["verdict"] == "passed"
    overridden = pgaudit("report", "verify", "-f", str(parameters), "-p", "dump=/nowhere.dump", "--json")
    assert "nowhere.dump" in json.loads(overridden.stdout)["sentence"]
    parameters.write_text("dumb: app.dump\n", encoding="utf-8")
    assert "has no parameter dumb" in pgaudit("report", "verify", "-f", str(parameters)).stderr
    parameters.write_text(f"dump: {dump}\ndump: hunter22\n", encoding="utf-8")
    twice = pgaudit("report", "verify", "-f", str(parameters))
    assert (twice.returncode, "gives dump more than once" in twice.stderr, "hunter22" in twice.stderr) == (2, True, False)
    for text in ("password: [hunter22", "- hunter22", ""):
        parameters.write_text(text, encoding="utf-8")
        refused = pgaudit("report", "verify", "-f", str(parameters))
        assert refused.returncode == 2
        assert "is no list of parameters" in refused.stderr
        assert "hunter22" not in refused.stderr


def test_help_says_what_a_target_may_look_like(pgaudit: Run) -> None:
    for command in ("diff", "restore", "rollback", "snapshot"):
        assert "dotenv:PATH[#KEY]" in pgaudit(command, "--help").stdout
    assert "..." not in pgaudit("--help", COLUMNS="80").stdout.partition("Commands:")[2]


def test_a_reader_that_leaves_is_no_failed_check(server: EmbeddedServer, backed_up: tuple[str, Path]) -> None:
    import os
    import sys

    _, dump = backed_up
    for arguments in (["inspect", str(dump)], ["inspect", str(dump), "--json"]):
        reading, writing = os.pipe()
        os.close(reading)
        started = subprocess.run(
            [sys.executable, "-c", "from pgaudit_kit.cli.app import main; main()", *arguments],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
        os.close(writing)
        assert (started.returncode, started.stderr) == (141, ""), arguments
