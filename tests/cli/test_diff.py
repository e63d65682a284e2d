"""What `pgaudit diff` prints, for people and for programs, and how it ends: two real dumps of a database before and after."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

Run = Callable[..., "subprocess.CompletedProcess[str]"]
SECRETS = ("first-s3cret", "other-s3cret", "third-s3cret")
BEFORE = rf"""
CREATE TABLE t (id int PRIMARY KEY, email varchar(100), n int CHECK (n > 0));
CREATE INDEX old_name ON t (email);
CREATE FUNCTION told(a int) RETURNS int LANGUAGE plpgsql AS $f$
BEGIN
	-- [bold]one[/bold]
	PERFORM 'postgresql://me:{SECRETS[0]}@host/db';
	RETURN a;
END
$f$;
CREATE FUNCTION long() RETURNS int LANGUAGE sql AS 'SELECT 1 {"-- before" + chr(10) * 80}';
CREATE FUNCTION calls() RETURNS text LANGUAGE sql AS $$ SELECT 'password={SECRETS[0]} host=x' $$;
CREATE TABLE gone (a int);
INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2);
"""
AFTER = rf"""
ALTER TABLE t ALTER email TYPE varchar(200);
ALTER TABLE t ADD COLUMN "new [red]" text DEFAULT '';
ALTER INDEX old_name RENAME TO new_name;
DROP TABLE gone;
CREATE OR REPLACE FUNCTION told(a int) RETURNS int LANGUAGE plpgsql AS $f$
BEGIN
	-- [bold]two[/bold]
	PERFORM 'postgresql://me:{SECRETS[1]}@host/db';
	RETURN a;
END
$f$;
CREATE OR REPLACE FUNCTION long() RETURNS int LANGUAGE sql AS 'SELECT 2 {"".join(f"-- line {n}{chr(10)}" for n in range(80))}';
CREATE OR REPLACE FUNCTION calls() RETURNS text LANGUAGE sql AS $$ SELECT 'password={SECRETS[2]} host=x' $$;
DELETE FROM t WHERE id = 2;
"""


@pytest.fixture(scope="module")
def dumps(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The paths of a dump before and one after."""
    folder = tmp_path_factory.mktemp("diff")
    program = str(server.bin_folder / "pg_dump")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE cli_diff TEMPLATE template0")
        with psycopg.connect(server.url("cli_diff"), autocommit=True) as inside:
            for name, script in (("before", BEFORE), ("after", AFTER)):
                inside.execute(script.encode())
                subprocess.run([program, "-d", server.url("cli_diff"), "-f", str(folder / name)], check=True)
        connection.execute("DROP DATABASE cli_diff")
    return str(folder / "before"), str(folder / "after")


@pytest.fixture(scope="module")
def shown(dumps: tuple[str, str]) -> Callable[..., str]:
    """Give a function that returns what a terminal of 80 columns shows, with NO_COLOR or with colours."""

    def show(*options: str, colour: bool = False) -> str:
        code = f"import sys; sys.argv = {['pgaudit', 'diff', *dumps, *options]!r}; from pgaudit_kit.cli.app import main; main()"
        environment = {"COLUMNS": "80", "TERM": "xterm-256color", **({"FORCE_COLOR": "1"} if colour else {"NO_COLOR": "1"})}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr
        return done.stdout

    return show


@pytest.fixture(scope="module")
def plain(shown: Callable[..., str]) -> str:
    """The whole answer without colours."""
    return shown()


@pytest.fixture(scope="module")
def json_text(shown: Callable[..., str]) -> str:
    """The answer for programs, rows included."""
    return shown("--rows", "--json")


def test_each_object_has_a_line_with_its_sign_and_what_changed_below_it(plain: str) -> None:
    lines = plain.splitlines()
    assert "~ changed TABLE public.t" in lines
    assert "    column email type: character varying(100) → character varying(200)" in lines
    assert "- missing TABLE public.gone" in lines
    assert "    column new [red]: (none) → text" in lines
    assert "- missing INDEX public.old_name on t  (looks renamed to new_name)" in lines
    assert "Objects that differ: 7" in lines[0]


def test_of_a_text_of_several_lines_the_lines_that_differ_are_shown(plain: str) -> None:
    told = plain[plain.index("FUNCTION public.told") :]
    assert "      -     -- [bold]one[/bold]\n      +     -- [bold]two[/bold]\n" in told
    assert "        RETURN a;" in told


def test_long_texts_are_cut_with_the_number_of_lines_left_and_how_to_see_them(plain: str, shown: Callable[..., str]) -> None:
    assert "more lines; --all shows all" in plain
    assert "line 79" not in plain
    whole = shown("--all")
    assert "line 79" in whole
    assert "--all shows all" not in whole


def test_no_password_that_stands_in_a_definition_is_shown(plain: str, json_text: str) -> None:
    everything = plain + json_text
    assert "me:•••@host" in everything
    assert not any(secret in everything for secret in SECRETS)
    assert "    body: a password in it differs" in plain.splitlines()


def test_colours_mark_the_words_that_differ_and_are_never_the_only_sign(plain: str, shown: Callable[..., str]) -> None:
    coloured = shown("--schema-only", colour=True)
    assert "\x1b[1;4;31m100\x1b[0m" in coloured
    assert "\x1b[1;4;32m200\x1b[0m" in coloured
    assert "\x1b" not in plain


def test_tables_and_the_verdict_follow_the_objects(plain: str) -> None:
    assert plain.index("Objects that differ") < plain.index("\nRows\n") < plain.index("≠ different")
    row = next(line for line in plain.splitlines() if line.startswith("public.t "))
    assert row.split()[:3] == ["public.t", "2", "1"]


def test_what_is_only_written_otherwise_stands_apart_with_its_reason(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    from pgaudit_kit.cli.object_list import print_objects
    from pgaudit_kit.records.difference import Change, ObjectDifference
    from pgaudit_kit.records.objects import ObjectKey

    monkeypatch.setenv("COLUMNS", "80")
    differences = [
        ObjectDifference(ObjectKey("VIEW", "s", "v"), "equivalent", (Change("definition", "a", "b"),), reason="18 prints it so"),
        *(ObjectDifference(ObjectKey("TABLE", "s", f"t{n:02}"), "only_left") for n in range(60)),
    ]
    print_objects(differences, ("left", "right"), everything=False)
    told = capsys.readouterr().out
    assert "Objects that differ: 60 " in told
    assert "t49" in told
    assert "t50" not in told
    assert "… and 10 more; --all shows all" in told
    assert "(no difference): 1\n≈ VIEW s.v: 18 prints it so\n" in told
    print_objects(differences, ("left", "right"), everything=True)
    assert "t59" in capsys.readouterr().out


def test_json_has_the_keys_that_are_promised(json_text: str) -> None:
    said = json.loads(json_text)
    assert list(said) == [
        *("verdict", "left", "right", "compared", "skipped", "unmodelled", "objects", "tables", "rows", "row_counts"),
        *("summary", "dangling", "sequences", "looked_at"),
    ]  # fmt: skip
    assert said["verdict"] == "different"
    assert {tuple(entry) for entry in said["objects"]} == {("kind", "schema", "name", "parent", "status", "changes", "reason", "hint")}
    assert {tuple(c) for entry in said["objects"] for c in entry["changes"]} == {("attribute", "left", "right")}
    assert {entry["status"] for entry in said["objects"]} == {"only_left", "only_right", "changed"}
    assert {tuple(entry) for entry in said["tables"]} == {("schema", "name", "status", "rows_left", "rows_right", "reason", "method")}
    assert {tuple(entry) for entry in said["rows"]["public.t"]} == {("status", "key", "columns")}
    assert {entry["hint"] for entry in said["objects"]} >= {"looks renamed to new_name", "looks renamed from old_name"}


def test_0_is_the_same(dumps: tuple[str, str], pgaudit: Run) -> None:
    done = pgaudit("diff", dumps[0], dumps[0])
    assert (done.returncode, done.stdout.splitlines()[-1][:6]) == (0, "= same")


def test_1_is_different(dumps: tuple[str, str], pgaudit: Run) -> None:
    assert pgaudit("diff", *dumps, "--schema-only").returncode == 1


def test_2_is_wrong_usage(dumps: tuple[str, str], pgaudit: Run) -> None:
    done = pgaudit("diff", *dumps, "--schema-only", "--data-only")
    assert done.returncode == 2
    assert done.stderr.startswith("pgaudit: schema only and data only leave nothing to compare")


def test_3_is_something_that_could_not_be_compared(dumps: tuple[str, str], pgaudit: Run) -> None:
    assert pgaudit("diff", dumps[0], "postgresql://127.0.0.1:1/nowhere").returncode == 3


def test_130_is_interrupted(dumps: tuple[str, str]) -> None:
    script = (
        "import signal, sys\nimport pgaudit_kit.difference.diff as d\n"
        "d.compare_inventories = lambda *_, **__: signal.raise_signal(signal.SIGINT)\n"
        f"sys.argv = {['pgaudit', 'diff', *dumps]!r}\nfrom pgaudit_kit.cli.app import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.startswith("pgaudit: interrupted")


def test_a_snapshot_of_the_schema_alone_says_of_every_table_that_its_rows_were_not_recorded(
    make_database: Callable[..., str], pgaudit: Run, tmp_path: Path
) -> None:
    url = make_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(BEFORE.encode())
    assert pgaudit("snapshot", "env:APP", "-o", "app.json", "--schema-only", APP=url).returncode == 0
    assert pgaudit("diff", "app.json", "env:APP", "--schema-only", APP=url).returncode == 0
    done = pgaudit("diff", str(tmp_path / "app.json"), "env:APP", "--json", APP=url)
    assert done.returncode == 3
    said = json.loads(done.stdout)
    assert said["verdict"] == "not_checked"
    assert {t["status"] for t in said["tables"]} == {"not_checked"}
    assert all("its rows were not recorded" in t["reason"] for t in said["tables"])
