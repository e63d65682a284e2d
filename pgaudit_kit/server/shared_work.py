"""Fingerprints of many tables over several connections, which all see one snapshot: servers work on as many tables at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from threading import Event
from typing import TypeAlias

from pgaudit_kit.errors import PgAuditError, RowsNotAvailable
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.snapshot import Snapshot

CONNECTIONS = 2
_WORTH_IT_BYTES = 32 << 20

Also: TypeAlias = Callable[[Snapshot, TableName], None]


def count_together(snapshot: Snapshot, names: Iterable[TableName], *, connections: int = CONNECTIONS, also: Also | None = None) -> None:
    """Have the fingerprints of *names* ready in *snapshot* (`Snapshot.fingerprint` then knows them), made over *connections*.

    *also* is called of each table, behind its fingerprint and over the same connection, in whatever thread that is.

    Where another connection cannot be had or does not see the snapshot (a pooler), the one that is there does all. Tables whose rows
    cannot be read are left out: whoever asks for them is told. Raises QueryFailed.
    """
    wanted = set(names)
    sizes = {name: size for name, size in snapshot.sizes.items() if name in wanted}
    if sum(sizes.values()) < _WORTH_IT_BYTES or len(sizes) < connections:
        return
    waiting: SimpleQueue[TableName] = SimpleQueue()
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        waiting.put(name)
    stop = Event()
    with ExitStack() as opened, ThreadPoolExecutor(connections) as pool:
        try:
            helpers = [opened.enter_context(snapshot.another()) for _ in range(connections - 1)]
        except PgAuditError:
            return
        others = [pool.submit(_count, helper, waiting, stop, also) for helper in helpers]
        try:
            _count(snapshot, waiting, stop, also)
        except BaseException:  # Ctrl-C included
            stop.set()
            for helper in helpers:
                helper.cancel()
            raise
        for helper, other in zip(helpers, others, strict=True):
            with suppress(PgAuditError):  # the table on which it failed is asked for again
                other.result()
            snapshot.take_over(helper)


def _count(snapshot: Snapshot, waiting: SimpleQueue[TableName], stop: Event, also: Also | None) -> None:
    while not stop.is_set():
        try:
            name = waiting.get_nowait()
        except Empty:
            return
        try:
            snapshot.fingerprint(name)
            if also:
                also(snapshot, name)
        except RowsNotAvailable:
            continue
