"""Exchanging names of databases: in one transaction, so that whoever is killed leaves the old names or the new ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgaudit_kit.errors import RestoreFailed

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

_SESSIONS = """
SELECT pid, coalesce(usename, '-'), coalesce(nullif(application_name, ''), '-'), coalesce(host(client_addr), 'local')
  FROM pg_catalog.pg_stat_activity
 WHERE datname = %s AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL
 ORDER BY pid"""  # autovacuum has no user; a rename ends it by itself
_ATTEMPTS = 20
_PAUSE_SECONDS = 0.1
_LEAVING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Session:
    """A client that is connected to a database."""

    pid: int
    user: str
    application: str
    address: str

    def __str__(self) -> str:
        return f"{self.user}/{self.application} from {self.address} (pid {self.pid})"


def sessions_of(connection: psycopg.Connection[Any], database: str) -> tuple[Session, ...]:
    """Return the clients connected to *database*, ours on *connection* left out."""
    return tuple(Session(*row) for row in connection.execute(_SESSIONS, [database]))


def lasting_sessions(connection: psycopg.Connection[Any], *databases: str) -> tuple[Session, ...]:
    """Return the clients connected to any of *databases*, asked for up to a second: one that has just left is still listed a moment."""
    deadline = time.monotonic() + _LEAVING_SECONDS
    while True:
        found = tuple(session for database in databases for session in sessions_of(connection, database))
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(_PAUSE_SECONDS)


def end_sessions(connection: psycopg.Connection[Any], database: str) -> None:
    """End all clients of *database*."""
    for session in sessions_of(connection, database):
        connection.execute("SELECT pg_catalog.pg_terminate_backend(%s)", [session.pid])


def rename_databases(
    connection: psycopg.Connection[Any], names: Sequence[tuple[str, str]], *, before: Sequence[sql.Composed] = (), force: bool = False
) -> None:
    """Run *before* and rename each (old, new) of *names*, all in one transaction.

    ALTER DATABASE … RENAME locks the database against new connections and waits up to 5 seconds for the others to leave
    (src/backend/commands/dbcommands.c, RenameDatabase). With *force* those are ended first, and again while new ones slip in between.
    *connection* is in autocommit mode and to none of these databases. Raises RestoreFailed when others stay connected, psycopg.Error.
    """
    from psycopg import errors

    for attempt in range(_ATTEMPTS if force else 1):
        if force:
            for old, _ in names:
                end_sessions(connection, old)
            time.sleep(_PAUSE_SECONDS if attempt else 0)
        try:
            _rename(connection, names, before)
        except errors.ObjectInUse as error:
            reason = error.diag.message_detail or str(error)
        else:
            return
    raise RestoreFailed(
        f"the names were not exchanged, because others are connected: {reason}",
        resource=names[0][0],
        remedy="Stop the application and try again." if force else "Stop the application, or give --force to end its sessions.",
    )


def _rename(connection: psycopg.Connection[Any], names: Sequence[tuple[str, str]], before: Sequence[sql.Composed]) -> None:
    from psycopg import sql

    with connection.transaction():
        for statement in before:
            connection.execute(statement)
        for old, new in names:
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new)))


def drop_database(connection: psycopg.Connection[Any], name: str) -> None:
    """Drop a database that we made, ending what is still connected to it (a program that was just stopped). Raises psycopg.Error."""
    from psycopg import errors, sql

    for _ in range(_ATTEMPTS):
        end_sessions(connection, name)
        try:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        except errors.ObjectInUse:
            time.sleep(_PAUSE_SECONDS)
        else:
            return
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
