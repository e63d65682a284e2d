"""kill -9 of a restore: the live database is the old one or the new one, and the next command says what was left."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.operations.restores.retention import list_kept
from pgaudit_kit.operations.restores.rollback import rollback
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.kill_restores import kill_restores

KILLS = 30
_WAITING = """
SELECT count(*) FROM pg_stat_activity
 WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid() AND query ~ 'ALTER DATABASE "{}" RENAME'"""  # not the query that asks
_CHILD = """
import sys
from pgaudit_kit.operations.restores.restore import restore
def confirm(replacement):
    print(replacement.incoming, flush=True)
    return bool(sys.stdin.readline())
restore(sys.argv[1], sys.argv[2], confirm=confirm)
"""


def test_restores_killed_at_random_moments_leave_the_old_database_or_the_new_one(tmp_path: Path) -> None:
    with EmbeddedServer() as server:
        result = kill_restores(server, tmp_path / "store", KILLS, seed=20260131)
    assert not result.wrong, result
    assert result.ends["old"], result  # some were killed before the exchange, so it was worth while


def test_a_restore_killed_between_its_two_renames_leaves_the_old_names(
    make_app: Callable[..., str],
    store: Path,
    databases: Callable[[str], list[str]],
    ask: Callable[[str, str], object],
    server: EmbeddedServer,
) -> None:
    url = make_app("halfway", "CREATE TABLE t AS SELECT 1 AS id")
    made = backup(url, store=store).path
    before = ask(url, "SELECT oid FROM pg_database WHERE datname = 'halfway'")
    arguments = [sys.executable, "-c", _CHILD, str(made), url]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        staging = process.stdout.readline().strip()
        with psycopg.connect(server.url()) as holder:  # the second rename has to wait for its lock
            holder.execute(sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {} SET work_mem = '5MB'").format(sql.Identifier(staging)))
            process.stdin.write("go\n")
            process.stdin.flush()
            deadline = time.monotonic() + 60
            while ask(server.url(), _WAITING.format(staging)) == 0:
                assert time.monotonic() < deadline, "the second rename never came"
                time.sleep(0.01)
            process.kill()
            process.wait()  # until then it could still send its COMMIT when the lock is free
            holder.rollback()
    assert ask(url, "SELECT oid FROM pg_database WHERE datname = 'halfway'") == before
    assert databases("halfway") == ["halfway", staging]
    done = restore(made, url, confirm=lambda _: True)
    (told,) = [c for c in done.check_list if c.id == "restore.leftovers"]
    assert f"{staging} (left by a restore that was killed; dropped)" in told.found
    assert databases("halfway") == sorted(["halfway", str(done.kept)])


def test_a_rollback_drops_what_a_killed_restore_left_and_says_so(
    make_app: Callable[..., str], store: Path, databases: Callable[[str], list[str]]
) -> None:
    url = make_app("sober", "CREATE TABLE t AS SELECT 1 AS id")
    made = backup(url, store=store).path
    kept = restore(made, url, confirm=lambda _: True).kept
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(made), url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        staging = process.stdout.readline().strip()
        process.kill()
    assert ("restore", staging) in {(one.what, one.name) for one in list_kept(url)}
    back = rollback(url, confirm=lambda _: True)
    assert (back.brought_back, back.dropped) == (kept, (staging,))
    assert f"dropped: {staging}, left by a restore that was killed" in back.state
    assert databases("sober") == ["sober", back.kept]
