"""Where a rehearsal takes place: an empty database, on a throwaway server or beside others on one that is there; gone at the end."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgaudit_kit.errors import OperationError, PgAuditError, UsageError
from pgaudit_kit.operations.programs.server_binaries import unprivileged_account
from pgaudit_kit.operations.rehearsals.needs import Needs, major_of
from pgaudit_kit.operations.rehearsals.server_choice import WHEEL, Choice, missing
from pgaudit_kit.operations.restores.database_facts import Locale, create_new
from pgaudit_kit.operations.restores.database_names import LONGEST_BYTES
from pgaudit_kit.operations.restores.maintenance import database_names, maintenance_connection
from pgaudit_kit.operations.restores.swap import drop_database, sessions_of
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.operations.servers.scratch_folders import base_folder
from pgaudit_kit.operations.store.store_files import TIME_FORMAT
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.connection import refused_queries
from pgaudit_kit.server.targets import Target, resolve_target

if TYPE_CHECKING:
    import psycopg

DATABASE = "rehearsal"
# What makes loading fast where a crash costs nothing (Notes on populating a database, PostgreSQL 18, 14.4)
_FAST = {
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
    "maintenance_work_mem": "256MB",
    "shared_buffers": "256MB",
    "lc_messages": "C",
}
_MADE = re.compile(r".*__rehearsal_\d{8}T\d{6}Z\Z", re.DOTALL)
_MARK = "made by pgaudit rehearse; it is dropped at the end"


@dataclass(frozen=True, slots=True)
class Place:
    """An empty database (`target`) and what `server` it is on. `checks`: what of the dump's needs it has; `owners`: it has the roles."""

    target: Target
    server: str
    why: str
    checks: tuple[Check, ...]
    major: int
    lacks: tuple[str, ...] = ()
    owners: bool = True
    other_locale: bool = False


@contextmanager
def throwaway_place(choice: Choice, needs: Needs, *, folder: Path | None) -> Iterator[Place]:
    """Start the chosen server with its data below *folder* (None: where temporary files lie), and end and remove it afterwards.

    It has the roles, the tablespaces and, when it knows it, the locale that the dump needs.
    """
    bin_folder = None if choice.server.origin == WHEEL else choice.server.bin_folder
    with EmbeddedServer(bin_folder=bin_folder, settings=_FAST, scratch=folder) as server:
        target = resolve_target(server.url(DATABASE))
        with refused_queries("the throwaway server", "making roles and the database"), maintenance_connection(target) as connection:
            _create_roles(connection, needs.roles)
            for number, name in enumerate(needs.tablespaces):
                _create_tablespace(connection, name, server.make_folder(f"space{number}"))
            locale = _create_database(connection, DATABASE, needs.locale)
        checks = [locale] if locale else []
        other = bool(locale and locale.outcome is not Outcome.PASSED)
        yield Place(target, str(choice.server), choice.why, tuple(checks), choice.server.major, lacks=choice.lacks, other_locale=other)


def check_space(needs: Needs, folder: Path | None) -> Check:
    """`rehearsal.space`: there is room for a server with all that the dump holds, as far as that can be estimated."""
    where = folder or base_folder(unprivileged_account())
    free = shutil.disk_usage(where).free
    short = free < needs.space_bytes
    return Check(
        id="rehearsal.space",
        question="Is there room for the restored database?",
        outcome=Outcome.NOT_CHECKED if short else Outcome.PASSED,
        expected=f"about {needs.space_bytes / 1e6:,.0f} MB",
        found=f"{free / 1e6:,.0f} MB are free in {where}",
        compared=1,
        remedy="Give a folder on a larger disk: --folder, or TMPDIR." if short else "",
    )


@contextmanager
def place_on(target: Target, needs: Needs) -> Iterator[Place]:
    """Make a database `NAME__rehearsal_TIME` beside that of *target*, and drop it afterwards, whatever happens.

    What killed rehearsals left on that server is dropped first. Roles are not made there: without them owners are left out.
    Raises CannotConnect, QueryFailed, OperationError when the database could not be dropped.
    """
    with refused_queries(target.label, "making a database"), maintenance_connection(target) as connection:
        _drop_abandoned(connection)
        name = _free_name(target.database, database_names(connection))
        version = connection.info.parameter_status("server_version") or ""
        roles = {row[0] for row in connection.execute("SELECT rolname FROM pg_catalog.pg_roles")}
        available = {row[0] for row in connection.execute("SELECT name FROM pg_catalog.pg_available_extensions")}
        lacking_roles = missing(needs.roles, roles)
        try:
            locale = _create_database(connection, name, needs.locale)
            _mark(connection, name)
            yield Place(
                target.with_database(name),
                f"PostgreSQL {version.split(' ')[0]} at {target.label}",
                "it was named",
                tuple(c for c in (_check_roles(needs, lacking_roles), locale) if c),
                major_of(version) or 0,
                lacks=missing(needs.extensions, available),
                owners=not lacking_roles,
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
    return host if re.search(r":\d+\Z", host) else f"{host}:5432"


def _create_roles(connection: psycopg.Connection[Any], roles: Sequence[str]) -> None:
    from psycopg import sql

    there = {row[0] for row in connection.execute("SELECT rolname FROM pg_catalog.pg_roles")}
    for role in missing(roles, there):
        if not role.startswith("pg_"):  # reserved: one of a newer server, and what needs it will tell
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))


def _create_tablespace(connection: psycopg.Connection[Any], name: str, folder: Path) -> None:
    from psycopg import sql

    connection.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(sql.Identifier(name), sql.Literal(str(folder))))


def _create_database(connection: psycopg.Connection[Any], name: str, locale: Locale) -> Check | None:
    """Make the empty database with *locale*, or else with another one; the check says which. None: the dump does not say its own."""
    import psycopg

    version = connection.info.server_version
    try:
        connection.execute(create_new(name, locale, version))
    except psycopg.Error as error:
        connection.execute(create_new(name, Locale(encoding=locale.encoding, provider="libc", collate="C", ctype="C"), version))
        why = (error.diag.message_primary or str(error)).strip()
        return _locale_check(locale, Outcome.WARNED, f"C instead: {why}")
    return _locale_check(locale, Outcome.PASSED, "the same") if locale.collate or locale.locale else None


def _locale_check(locale: Locale, outcome: Outcome, found: str) -> Check:
    return Check(
        id="rehearsal.locale",
        question="Was it restored with the encoding and the order of text that it had?",
        outcome=outcome,
        expected=f"{locale.encoding}, {locale.provider or 'libc'} {locale.locale or locale.collate}",
        found=found,
        compared=1,
        remedy="Rows and objects were compared; how indexes and partitions order text there was not proven. Install that locale, or set "
        "PGBIN to a PostgreSQL that has it."
        if outcome is not Outcome.PASSED
        else "",
    )


def _check_roles(needs: Needs, lacking: Sequence[str]) -> Check | None:
    if not needs.roles:
        return None
    return Check(
        id="rehearsal.roles",
        question="Does the server have the roles, so that owners and privileges can be compared?",
        outcome=Outcome.NOT_CHECKED if lacking else Outcome.PASSED,
        expected=f"{len(needs.roles)} roles",
        found=f"missing: {', '.join(lacking)}; owners and privileges were left out" if lacking else "all there",
        compared=len(needs.roles),
        remedy="Rehearse in a throwaway server, where they are made, or create them on this one." if lacking else "",
    )


def _free_name(database: str, taken: Sequence[str]) -> str:
    suffix = f"__rehearsal_{datetime.now(UTC).strftime(TIME_FORMAT)}"
    room = LONGEST_BYTES - len(suffix)
    name = database.encode()[:room].decode("utf-8", "ignore") + suffix
    if name in taken:
        raise OperationError(f"another rehearsal began this second as {name!r}", resource=database, remedy="Try again.")
    return name


def _mark(connection: psycopg.Connection[Any], name: str) -> None:
    from psycopg import sql

    connection.execute("SELECT pg_catalog.pg_advisory_lock(oid::bigint) FROM pg_catalog.pg_database WHERE datname = %s", [name])
    connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(_MARK)))


def _drop_abandoned(connection: psycopg.Connection[Any]) -> None:
    """Drop the databases of rehearsals that were killed: those with our name and our comment whose lock nobody holds."""
    marked = connection.execute(
        "SELECT datname, oid::bigint FROM pg_catalog.pg_database WHERE pg_catalog.shobj_description(oid, 'pg_database') = %s", [_MARK]
    ).fetchall()
    for name, oid in marked:
        row = connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", [oid]).fetchone()
        if not (row and row[0]):
            continue
        if _MADE.match(name) and not sessions_of(connection, name):
            drop_database(connection, name)
        connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s)", [oid])


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
