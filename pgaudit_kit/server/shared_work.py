"""Fingerprints of many tables over several connections, which all see one snapshot: servers work on as many things at once.

One thread reads whichever connection has sent something. Threads would pass Python's lock to and fro at every few rows, which costs more
than it gives. Large tables are divided by pages, so that no connection is left alone with the last one; fingerprints are sums.
"""

from __future__ import annotations

import selectors
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from pgaudit_kit.display.progress import Progress
from pgaudit_kit.errors import PgAuditError, RowsNotAvailable
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.server.snapshot import Snapshot

CONNECTIONS = 2
_WORTH_IT_BYTES = 32 << 20
_PART_BYTES = 32 << 20
_MOST_PARTS = 64  # of all tables together, beside the tables themselves


@dataclass
class _Table:
    """What has been counted of a table, and how many parts of it have not been yet."""

    name: TableName
    parts: int
    fingerprint: Fingerprint = field(default_factory=Fingerprint)
    size_bytes: int = 0


@dataclass(frozen=True)
class _Part:
    table: _Table
    where: str | None


def count_together(snapshot: Snapshot, names: Iterable[TableName], *, connections: int = CONNECTIONS) -> None:
    """Have the fingerprints of *names* ready in *snapshot* (`Snapshot.fingerprint` then knows them), made over *connections*.

    Where another connection cannot be had or does not see the snapshot (a pooler), or there is little to read, nothing is done. Tables
    that cannot be read are left out: whoever asks for them is told. Raises QueryFailed.
    """
    wanted = set(names)
    sizes = {name: size for name, size in snapshot.sizes.items() if name in wanted}
    parts = sorted(_parts(snapshot, sizes), key=lambda found: -found[0])
    if sum(sizes.values()) < _WORTH_IT_BYTES or len(parts) < connections:
        return
    waiting = deque(part for _, part in parts)
    with ExitStack() as opened:
        try:
            helpers = [opened.enter_context(snapshot.another()) for _ in range(connections - 1)]
        except PgAuditError:
            return
        bar = opened.enter_context(Progress(snapshot.label, unit="B", total=lambda: sum(sizes.values())))
        _read([opened.enter_context(_Reader(side, waiting, bar)) for side in (snapshot, *helpers)])
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


def _read(readers: list[_Reader]) -> None:
    """Read what each connection sends until nothing is left to do."""
    with selectors.DefaultSelector() as selector:
        for reader in readers:
            selector.register(reader.socket, selectors.EVENT_READ, reader)
        ready = list(readers)
        while selector.get_map():
            ready = [reader for reader in ready if reader.advance()]
            for reader in readers:
                if reader.done and reader.socket in selector.get_map():
                    selector.unregister(reader.socket)
            if selector.get_map():
                arrived = [key.data for key, _ in selector.select(0 if ready else None)]
                ready += [reader for reader in arrived if reader not in ready]


class _Reader:
    """One connection at work on parts of what is *waiting*. Leaving its `with` block stops the server's work."""

    def __init__(self, snapshot: Snapshot, waiting: deque[_Part], bar: Progress) -> None:
        self.socket = snapshot.socket
        self.done = False
        self._snapshot = snapshot
        self._waiting = waiting
        self._bar = bar
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
        if not self._waiting:
            self.done = True
            return False
        part = self._waiting.popleft()
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
            table.fingerprint += fingerprint_of([block])
            table.size_bytes += len(block)
            self._bar.add(len(block))
        return bool(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(self._blocks, Generator):
            self._blocks.close()
