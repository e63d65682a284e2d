from __future__ import annotations

import gc
import pickle
import socket
import traceback
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy
from sqlalchemy.pool import NullPool

from pgaudit_kit.errors import CannotConnect, PgAuditError, QueryFailed
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.server.connection import _cannot_connect, connect, refused_queries
from pgaudit_kit.server.snapshot import snapshot
from pgaudit_kit.server.targets import resolve_target
from tests.server.live import GUARD_PASSWORD, GuardedServer, LiveDatabase


def copied(error: PgAuditError) -> PgAuditError:
    """*error* as another process would get it."""
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  made one line above
    assert isinstance(again, PgAuditError)
    return again


def refusal(url: str) -> CannotConnect:
    """What connecting to *url* ends with; checked to be one line without the password, also pickled."""
    with pytest.raises(CannotConnect) as caught:
        connect(resolve_target(url))
    error = caught.value
    shown = [str(error), repr(error), "".join(traceback.format_exception(error)), repr(copied(error).__dict__)]
    for text in shown:
        assert GUARD_PASSWORD not in text
        assert "wrong-pa55" not in text
    assert "\n" not in str(error)
    assert error.remedy
    assert error.exit_code == 3
    return error


def test_a_connection_opens_with_a_password_over_tcp(guarded: GuardedServer) -> None:
    with connect(resolve_target(guarded.tcp_url())) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("app",)
        assert connection.execute("SHOW application_name").fetchone() == ("pgaudit_kit",)


def test_a_wrong_password_is_told_as_such(guarded: GuardedServer) -> None:
    error = refusal(guarded.tcp_url(password="wrong-pa55"))
    assert "password or the user is wrong" in str(error)
    assert f"127.0.0.1:{guarded.port}/postgres" in str(error)


def test_a_password_that_is_asked_for_and_not_given_is_told_as_such(guarded: GuardedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSFILE", "/dev/null")
    assert "none was given" in str(refusal(guarded.tcp_url(password=None)))


def test_a_missing_database_is_told_as_such(guarded: GuardedServer) -> None:
    assert "no database of that name" in str(refusal(guarded.tcp_url(database="nowhere")))


def test_a_missing_role_is_told_as_such(server: EmbeddedServer) -> None:
    assert "no role of that name" in str(refusal(server.url().replace("postgres@", "nobody_here@")))


def test_a_full_server_is_told_as_such(guarded: GuardedServer) -> None:
    assert "no connection free" in str(refusal(guarded.tcp_url(user="crowded")))


def test_a_role_that_may_not_log_in_is_told_as_such(guarded: GuardedServer) -> None:
    assert "does not let this user" in str(refusal(guarded.tcp_url(user="no_login")))


def test_a_server_that_wants_tls_is_told_as_such(guarded: GuardedServer) -> None:
    error = refusal(guarded.tcp_url(user="tls_only"))
    assert "encrypted" in str(error)
    assert "sslmode=require" in error.remedy


def test_a_server_without_the_tls_that_the_url_demands_is_told_as_such(guarded: GuardedServer) -> None:
    assert "does not speak TLS" in str(refusal(guarded.tcp_url(query="?sslmode=require")))


def test_an_address_that_pg_hba_does_not_know_is_not_taken_for_a_lack_of_tls() -> None:
    both_ways = (
        'connection failed: FATAL: no pg_hba.conf entry for host "10.0.0.9", user "u", database "d", SSL encryption '
        'connection to server failed: FATAL: no pg_hba.conf entry for host "10.0.0.9", user "u", database "d", no encryption'
    )
    assert "lets no one in from this address" in str(_cannot_connect(resolve_target("postgresql://u@h/d"), both_ways))


def test_nothing_listening_is_told_as_such() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert "no server answers there" in str(refusal(f"postgresql://u:wrong-pa55@127.0.0.1:{port}/d"))
    assert "no server answers there" in str(refusal("postgresql://u:wrong-pa55@/d?host=/nonexistent"))
    assert "no server answers there" in str(refusal("postgresql://u:wrong-pa55@no-such-host.invalid/d"))


def test_a_server_that_never_answers_is_given_up_after_the_timeout() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        error = refusal(f"postgresql://u:wrong-pa55@127.0.0.1:{silent.getsockname()[1]}/d?connect_timeout=2")
    assert "no server answers there" in str(error)


def test_what_a_server_says_in_another_way_is_passed_on_without_the_password() -> None:
    target = resolve_target("postgresql://u:wrong-pa55@h/d")
    error = _cannot_connect(target, "connection failed: FATAL: Verbindung abgelehnt: wrong-pa55 postgresql://u:wrong-pa55@h/d")
    assert "Verbindung abgelehnt" in str(error)
    assert "wrong-pa55" not in str(error)


@pytest.mark.parametrize("autocommit", [False, True])
def test_a_read_only_connection_can_change_nothing(database_18: LiveDatabase, autocommit: bool) -> None:
    database_18.run("CREATE TABLE t (a integer)", "CREATE SEQUENCE s")
    with connect(resolve_target(database_18.url), autocommit=autocommit) as connection:
        for change in (b"INSERT INTO t VALUES (1)", b"DROP TABLE t", b"SELECT nextval('s')", b"CREATE TABLE u ()"):
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                connection.execute(change)
            connection.rollback()


def test_reading_leaves_no_setting_behind_that_a_pooler_could_hand_on(database_18: LiveDatabase) -> None:
    with connect(resolve_target(database_18.url)) as connection:
        connection.execute("SELECT 1")
        connection.commit()
        connection.autocommit = True
        assert connection.execute("SHOW default_transaction_read_only").fetchone() == ("off",)


def test_a_connection_asked_for_writing_can_write(database_18: LiveDatabase) -> None:
    with connect(resolve_target(database_18.url), read_only=False, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (a integer)")
    assert database_18.find("TABLE", "t")


@pytest.fixture
def engine(database_18: LiveDatabase) -> Iterator[sqlalchemy.Engine]:
    made = sqlalchemy.create_engine(database_18.url.replace("postgresql://", "postgresql+psycopg://"), pool_size=1, max_overflow=0)
    yield made
    made.dispose()


def test_the_connection_of_the_users_engine_is_taken_out_of_its_pool(engine: sqlalchemy.Engine) -> None:
    with connect(resolve_target(engine), autocommit=True) as connection:
        gc.collect()
        assert connection.execute("SHOW application_name").fetchone() == ("pgaudit_kit",)
        connection.execute("SET search_path = ''")
        with engine.connect() as theirs:  # its only place is free again
            assert theirs.exec_driver_sql("SHOW search_path").scalar() == '"$user", public'


def test_the_users_engine_is_what_connects(database_18: LiveDatabase) -> None:
    used: list[str] = []

    def creator() -> psycopg.Connection[tuple[object, ...]]:
        used.append("theirs")
        return psycopg.connect(database_18.url)

    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=creator, poolclass=NullPool)
    with snapshot(engine) as taken:
        assert taken.provenance.database == database_18.name
    assert used == ["theirs"]


def test_a_refused_query_becomes_one_error_of_ours_that_survives_pickling(database_18: LiveDatabase) -> None:
    with connect(resolve_target(database_18.url)) as connection, pytest.raises(QueryFailed) as caught, refused_queries("h/d", "asking"):
        connection.execute("SELECT * FROM not_there")
    assert str(caught.value).startswith("h/d: asking failed: relation")
    assert str(copied(caught.value)) == str(caught.value)
