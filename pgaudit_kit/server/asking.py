"""Queries over one open connection, inside of its transaction: alone, many ahead of their answers, undone when they fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from pgaudit_kit.server.catalog_rows import Answer, Row
from pgaudit_kit.server.connection import refused_queries

if TYPE_CHECKING:
    import psycopg

_SENT_AT_ONCE = 4


class Asking:
    """What a session can be asked. *label* names it in errors."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], label: str) -> None:
        self._connection = connection
        self._label = label

    @contextmanager
    def savepoint(self, doing: str, *, keep: bool = False) -> Iterator[None]:
        """A failure inside undoes only what is inside: the transaction stays usable. Raises QueryFailed for it.

        Unless *keep*, a success is rolled back as well, which gives back the locks taken: nobody who wants to alter a
        table has to wait for the snapshot to be closed, and a database of many tables does not fill the lock table.
        """
        with refused_queries(self._label, doing), self._connection.transaction(force_rollback=not keep):
            yield

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """Run one query and give its rows by column name."""
        from psycopg.rows import dict_row

        with self._connection.cursor(row_factory=dict_row) as cursor:
            return list(cursor.execute(sql.encode("utf-8", "surrogateescape"), parameters).fetchall())

    def fetch(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run one query and give its rows, which come in binary."""
        with self._connection.cursor() as cursor:
            return cursor.execute(sql.encode(), parameters, binary=True).fetchall()

    def ask_each(self, queries: Sequence[str]) -> Iterator[Answer]:
        """Send *queries* some at a time and ahead: the server works on the next while these rows are read, and is waited for less often."""
        from psycopg import capabilities

        def send(batch: Sequence[str]) -> list[psycopg.Cursor[tuple[Any, ...]]]:
            return [self._connection.cursor().execute(sql.encode()) for sql in batch]

        with self._connection.pipeline() if capabilities.has_pipeline() else nullcontext():
            sent: list[psycopg.Cursor[tuple[Any, ...]]] = []
            for start in range(0, len(queries) + _SENT_AT_ONCE, _SENT_AT_ONCE):
                answers = [_answer(cursor) for cursor in sent]
                sent = send(queries[start : start + _SENT_AT_ONCE])
                yield from answers

    def ask_unlocked(self, sql: str) -> list[Row]:
        """As `ask`; what the query locked is given back."""
        with self._connection.transaction(force_rollback=True):
            return self.ask(sql)


def _answer(cursor: psycopg.Cursor[tuple[Any, ...]]) -> Answer:
    rows = cursor.fetchall()
    return Answer(tuple(column.name for column in cursor.description or ()), rows)
