"""What a restore asks of the server before it begins, one check at a time, against a real one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.rehearsals.left_out import LeftOut
from pgaudit_kit.operations.rehearsals.verdicts import check_cannot_unpack, check_left_out
from pgaudit_kit.operations.restores.dump_needs import check_privileges, check_roles, check_tablespaces
from pgaudit_kit.operations.restores.retention import drop_unused
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey

Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(server: EmbeddedServer) -> Iterator[Connection]:
    with psycopg.connect(server.url(), autocommit=True) as opened:
        yield opened


@pytest.fixture
def nobody(connection: Connection) -> Iterator[Connection]:
    """The same server, asked by a role that may do nothing."""
    connection.execute("CREATE ROLE check_nobody")
    connection.execute("SET ROLE check_nobody")
    yield connection
    connection.execute("RESET ROLE")
    connection.execute("DROP ROLE check_nobody")


def test_restore_roles(server: EmbeddedServer, make_database: Callable[..., str], connection: Connection, tmp_path: Path) -> None:
    url = make_database()
    connection.execute("CREATE ROLE check_owner")
    with psycopg.connect(url, autocommit=True) as app:
        app.execute("CREATE TABLE t (a int)")
        app.execute("ALTER TABLE t OWNER TO check_owner")
    subprocess.run([str(server.bin_folder / "pg_dump"), "-Fc", "-f", str(tmp_path / "x"), url], check=True)
    with psycopg.connect(url, autocommit=True) as app:
        app.execute("DROP OWNED BY check_owner")
    there = check_roles(read_dump(tmp_path / "x"), connection)
    connection.execute("DROP ROLE check_owner")
    gone = check_roles(read_dump(tmp_path / "x"), connection)
    assert (there.id, there.outcome, gone.outcome) == ("restore.roles", "passed", "failed")
    assert "check_owner" in gone.found
    assert gone.remedy


def test_restore_tablespaces(connection: Connection, nobody: Connection) -> None:
    missing = check_tablespaces(["pg_default", "nowhere"], nobody)
    assert (missing.id, missing.outcome) == ("restore.tablespaces", "failed")
    assert missing.found == "nowhere is missing; this role may not use pg_default"
    connection.execute("RESET ROLE")
    assert check_tablespaces(["pg_default"], connection).outcome == "passed"


def test_restore_privileges(connection: Connection, nobody: Connection) -> None:
    trigger = Inventory((DatabaseObject(ObjectKey("EVENT TRIGGER", None, "ddl"), {}),))
    asked = check_privileges(trigger, nobody)
    assert asked
    assert (asked.id, asked.outcome, asked.compared) == ("restore.privileges", "warned", 1)
    connection.execute("RESET ROLE")
    by_superuser = check_privileges(trigger, connection)
    assert by_superuser
    assert by_superuser.outcome == "passed"
    assert check_privileges(Inventory(()), connection) is None, "nothing asks for one"


def test_restore_retention(make_database: Callable[..., str], connection: Connection) -> None:
    make_database("check_kept")
    used = make_database("check_used")
    with psycopg.connect(used):
        check = drop_unused(connection, ["check_kept", "check_used"])
    assert (check.id, check.outcome, check.compared) == ("restore.retention", "warned", 2)
    assert [(e["database"], e["dropped"]) for e in check.evidence] == [("check_kept", True), ("check_used", False)]
    assert drop_unused(connection, ["check_used"]).outcome == "passed"


def test_what_a_rehearsal_could_not_do_is_not_checked() -> None:
    unpacked = check_cannot_unpack("lz4", "this build does not support compression with LZ4")
    assert (unpacked.id, unpacked.outcome) == ("rehearsal.compression", "not_checked")
    assert "LZ4" in unpacked.found
    key = ObjectKey("EXTENSION", None, "postgis")
    left = check_left_out(LeftOut((key,)))
    assert (left.id, left.outcome) == ("rehearsal.left_out", "not_checked")
    assert [e["left_out"] for e in left.evidence] == [str(key)]
