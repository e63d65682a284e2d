"""What is asked of all commands alike: exit codes as documented, --quiet, --json, --output, colour, examples, completion.

A command that is new has no runs here yet: the first test names it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

import pgaudit_kit as pk
from pgaudit_kit.cli.app import app, main
from pgaudit_kit.demo.sample_app import MIGRATIONS, create_sample_app
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

PROJECT = Path(__file__).resolve().parent.parent.parent
COMMANDS = sorted(command.callback.__name__ for command in app.registered_commands if command.callback)
NEEDS_A_RUN_OF_ITS_OWN = {"demo": "tests/demo/test_run.py"}
UNREACHABLE = "postgresql://me:pw-of-mine@127.0.0.1:1/app"

# Command lines by exit code, in a folder as the fixture `place` makes it.
RUNS: dict[int, list[str]] = {
    0: [
        "backup env:APP --store fresh",
        "verify app.dump",
        "diff app.dump env:APP",
        "inspect app.dump",
        "query app.dump 'SELECT count(*) FROM users'",
        f"migrations app.dump --folder {shlex.quote(str(MIGRATIONS))}",
        "extract app.dump users --csv users.csv",
        "rescue app.dump env:APP messages -o rescue.sql",
        "rehearse app.dump --no-evidence",
        "restore app.dump env:REPLACED --yes",
        "rollback env:REPLACED --yes",
        "snapshot env:APP -o app.json",
        "list --store .",
        "prune --store . --keep-last 1 --dry-run",
        "report verify -p dump=app.dump",
    ],
    1: [
        "backup env:APP --store fresh -t no_such_table",
        "verify app.dump --require no_such_table",
        "diff app.dump env:CHANGED",
        "migrations app.dump --folder edited",
        "rehearse bad.sql --no-evidence",
        "restore bad.sql env:REPLACED --yes",
        "report verify -p dump=other.dump",
    ],
    2: [
        "backup env:NOT_SET",
        "verify nowhere.dump",
        "diff nowhere.dump env:APP",
        "inspect nowhere.dump",
        "query app.dump 'SELECT FROM WHERE'",
        "migrations nowhere.dump",
        "extract app.dump users --csv app.dump",
        "rescue app.dump env:APP messages --apply",
        "rehearse nowhere.dump",
        "restore app.dump env:REPLACED",
        "rollback env:REPLACED",
        "snapshot env:NOT_SET -o not.json",
        "list --store nowhere",
        "prune --store .",
        "report verify -p dumb=app.dump",
    ],
    3: [
        "backup env:UNREACHABLE --store fresh",
        "verify --all --store empty",
        "diff app.dump env:UNREACHABLE",
        "inspect cut.dump",
        "query env:UNREACHABLE 'SELECT 1 FROM t'",
        "migrations bad.sql",
        "extract app.dump no_such_table --csv no.csv",
        "rescue app.dump env:UNREACHABLE messages",
        "rehearse lacks.sql --no-evidence",
        "restore app.dump env:UNREACHABLE --yes",
        "rollback env:APP --yes",
        "snapshot env:UNREACHABLE -o not.json",
        "list --store http://127.0.0.1:1/backups",
        "prune --store http://127.0.0.1:1/backups --keep-last 1",
        "report incident -p dump=app.dump -p target=env:UNREACHABLE",
    ],
}
ALL_RUNS = [pytest.param(code, line, id=f"{code}-{line.split()[0]}") for code, lines in RUNS.items() for line in lines]
BAD = "CREATE TABLE public.t (id integer);\nCOPY public.t (id) FROM stdin;\n1\n1\n\\.\nALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);\n"


def _line_of(command: str, code: int = 0) -> str:
    return next(line for line in RUNS[code] if line.split()[0] == command)


@pytest.fixture(scope="module")
def place(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a whole backup, damaged and other ones, and a database for each thing that may happen to one."""
    folder = tmp_path_factory.mktemp("commands")
    names = {"APP": "every_command", "CHANGED": "every_command_changed", "REPLACED": "every_command_replaced"}
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE every_command TEMPLATE template0")
        create_sample_app(server.url("every_command"), scale=0)
        for name in list(names.values())[1:]:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE every_command").format(psycopg.sql.Identifier(name)))
    made = pk.backup(server.url("every_command"), store=folder)
    other = pk.backup(server.url("every_command_changed"), store=folder, schema_only=True) if False else made
    for suffix in (".dump", ".manifest.json"):
        shutil.move(folder / f"{made.path.stem}{suffix}", folder / f"app{suffix}")
    del other
    _damage(folder)
    with psycopg.connect(server.url("every_command_changed"), autocommit=True) as connection:
        connection.execute("UPDATE users SET email = email || '!' WHERE id = 1")
    with pytest.MonkeyPatch.context() as patch:
        for variable, name in names.items():
            patch.setenv(variable, server.url(name))
        patch.setenv("UNREACHABLE", UNREACHABLE)
        patch.setenv("COLUMNS", "200")
        yield folder
    with psycopg.connect(server.url(), autocommit=True) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, 'every_command')").fetchall()
        for (name,) in found:
            connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))
