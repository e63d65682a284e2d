"""`verify` explains its checks, takes the settings of the project, and what stands on the command line wins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.records.evidence import Evidence
from pgaudit_kit.records.questions.registry import explain
from tests.cli.conftest import Run

DUMP = """--
-- PostgreSQL database dump
--

-- Started on 2020-01-31 12:00:00 UTC

--
-- Name: users; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.users (id integer);

--
-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.users (id) FROM stdin;
1
\\.

--
-- PostgreSQL database dump complete
--
"""


def _outcomes(printed: str) -> dict[str, str]:
    return {c["id"]: c["outcome"] for c in json.loads(printed)["checks"]}


def test_a_check_is_explained_as_text_and_as_json(pgaudit: Run) -> None:
    done = pgaudit("verify", "--explain", "dump.age")
    assert (done.returncode, done.stdout.strip()) == (0, str(explain("dump.age")))
    assert json.loads(pgaudit("verify", "--explain", "dump.age", "--json").stdout)["sentence"] == "Is it young enough?"
    wrong = pgaudit("verify", "--explain", "dump.ages")
    assert wrong.returncode == 2
    assert "Did you mean dump.age" in wrong.stderr


def test_the_settings_of_the_project_are_asked_and_options_win(pgaudit: Run, dump: str, tmp_path: Path) -> None:
    assert set(_outcomes(pgaudit("verify", dump, "--json").stdout)) == {"dump.complete", "dump.rows_readable"}
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pgaudit]\nrpo = "24h"\nrequired_tables = ["orders"]\nsmallest_size = "10B"', encoding="utf-8"
    )
    done = pgaudit("verify", dump, "--json")
    found = _outcomes(done.stdout)
    assert (found["dump.age"], found["tables.required"], found["dump.size"], done.returncode) == ("failed", "failed", "passed", 1)
    done = pgaudit("verify", dump, "--json", "--rpo", "5000w", "--require", "users")
    assert set(_outcomes(done.stdout).values()) == {"passed"}, done.stdout
    assert pgaudit("verify", dump, "--config", "none").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rpo", "24"], "'24' is no span of time"),
        (["--config", "there.toml"], "No such file"),
        (["--all", "--rpo", "1h"], "--all verifies a store"),
        (["postgresql://nobody@localhost/none", "--rpo", "1h"], "--rpo is asked of a backup"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(pgaudit: Run, dump: str, arguments: list[str], said: str) -> None:
    given = arguments if "--all" in arguments or "://" in arguments[0] else [dump, *arguments]
    done = pgaudit("verify", *given)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_wrong_setting_stops_every_command_that_would_use_it(pgaudit: Run, dump: str, tmp_path: Path) -> None:
    (tmp_path / "pgaudit.toml").write_text('rtoo = "1h"', encoding="utf-8")
    for command in (["verify", dump], ["list"], ["prune"], ["backup", "env:NOWHERE"], ["rehearse", dump], ["restore", dump, "env:NOWHERE"]):
        done = pgaudit(*command)
        assert (done.returncode, "Did you mean rto?" in done.stderr) == (2, True), (command, done.stderr)


def test_backup_list_prune_and_rehearse_take_the_settings(pgaudit: Run, make_database: Callable[..., str], tmp_path: Path) -> None:
    url = make_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE users (id int); INSERT INTO users SELECT generate_series(1, 10)")
    settings = tmp_path / "pgaudit.toml"
    settings.write_text('store = "kept"\nrequired_tables = ["orders"]\nrpo = "1h"\nrto = "1s"\nkeep = { last = 1 }', encoding="utf-8")
    done = pgaudit("backup", "env:APP", "--json", APP=url)
    assert done.returncode == 1, "it lacks a required table, and is kept all the same"
    assert "missing: orders" in done.stdout
    (file,) = (tmp_path / "kept").glob("*.dump")
    settings.write_text(settings.read_text(encoding="utf-8").replace('"orders"', '"users"'), encoding="utf-8")
    assert pgaudit("backup", "env:APP", APP=url).returncode == 0
    metrics = pgaudit("list", "--metrics").stdout
    assert 'pgaudit_rpo_seconds{store="' in metrics
    assert "pgaudit_rto_seconds" in metrics
    assert pgaudit("prune", "--yes").returncode == 0
    (newest,) = (tmp_path / "kept").glob("*.dump")
    assert newest != file
    rehearsed = pgaudit("rehearse", str(newest), "--rto", "1h", "--json")
    assert (rehearsed.returncode, _outcomes(rehearsed.stdout)["restore.duration"]) == (0, "passed"), rehearsed.stdout
    evidence = Evidence.from_json(newest.with_suffix(".rehearsed.json").read_text(encoding="utf-8"), label="evidence")
    assert "restore.duration" not in {c["id"] for c in evidence.checks}, "a slow machine says nothing of the backup"
    assert _outcomes(pgaudit("verify", str(newest), "--rto", "1h", "--json").stdout)["restore.duration"] == "passed"
