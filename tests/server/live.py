"""What the tests of live databases have in common."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey
from pgaudit_kit.server.snapshot import Snapshot, snapshot

GUARD_PASSWORD = "s3cr3t/with:awk@ward?#%chars"
HERE = Path(__file__).parent


@dataclass(frozen=True)
class LiveDatabase:
    """One database of a server, with what a test does to it."""

    server: EmbeddedServer
    name: str

    @property
    def url(self) -> str:
        """Its URL, as superuser."""
        return self.server.url(self.name)

    @property
    def major(self) -> int:
        """Major version of the server."""
        return int(self.server.version.split(".")[0])

    def url_as(self, role: str) -> str:
        """Its URL as *role*."""
        return self.url.replace("://postgres@", f"://{role}@")

    def run(self, *statements: str | sql.Composed) -> None:
        """Run each of *statements*, autocommitted; one string may hold many."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode() if isinstance(statement, str) else statement)

    def run_file(self, name: str) -> None:
        """Run a file beside these tests."""
        self.run((HERE / name).read_text(encoding="utf-8"))

    def on_postgres(self, statement: str | sql.Composed) -> None:
        """Run *statement* in the database postgres."""
        LiveDatabase(self.server, "postgres").run(statement)

    def snapshot(self, **options: Any) -> Snapshot:
        """A snapshot of it."""
        return snapshot(self.url, **options)

    def inventory(self) -> Inventory:
        """Its objects, now."""
        with self.snapshot() as taken:
            return taken.inventory

    def find(self, kind: str, name: str, *, schema: str | None = "public", parent: str | None = None) -> DatabaseObject:
        """One object of it, now."""
        return self.inventory().by_key[ObjectKey(kind, schema, name, parent)]

    def pg_dump(self, *options: str) -> str:
        """What this server's own pg_dump writes as plain text."""
        program = self.server.bin_folder / "pg_dump"
        done = subprocess.run([str(program), "-d", self.url, *options], capture_output=True, check=True)
        return done.stdout.decode("utf-8", "surrogateescape")

    def psql(self, script: str) -> None:
        """Run a dump in it, stopping at the first error."""
        program = self.server.bin_folder / "psql"
        argv = [str(program), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.url]
        subprocess.run(argv, input=script.encode("utf-8", "surrogateescape"), capture_output=True, check=True)


class GuardedServer(EmbeddedServer):
    """An embedded server that also listens on 127.0.0.1, where it asks for passwords."""

    def __init__(self) -> None:
        super().__init__()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]

    @property
    def port(self) -> int:
        """The TCP port."""
        return self._port

    def url(self, database: str = "postgres") -> str:
        """The URL of *database* through the socket, as superuser."""
        return f"{super().url(database)}&port={self._port}"

    def _postgres_argv(self) -> list[str]:
        return [*super()._postgres_argv(), "-c", "listen_addresses=127.0.0.1"]

    def let_in(self, *statements: str) -> None:
        """Run *statements*, then ask everyone who comes over TCP for a password."""
        rules = "local all all trust\nhostssl all tls_only all scram-sha-256\nhost all app,crowded,no_login all scram-sha-256\n"
        (self.data_folder / "pg_hba.conf").write_text(rules, encoding="ascii")
        with psycopg.connect(self.url(), autocommit=True) as connection:
            for statement in (*statements, "SELECT pg_reload_conf()"):
                connection.execute(statement.encode())

    def tcp_url(self, user: str = "app", password: str | None = GUARD_PASSWORD, database: str = "postgres", query: str = "") -> str:
        """The URL of *database* over TCP."""
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{user}{secret}@127.0.0.1:{self._port}/{database}{query}"
