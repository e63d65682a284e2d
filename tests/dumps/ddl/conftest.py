"""A database with every modelled kind, on each server that this machine has, and its dumps."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.server.snapshot import snapshot
from tests.conftest import missing
from tests.dumps.ddl.pieces import inventory_of

SYSTEM_15 = Path("/usr/lib/postgresql/15/bin")
DATABASE = "every kind"
HERE = Path(__file__).parent
KINDS = HERE.parents[1] / "mutations_of_kinds.sql"


class EveryKind:
    """The database of every_kind.sql on one server, or a copy of it."""

    def __init__(self, server: EmbeddedServer, name: str = DATABASE) -> None:
        self.server = server
        self.name = name
        self.major = int(server.version.split(".")[0])
        self.url = server.url(name)
        self._dumps: dict[tuple[str, ...], str] = {}

    def fill(self) -> None:
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(DATABASE)))
            connection.execute("SET allow_in_place_tablespaces = on")  # 15+
            connection.execute("""CREATE TABLESPACE "ts ""1" LOCATION ''""")
            connection.execute('CREATE ROLE "Odd; Owner"')
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute((HERE / "every_kind.sql").read_bytes())
            connection.execute(KINDS.read_bytes())
            if self.major >= 18:
                connection.execute((HERE / "every_kind_18.sql").read_bytes())

    def copy(self) -> EveryKind:
        copy = EveryKind(self.server, f"{self.name} copy")
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            query = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(query.format(sql.Identifier(copy.name), sql.Identifier(self.name)))
        return copy

    def drop(self) -> None:
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.name)))

    def remove_all(self) -> None:
        self.drop()
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute('DROP TABLESPACE "ts ""1"')
            connection.execute('DROP ROLE "Odd; Owner"')

    def dump(self, *options: str, settings: str = "") -> str:
        """What pg_dump of this server writes, as text; run once for the same options."""
        if (*options, settings) not in self._dumps:
            argv = [str(self.server.bin_folder / "pg_dump"), *options, "-d", self.url]
            done = subprocess.run(argv, capture_output=True, check=True, env={"PGOPTIONS": settings, "LC_ALL": "C"})
            self._dumps[*options, settings] = done.stdout.decode()
        return self._dumps[*options, settings]

    def inventory(self, *options: str, settings: str = "") -> Inventory:
        return inventory_of(self.dump(*options, settings=settings))

    def ask(self, query: str) -> list[tuple[str | None, ...]]:
        """The rows of *query* under pg_dump's settings."""
        with psycopg.connect(self.url) as connection:
            connection.execute("SELECT set_config('search_path', '', false)")
            return connection.execute(query.encode()).fetchall()

    def run(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def live(self) -> Inventory:
        with snapshot(self.url) as found:
            return found.inventory


@pytest.fixture(scope="session")
def system_server() -> Iterator[EmbeddedServer]:
    """PostgreSQL 15 of the system, where it is installed."""
    if not (SYSTEM_15 / "postgres").exists():
        missing(f"PostgreSQL 15 in {SYSTEM_15}")
    with EmbeddedServer(bin_folder=SYSTEM_15) as started:
        yield started


@pytest.fixture(scope="session", params=["the wheel's", "15"])
def every_kind(request: pytest.FixtureRequest) -> Iterator[EveryKind]:
    """The database on each server."""
    server = request.getfixturevalue("server" if request.param == "the wheel's" else "system_server")
    assert isinstance(server, EmbeddedServer)
    database = EveryKind(server)
    database.fill()
    yield database
    database.remove_all()


@pytest.fixture
def changed_copy(every_kind: EveryKind) -> Iterator[EveryKind]:
    """A copy of the database that the test may change."""
    copy = every_kind.copy()
    yield copy
    copy.drop()


@pytest.fixture(scope="session")
def whole_inventory(every_kind: EveryKind) -> Inventory:
    """The inventory of the database's whole dump."""
    return every_kind.inventory()
