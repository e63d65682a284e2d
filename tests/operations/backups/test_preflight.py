"""What stands in the way of a backup is told before it begins, or where it ends, with what to do; and nothing of it is left."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from pgaudit_kit.errors import BackupFailed
from pgaudit_kit.operations.backups.backup import Backup, backup
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Check, Outcome
from tests.operations.conftest import APP

MakeApp = Callable[..., str]
Ask = Callable[[str, str], object]


def check_of(made: Backup, check_id: str) -> Check:
    (found,) = [c for c in made.check_list if c.id == check_id]
    return found


@contextmanager
def held_up(url: str, store: Path, ask: Ask, **options: object) -> Iterator[tuple[Future[Backup], psycopg.Connection[object]]]:
    """A backup that has begun, and waits for a table that the connection has locked."""
    with psycopg.connect(url) as blocker, ThreadPoolExecutor(1) as pool:
        blocker.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        begun = pool.submit(backup, url, store=store, **options)  # type: ignore[arg-type]
        try:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'pgaudit'"
            for _ in range(2400):
                if ask(url, waiting) or begun.done():
                    break
                threading.Event().wait(0.05)
            yield begun, blocker
        finally:
            blocker.rollback()
            begun.exception()


def end_session(ask: Ask, url: str, application: str) -> None:
    sql = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '{application}'"
    assert ask(url, f"{sql} AND datname = current_database()"), f"no session of {application}"


def test_a_locked_table_is_waited_for_and_then_its_holder_is_named(make_app: MakeApp, store: Path, ask: Ask) -> None:
    url = make_app("locked")
    with held_up(url, store, ask, lock_timeout=1) as (begun, blocker):
        with pytest.raises(BackupFailed, match=r"it waited 1 s for a table, in vain; public\.messages is locked by process") as caught:
            begun.result(timeout=120)
        assert f"pg_terminate_backend({blocker.info.backend_pid})" in caught.value.remedy
    assert [*store.iterdir()] == []
    assert check_of(backup(url, store=store, lock_timeout=1), "backup.locks").found == "nobody was in the way"


def test_a_table_that_is_locked_for_a_moment_is_waited_for(make_app: MakeApp, store: Path, ask: Ask) -> None:
    with held_up(make_app("busy_for_a_moment"), store, ask) as (begun, blocker):
        blocker.rollback()
        made = begun.result(timeout=120)
    assert made.verdict is Outcome.PASSED
    assert "waited: public.messages is locked by process" in check_of(made, "backup.locks").found


@pytest.mark.parametrize(
    ("application", "words"),
    [("pgaudit", "pg_dump failed with exit status 1.*terminating connection"), ("pgaudit_kit", "terminating connection")],
)
@pytest.mark.parametrize("dump_format", ["custom", "tar"])
def test_a_session_that_is_ended_in_the_middle_leaves_no_backup(
    application: str, words: str, dump_format: str, make_app: MakeApp, store: Path, ask: Ask
) -> None:
    url = make_app("ended")
    with held_up(url, store, ask, format=dump_format, compression="gzip") as (begun, _):
        end_session(ask, url, application)
        with pytest.raises(BackupFailed, match=f"(?s)no backup was written: .*{words}"):
            begun.result(timeout=120)
        assert [*store.iterdir()] == []


def test_a_second_backup_of_the_same_database_is_told_who_is_at_it(make_app: MakeApp, store: Path, ask: Ask) -> None:
    url, other = make_app("contended"), make_app("another")
    with held_up(url, store, ask) as (begun, blocker):
        with pytest.raises(BackupFailed, match=rf"process {os.getpid()} on {socket.gethostname()}, since 20") as caught:
            backup(url, store=store)
        assert caught.value.remedy
        assert backup(other, store=store).verdict is Outcome.PASSED
        blocker.rollback()
        assert begun.result(timeout=120).verdict is Outcome.PASSED
    assert not [p for p in store.iterdir() if p.suffix == ".lock"]


def test_the_lock_of_a_run_that_is_gone_is_taken_over(make_app: MakeApp, store: Path, ask: Ask) -> None:
    url = make_app("abandoned")
    with held_up(url, store, ask) as (_, blocker):
        (lock,) = [p for p in store.iterdir() if p.suffix == ".lock"]
        assert json.loads(lock.read_bytes())["database"].endswith("/abandoned")
        content = lock.read_bytes()
        blocker.rollback()
    lock.write_bytes(content)
    assert backup(url, store=store).verdict is Outcome.PASSED
    assert not lock.exists()


def test_policies_that_would_hide_rows_are_told_before_anything_is_written(make_app: MakeApp, store: Path) -> None:
    url = make_app("policed")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE tenant LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO tenant")
        connection.execute("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO tenant")
        connection.execute("ALTER TABLE messages ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON messages USING (user_id = 1)")
    try:
        mine = url.replace("postgres@", "tenant@")
        with pytest.raises(BackupFailed, match=r"public\.messages: row-level security hides rows of it from role tenant") as caught:
            backup(mine, store=store)
        assert "ALTER ROLE tenant BYPASSRLS" in caught.value.remedy
        assert [*store.iterdir()] == []
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER ROLE tenant BYPASSRLS")
        assert backup(mine, store=store).manifest.table_data.keys() == backup(url, store=store).manifest.table_data.keys()
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY tenant; DROP ROLE tenant")


def test_a_table_that_lost_most_of_its_rows_and_a_dump_that_shrank_are_news(make_app: MakeApp, store: Path, ask: Ask) -> None:
    url = make_app("shrunk")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO users (name) SELECT md5(n::text) || md5(n::text || 'x') FROM generate_series(1, 20000) n")
    first = backup(url, store=store, compression="none")
    assert not {"backup.size", "backup.rows_kept"} & {c.id for c in first.check_list}
    second = backup(url, store=store, compression="none")
    assert {check_of(second, i).outcome for i in ("backup.size", "backup.rows_kept")} == {Outcome.PASSED}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM users WHERE id > 600; DELETE FROM messages WHERE id > 1999")
    third = backup(url, store=store, compression="none")
    assert third.verdict is Outcome.WARNED
    assert check_of(third, "backup.rows_kept").found == "public.users: 20,500 → 600 rows"
    assert check_of(third, "backup.size").outcome is Outcome.WARNED
    assert "bytes, " in check_of(third, "backup.size").found
    other_form = backup(url, store=store, compression="gzip")
    assert "backup.size" not in {c.id for c in other_form.check_list}
    assert check_of(other_form, "backup.rows_kept").outcome is Outcome.PASSED


_PARTS = """CREATE TABLE t (id int, v text) PARTITION BY RANGE (id);
CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (500); CREATE TABLE t_rest PARTITION OF t DEFAULT;
CREATE TABLE h (id int) PARTITION BY HASH (id); CREATE TABLE h_0 PARTITION OF h FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE w (id int); CREATE TABLE t_0 PARTITION OF t FOR VALUES FROM (-500) TO (0);
INSERT INTO t SELECT generate_series(-500, -1); INSERT INTO t SELECT generate_series(1, 2000); INSERT INTO h SELECT generate_series(1, 500);
INSERT INTO w SELECT generate_series(1, 500);"""
_DIVIDED = """ALTER TABLE t DETACH PARTITION t_rest; CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (500) TO (1900);
CREATE TABLE t_other PARTITION OF t DEFAULT; INSERT INTO t SELECT * FROM t_rest; DROP TABLE t_rest;
ALTER TABLE t DETACH PARTITION t_1; CREATE TABLE t_a PARTITION OF t FOR VALUES FROM (0) TO (500); INSERT INTO t SELECT * FROM t_1;
DROP TABLE t_1; ALTER TABLE h DETACH PARTITION h_0; CREATE TABLE h_a PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE h_b PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1); INSERT INTO h SELECT * FROM h_0; DROP TABLE h_0;
DROP TABLE t_0; CREATE TABLE t_0 PARTITION OF t FOR VALUES FROM (-500) TO (-499) PARTITION BY RANGE (id);
CREATE TABLE t_0_a PARTITION OF t_0 DEFAULT; CREATE TABLE t_0_b PARTITION OF t FOR VALUES FROM (-499) TO (0);
INSERT INTO t SELECT generate_series(-500, -1); ALTER TABLE w RENAME TO old;
CREATE TABLE w (id int) PARTITION BY RANGE (id); CREATE TABLE w_all PARTITION OF w DEFAULT;
INSERT INTO w SELECT * FROM old; DROP TABLE old;"""


def test_rows_that_lie_in_another_partition_now_are_not_lost_and_lost_ones_are_news(make_app: MakeApp, store: Path) -> None:
    url = make_app("divided", _PARTS)
    backup(url, store=store)
    for script, news in (
        (_DIVIDED, "none has"),
        ("CREATE TABLE o AS SELECT * FROM w; DROP TABLE w; ALTER TABLE o RENAME TO w", "none has"),
        ("DROP TABLE t_a; INSERT INTO t SELECT generate_series(3000, 5000)", "public.t_a: 499 → 0 rows"),
        (
            "DROP TABLE t_other; CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (1900) TO (9999); INSERT INTO t SELECT 2000",
            "public.t_other: 2,102 → 0 rows",
        ),
    ):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(script.encode())
        assert check_of(backup(url, store=store), "backup.rows_kept").found == news


@contextmanager
def pooler_before(server_socket: Path, folder: Path) -> Iterator[None]:
    """What a pooler does as seen from here: it tells a client of a backend of its own (BackendKeyData), and passes all else on."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / ".s.PGSQL.5432"))
    listening.listen()

    sockets = [listening]

    def pump(source: socket.socket, sink: socket.socket, *, rewrite: bool) -> None:
        while data := source.recv(1 << 16):
            at = data.find(b"K\0\0\0\x0c") if rewrite else -1
            if at >= 0:
                data, rewrite = data[: at + 5] + b"\0\0\x7f\xff" + data[at + 9 :], False
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)

    def accept() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            upstream = socket.socket(socket.AF_UNIX)
            sockets.extend([client, upstream])
            upstream.connect(str(server_socket))
            for arguments, rewrite in (((client, upstream), False), ((upstream, client), True)):
                threads.append(threading.Thread(target=pump, args=arguments, kwargs={"rewrite": rewrite}))
                threads[-1].start()

    threads = [threading.Thread(target=accept)]
    threads[0].start()
    try:
        yield
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(10)
        for one in sockets:
            one.close()


def test_a_pooler_in_between_is_told(
    make_app: MakeApp, store: Path, server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = make_app("pooled")
    socket_folder = Path(psycopg.conninfo.conninfo_to_dict(url)["host"])  # type: ignore[arg-type]
    (server_socket,) = [p for p in socket_folder.iterdir() if p.is_socket()]
    folder = tmp_path_factory.mktemp("p")
    assert check_of(backup(url, store=store), "backup.direct").outcome is Outcome.PASSED
    with pooler_before(server_socket, folder):
        made = backup(f"postgresql://postgres@/pooled?host={folder}&port=5432", store=store)
    told = check_of(made, "backup.direct")
    assert (told.outcome, made.verdict) == (Outcome.WARNED, Outcome.WARNED)
    assert "DIRECT_URL" in told.remedy


@pytest.fixture
def standby() -> Iterator[EmbeddedServer]:
    """A server that waits for WAL of another one, which never comes, and answers queries."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the server may run as another account
        data = Path(folder) / "data"
        with EmbeddedServer(data, durable=True) as primary:
            with psycopg.connect(primary.url(), autocommit=True) as connection:
                connection.execute("CREATE DATABASE replicated TEMPLATE template0")
            with psycopg.connect(primary.url("replicated")) as connection:
                connection.execute(APP.encode())
        (data / "standby.signal").touch(mode=0o644)
        with EmbeddedServer(data, durable=True) as running:
            yield running


def test_a_standby_is_backed_up_and_told_what_may_cancel_that(standby: EmbeddedServer, store: Path, ask: Ask) -> None:
    url = standby.url("replicated")
    assert ask(url, "SELECT pg_is_in_recovery()") is True
    made = backup(url, store=store)
    told = check_of(made, "backup.standby")
    assert (told.outcome, made.verdict) == (Outcome.WARNED, Outcome.WARNED)
    assert told.found == "hot_standby_feedback = off, max_standby_streaming_delay = 30s"
    assert made.manifest.wal_lsn == ask(url, "SELECT pg_last_wal_replay_lsn()::text")
