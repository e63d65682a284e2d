"""The steps that a failed restore ends with are true for the state that it has left."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgaudit_kit.errors import RestoreFailed
from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.restores.database_facts import read_database
from pgaudit_kit.operations.restores.maintenance import database_oid
from pgaudit_kit.operations.restores.preflight import Plan
from pgaudit_kit.operations.restores.recovery import tidy_up
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.operations.restores.restored import Replacement
from pgaudit_kit.operations.restores.rollback import rollback
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Outcome
from pgaudit_kit.server.targets import resolve_target

TABLE = "CREATE TABLE t AS SELECT 1 AS id"
MakeApp = Callable[..., str]


def yes(_: Replacement) -> bool:
    return True


def test_when_the_server_is_gone_the_next_restore_finds_what_is_left(store: Path) -> None:
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        with EmbeddedServer(folder / "data") as server:
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute("CREATE DATABASE fallen TEMPLATE template0")
            with psycopg.connect(server.url("fallen"), autocommit=True) as app:
                app.execute(TABLE)
            made = backup(server.url("fallen"), store=store)

            def confirm(_: Replacement) -> bool:
                server.stop()
                return True

            with pytest.raises(RestoreFailed, match=r"'fallen' is whole, old or new; 'fallen__restore_\w+' may be left over") as failed:
                restore(made, server.url("fallen"), confirm=confirm)
            assert "it drops 'fallen__restore_" in failed.value.remedy
            assert "rollback TARGET --list" in failed.value.remedy
        with EmbeddedServer(folder / "data") as server:
            done = restore(made, server.url("fallen"), confirm=yes)
            (told,) = [c for c in done.check_list if c.id == "restore.leftovers"]
            assert done.replaced
            assert told.outcome is Outcome.WARNED
            assert "left by a restore that was killed; dropped" in told.found
    finally:
        shutil.rmtree(folder)


def test_a_failure_after_the_exchange_does_not_undo_it_and_names_the_way_back(
    make_app: MakeApp, store: Path, server: EmbeddedServer
) -> None:
    url = make_app("late", TABLE)
    done = restore(backup(url, store=store), url, confirm=yes)
    target = resolve_target(url)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        live, oid = read_database(connection, "late"), database_oid(connection, "late")
    standing = tidy_up(target, Plan(live, "late__restore_20200101T000000Z", str(done.kept), ()), oid)
    assert f"yet the exchange had been made: 'late' is the restored database, the one before it is kept as '{done.kept}'" in standing.state
    assert any("pgaudit rollback" in step for step in standing.steps)
    assert rollback(url, confirm=yes).brought_back == done.kept  # the step is true
    new = tidy_up(target, Plan(None, "late__restore_20200101T000000Z", "late__before_20200101T000000Z", ()), oid)
    assert new.state == "'late' was not made"  # that oid has another name by now, so it was not the exchange


def test_a_live_database_that_disappears_meanwhile_is_told_with_what_helps(make_app: MakeApp, store: Path, server: EmbeddedServer) -> None:
    url = make_app("vanishing", TABLE)
    made = backup(url, store=store)

    def confirm(_: Replacement) -> bool:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER DATABASE vanishing RENAME TO vanishing__aside"))
        return True

    with pytest.raises(RestoreFailed, match="there is no 'vanishing' any more") as failed:
        restore(made, url, confirm=confirm)
    assert "restoring again makes it anew" in failed.value.remedy
    assert restore(made, url, confirm=lambda _: pytest.fail("there is nothing to replace")).replaced  # the step is true
