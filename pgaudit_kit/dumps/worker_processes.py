"""Fingerprints of many rows, shared out between processes. They are sums, so the result is the same by construction.

The workers are started like any other program (multiprocessing's "spawn"), never forked: a fork of a process with threads, as every
notebook kernel is, may hang. They do not run the caller's script a second time, they are deaf to Ctrl-C (the caller hears it, and
ends them), and they end by themselves when the caller is gone, since nobody holds the other end of their pipe then. Where no process
may be started (a daemonic process, a frozen program, a script that is being imported by a worker of its own), there are none.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

from pgaudit_kit.dumps.row_ranges import RowRange
from pgaudit_kit.records.fingerprint import Fingerprint

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

# Below, one process has read everything before a second one has started.
LEAST_BYTES = 1 << 26
# A worker holds about 30 MB. More of them wait for the disk.
MOST_PROCESSES = 4
VARIABLE = "PGAUDIT_PROCESSES"
# glibc gives freed memory back, and takes it again page by page, until it has seen a larger block freed (mallopt(3),
# M_MMAP_THRESHOLD). A worker frees one first, which is never written to, and spends a third less time.
_MALLOC_LESSON = 1 << 24

_Key = TypeVar("_Key")
_starting = threading.Lock()


def process_count(size_bytes: int) -> int:
    """How many processes to share *size_bytes* of rows out to: 0 when none pays, or none may be started.

    At most as many as processors that we may use, or as the environment variable PGAUDIT_PROCESSES says.
    """
    import multiprocessing

    if size_bytes < LEAST_BYTES or getattr(sys, "frozen", False) or multiprocessing.current_process().daemon:
        return 0
    if "python" not in Path(sys.executable or "").name.lower():  # Python inside of another program, which is what would be started
        return 0
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get(VARIABLE, "")
    processes = min(int(asked) if asked.isdecimal() else MOST_PROCESSES, available, size_bytes // (LEAST_BYTES // 2))
    return processes if processes > 1 else 0


def fingerprints_of(
    ranges: Mapping[_Key, Sequence[RowRange]], wanted: Mapping[_Key, tuple[str, ...]], *, processes: int
) -> dict[_Key, Fingerprint]:
    """Return the fingerprint of all *ranges* of each key, over the columns *wanted* of it, made by that many other processes.

    What one of them could not read, or did not live to tell, is left out: whoever reads it again gets the error, or the result.
    """
    from multiprocessing.connection import wait

    waiting = deque((key, part) for key, whole in ranges.items() for stretch in whole for part in stretch.cut())
    totals = dict.fromkeys(ranges, Fingerprint())
    with _workers(processes) as idle:
        busy: dict[Connection, _Key] = {}
        while (idle and waiting) or busy:
            while idle and waiting:
                connection = idle.pop()
                key, part = waiting.popleft()
                busy[connection] = key
                with suppress(OSError):  # it is gone: reading from it says so
                    connection.send((part, wanted[key]))
            for ready in wait(list(busy)):
                connection = ready  # type: ignore[assignment]  # only connections were waited for
                key = busy.pop(connection)
                try:
                    found = connection.recv()
                except (EOFError, OSError):
                    totals.pop(key, None)
                    continue
                idle.append(connection)
                if found is None:
                    totals.pop(key, None)
                elif key in totals:
                    totals[key] += found
    for key, _ in waiting:  # no worker is left
        totals.pop(key, None)
    return totals


@contextmanager
def _workers(count: int) -> Iterator[list[Connection]]:
    """Connections to *count* workers, fewer when no more can be started; they end with the block."""
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    workers: list[tuple[SpawnProcess, Connection]] = []
    try:
        with suppress(OSError, RuntimeError), _starting, _without_main(), _without_interrupts():
            for _ in range(count):
                ours, theirs = context.Pipe()
                worker = context.Process(target=_serve, args=(theirs,), daemon=True)
                try:
                    worker.start()
                finally:
                    theirs.close()
                workers.append((worker, ours))
        yield [connection for _, connection in workers]
    finally:
        for worker, connection in workers:
            connection.close()
            worker.terminate()
        for worker, _ in workers:
            worker.join()
            worker.close()


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the caller's script: spawn runs it in every child otherwise, and all that it does would be done again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back while children start: they inherit that, and never print a traceback over the caller's terminal."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # spawn starts it otherwise, and lets Ctrl-C through again as it does so
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection) -> None:
    """Answer each range with its fingerprint, None when it cannot be read, until the caller is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    bytearray(_MALLOC_LESSON)
    with suppress(EOFError, OSError):
        while True:
            part, wanted = connection.recv()
            try:
                found = part.fingerprint(wanted)
            except Exception:  # noqa: BLE001  # whatever it is, the caller reads the rows again and meets it there
                found = None
            connection.send(found)
