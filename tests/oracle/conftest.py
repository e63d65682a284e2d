"""One database with every kind of entry, on the oldest server at hand, so that every pg_dump can dump it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.conftest import missing
from tests.postgres_versions import KNOWN, REQUIRED, installation, installations

DATABASE = "every 'kind'; of ü"
ROLES = ("the owner's", "watcher")
SCRIPT = Path(__file__).with_name("everything.sql")


class EveryKind:
    """The database, and the dumps of it; each is made once."""

    def __init__(self, server: EmbeddedServer, folder: Path) -> None:
        self.url = server.url(DATABASE)
        self.major = int(server.version.split(".")[0])
        self._folder = folder

    def dump(self, major: int, dump_format: str = "custom", compression: str = "none", *options: str) -> Path:
        """What pg_dump of *major* writes of it."""
        program = installation(major, missing)
        if major < self.major:
            pytest.skip(f"pg_dump {major} does not dump a server {self.major}")
        path = self._folder / "-".join((str(major), dump_format, compression, *options))
        if not path.exists():
            program.dump(self.url, path, *options, dump_format=dump_format, compression=compression)
        return path


@pytest.fixture(scope="session")
def every_kind(server_of: Callable[[int], EmbeddedServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EveryKind]:
    """The database of everything.sql; it lives as long as the session."""
    oldest = min(set(installations()) & set(KNOWN), default=min(REQUIRED))
    server = server_of(oldest)
    names = {"database": sql.Identifier(DATABASE)}
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for role in ROLES:
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("CREATE DATABASE {database} TEMPLATE template0").format(**names))
        quoted = names["database"].as_string(connection)
    options = ("-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"database={quoted}", "-o", "/dev/null")
    installation(oldest, missing).run("psql", *options, "-f", SCRIPT, server.url(DATABASE))
    yield EveryKind(server, tmp_path_factory.mktemp("every_kind"))
    with psycopg.connect(server.url(DATABASE), autocommit=True) as connection:  # its slot is nowhere: let go of it before the drop
        connection.execute(b"ALTER SUBSCRIPTION sub SET (slot_name = NONE); DROP SUBSCRIPTION sub")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {database} WITH (FORCE)").format(**names))
        for role in ROLES:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
