"""Exchanging names of databases: in one transaction, so that whoever is killed leaves the old names or the new ones.

Nothing that would have to be undone is ever set: what keeps new connections out, of superusers too, is the lock that ALTER
DATABASE … RENAME takes, and it ends with the transaction. Neither ALLOW_CONNECTIONS false nor CONNECTION LIMIT 0 could say
that, and a superuser does not heed the second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgaudit_kit.errors import RestoreFailed
from pgaudit_kit.operations.restores.maintenance import database_oid, maintenance_connection
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

_SESSIONS = """
SELECT pid, coalesce(usename, '-'), coalesce(nullif(application_name, ''), '-'), coalesce(host(client_addr), 'local')
  FROM pg_catalog.pg_stat_activity
 WHERE datid = ANY(%s) AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL
 ORDER BY pid"""  # autovacuum has no user; a rename ends it by itself
_LOCK_SECONDS = 10  # others may hold the lock for long (CREATE DATABASE … TEMPLATE); who waits for it keeps everybody out
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


def sessions_of(connection: psycopg.Connection[Any], *databases: str) -> tuple[Session, ...]:
    """Return the clients connected to *databases*, ours on *connection* left out."""
    oids = [oid for name in databases if (oid := database_oid(connection, name)) is not None]
    return _sessions(connection, oids)


def lasting_sessions(connection: psycopg.Connection[Any], *databases: str) -> tuple[Session, ...]:
    """Return the clients connected to any of *databases*, asked for up to a second: one that has just left is still listed a moment."""
    deadline = time.monotonic() + _LEAVING_SECONDS
    while True:
        found = sessions_of(connection, *databases)
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(_PAUSE_SECONDS)


def end_sessions(connection: psycopg.Connection[Any], *databases: str) -> None:
    """End all clients of *databases*. Raises psycopg.Error for one that this role may not end."""
    for session in sessions_of(connection, *databases):
        connection.execute("SELECT pg_catalog.pg_terminate_backend(%s)", [session.pid])


def rename_databases(
    target: Target,
    connection: psycopg.Connection[Any],
    names: Sequence[tuple[str, str]],
    *,
    before: Sequence[sql.Composed] = (),
    ours: Sequence[str] = (),
    force: bool = False,
) -> None:
    """Run *before* and rename each (old, new) of *names*, all in one transaction.

    ALTER DATABASE … RENAME locks the database against new connections and waits up to 5 seconds for the others to leave
    (src/backend/commands/dbcommands.c, RenameDatabase). With *force* those are ended while it waits, over another connection to
    the server of *target*, so that none can slip in between; those of databases that are *ours* alone (a monitor that looks into
    every database) are ended in any case.
    *connection* is in autocommit mode and to none of these databases. Raises RestoreFailed when others stay connected or hold its
    lock, psycopg.Error; the names are the old ones then, unless the connection was lost.
    """
    from psycopg import errors

    old = [name for name, _ in names]
    refused: list[str] = []
    try:
        with _ending_sessions(target, connection, old if force else ours, refused):
            _rename(connection, names, before)
    except errors.ObjectInUse as error:
        reason = "; ".join([error.diag.message_detail or str(error), *refused])
        raise RestoreFailed(
            f"the names were not exchanged, because others are connected: {reason}",
            resource=names[0][0],
            remedy=_remedy(reason, force=force),
        ) from error
    except errors.LockNotAvailable as error:
        raise RestoreFailed(
            f"the names were not exchanged, because others hold the lock of {' or '.join(map(repr, old))}",
            resource=names[0][0],
            remedy="A CREATE DATABASE from it, or an ALTER DATABASE in an open transaction, does so: wait for it, then try again.",
        ) from error


def _remedy(reason: str, *, force: bool) -> str:
    if "prepared transaction" in reason:
        return "End the prepared transactions (pg_prepared_xacts) with COMMIT PREPARED or ROLLBACK PREPARED, then try again."
    return "Stop the application and try again." if force else "Stop the application, or give --force to end its sessions."


def _rename(connection: psycopg.Connection[Any], names: Sequence[tuple[str, str]], before: Sequence[sql.Composed]) -> None:
    from psycopg import sql

    with connection.transaction():
        connection.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [f"{_LOCK_SECONDS}s"])
        for statement in before:
            connection.execute(statement)
        for old, new in names:
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new)))


@contextmanager
def _ending_sessions(target: Target, connection: psycopg.Connection[Any], databases: Sequence[str], refused: list[str]) -> Iterator[None]:
    """End the sessions of *databases*, again and again, while the block runs; who may not be ended is added to *refused*."""
    oids = [oid for name in databases if (oid := database_oid(connection, name)) is not None]  # names change meanwhile
    if not oids:
        yield
        return
    done = threading.Event()
    with maintenance_connection(target) as ending:
        spared = {connection.info.backend_pid, ending.info.backend_pid}
        thread = threading.Thread(target=_end_until, args=(done, ending, oids, spared, refused), name="ending sessions", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _end_until(done: threading.Event, ending: psycopg.Connection[Any], oids: Sequence[int], spared: set[int], refused: list[str]) -> None:
    import psycopg

    try:
        while not done.is_set():
            for session in _sessions(ending, oids):
                if session.pid not in spared and not _end(ending, session):
                    spared.add(session.pid)
                    refused.append(f"this role may not end {session}")
            done.wait(_PAUSE_SECONDS)
    except psycopg.Error as error:
        refused.append(f"sessions could not be ended: {error.diag.message_primary or error}")


def _end(ending: psycopg.Connection[Any], session: Session) -> bool:
    from psycopg import errors

    try:
        ending.execute("SELECT pg_catalog.pg_terminate_backend(%s)", [session.pid])
    except errors.InsufficientPrivilege:
        return False
    return True


def _sessions(connection: psycopg.Connection[Any], oids: Sequence[int]) -> tuple[Session, ...]:
    return tuple(Session(*row) for row in connection.execute(_SESSIONS, [list(oids)]))


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
