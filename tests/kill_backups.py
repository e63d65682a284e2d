"""Backups that are killed with SIGKILL at random moments: none looks whole that is not, and the next one cleans up.

By hand: `python -m tests.kill_backups 200`. The suite does fewer.
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

from pgaudit_kit.audits.verify import verify
from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.records.verdict import Outcome

NAME = "murdered"
ROWS = 20_000
# One process that has loaded everything forks a child for each line that it is given: format and compression of a backup, and after how
# many seconds to kill it. Who has not been waited for has its number still, so that nobody else is killed.
_CHILDREN = """
import os, sys, time
from pgaudit_kit.audits import verify
from pgaudit_kit.operations.backups.backup import backup
url, store = sys.argv[1:]
for line in sys.stdin:
    begun = time.monotonic()
    kind, compression, after = line.split()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.dup2(2, 1)
            backup(url, store=store, format=kind, compression=compression, globals=True)
            code = 0
        finally:
            os._exit(code)
    ended = 0
    while not ended:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended and time.monotonic() - begun > float(after):
            os.kill(pid, 9)
            ended, status = os.waitpid(pid, 0)
        time.sleep(0.0005)
    print(time.monotonic() - begun, os.waitstatus_to_exitcode(status), flush=True)
"""
_KINDS = ("custom gzip:6", "directory gzip:6", "plain none", "custom none", "plain zstd")
_TABLES = f"""
CREATE TABLE t AS SELECT n AS id, md5(n::text) || md5((n + 1)::text) AS body FROM generate_series(1, {ROWS}) n;
ALTER TABLE t ADD PRIMARY KEY (id);
CREATE TABLE u (id serial PRIMARY KEY, t_id int REFERENCES t); INSERT INTO u (t_id) SELECT n FROM generate_series(1, 500) n;
"""


@dataclass
class Killed:
    """How the backups ended: `nothing` (killed, no new one is listed), `whole` (killed, but after it had its name), `finished`."""

    ends: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def kill_backups(server: EmbeddedServer, folder: Path, count: int, *, seed: int) -> Killed:
    """Kill *count* backups into *folder*, and say what became of each; what must not be is in `wrong`.

    Those that end before they can be killed do not count, and are taken for a sign that the machine has become faster.
    """
    chance, result, url = random.Random(seed), Killed(), server.url(NAME)  # noqa: S311  # no secret
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {NAME} TEMPLATE template0".encode())
    with psycopg.connect(url) as connection:
        connection.execute(_TABLES.encode())
    store = open_store(folder, create=True)
    arguments = [sys.executable, "-c", _CHILDREN, url, str(folder)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as children:
        usual = {kind: _run(children, kind, None)[0] for kind in _KINDS}
        number = 0
        while result.ends["nothing"] + result.ends["whole"] < count:
            number += 1
            kind = _KINDS[number % len(_KINDS)]
            before = {b.name for b in store.backups()}
            seconds, code = _run(children, kind, usual[kind] * chance.uniform(chance.choice((0, 0.8)), 1.1))  # half of them near its end
            new = [b for b in store.backups() if b.name not in before]
            end = "finished" if code == 0 else "whole" if new else "nothing"
            result.ends[end] += 1
            if end == "finished":
                usual[kind] = min(usual[kind], seconds) * 0.95
            result.left.update(str(stray.kind) for stray in store.look()[1])
            result.wrong += [f"{number}, {kind}, after {seconds:.3f} s: {what}" for what in _wrong(store, len(new), code)]
            for one in store.backups():  # so that each round has its own to look at
                store.delete(one)
    return _cleaned(url, folder, result)


def _run(children: subprocess.Popen[str], kind: str, after: float | None) -> tuple[float, int]:
    """Make a backup, and kill it *after* seconds if it still runs; return how long it ran, and how it ended."""
    assert children.stdin
    assert children.stdout
    children.stdin.write(f"{kind} {3600 if after is None else after}\n")
    children.stdin.flush()
    seconds, code = children.stdout.readline().split()
    return float(seconds), int(code)


def _wrong(store: Store, new: int, code: int) -> list[str]:
    """What is listed and not whole, and what did not end as it should."""
    found = []
    for one in store.backups():
        verified = verify(store.open(one))
        rows = one.rows
        if verified.verdict is not Outcome.PASSED or rows != ROWS + 500:
            found.append(f"{one.dump_file} is listed: {verified.sentence}; {rows} rows")
    if code == 0 and new != 1:
        found.append(f"a finished backup gave {new}")
    if code not in (0, -9):
        found.append(f"it ended by itself, with {code}")
    return found


def _cleaned(url: str, folder: Path, result: Killed) -> Killed:
    """The next backup removes what is left, and is all that the folder has."""
    made = backup(url, store=folder, globals=True)
    bare = made.path.name.partition(".")[0]
    result.wrong += [f"{p.name} is still there" for p in folder.iterdir() if p.name.partition(".")[0] != bare]
    if verify(made.path).verdict is not Outcome.PASSED:
        result.wrong.append("the last backup is not whole")
    return result


def main(count: int, seed: int) -> int:
    """Kill that many, print how they ended; 1 when something was wrong."""
    with EmbeddedServer() as server, tempfile.TemporaryDirectory() as folder:
        result = kill_backups(server, Path(folder), count, seed=seed)
    print(f"{count} backups killed (seed {seed}): {dict(result.ends)}; seen beside them: {dict(result.left)}")  # noqa: T201
    for sentence in result.wrong:
        print(f"WRONG: {sentence}")  # noqa: T201
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200, int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())))
