r"""A plain dump that somebody has tampered with: no command for psql is ever carried out, whatever this machine's psql knows."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.errors import ProgramFailed, RestoreFailed, UnsupportedDump
from pgaudit_kit.operations.programs.client_programs import Program, find_program, psql_argv
from pgaudit_kit.operations.programs.run_program import RunningProgram
from pgaudit_kit.operations.restores.feed_psql import feed_locked
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Outcome
from tests.conftest import missing
from tests.dumps.test_safe_script import TRICKS
from tests.postgres_versions import installation

ServerOf = Callable[[int], EmbeddedServer]
APP = "CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 50) n;"
# What the reader takes for a literal, and psql, once the server has told it that backslashes escape, for a command
FOOLS_THE_READER = """
DO $$ BEGIN PERFORM set_config('standard_conforming_strings', 'off', false); END $$;
SELECT 'a\\', '
\\! touch MARK
';
"""


def fresh(running: EmbeddedServer, name: str) -> str:
    """An empty database of that name."""
    with psycopg.connect(running.url(), autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))
        connection.execute(psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(psycopg.sql.Identifier(name)))
    return running.url(name)


def names_like(running: EmbeddedServer, name: str) -> list[str]:
    with psycopg.connect(running.url()) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name]).fetchall()
    return [found for (found,) in rows]


@pytest.fixture(params=[13, 15, 18])
def running(request: pytest.FixtureRequest, server_of: ServerOf, monkeypatch: pytest.MonkeyPatch) -> EmbeddedServer:
    """A server of that version, whose own programs come first; those of 13 know no lock."""
    found = server_of(request.param)
    monkeypatch.setenv("PGBIN", str(found.bin_folder))
    return found


@pytest.fixture
def script(running: EmbeddedServer, tmp_path: Path) -> bytes:
    """An honest dump of a small database."""
    url = fresh(running, "hostile")
    with psycopg.connect(url) as connection:
        connection.execute(APP)
    path = tmp_path / "honest.sql"
    installation(int(running.version.split(".")[0]), missing).dump(url, path, dump_format="plain")
    return path.read_bytes()


def test_each_trick_in_a_real_dump_is_refused_before_anything_is_touched(running: EmbeddedServer, script: bytes, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    url = running.url("hostile")
    place = script.index(b"--\n-- PostgreSQL database dump complete")
    for name, (text, _, _) in TRICKS.items():
        path = tmp_path / "hostile.sql"
        inserted = text.replace("MARK", str(mark)).encode()
        path.write_bytes(script[:place] + inserted + b"\n" + script[place:])
        try:
            done = restore(path, url, confirm=lambda _: pytest.fail("asked to replace a database by a hostile dump"))
        except RestoreFailed as refused:
            assert "nothing was touched" in refused.message, name  # noqa: PT017  which of both it is depends on the trick
        else:
            assert (done.verdict, done.replaced) == (Outcome.FAILED, False), name
        assert not mark.exists(), name
    assert names_like(running, "hostile") == ["hostile"]


def test_the_honest_dump_is_restored_by_a_psql_that_can_be_locked(running: EmbeddedServer, script: bytes, tmp_path: Path) -> None:
    path = tmp_path / "honest.sql"
    path.write_bytes(script)
    done = restore(path, running.url("hostile"), confirm=lambda _: True, keep=False)
    assert done.replaced, done.checks.to_string()
    assert "psql 13.16" not in done.programs[0]


def feed(psql: Program, url: str, script: str) -> None:
    database = url.rpartition("/")[2].partition("?")[0]
    host = url.partition("host=")[2].replace("%2F", "/")
    environment = {"PGHOST": host, "PGUSER": "postgres"}
    with RunningProgram(psql_argv(psql, database=database), environment, stdin=subprocess.PIPE) as fed:
        feed_locked(fed.stdin, io.BytesIO(script.encode()), resource="app.sql")
        fed.stdin.close()
        fed.wait()


@pytest.mark.parametrize("major", [15, 18])
def test_what_the_reader_does_not_see_psql_refuses(
    major: int, server_of: ServerOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "mark"
    running = server_of(major)
    url = fresh(running, "fooled")
    monkeypatch.setenv("PGBIN", str(running.bin_folder))
    psql = find_program("psql", restrict=True)
    hostile = FOOLS_THE_READER.replace("MARK", str(mark))
    with pytest.raises(ProgramFailed, match="backslash commands are restricted"):
        feed(psql, url, hostile)
    assert not mark.exists()
    # and it is psql's lock that did it: the same script, not locked, runs the command
    unlocked = subprocess.run([psql.path, "-X", "-d", url], input=hostile.encode(), capture_output=True, check=False)
    assert mark.exists(), unlocked.stderr


def test_a_file_that_changes_after_it_was_checked_is_refused_while_it_is_fed(server_of: ServerOf, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    running = server_of(18)
    url = fresh(running, "changed")
    psql = find_program("psql", restrict=True)
    with pytest.raises(UnsupportedDump, match="line 2: a command for psql"):
        feed(psql, url, f"CREATE TABLE t (a int);\n\\! touch {mark}\nSELECT 1;\n")
    assert not mark.exists()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('t')").fetchone() == (None,)
