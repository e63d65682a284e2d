"""Restores that are killed with SIGKILL at random moments: after each the live database is whole, the old one or the new one.

By hand: `python -m tests.kill_restores 200`. The suite does fewer.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

NAME = "victim"
OLD, NEW = (7, "old"), (2000, "new")  # what _state gives of the live database, and of the backup
_CHILD = """
import sys
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.audits import proof
print("ready", flush=True)
restore(sys.argv[1], sys.argv[2], confirm=lambda _: True, force=True, drop_old=False, keep=1)
"""
_TABLES = """
CREATE TABLE state (word text NOT NULL); INSERT INTO state VALUES ('new');
CREATE TABLE t (id serial PRIMARY KEY, body text); INSERT INTO t (body) SELECT repeat('x', n % 50) FROM generate_series(1, 2000) n;
CREATE INDEX ON t (body);
"""
_TO_OLD = "UPDATE state SET word = 'old'; DELETE FROM t WHERE id > 7"


@dataclass
class Killed:
    """How the restores ended: `old` (killed, nothing had changed), `new` (killed, exchanged already), `finished` (too fast for us)."""

    ends: Counter[str] = field(default_factory=Counter)
    leftovers: int = 0
    wrong: list[str] = field(default_factory=list)


def kill_restores(server: EmbeddedServer, folder: Path, count: int, *, seed: int) -> Killed:
    """Kill *count* restores, and say what became of the live database; what must not be is in `wrong`.

    Those that end before they can be killed do not count, and are taken for a sign that the machine has become faster.
    """
    chance, result, url = random.Random(seed), Killed(), server.url(NAME)  # noqa: S311  # no secret
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {NAME} TEMPLATE template0".encode())
    _run(url, _TABLES)
    made = backup(url, store=folder).path
    _run(url, _TO_OLD)
    seconds = _restore_and_kill(made, url, None)
    while result.ends["old"] + result.ends["new"] < count:
        _run(url, _TO_OLD)
        after = chance.uniform(0, seconds * 1.05)
        ended = _restore_and_kill(made, url, after)
        _wait_until_alone(server)
        state = _state(url)
        end = "finished" if ended < after else "new" if state == NEW else "old"
        result.ends[end] += 1
        if end == "finished":
            seconds = min(seconds, ended) * 0.95
        if state not in (OLD, NEW) or (end == "finished" and state != NEW):
            result.wrong.append(f"restore {sum(result.ends.values())}, killed after {after:.3f} s: the live database is {state}")
    left = _leftovers(server)
    done = restore(made, url, confirm=lambda _: True, keep=1)
    (told,) = [c for c in done.check_list if c.id == "restore.leftovers"]
    result.leftovers = len(left)
    result.wrong += [f"{name} was left and not told" for name in left if name not in told.found]
    result.wrong += [f"{name} is still there" for name in _leftovers(server)]
    if _state(url) != NEW:
        result.wrong.append("the last restore did not bring the backup back")
    return result


def _restore_and_kill(dump: Path, url: str, after: float | None) -> float:
    """Restore in another process, kill it *after* seconds if it still runs; return how long it ran."""
    with subprocess.Popen([sys.executable, "-c", _CHILD, str(dump), url], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        begun = time.monotonic()
        try:
            code = process.wait(after)
        except subprocess.TimeoutExpired:
            process.kill()
            return max(time.monotonic() - begun, after or 0)
        assert code == 0, f"a restore that nobody killed failed: {code}"
        return time.monotonic() - begun


def _run(url: str, sql: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(sql.encode())


def _wait_until_alone(server: EmbeddedServer) -> None:
    """Wait for the sessions of who was killed: the server may still be at what they asked for last."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        while connection.execute(others).fetchone() != (0,):
            time.sleep(0.01)


def _state(url: str) -> tuple[int, str] | str:
    """Rows and mark of the live database; a sentence when it is not there or takes no connections."""
    try:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT (SELECT count(*) FROM t), word FROM state").fetchone()
    except psycopg.Error as error:
        return f"not to be read: {error}"
    return (row[0], row[1]) if row else "empty"


def _leftovers(server: EmbeddedServer) -> list[str]:
    with psycopg.connect(server.url()) as connection:
        return [
            name for (name,) in connection.execute(f"SELECT datname FROM pg_database WHERE datname LIKE '{NAME}\\_\\_restore%'".encode())
        ]


def main(count: int, seed: int) -> int:
    """Kill that many, print how they ended; 1 when something was wrong."""
    with EmbeddedServer() as server, tempfile.TemporaryDirectory() as folder:
        result = kill_restores(server, Path(folder), count, seed=seed)
    print(f"{count} restores killed (seed {seed}): {dict(result.ends)}; {result.leftovers} leftovers at the end")  # noqa: T201
    for sentence in result.wrong:
        print(f"WRONG: {sentence}")  # noqa: T201
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200, int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())))
