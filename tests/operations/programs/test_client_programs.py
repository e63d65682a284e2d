from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.errors import ProgramFailed, ProgramNotFound
from pgaudit_kit.operations.programs import client_programs
from pgaudit_kit.operations.programs.client_programs import (
    Program,
    choose,
    database_argument,
    find_program,
    pg_restore_argv,
    psql_argv,
)
from pgaudit_kit.operations.programs.run_program import RunningProgram, run_program
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

PG_DUMP = Program(Path("/usr/bin/pg_dump"), "18.6", "PATH")


def program(version: str, origin: str = "system") -> Program:
    return Program(Path(f"/{origin}/{version}/pg_dump"), version, origin)


@pytest.mark.parametrize(
    ("found", "at_least", "expected"),
    [
        (["14.9", "15.3", "17.1"], 15, "15.3"),  # the server's own major
        (["14.9", "16.2", "17.1"], 15, "16.2"),  # else the nearest newer one
        (["14.9"], 15, None),  # never an older one
        (["14.9", "17.1"], None, "17.1"),  # no bound: the newest
    ],
)
def test_the_nearest_fitting_version_is_chosen(found: list[str], at_least: int | None, expected: str | None) -> None:
    chosen = choose([program(v) for v in found], at_least=at_least, near=None)
    assert (chosen.version if chosen else None) == expected


def test_the_wheels_program_is_the_last_resort_and_pgbin_the_first() -> None:
    wheel, system, wished = program("15.1", "wheel"), program("17.1"), program("18.2", "PGBIN")
    assert choose([wheel, system], at_least=15, near=None) == system
    assert choose([wheel], at_least=15, near=None) == wheel
    assert choose([wheel, system, wished], at_least=15, near=None) == wished
    assert choose([system, program("14.1", "PGBIN")], at_least=15, near=None) == system


def test_a_program_of_a_fitting_version_is_found_on_this_machine(server: EmbeddedServer) -> None:
    found = find_program("pg_dump", at_least=int(server.version.split(".")[0]))
    assert found.major >= 18
    assert found.path.is_file()


def test_without_a_fitting_program_the_error_names_the_versions_found() -> None:
    with pytest.raises(ProgramNotFound, match=r"no pg_dump of version 99 or newer on this machine; found: .*\d+\.\d+ \(wheel\)"):
        find_program("pg_dump", at_least=99)


def test_a_program_that_does_not_run_counts_as_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "pg_dump"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PGBIN", str(tmp_path))
    assert find_program("pg_dump", at_least=10).origin != "PGBIN"


def test_a_pgbin_without_the_program_is_an_error_and_not_a_silent_choice_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGBIN", str(tmp_path))
    with pytest.raises(ProgramNotFound, match="no pg_dump in it"):
        find_program("pg_dump", at_least=10)


def test_a_program_named_by_pgbin_is_taken(monkeypatch: pytest.MonkeyPatch, server: EmbeddedServer) -> None:
    monkeypatch.setenv("PGBIN", str(server.bin_folder))
    assert find_program("psql", at_least=10).origin == "PGBIN"


def test_the_psql_that_is_needed_for_restrict_is_recognised() -> None:
    assert [program(v).knows_restrict for v in ("15.13", "15.14", "17.5", "17.6", "18.0", "12.22", "18beta1".replace("beta1", ""))] == [
        False,
        True,
        False,
        True,
        True,
        False,
        True,
    ]


def test_restores_are_all_or_nothing_and_ask_for_no_password() -> None:
    restore = pg_restore_argv(PG_DUMP, archive=Path("/x.dump"), database="app")
    assert {"--single-transaction", "--exit-on-error", "--no-password"} <= set(restore)
    script = psql_argv(PG_DUMP, database="app")
    assert {"--no-psqlrc", "--set=ON_ERROR_STOP=1", "--single-transaction", "--no-password"} <= set(script)


@pytest.mark.parametrize("name", ["a=b", "postgresql://u@h/d", "it's", "back\\slash", "two words", "ünï", "-rf"])
def test_a_strange_database_name_reaches_that_very_database(name: str, server: EmbeddedServer) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        try:
            psql = find_program("psql")
            done = subprocess.run(
                [str(psql.path), "-X", "-At", "-c", "SELECT current_database()", database_argument(name)],
                env={"PGHOST": str(server.data_folder.parent), "PGUSER": "postgres"},
                capture_output=True,
                text=True,
                check=True,
            )
            assert done.stdout == f"{name}\n"
        finally:
            connection.execute(psycopg.sql.SQL("DROP DATABASE {}").format(psycopg.sql.Identifier(name)))


def test_the_last_words_of_a_failing_program_are_told_without_its_secrets() -> None:
    script = "import os, sys; print('FATAL: wrong ' + os.environ['PGPASSWORD'], file=sys.stderr); sys.exit(2)"
    with pytest.raises(ProgramFailed, match="exit status 2: FATAL: wrong •••") as caught:
        run_program([sys.executable, "-c", script], {"PGPASSWORD": "hunter2-very-secret"})
    assert "hunter2" not in str(caught.value)


def test_what_shapes_text_does_not_reach_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGTZ", "PGDATESTYLE", "PGCLIENTENCODING"):
        monkeypatch.setenv(name, "surprise")
    script = "import os, sys; sys.exit(' '.join(k for k, v in os.environ.items() if v == 'surprise') or None)"
    run_program([sys.executable, "-c", script], {})


def test_leaving_early_ends_the_program() -> None:
    with contextlib.suppress(KeyboardInterrupt), RunningProgram([sys.executable, "-c", "import time; time.sleep(600)"], {}) as running:
        assert Path(f"/proc/{running.pid}").exists()
        raise KeyboardInterrupt
    assert not Path(f"/proc/{running.pid}").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
def test_a_program_ends_with_a_killed_parent() -> None:
    script = """
import sys, time
from pgaudit_kit.operations.programs.run_program import RunningProgram
with RunningProgram([sys.executable, "-c", "import time; time.sleep(600)"], {}) as running:
    time.sleep(0.5)
    print(running.pid, flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 120
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_usual_folders_are_absolute_on_every_system() -> None:
    for folders in client_programs._USUAL_FOLDERS.values():
        assert all(f.startswith("/") or f[1:3] == ":/" for f in folders)
