"""COPY … TO STDOUT as blocks of lines, straight from libpq.

The server sends one message per row. psycopg's own loop runs its state machine for each of them; here every row that has
arrived is taken in one tight loop, and the state machine is this file: a third of the time on a table of short rows. A row is
copied and let go at once: rows that wait as objects are memory that Python's garbage collector goes through again and again.
"""

from __future__ import annotations

import selectors
from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg
    from psycopg.pq.abc import PGconn, PGresult

_BLOCK_BYTES = 96 << 10  # what lies in the processor's cache until it is hashed: twice as fast as blocks of 1 MiB


def copy_blocks(connection: psycopg.Connection[Any], statement: bytes, *, wait: bool = True) -> Generator[bytes]:
    r"""Yield what *statement*, a COPY … TO STDOUT, sends: blocks of whole lines of about 96 KiB.

    Without *wait*, an empty block says that the server has sent nothing more yet: for who reads several connections in turn.
    Closing it early stops the server's work; the connection is then in a failed transaction, as after any cancelled query.
    Raises psycopg.Error.
    """
    pgconn = connection.pgconn
    with selectors.DefaultSelector() as selector:
        selector.register(pgconn.socket, selectors.EVENT_READ)
        pgconn.send_query(statement)
        ended = False
        try:
            for block in _received(pgconn):
                if block or not wait:
                    yield block
                else:
                    selector.select()  # here, where Ctrl-C is heard, and not inside of libpq
            ended = True
        finally:
            _finish(connection, selector, ended=ended)


def _received(pgconn: PGconn) -> Generator[bytes]:
    """Yield blocks as they arrive, an empty one whenever there is nothing to do but to wait for the server."""
    _check((yield from _answer(pgconn)))
    yield from _blocks(pgconn)
    _check((yield from _answer(pgconn)))


def _answer(pgconn: PGconn) -> Generator[bytes, None, PGresult | None]:
    while pgconn.is_busy():
        yield b""
        pgconn.consume_input()
    return pgconn.get_result()


def _blocks(pgconn: PGconn) -> Generator[bytes]:
    take = pgconn.get_copy_data
    held = bytearray()
    while True:
        size, line = take(1)  # 1: do not wait
        if size > 0:
            held += line
            if len(held) >= _BLOCK_BYTES:
                yield bytes(held)
                held.clear()
        elif size == 0:
            yield b""
            pgconn.consume_input()
        else:
            break
    if held:
        yield bytes(held)


def _check(result: PGresult | None) -> None:
    """Raise what the server answered in place of rows, or after them."""
    from psycopg import OperationalError, errors, pq

    if result is None:
        raise OperationalError("the server ended the query without an answer")
    if result.status not in (pq.ExecStatus.COPY_OUT, pq.ExecStatus.COMMAND_OK):
        raise errors.error_from_result(result)


def _finish(connection: psycopg.Connection[Any], selector: selectors.BaseSelector, *, ended: bool) -> None:
    """Leave nothing behind on the connection: stop what is still running (it may be waiting for a lock), read what is still on the way."""
    import psycopg

    pgconn = connection.pgconn
    with suppress(psycopg.Error):  # the connection may be gone: the error that is raised already says so
        if not ended:
            connection.cancel_safe(timeout=10)
        for block in _rest(pgconn):
            if not block:
                selector.select()


def _rest(pgconn: PGconn) -> Generator[bytes]:
    """As `_received`, of whatever results there are still."""
    from psycopg import pq

    while (result := (yield from _answer(pgconn))) is not None:
        if result.status == pq.ExecStatus.COPY_OUT:
            yield from _blocks(pgconn)
