"""Processes that make fingerprints of many rows. Those are sums, so the result is the same by construction.

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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

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


@contextmanager
def workers(count: int) -> Iterator[list[Connection]]:
    """Connections to *count* workers, fewer when no more can be started; they end with the block.

    A worker is sent calls without arguments that pickle knows (`functools.partial`), and answers each with what it returns, or None.
    """
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    started: list[tuple[SpawnProcess, Connection]] = []
    try:
        with suppress(OSError, RuntimeError), _starting, _without_main(), _without_interrupts():
            for _ in range(count):
                ours, theirs = context.Pipe()
                worker = context.Process(target=_serve, args=(theirs,), daemon=True)
                try:
                    worker.start()
                finally:
                    theirs.close()
                started.append((worker, ours))
        yield [connection for _, connection in started]
    finally:
        for worker, connection in started:
            connection.close()
            worker.terminate()
        for worker, _ in started:
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
    """Answer each call with what it returns, None when it fails, until the caller is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    bytearray(_MALLOC_LESSON)
    with suppress(EOFError, OSError):
        while True:
            call = connection.recv()
            try:
                found = call()
            except Exception:  # noqa: BLE001  # whatever it is, the caller reads the rows again and meets it there
                found = None
            connection.send(found)
