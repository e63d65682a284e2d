"""A rehearsal on a server that is there: beside its databases, gone at the end, never on the server that the backup came from."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.errors import OperationError, UsageError
from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.rehearsals.rehearse import rehearse
from pgaudit_kit.operations.rehearsals.target_place import check_origin
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Outcome
from pgaudit_kit.server.targets import resolve_target

MakeApp = Callable[..., str]
Databases = Callable[[str], list[str]]


def dumped(server: EmbeddedServer, url: str, path: Path, *arguments: str) -> Path:
    subprocess.run([server.bin_folder / "pg_dump", *arguments, "-f", str(path), "-d", url], check=True)
    return path


def test_the_database_is_dropped_at_the_end_whatever_happens(
    make_app: MakeApp, server: EmbeddedServer, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = dumped(server, make_app("guest"), tmp_path / "app.dump", "-Fc")
    found = rehearse(path, server.url("guest"), allow_same_server=True)
    assert found.verdict is Outcome.PASSED
    assert databases("guest") == ["guest"]

    def interrupted(*_: object, **__: object) -> None:
        assert len(databases("guest__rehearsal_")) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr("pgaudit_kit.operations.rehearsals.comparing.prove", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rehearse(path, server.url("guest"), allow_same_server=True)
    assert databases("guest") == ["guest"]


def test_what_only_looks_like_ours_or_is_in_use_is_left_alone(
    make_app: MakeApp, server: EmbeddedServer, databases: Databases, tmp_path: Path
) -> None:
    path = dumped(server, make_app("careful"), tmp_path / "app.dump", "-Fc")
    make_app("careful__rehearsal_20260101T000000Z")  # with tables, and without our comment
    with psycopg.connect(server.url(), autocommit=True) as running:  # another rehearsal holds the lock of its database
        running.execute('CREATE DATABASE "careful__rehearsal_20260102T000000Z" TEMPLATE template0')
        running.execute("SELECT pg_advisory_lock(hashtextextended('careful__rehearsal_20260102T000000Z', 0))")
        running.execute('CREATE DATABASE "careful__rehearsal_20260103T000000Z" TEMPLATE template0')  # killed before it had its comment
        assert rehearse(path, server.url("careful"), allow_same_server=True).verdict is Outcome.PASSED
    assert databases("careful__") == ["careful__rehearsal_20260101T000000Z", "careful__rehearsal_20260102T000000Z"]


def test_two_at_once_have_a_database_each(make_app: MakeApp, server: EmbeddedServer, databases: Databases, tmp_path: Path) -> None:
    path = dumped(server, make_app("pair"), tmp_path / "app.dump", "-Fc")
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: rehearse(path, server.url("pair"), allow_same_server=True), range(3)))
    assert [f.verdict for f in found] == [Outcome.PASSED] * 3
    assert databases("pair") == ["pair"]


def test_the_server_that_the_backup_came_from_is_refused(
    make_app: MakeApp, server: EmbeddedServer, databases: Databases, tmp_path: Path
) -> None:
    url = make_app("origin")
    made = backup(url, store=tmp_path)
    with pytest.raises(UsageError, match="allow-same-server"):
        rehearse(made, url)
    bare = dumped(server, url, tmp_path / "bare.dump", "-Fc")
    with pytest.raises(UsageError, match="has a database 'origin'"):
        rehearse(bare, server.url())
    assert databases("origin") == ["origin"]


def test_another_server_is_not_refused() -> None:
    target = resolve_target("postgresql://rehearsals.example:5433/scratch")
    check_origin(target, "db.example:5432/app", ["scratch"], "app", allowed=False)
    check_origin(target, None, ["scratch"], "app", allowed=False)
    for recorded in ("rehearsals.example:5433/app", "env:DATABASE_URL (rehearsals.example:5433/app)"):
        with pytest.raises(UsageError):
            check_origin(target, recorded, [], "app", allowed=False)
    with pytest.raises(UsageError, match="does not say where it comes from"):
        check_origin(target, None, [], None, allowed=False)
    with pytest.raises(UsageError, match="on that server"):  # 5432 is what is meant where no port is said
        check_origin(resolve_target("postgresql://db.example/x"), "db.example:5432/app", [], "app", allowed=False)


def test_an_older_server_is_no_place_for_a_newer_dump(
    make_app: MakeApp, server: EmbeddedServer, server_of: Callable[[int], EmbeddedServer], tmp_path: Path
) -> None:
    path = dumped(server, make_app("newer"), tmp_path / "app.dump", "-Fc")
    found = rehearse(path, server_of(15).url(), allow_same_server=True)
    assert found.verdict is Outcome.NOT_CHECKED
    assert found.check_list[-1].id == "rehearsal.server"
    assert found.check_list[-1].expected == "PostgreSQL 18 or newer"


@pytest.mark.parametrize("major", [13, 15, 16])
def test_a_dump_of_an_older_server_by_a_newer_pg_dump_restores_there(
    major: int, server: EmbeddedServer, server_of: Callable[[int], EmbeddedServer], tmp_path: Path
) -> None:
    """pg_restore 18 sets transaction_timeout, which no server before 17 knows."""
    older = server_of(major)
    with psycopg.connect(older.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE older TEMPLATE template0")
    try:
        with psycopg.connect(older.url("older")) as connection:
            connection.execute("CREATE TABLE t AS SELECT n FROM generate_series(1, 100) n; CREATE INDEX ON t (n)")
        for how in ("-Fc", "-Fp"):
            path = dumped(server, older.url("older"), tmp_path / how, how)
            found = rehearse(path, older.url(), allow_same_server=True)
            assert found.verdict is Outcome.PASSED, found.checks.to_string()
            assert "the server does not know: transaction_timeout" in next(c.found for c in found.check_list if c.id == "rehearsal.load")
    finally:
        with psycopg.connect(older.url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE older")


def _started(path: Path, *options: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    code = "import sys; from pgaudit_kit.cli.app import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "rehearse", str(path), *options],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_what_a_killed_rehearsal_left_on_a_server_the_next_one_drops(
    make_app: MakeApp, server: EmbeddedServer, databases: Databases, tmp_path: Path
) -> None:
    path = dumped(server, make_app("doomed"), tmp_path / "app.dump", "-Fc")
    options = ("--server", server.url("doomed"), "--allow-same-server")
    killed = _started(path, *options, environment={})
    deadline = time.monotonic() + 60
    while not databases("doomed__rehearsal_") and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert rehearse(path, server.url("doomed"), allow_same_server=True).verdict is Outcome.PASSED
    assert databases("doomed") == ["doomed"]


@pytest.mark.skipif(sys.platform != "linux", reason="a server ends with its process there")
def test_a_killed_rehearsal_takes_its_server_along_and_the_next_one_clears_up(
    make_app: MakeApp, server: EmbeddedServer, tmp_path: Path
) -> None:
    path = dumped(server, make_app("shot"), tmp_path / "app.dump", "-Fc")
    base = Path("/tmp") / f"pg-rehearsals-{os.getpid()}"
    base.mkdir(mode=0o755)
    try:
        for seconds in (1.0, 2.0, 3.5, 5.0):
            killed = _started(path, "--server", "embedded", environment={"TMPDIR": str(base)})
            time.sleep(seconds)
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            assert _gone(base), "its server ended with it"
        last = _started(path, "--server", "embedded", environment={"TMPDIR": str(base)})
        assert last.wait(120) == 0
        assert [f.name for f in base.iterdir()] == []
    finally:
        subprocess.run(["rm", "-rf", str(base)], check=True)


def _gone(base: Path, seconds: float = 120) -> bool:
    """Whether nobody holds the lock of a folder in *base* any more, within *seconds*: not even a process that is just ending."""
    deadline = time.monotonic() + seconds
    while any(not _is_free(lock) for lock in base.glob("*/owner.lock")):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _is_free(lock: Path) -> bool:
    try:
        with lock.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True


@pytest.mark.parametrize("how", ["-Fc", "-Fp"])
def test_a_session_that_was_ended_says_nothing_of_the_dump(make_app: MakeApp, server: EmbeddedServer, tmp_path: Path, how: str) -> None:
    ends = "BEGIN IF $1 > 0 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN $1; END"
    url = make_app(
        "ended",
        "CREATE TABLE t (id int); CREATE FUNCTION ends(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';"
        "CREATE INDEX ON t (ends(id)); INSERT INTO t VALUES (1);"
        f"CREATE OR REPLACE FUNCTION ends(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS '{ends}'",
    )
    path = dumped(server, url, tmp_path / "app", how)
    with pytest.raises(OperationError, match="the server went away"):
        rehearse(path, url, allow_same_server=True)
