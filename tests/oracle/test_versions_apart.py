"""A dump, restored into a server of its own version or a newer one: what is printed otherwise there is equivalent, by a named rule."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.conftest import missing
from tests.postgres_versions import FORMATS, KNOWN, installation

HERE = Path(__file__).parent
LOST = "mylang"  # pg_dump leaves the handler of a language to pg_pltemplate, which 13 took away, or to an extension that nobody has
ROLES = {"printed_otherwise": ("reader", "some; body"), "everything": ("the owner's", "watcher")}
PAIRS = [(13, 13), (13, 14), (13, 18), (14, 15), (14, 18), (15, 15), (15, 16), (15, 18), (16, 17), (16, 18), (17, 18), (18, 18)]
PAIRS_OF_EVERYTHING = [(13, 13), (13, 18), (14, 16), (15, 17), (18, 18)]


class Databases:
    """The databases of both scripts on a server of each version, their dumps, and copies of them on other servers."""

    def __init__(self, server_of: Callable[[int], EmbeddedServer], folder: Path) -> None:
        self._server_of = server_of
        self._folder = folder
        self._made: list[tuple[int, str]] = []
        self._roles: dict[int, set[str]] = {}

    def url(self, script: str, major: int) -> str:
        """Of the database of *script* on a server of *major*, which is made once."""
        name = f"{script} apart"
        if (major, name) not in self._made:
            url = self._create(script, major, name)
            options = ("-Xq", "-vON_ERROR_STOP=1", f'-vdatabase="{name}"', "-o/dev/null")
            installation(major, missing).run("psql", *options, f"-f{HERE / script}.sql", url)
        return self._server_of(major).url(name)

    def dump(self, script: str, major: int, dump_format: str = "custom") -> Path:
        """Of that database, by the pg_dump of its version."""
        path = self._folder / f"{script}-{major}-{dump_format}"
        if not path.exists():
            installation(major, missing).dump(self.url(script, major), path, dump_format=dump_format)
        return path

    def restored(self, script: str, older: int, newer: int) -> tuple[str, list[str]]:
        """A database on a server of *newer* with what its pg_restore could restore of the dump of *older*, and what it could not."""
        url = self._create(script, newer, f"{script} of {older}")
        program = installation(newer, missing).bin_folder / "pg_restore"
        argv = [str(program), f"--dbname={url}", str(self.dump(script, older))]
        done = subprocess.run(argv, check=False, capture_output=True, text=True)
        return url, [line for line in done.stderr.splitlines() if "error:" in line and LOST not in line]

    def _create(self, script: str, major: int, name: str) -> str:
        server = self._server_of(major)
        with psycopg.connect(server.url(), autocommit=True) as connection:
            there = {role for (role,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
            for role in set(ROLES[script]) - there:
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
                self._roles.setdefault(major, set()).add(role)
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        self._made.append((major, name))
        return server.url(name)

    def drop(self) -> None:
        """Everything that was made. A subscription lets go of its slot, which is nowhere."""
        for major, name in self._made:
            with psycopg.connect(self._server_of(major).url(name), autocommit=True) as connection:
                query = "SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()"
                for (subscription,) in connection.execute(query).fetchall():
                    named = sql.Identifier(subscription)
                    connection.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(named))
                    connection.execute(sql.SQL("DROP SUBSCRIPTION {}").format(named))
            with psycopg.connect(self._server_of(major).url(), autocommit=True) as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        for major, roles in self._roles.items():
            with psycopg.connect(self._server_of(major).url(), autocommit=True) as connection:
                for role in roles:
                    connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture(scope="module")
def databases(server_of: Callable[[int], EmbeddedServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    made = Databases(server_of, tmp_path_factory.mktemp("apart"))
    yield made
    made.drop()


@pytest.mark.parametrize(
    ("major", "dump_format"),
    [*((major, "custom") for major in KNOWN), *((major, f) for major in (13, 18) for f in FORMATS if f != "custom")],
)
@pytest.mark.parametrize("script", ROLES)
def test_a_dump_is_the_same_as_the_database_it_came_from(databases: Databases, script: str, major: int, dump_format: str) -> None:
    with diff(str(databases.dump(script, major, dump_format)), databases.url(script, major)) as found:
        assert found.object_differences == ()
        assert found.table_differences == ()
        assert [u for u in found.unmodelled if u.kind != "BLOB"] == []
        assert found.verdict == "same"
        assert found.compared > 150


@pytest.mark.parametrize(
    ("script", "older", "newer"), [*(("printed_otherwise", *p) for p in PAIRS), *(("everything", *p) for p in PAIRS_OF_EVERYTHING)]
)
def test_a_dump_is_the_same_as_the_database_it_was_restored_into(databases: Databases, script: str, older: int, newer: int) -> None:
    url, not_restored = databases.restored(script, older, newer)
    assert not_restored == []
    with diff(str(databases.dump(script, older)), url) as found:
        different = [d.key.name for d in found.object_differences if d.status != "equivalent"]
        assert different == ([LOST] if script == "everything" else [])
        assert all(d.reason for d in found.object_differences if d.status == "equivalent")
        assert [t for t in found.table_differences if t.status != "equivalent"] == []
        assert {t.name.name for t in found.table_differences} <= {"parted_0", "parted_1"}, "hashed by an enum"
        assert [u for u in found.unmodelled if u.kind != "BLOB"] == []
        assert found.compared > 150
