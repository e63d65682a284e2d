"""Where a rehearsal takes place: an empty database, on a throwaway server or beside others on one that is there; gone at the end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgaudit_kit.operations.programs.server_binaries import unprivileged_account
from pgaudit_kit.operations.rehearsals.needs import Needs
from pgaudit_kit.operations.rehearsals.server_choice import WHEEL, Choice, missing
from pgaudit_kit.operations.restores.database_facts import Locale, create_new
from pgaudit_kit.operations.restores.maintenance import maintenance_connection
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.operations.servers.scratch_folders import base_folder
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


@dataclass(frozen=True, slots=True)
class Place:
    """An empty database (`target`), what `server` it is on, and `why` on that one.

    `checks`: what of the dump's needs it has; `lacks`: extensions; `owners`, `tablespaces`: it has those of the dump; `other_locale`:
    text is not ordered as it was.
    """

    target: Target
    server: str
    why: str
    checks: tuple[Check, ...]
    major: int
    lacks: tuple[str, ...] = ()
    owners: bool = True
    tablespaces: bool = True
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
            _create_roles(connection, (*needs.roles, *needs.other_roles))
            for number, name in enumerate(needs.tablespaces):
                _create_tablespace(connection, name, server.make_folder(f"space{number}"))
            locale = create_database(connection, DATABASE, needs.locale)
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


def _create_roles(connection: psycopg.Connection[Any], roles: Sequence[str]) -> None:
    from psycopg import sql

    there = {row[0] for row in connection.execute("SELECT rolname FROM pg_catalog.pg_roles")}
    for role in missing(roles, there):
        if not role.startswith("pg_"):  # reserved: one of a newer server, and what needs it will tell
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))


def _create_tablespace(connection: psycopg.Connection[Any], name: str, folder: Path) -> None:
    from psycopg import sql

    connection.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(sql.Identifier(name), sql.Literal(str(folder))))


def create_database(connection: psycopg.Connection[Any], name: str, locale: Locale) -> Check | None:
    """Make the empty database with *locale*, or else with another one; the check says which. None: the dump does not say its own."""
    import psycopg

    version = connection.info.server_version
    try:
        connection.execute(create_new(name, locale, version))
    except psycopg.Error as error:
        connection.execute(create_new(name, Locale(encoding=locale.encoding, provider="libc", collate="C", ctype="C"), version))
        why = (error.diag.message_primary or str(error)).strip()
        return _locale_check(locale, Outcome.WARNED, f"C instead: {why}") if locale.collate or locale.locale else None
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
