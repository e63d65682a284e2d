"""Fingerprints of many tables over several connections, which all see one snapshot: servers work on as many things at once.

One thread reads whichever connection has sent something. Threads would pass Python's lock to and fro at every few rows, which costs more
than it gives. Where so much is to be read that it pays to start processes, these have the other connections.
Large tables are divided by pages, so that no connection is left alone with the last one; fingerprints are sums.
"""

from __future__ import annotations

import selectors
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

from pgaudit_kit.display.progress import Progress
from pgaudit_kit.errors import PgAuditError, RowsNotAvailable
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.rows.worker_processes import process_count, workers
from pgaudit_kit.server.snapshot import Snapshot, View

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

CONNECTIONS = 2
_WORTH_IT_BYTES = 32 << 20
_DEARER = 4  # as many times more must be read before a process pays that has to connect than before one that reads a file
_PART_BYTES = 32 << 20
_MOST_PARTS = 64  # of all tables together, beside the tables themselves


@dataclass
class _Table:
    """What has been counted of a table, and how many parts of it have not been yet."""

    name: TableName
    parts: int
    fingerprint: Fingerprint = field(default_factory=Fingerprint)
    size_bytes: int = 0

    def add(self, fingerprint: Fingerprint, size_bytes: int) -> None:
        self.fingerprint += fingerprint
        self.size_bytes += size_bytes


@dataclass(frozen=True)
class _Part:
    table: _Table
    where: str | None


@dataclass(frozen=True)
class _Work:
    """What the connections share: the parts that none has begun with, and the bar that all of them move."""

    size_bytes: int
    waiting: deque[_Part]
    bar: Progress

    def add(self, table: _Table, fingerprint: Fingerprint, size_bytes: int) -> None:
        """Take what has been read of *table*."""
        table.add(fingerprint, size_bytes)
        self.bar.add(size_bytes)


def count_together(snapshot: Snapshot, names: Iterable[TableName], *, connections: int = CONNECTIONS) -> None:
    """Have the fingerprints of *names* ready in *snapshot* (`Snapshot.fingerprint` then knows them), made over *connections*.

    Where another connection cannot be had or does not see the snapshot (a pooler), or there is little to read, nothing is done. Tables
    that cannot be read are left out: whoever asks for them is told. Raises QueryFailed.
    """
    wanted = set(names)
    sizes = {name: size for name, size in snapshot.sizes.items() if name in wanted}
    parts = sorted(_parts(snapshot, sizes), key=lambda found: -found[0])
    total = sum(sizes.values())
    if total < _WORTH_IT_BYTES or len(parts) < connections:
        return
    with ExitStack() as opened:
        bar = opened.enter_context(Progress(snapshot.label, unit="B", total=lambda: total))
        work = _Work(total, deque(part for _, part in parts), bar)
        sides: list[_Side] = [_Reader(snapshot, work)]
        try:
            sides += _others(snapshot, connections - 1, work, opened)
        except PgAuditError:
            return
        for side in sides:
            opened.enter_context(side)
        _read(sides)
    for table in {id(part.table): part.table for _, part in parts}.values():
        if not table.parts:
            snapshot.know(table.name, table.fingerprint, table.size_bytes)


def _parts(snapshot: Snapshot, sizes: Mapping[TableName, int]) -> Iterator[tuple[int, _Part]]:
    """Yield the work, with about how many bytes each part has."""
    part_bytes = max(_PART_BYTES, sum(sizes.values()) // _MOST_PARTS)
    for name, size in sizes.items():
        ranges = snapshot.page_ranges(name, -(-size // part_bytes)) if size > part_bytes else []
        table = _Table(name, max(len(ranges), 1))
        for where in ranges or (None,):
            yield size // table.parts, _Part(table, where)


def _others(snapshot: Snapshot, count: int, work: _Work, opened: ExitStack) -> Iterator[_Side]:
    """Yield *count* other connections: in processes of their own where these pay and can be had. Raises CannotConnect, QueryFailed."""
    pipes = []
    if process_count(work.size_bytes // _DEARER) and snapshot.target.engine is None:
        pipes = opened.enter_context(workers(count))
    view = snapshot.view()
    for pipe in pipes:
        yield _Distant(pipe, view, work)
    for _ in range(count - len(pipes)):
        yield _Reader(opened.enter_context(view.open()), work)


def _read(sides: list[_Side]) -> None:
    """Read what each connection sends until nothing is left to do."""
    with selectors.DefaultSelector() as selector:
        for side in sides:
            selector.register(side.socket, selectors.EVENT_READ, side)
        ready = list(sides)
        while selector.get_map():
            ready = [side for side in ready if side.advance()]
            for side in sides:
                if side.done and side.socket in selector.get_map():
                    selector.unregister(side.socket)
            if selector.get_map():
                arrived = [key.data for key, _ in selector.select(0 if ready else None)]
                ready += [side for side in arrived if side not in ready]


class _Reader:
    """One connection at work on parts of what is waiting. Leaving its `with` block stops the server's work."""

    def __init__(self, snapshot: Snapshot, work: _Work) -> None:
        self.socket = snapshot.socket
        self.done = False
        self._snapshot = snapshot
        self._work = work
        self._table: _Table | None = None
        self._blocks: Iterator[bytes] = iter(())

    def advance(self) -> bool:
        """Take in one block, or begin with the next part; False when the server has to be waited for, or nothing is left to do."""
        try:
            return self._take_in(self._table) if self._table else self._begin()
        except RowsNotAvailable:
            self._table = None
            return True
        except PgAuditError:  # the table will be asked for again; if it is the connection, nothing more comes of it
            self.done = True
            return False

    def _begin(self) -> bool:
        if not self._work.waiting:
            self.done = True
            return False
        part = self._work.waiting.popleft()
        self._blocks = self._snapshot.row_blocks(part.table.name, where=part.where, wait=False)
        self._table = part.table
        return True

    def _take_in(self, table: _Table) -> bool:
        block = next(self._blocks, None)
        if block is None:
            table.parts -= 1
            self._table = None
            return True
        if block:
            self._work.add(table, fingerprint_of([block]), len(block))
        return bool(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(self._blocks, Generator):
            self._blocks.close()


class _Distant:
    """One connection of another process, at work on parts of what is waiting. Leaving its `with` block closes that connection."""

    def __init__(self, pipe: Connection, view: View, work: _Work) -> None:
        self.socket = pipe.fileno()
        self.done = False
        self._pipe = pipe
        self._view = view
        self._work = work
        self._table: _Table | None = None

    def advance(self) -> bool:
        """Take in what a part has given, and hand out the next one; always False: an answer has to be waited for."""
        try:
            if self._table:
                self._take_in(self._table, self._pipe.recv())
            if not self.done:
                self._hand_out()
        except (EOFError, OSError):  # the process is gone: who asks for that table reads it
            self.done = True
        return False

    def _take_in(self, table: _Table, found: tuple[Fingerprint, int] | str | None) -> None:
        if isinstance(found, tuple):
            table.parts -= 1
            self._work.add(table, *found)
        self.done = found is None  # its connection is lost
        self._table = None

    def _hand_out(self) -> None:
        if not self._work.waiting:
            self.done = True
            return
        part = self._work.waiting.popleft()
        self._table = part.table
        self._pipe.send(partial(_count_there, self._view, part.table.name, part.where))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._table:  # else it is at work still, and ends with its process
            with suppress(EOFError, OSError):
                self._pipe.send(partial(_close_there, self._view))
                self._pipe.recv()


_Side: TypeAlias = _Reader | _Distant


@cache
def _there(view: View) -> Snapshot:
    """The connection that a worker keeps from part to part."""
    return view.open()


def _count_there(view: View, name: TableName, where: str | None) -> tuple[Fingerprint, int] | str:
    """Count and fingerprint of a part, and its bytes; the reason when this role may not read it."""
    found = _Table(name, parts=1)
    try:
        for block in _there(view).row_blocks(name, where=where):
            found.add(fingerprint_of([block]), len(block))
    except RowsNotAvailable as error:
        return error.message
    return found.fingerprint, found.size_bytes


def _close_there(view: View) -> None:
    if _there.cache_info().currsize:
        _there(view).close()
