"""A dump, restored into a server of its own version or a newer one: what is printed otherwise there is equivalent, by a named rule."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.operations.embedded_server import EmbeddedServer
from tests.conftest import missing
from tests.postgres_versions import Installation, installation

DATABASE = "printed_otherwise"
ROLES = ("reader", "some; body")
SCRIPT = Path(__file__).with_name("printed_otherwise.sql")
PAIRS = [(13, 13), (13, 14), (13, 18), (14, 15), (14, 18), (15, 15), (15, 16), (15, 18), (16, 17), (16, 18), (17, 18), (18, 18)]


class Databases:
    """The database of printed_otherwise.sql on a server of each version, its dumps, and copies of it on other servers."""

    def __init__(self, server_of: Callable[[int], EmbeddedServer], folder: Path) -> None:
        self._server_of = server_of
        self._folder = folder
        self._dumps: dict[int, Path] = {}
        self._made: dict[int, set[str]] = {}

    def dump(self, major: int) -> Path:
        """Of the database on that server, by its own pg_dump."""
        if major not in self._dumps:
            url = self._create(major, DATABASE)
            program = installation(major, missing)
            program.run("psql", "-Xq", "-vON_ERROR_STOP=1", f"-vdatabase={DATABASE}", "-o/dev/null", f"-f{SCRIPT}", url)
            self._dumps[major] = program.dump(url, self._folder / str(major))
        return self._dumps[major]

    def url(self, major: int) -> str:
        """Of the database on that server."""
        self.dump(major)
        return self._server_of(major).url(DATABASE)

    def restored(self, dump: Path, major: int, program: Installation) -> tuple[str, list[str]]:
        """A database on a server of *major* with what *program* could restore of *dump*, and what it could not."""
        url = self._create(major, f"{DATABASE}_{dump.name}")
        done = subprocess.run([program.bin_folder / "pg_restore", f"--dbname={url}", dump], check=False, capture_output=True, text=True)
        return url, [line for line in done.stderr.splitlines() if "error:" in line and "transaction_timeout" not in line]

    def _create(self, major: int, name: str) -> str:
        server = self._server_of(major)
        with psycopg.connect(server.url(), autocommit=True) as connection:
            if major not in self._made:
                for role in ROLES:
                    connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        self._made.setdefault(major, set()).add(name)
        return server.url(name)

    def drop(self) -> None:
        """Everything that was made. No subscription has a slot anywhere."""
        for major, names in self._made.items():
            server = self._server_of(major)
            for name in names:
                with psycopg.connect(server.url(name), autocommit=True) as connection:
                    for (subscription,) in connection.execute(
                        "SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()"
                    ).fetchall():
                        connection.execute(sql.SQL("DROP SUBSCRIPTION {}").format(sql.Identifier(subscription)))
                    for role in ROLES:
                        connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
                with psycopg.connect(server.url(), autocommit=True) as connection:
                    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            with psycopg.connect(server.url(), autocommit=True) as connection:
                for role in ROLES:
                    connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture(scope="module")
def databases(server_of: Callable[[int], EmbeddedServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    made = Databases(server_of, tmp_path_factory.mktemp("apart"))
    yield made
    made.drop()


@pytest.mark.parametrize("major", sorted({older for older, _ in PAIRS}))
def test_a_dump_is_the_same_as_the_database_it_came_from(databases: Databases, major: int) -> None:
    with diff(str(databases.dump(major)), databases.url(major)) as found:
        assert [d for d in found.object_differences if d.status != "equivalent"] == []
        assert found.table_differences == ()
        assert found.unmodelled == ()
        assert found.verdict == "same"
        assert found.compared > 150


@pytest.mark.parametrize(("older", "newer"), PAIRS)
def test_a_dump_is_the_same_as_the_database_it_was_restored_into(databases: Databases, older: int, newer: int) -> None:
    url, not_restored = databases.restored(databases.dump(older), newer, installation(newer, missing))
    assert not_restored == []
    with diff(str(databases.dump(older)), url) as found:
        assert [d for d in found.object_differences if d.status != "equivalent"] == []
        assert all(d.reason for d in found.object_differences)
        assert found.table_differences == ()
        assert found.unmodelled == ()
        assert found.verdict == "same"
        assert found.compared > 150
