"""Servers for the tests of live databases: the suite's own, PostgreSQL 15 of the system, and one that asks for passwords on TCP."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.conftest import missing
from tests.server.live import GUARD_PASSWORD, GuardedServer, LiveDatabase

SYSTEM_15 = Path("/usr/lib/postgresql/15/bin")
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server_15() -> Iterator[EmbeddedServer]:
    """PostgreSQL 15 of the system, where it is installed."""
    if not (SYSTEM_15 / "postgres").exists():
        missing(f"PostgreSQL 15 in {SYSTEM_15}")
    with EmbeddedServer(bin_folder=SYSTEM_15) as started:
        yield started


@pytest.fixture(params=["the wheel's", "15"])
def any_server(request: pytest.FixtureRequest) -> EmbeddedServer:
    """Each of the servers that this machine has."""
    name = "server" if request.param == "the wheel's" else "server_15"
    chosen = request.getfixturevalue(name)
    assert isinstance(chosen, EmbeddedServer)
    return chosen


@pytest.fixture
def database(any_server: EmbeddedServer) -> Iterator[LiveDatabase]:
    """An empty database on each server."""
    yield from _fresh(any_server)


@pytest.fixture
def database_18(server: EmbeddedServer) -> Iterator[LiveDatabase]:
    """An empty database on the wheel's server."""
    yield from _fresh(server)


def _fresh(server: EmbeddedServer) -> Iterator[LiveDatabase]:
    name = f"live_{next(_numbers)}"
    fresh = LiveDatabase(server, name)
    fresh.on_postgres(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    yield fresh
    fresh.on_postgres(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def make_role(any_server: EmbeddedServer) -> Iterator[Callable[[str], str]]:
    """Give a function that creates a login role and returns its name; dropped afterwards with what it owns in the test's database."""
    made: list[str] = []

    def make(name: str) -> str:
        with psycopg.connect(any_server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        made.append(name)
        return name

    yield make
    with psycopg.connect(any_server.url(), autocommit=True) as connection:
        for (found,) in connection.execute("SELECT datname FROM pg_database WHERE datallowconn").fetchall():
            with psycopg.connect(any_server.url(found), autocommit=True) as inside:
                for name in made:
                    inside.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
        for name in made:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def guarded() -> Iterator[GuardedServer]:
    """A server on 127.0.0.1 that asks for a password (scram-sha-256) and lets `tls_only` in encrypted only, which it cannot do."""
    with GuardedServer() as started:
        started.let_in(
            f"CREATE ROLE app LOGIN PASSWORD '{GUARD_PASSWORD}'",
            f"CREATE ROLE tls_only LOGIN PASSWORD '{GUARD_PASSWORD}'",
            f"CREATE ROLE crowded LOGIN CONNECTION LIMIT 0 PASSWORD '{GUARD_PASSWORD}'",
            f"CREATE ROLE no_login NOLOGIN PASSWORD '{GUARD_PASSWORD}'",
        )
        yield started
