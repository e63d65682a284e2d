"""A rehearsal on a server that is there: beside its databases, gone at the end, never where the backup came from."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pgaudit_kit.errors import OperationError, PgAuditError, UsageError
from pgaudit_kit.operations.rehearsals.needs import Needs, major_of
from pgaudit_kit.operations.rehearsals.places import Place, create_database
from pgaudit_kit.operations.rehearsals.server_choice import missing
from pgaudit_kit.operations.restores.database_names import LONGEST_BYTES
from pgaudit_kit.operations.restores.maintenance import database_names, maintenance_connection
from pgaudit_kit.operations.restores.swap import drop_database, sessions_of
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.connection import refused_queries
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg

_TIME = "%Y%m%dT%H%M%SZ"
_MADE = re.compile(r".*__rehearsal_\d{8}T\d{6}Z\Z", re.DOTALL)
# What a target says of a server of this machine, whichever way it is reached
_HERE = frozenset({"local", "localhost", "127.0.0.1", "[::1]"})
_IS_OURS = """
SELECT coalesce(pg_catalog.shobj_description(oid, 'pg_database') = %s, false)
    OR pg_catalog.pg_database_size(oid) <= pg_catalog.pg_database_size('template0')
  FROM pg_catalog.pg_database WHERE datname = %s"""
_MARK = "made by pgaudit rehearse; it is dropped at the end"


@contextmanager
def place_on(target: Target, needs: Needs) -> Iterator[Place]:
    """Make a database `NAME__rehearsal_TIME` beside that of *target*, and drop it afterwards, whatever happens.

    What killed rehearsals left on that server is dropped first. Roles are not made there: without them owners are left out.
    Raises CannotConnect, QueryFailed, OperationError when the database could not be dropped.
    """
    from psycopg import sql

    with refused_queries(target.label, "making a database"), maintenance_connection(target) as connection:
        _drop_abandoned(connection)
        name = _locked_name(target.database, connection)
        version = connection.info.parameter_status("server_version") or ""
        roles = {row[0] for row in connection.execute("SELECT rolname FROM pg_catalog.pg_roles WHERE pg_has_role(oid, 'MEMBER')")}
        available = {row[0] for row in connection.execute("SELECT name FROM pg_catalog.pg_available_extensions")}
        spaces = {row[0] for row in connection.execute("SELECT spcname FROM pg_catalog.pg_tablespace")}
        lacking_roles, lacking_spaces = missing(needs.roles, roles), missing(needs.tablespaces, spaces)
        try:
            locale = create_database(connection, name, needs.locale)
            connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(_MARK)))
            yield Place(
                target.with_database(name),
                f"PostgreSQL {version.split(' ')[0]} at {target.label}",
                "it was named",
                tuple(c for c in (_check_roles(needs, lacking_roles), _check_tablespaces(needs, lacking_spaces), locale) if c),
                major_of(version) or 0,
                lacks=missing(needs.extensions, available),
                owners=not lacking_roles,
                tablespaces=not lacking_spaces,
                other_locale=bool(locale and locale.outcome is not Outcome.PASSED),
            )
        finally:
            _drop(target, name)


def check_origin(target: Target, recorded: str | None, databases: Sequence[str], dumped: str | None, *, allowed: bool) -> None:
    """Refuse the server that the backup came from, and one of which that cannot be excluded, unless *allowed*. Raises UsageError.

    *recorded*: the label of what the manifest was taken of (None: there is no manifest); *dumped*: the name of the database that was
    dumped, *databases*: those of the server.
    """
    if allowed:
        return
    if recorded is not None:
        same = _host_of(recorded) == _host_of(target.label)
        why = f"the backup was made of {recorded}, which is on that server" if same else ""
    elif dumped is None:
        why = "the dump does not say where it comes from, so that it may be that server"
    else:
        why = f"that server has a database {dumped!r}, which may be the one that was dumped" if dumped in databases else ""
    if why:
        raise UsageError(
            f"{why}; what is restored would take its space there",
            resource=target.label,
            remedy="Rehearse in a throwaway server (--server auto), or say --allow-same-server.",
        )


def _host_of(label: str) -> str:
    """The `host:port` in `host:port/database` and in `env:NAME (host:port/database)`."""
    inner = re.search(r"\(([^()]*)\)\Z", label)
    place = inner[1] if inner else label
    host = place.rpartition("/")[0]
    name, port = host.rpartition(":")[::2] if re.search(r":\d+\Z", host) else (host, "5432")
    return f"{'local' if name in _HERE else name}:{port}"


def _check_roles(needs: Needs, lacking: Sequence[str]) -> Check | None:
    question = "Does the server have the roles, so that owners and privileges can be compared?"
    return _all_there("roles", question, needs.roles, lacking, left_out="owners and privileges")


def _check_tablespaces(needs: Needs, lacking: Sequence[str]) -> Check | None:
    question = "Does the server have the tablespaces, so that they can be compared?"
    return _all_there("tablespaces", question, needs.tablespaces, lacking, left_out="tablespaces")


def _all_there(what: str, question: str, wanted: Sequence[str], lacking: Sequence[str], *, left_out: str) -> Check | None:
    if not wanted:
        return None
    return Check(
        id=f"rehearsal.{what}",
        question=question,
        outcome=Outcome.NOT_CHECKED if lacking else Outcome.PASSED,
        expected=f"{len(wanted)} {what}",
        found=f"missing, or not ours to use: {', '.join(lacking)}; {left_out} were left out" if lacking else "all there",
        compared=len(wanted),
        remedy="Rehearse in a throwaway server, where they are made, or create them on this one." if lacking else "",
    )


def _locked_name(database: str, connection: psycopg.Connection[Any]) -> str:
    """Return a name that no database has, locked for as long as *connection* lives: no other rehearsal takes or drops it."""
    at = datetime.now(UTC)
    while True:
        suffix = f"__rehearsal_{at.strftime(_TIME)}"
        name = database.encode()[: LONGEST_BYTES - len(suffix)].decode("utf-8", "ignore") + suffix
        if _lock(connection, name):
            if name not in database_names(connection):
                return name
            _unlock(connection, name)
        at += timedelta(seconds=1)


def _lock(connection: psycopg.Connection[Any], name: str) -> bool:
    row = connection.execute("SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended(%s, 0))", [name]).fetchone()
    return bool(row and row[0])


def _unlock(connection: psycopg.Connection[Any], name: str) -> None:
    connection.execute("SELECT pg_catalog.pg_advisory_unlock(pg_catalog.hashtextextended(%s, 0))", [name])


def _drop_abandoned(connection: psycopg.Connection[Any]) -> None:
    """Drop the databases of rehearsals that were killed: with our name, whose lock nobody holds, and with our comment or still empty."""
    import psycopg

    for name in filter(_MADE.match, database_names(connection)):
        if not _lock(connection, name):
            continue
        try:
            row = connection.execute(_IS_OURS, [_MARK, name]).fetchone()
            if row and row[0] and not sessions_of(connection, name):
                drop_database(connection, name)
        except psycopg.errors.InsufficientPrivilege:
            pass  # another role's: that one drops it
        finally:
            _unlock(connection, name)


def _drop(target: Target, name: str) -> None:
    """Drop it over a connection of its own: the other one may be what failed."""
    try:
        with refused_queries(target.label, f"dropping {name!r}"), maintenance_connection(target) as connection:
            drop_database(connection, name)
    except PgAuditError as error:
        with contextlib.suppress(PgAuditError), maintenance_connection(target) as connection:
            drop_database(connection, name)
            return
        what = f"the rehearsal's database {name!r} could not be dropped: {error.message}"
        raise OperationError(what, resource=target.label, remedy="The next rehearsal there drops it, or drop it by hand.") from error
