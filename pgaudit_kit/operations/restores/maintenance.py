"""A connection beside the database that is to be replaced: one cannot rename the database one is in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pgaudit_kit.errors import CannotConnect, UsageError
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.targets import Target, resolve_target

if TYPE_CHECKING:
    import psycopg
    import sqlalchemy

_TEMPLATES = ("template0", "template1")


def named_target(given: Target | str | sqlalchemy.Engine | sqlalchemy.URL) -> Target:
    """Return *given* as a Target that says its database; where it says none, ask the server which one libpq takes."""
    target = resolve_target(given)
    if target.database:
        return target
    with connect(target) as connection:
        row = connection.execute("SELECT pg_catalog.current_database()").fetchone()
    return target.with_database(row[0]) if row else target


def target_to_fill(given: Target | str | sqlalchemy.Engine | sqlalchemy.URL) -> Target:
    """Return the named target of a restore. Raises UsageError for a template, whose content every new database would get."""
    target = named_target(given)
    if target.database in _TEMPLATES:
        what = f"{target.database!r} is the template of every database that is created on that server"
        raise UsageError(what, resource=target.label, remedy="Name the database of the application.")
    return target


@contextmanager
def maintenance_connection(target: Target) -> Iterator[psycopg.Connection[Any]]:
    """Give a writing connection in autocommit mode to the server of *target*, in `postgres` or else `template1`. Raises CannotConnect."""
    names = [name for name in ("postgres", "template1") if name != target.database]
    try:
        opened = connect(target.with_database(names[0]), read_only=False, autocommit=True)
    except CannotConnect:
        if len(names) == 1:
            raise
        opened = connect(target.with_database(names[1]), read_only=False, autocommit=True)
    with opened as connection:
        yield connection


def database_oid(connection: psycopg.Connection[Any], name: str) -> int | None:
    """Return the oid of database *name*, which a rename does not change; None when there is none."""
    row = connection.execute("SELECT oid FROM pg_catalog.pg_database WHERE datname = %s", [name]).fetchone()
    return int(row[0]) if row else None


def database_names(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the names of all databases of the server."""
    return [name for (name,) in connection.execute("SELECT datname FROM pg_catalog.pg_database")]
