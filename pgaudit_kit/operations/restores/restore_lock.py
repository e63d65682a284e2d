"""One restore or rollback of a database at a time: an advisory lock that ends with the session that holds it, however that ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pgaudit_kit.errors import RestoreFailed
from pgaudit_kit.operations.restores.maintenance import maintenance_connection
from pgaudit_kit.server.connection import refused_queries
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg

_CLASS = 0x70676B74  # "pgkt", so that these are not the advisory locks of an application
_PATIENCE_SECONDS, _LOOKED_AT_SECONDS = 5, 0.05
# Nobody but us decides how long it is held: the transaction does nothing, and holds back no VACUUM
_STAY = ("idle_in_transaction_session_timeout", "transaction_timeout", "idle_session_timeout", "statement_timeout")
_KEEP_OPEN = """
SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.unnest(%s::text[]) AS name
 WHERE pg_catalog.current_setting(name, true) IS NOT NULL"""
_TAKE = "SELECT pg_catalog.pg_try_advisory_xact_lock(%s, pg_catalog.hashtext(%s))"
_HOLDER = """
SELECT l.pid, a.usename, coalesce(host(a.client_addr), 'local')
  FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.granted AND l.classid::bigint = %s
   AND l.objid::bigint = pg_catalog.hashtext(%s)::bigint & 4294967295 AND l.objsubid = 2
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())"""


@contextmanager
def restore_lock(target: Target) -> Iterator[psycopg.Connection[Any]]:
    """Hold the lock of the database that *target* names for the block; give the connection that holds it, in a transaction.

    Raises RestoreFailed that names the holder when another restore or rollback of it is running, CannotConnect.
    """
    with maintenance_connection(target) as connection, connection.transaction():
        with refused_queries(target.label, "taking the lock of the restore"):
            connection.execute(_KEEP_OPEN, [list(_STAY)])
            if not _taken(connection, target.database):
                raise _held(target, connection)
        yield connection


def _taken(connection: psycopg.Connection[Any], database: str) -> bool:
    """Take the lock; the server may need a moment to notice that the program of its last holder was killed."""
    patience_ends = time.monotonic() + _PATIENCE_SECONDS
    while connection.execute(_TAKE, [_CLASS, database]).fetchone() != (True,):
        if time.monotonic() > patience_ends:
            return False
        time.sleep(_LOOKED_AT_SECONDS)
    return True


def check_lock_held(target: Target, connection: psycopg.Connection[Any]) -> None:
    """Raise RestoreFailed when the session of *connection*, which `restore_lock` gave, was ended: another restore may have begun."""
    import psycopg

    try:
        connection.execute("SELECT 1")
    except psycopg.Error as error:
        raise RestoreFailed(
            "the session that kept other restores away was ended", resource=target.label, remedy="Restore again, and let it run."
        ) from error


def _held(target: Target, connection: psycopg.Connection[Any]) -> RestoreFailed:
    row = connection.execute(_HOLDER, [_CLASS, target.database]).fetchone()
    who = f" by {row[1]} from {row[2]} (pid {row[0]})" if row else ""
    end = f" If its program is gone, end its session first: SELECT pg_terminate_backend({row[0]})." if row else ""
    return RestoreFailed(
        f"{target.database!r} is being restored or rolled back already{who}; nothing was touched",
        resource=target.label,
        remedy=f"Wait until that has ended.{end}",
    )
