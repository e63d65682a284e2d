"""Restores that are disturbed: sessions that come back, backends that are ended, two at once, failures of every kind."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.errors import LoadFailed, RestoreFailed, UsageError
from pgaudit_kit.operations.backups.backup import Backup, backup
from pgaudit_kit.operations.restores.benign_entries import RoomInScript
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.operations.restores.restore_lock import check_lock_held, restore_lock
from pgaudit_kit.operations.restores.restored import Replacement
from pgaudit_kit.operations.restores.retention import drop_kept, list_kept
from pgaudit_kit.operations.restores.rollback import rollback
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Outcome
from pgaudit_kit.server.targets import resolve_target
from tests.conftest import missing
from tests.postgres_versions import installation

MakeApp = Callable[..., str]
Ask = Callable[[str, str], object]
Databases = Callable[[str], list[str]]
ServerOf = Callable[[int], EmbeddedServer]
TABLE = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 200)"
# an index that takes its time for sessions that are SLOWLY, so that there is a middle of the load
SLOWLY = "-c tests.slowly=on"
SLOW = """
CREATE FUNCTION slow(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
$$ BEGIN IF current_setting('tests.slowly', true) = 'on' THEN PERFORM pg_sleep(0.02); END IF; RETURN n; END $$;
CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 200); CREATE INDEX ON t (slow(id));
"""


def yes(_: Replacement) -> bool:
    return True


def never(_: Replacement) -> bool:
    pytest.fail("asked to replace a database that must not be touched")


@contextlib.contextmanager
def ending(url: str, condition: str) -> Iterator[list[int]]:
    """End the first backend for which *condition* holds, from another session; give what was ended."""
    ended: list[int] = []
    done = threading.Event()

    def watch() -> None:
        query = f"SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND {condition}"
        with psycopg.connect(url, autocommit=True) as connection:
            while not done.is_set() and not ended:
                for (pid,) in connection.execute(query.encode()).fetchall():
                    connection.execute("SELECT pg_terminate_backend(%s)", [pid])
                    ended.append(pid)
                time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield ended
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("dump_format", ["custom", "plain"])
def test_a_backend_that_is_ended_in_the_middle_of_the_load_leaves_all_as_it_was(
    jobs: int,
    dump_format: str,
    make_app: MakeApp,
    store: Path,
    databases: Databases,
    ask: Ask,
    server: EmbeddedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = make_app("shot", SLOW)
    made = backup(url, store=store, format=dump_format)
    ask(url, "WITH gone AS (DELETE FROM t RETURNING 1) SELECT count(*) FROM gone")
    condition = "datname LIKE 'shot\\_\\_restore%' AND query LIKE 'CREATE INDEX%'"
    monkeypatch.setenv("PGOPTIONS", SLOWLY)
    with ending(server.url(), condition) as ended, pytest.raises(RestoreFailed, match="'shot' is as it was") as failed:
        restore(made, url, confirm=never, jobs=jobs)
    monkeypatch.delenv("PGOPTIONS")
    assert ended
    assert (failed.value.party, failed.value.exit_code) == ("interrupted", 3), failed.value
    assert databases("shot") == ["shot"]
    assert ask(url, "SELECT count(*) FROM t") == 0
    assert restore(made, url, confirm=yes, jobs=jobs).replaced
    assert ask(url, "SELECT count(*) FROM t") == 200


def test_a_backend_that_is_ended_in_the_middle_of_the_swap_leaves_all_as_it_was(
    make_app: MakeApp, store: Path, databases: Databases, ask: Ask, server: EmbeddedServer
) -> None:
    url = make_app("cut", TABLE)
    made = backup(url, store=store)
    ask(url, "WITH gone AS (DELETE FROM t RETURNING 1) SELECT count(*) FROM gone")
    before = ask(url, "SELECT oid FROM pg_database WHERE datname = 'cut'")
    with contextlib.ExitStack() as client:

        def confirm(_: Replacement) -> bool:
            client.enter_context(psycopg.connect(url)).execute("SELECT 1")  # so that the rename has to wait
            return True

        renaming = "query LIKE 'ALTER DATABASE %RENAME%' AND state = 'active'"
        with ending(server.url(), renaming) as ended, pytest.raises(RestoreFailed, match="'cut' is as it was"):
            restore(made, url, confirm=confirm)
        assert ended
    assert databases("cut") == ["cut"]
    assert ask(url, "SELECT oid FROM pg_database WHERE datname = 'cut'") == before
    with psycopg.connect(url) as connection:  # nobody is kept out
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_an_application_that_connects_again_and_again_cannot_slip_in(
    make_app: MakeApp, store: Path, ask: Ask, server: EmbeddedServer
) -> None:
    url = make_app("busy", TABLE)
    made = backup(url, store=store)
    ask(url, "WITH gone AS (DELETE FROM t RETURNING 1) SELECT count(*) FROM gone")
    done = threading.Event()
    seen: list[int] = []

    def application() -> None:
        while not done.is_set():
            with contextlib.suppress(psycopg.Error), psycopg.connect(url, autocommit=True) as connection:
                for _ in range(50):
                    row = connection.execute("SELECT count(*) FROM t").fetchone()
                    seen.append(row[0] if row else -1)

    threads = [threading.Thread(target=application) for _ in range(3)]
    for thread in threads:
        thread.start()

    def wait_for(what: list[int]) -> None:
        deadline = time.monotonic() + 120
        while seen[-len(what) :] != what:
            assert time.monotonic() < deadline, seen[-len(what) :]
            time.sleep(0.01)

    try:
        wait_for([0])
        restored = restore(made, url, confirm=yes, force=True)
        wait_for([200] * 10)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert restored.replaced
    assert set(seen) == {0, 200}  # the old one or the new one, nothing between
    assert seen[-1] == 200


def test_a_monitor_that_looks_into_every_database_does_not_stop_the_exchange(
    make_app: MakeApp, store: Path, server: EmbeddedServer
) -> None:
    url = make_app("watched", TABLE)
    with contextlib.ExitStack() as monitor:

        def confirm(asked: Replacement) -> bool:
            monitor.enter_context(contextlib.closing(psycopg.connect(server.url(asked.incoming)))).execute("SELECT 1")
            return True

        assert restore(backup(url, store=store), url, confirm=confirm).replaced


def test_a_lock_on_the_live_database_ends_the_restore_and_not_the_application(
    make_app: MakeApp, store: Path, databases: Databases, server: EmbeddedServer, ask: Ask
) -> None:
    url = make_app("locked", TABLE)
    made = backup(url, store=store)
    with contextlib.ExitStack() as other:

        def confirm(_: Replacement) -> bool:
            holder = other.enter_context(psycopg.connect(server.url()))
            holder.execute("COMMENT ON DATABASE locked IS 'in an open transaction'")
            return True

        with pytest.raises(RestoreFailed, match="others hold the lock of 'locked'") as refused:
            restore(made, url, confirm=confirm)
        assert "'locked' is as it was" in refused.value.message
    assert databases("locked") == ["locked"]
    assert ask(url, "SELECT count(*) FROM t") == 200


def test_two_restores_of_one_database_do_not_meet(make_app: MakeApp, store: Path, databases: Databases) -> None:
    url = make_app("contested", TABLE)
    made = backup(url, store=store)

    def confirm(_: Replacement) -> bool:
        for another in (lambda: restore(made, url, confirm=never), lambda: rollback(url, confirm=never)):
            with pytest.raises(RestoreFailed, match=r"being restored or rolled back already by postgres from local \(pid \d+\)"):
                another()
        assert len(databases("contested__restore_")) == 1  # that of the first is not taken for a leftover
        return True

    assert restore(made, url, confirm=confirm).verdict is Outcome.PASSED
    assert rollback(url, confirm=yes).kept


def test_the_lock_of_one_that_is_just_ending_is_waited_for(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    target = resolve_target(make_app("ending", TABLE))
    with contextlib.ExitStack() as ending:
        ending.enter_context(restore_lock(target))
        monkeypatch.setattr("pgaudit_kit.operations.restores.restore_lock.time.sleep", lambda _: ending.close())
        with restore_lock(target) as connection:
            check_lock_held(target, connection)


def test_a_restore_whose_lock_was_ended_does_not_swap(make_app: MakeApp, store: Path, databases: Databases, server: EmbeddedServer) -> None:
    url = make_app("unlocked", TABLE)

    def confirm(_: Replacement) -> bool:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            ends = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            assert connection.execute(ends).fetchall()
        return True

    with pytest.raises(RestoreFailed, match="kept other restores away was ended; 'unlocked' is as it was"):
        restore(backup(url, store=store), url, confirm=confirm)
    assert databases("unlocked") == ["unlocked"]


@pytest.mark.parametrize("dump_format", ["custom", "plain"])
def test_the_schema_public_that_a_dump_brings_is_benign(
    dump_format: str, make_app: MakeApp, server: EmbeddedServer, tmp_path: Path
) -> None:
    url = make_app("publicly", TABLE)
    path = tmp_path / "public.dump"
    installation(18, missing).run("pg_dump", f"--format={dump_format}", "--schema=public", f"--file={path}", f"--dbname={url}")
    done = restore(path, url, confirm=yes)
    assert done.verdict is Outcome.PASSED, done.checks.to_string()
    assert done.benign == (("SCHEMA public",) if dump_format == "plain" else ())


@pytest.mark.parametrize("dump_format", ["custom", "plain"])
def test_a_comment_on_plpgsql_that_only_a_superuser_may_set_is_benign(
    dump_format: str, make_app: MakeApp, store: Path, tmp_path: Path, server: EmbeddedServer, ask: Ask
) -> None:
    url = make_app("spoken", TABLE)
    own = url.replace("postgres@", "speaker_1@")
    with psycopg.connect(url, autocommit=True) as connection:  # made anew, it is dumped as pg_dump before 11 dumped it always
        connection.execute("DROP EXTENSION plpgsql; CREATE EXTENSION plpgsql")
        connection.execute("CREATE ROLE speaker_1 LOGIN CREATEDB")
        connection.execute("ALTER DATABASE spoken OWNER TO speaker_1; ALTER TABLE t OWNER TO speaker_1")
    try:
        path = tmp_path / "spoken.dump"
        arguments = (f"--format={dump_format}", "--no-owner", "--no-privileges", f"--file={path}", f"--dbname={url}")
        installation(18, missing).run("pg_dump", *arguments)
        done = restore(path, own, confirm=yes, no_owner=True)
        assert done.replaced, done.checks.to_string()
        (left,) = done.benign
        assert left.startswith("the comment in line" if dump_format == "plain" else "COMMENT EXTENSION plpgsql")
        assert any("every database has it" in note for note in done.notes)
        assert ask(own, "SELECT count(*) FROM t") == 200
    finally:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^spoken'").fetchall():
                connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))
            connection.execute("DROP ROLE speaker_1")


def test_what_an_older_server_cannot_do_is_the_versions_fault(server_of: ServerOf, store: Path, databases: Databases) -> None:
    new, old = server_of(18), server_of(15)
    with psycopg.connect(new.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE modern TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")
    with psycopg.connect(new.url("modern"), autocommit=True) as connection:
        connection.execute("CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)")
    with psycopg.connect(old.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE modern TEMPLATE template0")
    for dump_format in ("custom", "plain"):
        made = backup(new.url("modern"), store=store, format=dump_format)
        with pytest.raises(RestoreFailed, match=r"the versions do not fit.*'modern' is as it was") as failed:
            restore(made, old.url("modern"), confirm=never)
        assert failed.value.party == "versions"
        assert "SQLSTATE 42601" in failed.value.message


def test_a_failed_load_with_several_jobs_leaves_nothing(
    make_app: MakeApp, store: Path, tmp_path: Path, databases: Databases, ask: Ask
) -> None:
    url = make_app("partly", "CREATE TABLE a (id int); CREATE TABLE b (id int); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)")
    folder = tmp_path / "partly.dir"
    installation(18, missing).run("pg_dump", "--format=directory", "--jobs=2", "--compress=0", f"--file={folder}", f"--dbname={url}")
    assert restore(folder, url, confirm=yes, jobs=2).verdict is Outcome.PASSED
    ask(url, "SELECT 1")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE FUNCTION odd(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2 = 1'")
        connection.execute("ALTER TABLE b ADD CHECK (public.odd(id))")
        connection.execute("CREATE OR REPLACE FUNCTION odd(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2 = 0'")
    broken = backup(url, store=store)
    kept = databases("partly")
    with pytest.raises(RestoreFailed, match=r"the backup is bad: .*violates check constraint") as failed:
        restore(broken, url, confirm=never, jobs=3)
    assert (failed.value.party, failed.value.exit_code) == ("backup", 1)
    assert databases("partly") == kept


def test_kept_databases_are_listed_counted_and_dropped_by_name_only(make_app: MakeApp, store: Path, databases: Databases) -> None:
    url = make_app("archive", TABLE)
    made = backup(url, store=store)
    first, second = restore(made, url, confirm=yes), restore(made, url, confirm=yes)
    assert [k.name for k in list_kept(url)] == [second.kept, first.kept]
    asked: list[Replacement] = []

    def confirm(replacement: Replacement) -> bool:
        asked.append(replacement)
        return True

    third = restore(made, url, confirm=confirm, keep=2)
    assert asked[0].dropped == (first.kept,)
    assert str(first.kept) in asked[0].sentence
    assert databases("archive") == sorted(["archive", str(second.kept), str(third.kept)])
    with pytest.raises(UsageError, match="no restore of 'archive' kept archive"):
        drop_kept(url, ["archive"])
    back = rollback(url, confirm=yes, to=second.kept)
    assert back.brought_back == second.kept
    with psycopg.connect(url.replace("/archive?", f"/{third.kept}?")) as reader:
        reader.execute("SELECT 1")
        assert drop_kept(url, [str(third.kept)]).outcome is Outcome.WARNED  # somebody looks into it
    assert drop_kept(url, [str(third.kept), str(back.kept)]).outcome is Outcome.PASSED
    assert databases("archive") == ["archive"]


def test_the_mark_and_the_comment_of_the_live_database_do_not_mix(make_app: MakeApp, store: Path, ask: Ask) -> None:
    url = make_app("commented", TABLE)
    comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'commented'"
    assert restore(backup(url, store=store), url, confirm=yes).replaced
    assert ask(url, comment) is None
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("COMMENT ON DATABASE commented IS 'ours'")
        connection.execute("ALTER DATABASE commented SET work_mem = '5MB'")
    made: Backup = backup(url, store=store)  # the comment is in the manifest, and the proof must not mind
    done = restore(made, url, confirm=yes)
    assert done.verdict is Outcome.PASSED, done.checks.to_string()
    assert ask(url, comment) == "ours"


def test_a_server_that_speaks_german_is_asked_to_speak_english(store: Path) -> None:
    folder = Path("/usr/lib/postgresql/15/bin")
    if not (folder / "postgres").exists() or not Path("/usr/share/locale/de/LC_MESSAGES/postgres-15.mo").exists():
        missing("a server of the system with German messages")
    with EmbeddedServer(bin_folder=folder) as german:
        with psycopg.connect(german.url(), autocommit=True) as connection:
            connection.execute("ALTER ROLE postgres SET lc_messages = 'de_DE.utf8'")
            connection.execute("CREATE DATABASE deutsch TEMPLATE template0")
        with psycopg.connect(german.url("deutsch"), autocommit=True) as connection:
            with pytest.raises(psycopg.errors.UndefinedTable, match="existiert nicht"):
                connection.execute("SELECT FROM nowhere")
            connection.execute("CREATE TABLE b AS SELECT 1 AS id")
            connection.execute("CREATE FUNCTION odd(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2 = 1'")
            connection.execute("ALTER TABLE b ADD CHECK (public.odd(id))")
            connection.execute("CREATE OR REPLACE FUNCTION odd(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2 = 0'")
        for dump_format in ("custom", "plain"):
            with pytest.raises(RestoreFailed, match=r"the backup is bad: .*violates check constraint"):
                restore(backup(german.url("deutsch"), store=store, format=dump_format), german.url("deutsch"), confirm=never)


def test_only_the_comment_that_failed_is_left_out_of_a_script_wherever_the_blocks_end() -> None:
    comment = b"COMMENT ON EXTENSION plpgsql IS 'it''s';\n"
    script = b"a\n" + comment + b"b\n" + comment + b"c\nDROP TABLE x;\nlast"
    for size in (1, 3, 1000):
        room = RoomInScript()
        for line in (4, 6):
            error = LoadFailed("x")
            error.party, error.sqlstate, error.line = "benign", "42501", line
            assert room.make(error, resolve_target("postgresql://h/d"))
            assert not room.make(error, resolve_target("postgresql://h/d"))  # it did not help
        fed = b"".join(room.without_lines(iter([script[i : i + size] for i in range(0, len(script), size)])))
        assert fed == b"a\n" + comment + b"b\n" + b"\n" + b"c\nDROP TABLE x;\nlast"  # what is no comment stays
