"""Sweeps, deletions and backups that are killed with SIGKILL at random moments: after each every backup that is kept has all its rows.

By hand: `python -m tests.kill_sweeps 200`. The suite does fewer.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.sweep import sweep
from tests.operations.store.conftest import AT
from tests.operations.store.small_backups import Tables, back_up, read_back, rows

_KEPT, _MOST = 2, 4
# One process has loaded everything, and forks one that works for each line that it is given
_CHILD = """
import os, signal, sys
from tests.kill_sweeps import back_up_for_ever, sweep_for_ever

for line in sys.stdin:
    what, place, number = line.split()
    pid = os.fork()
    if pid == 0:
        signal.alarm(900)  # also when whoever began it was killed
        try:
            (sweep_for_ever if what == "sweep" else back_up_for_ever)(place, int(number))
        finally:
            os._exit(1)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("ended", flush=True)
"""


@dataclass
class KilledSweeps:
    """What lay there after the kills: `left`, by kind; what must not be is in `wrong`."""

    kills: int = 0
    backups_read: int = 0
    left: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def tables_of(number: int) -> Tables:
    """What backup *number* holds: most of it is in the one before, too, and some comes back after a while."""
    chance = random.Random(number % 4)  # noqa: S311  # no secret
    changed = [chance.randrange(400) for _ in range(12)]
    return {"stays": rows(*range(200)), "t": rows(*(n + 1000 * (n in changed) for n in range(300)), *range(5000, 5000 + number % 4))}


def sweep_for_ever(place: str, _: int) -> None:
    """Delete the oldest backups and sweep, without any grace."""
    while True:
        store = open_store(place)
        store.clean()
        for backup in store.backups()[:-_KEPT]:
            store.delete(backup)
        sweep(store, grace=timedelta(0))


def back_up_for_ever(place: str, number: int) -> None:
    """Make one backup after another, each slow enough for a sweep to come between; which tables one holds is told by its time."""
    store = open_store(place)
    while True:
        while len(store.backups()) > _MOST:  # sweeps that are killed all the time do not keep up
            time.sleep(0.01)
        number += 1
        back_up(store, AT + timedelta(seconds=number), tables_of(number), full_bytes=3000, pause_seconds=0.1)


def kill_sweeps(place: str, count: int, *, seed: int, longest: float = 0.4) -> KilledSweeps:
    """Kill *count* times a sweep, or now and then the backup that runs beside it, and read every backup after each kill."""
    chance, result = random.Random(seed), KilledSweeps()  # noqa: S311  # no secret
    back_up(open_store(place, create=True), AT, tables_of(0), full_bytes=3000)
    with _worker() as sweeper, _worker() as writer:
        number = 1000
        writing = _begin(writer, f"backup {place} {number}")
        sweeping = _begin(sweeper, f"sweep {place} 0")
        for _ in range(count):
            time.sleep(chance.uniform(0, longest))
            with_backup = chance.random() < 0.25
            _end(sweeper, sweeping)
            if with_backup:
                _end(writer, writing)
            result.kills += 1 + with_backup
            _look(place, result)
            sweeping = _begin(sweeper, f"sweep {place} 0")
            if with_backup:
                number += 1000
                writing = _begin(writer, f"backup {place} {number}")
        _end(sweeper, sweeping)
        _end(writer, writing)
    _look(place, result)
    _settle(place, result)
    return result


def _look(place: str, result: KilledSweeps) -> None:
    """Read all backups, as they lie there now; the one that runs beside makes more of them meanwhile, and deletes none."""
    store = open_store(place)
    result.left.update(f".{file.rpartition('.')[2]}" for file in store.packs.folder.sizes())
    for backup in store.backups():
        number = round((backup.taken_at - AT).total_seconds())
        try:
            if read_back(store, backup.dump_file) != tables_of(number):
                result.wrong.append(f"{backup.dump_file} has other rows")
        except (PgAuditError, OSError, KeyError) as error:
            result.wrong.append(f"{backup.dump_file} is not whole after {result.kills} kills: {error!r}")
        result.backups_read += 1


def _settle(place: str, result: KilledSweeps) -> None:
    """Sweep in peace: then nothing lies there that is of no use."""
    store = open_store(place, create=True)
    sweep(store, grace=timedelta(0))
    last = sweep(store, grace=timedelta(0))
    if last.not_swept or {str(f.fate) for f in last.fates} != {"keep"}:
        result.wrong.append(f"at the end a sweep has still something to do: {last}")
    if strays := [file for file in store.packs.folder.sizes() if not file.endswith((".pack", ".index"))]:
        result.wrong.append(f"left for ever: {strays}")
    _look(place, result)


@contextmanager
def _worker() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _begin(process: subprocess.Popen[str], line: str) -> int:
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def _end(process: subprocess.Popen[str], pid: int) -> None:
    assert process.stdout
    os.kill(pid, signal.SIGKILL)
    assert process.stdout.readline() == "ended\n"


def main(count: int, seed: int) -> int:
    """Kill that many, print how it went; 1 when something was wrong."""
    with tempfile.TemporaryDirectory() as folder:
        result = kill_sweeps(str(Path(folder) / "store"), count, seed=seed)
    print(f"{result.kills} kills (seed {seed}); backups read {result.backups_read} times; seen: {dict(result.left)}")  # noqa: T201
    for sentence in result.wrong:
        print(f"WRONG: {sentence}")  # noqa: T201
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200, int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())))
