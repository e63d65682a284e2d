"""Databases that restores and rollbacks kept: named, and dropped by name only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.restores.database_names import made_of
from pgaudit_kit.operations.restores.leftovers import kept_databases
from pgaudit_kit.operations.restores.maintenance import database_names, maintenance_connection, named_target
from pgaudit_kit.operations.restores.restore_lock import restore_lock
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.connection import refused_queries
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import URL, Engine

_SIZES = """
SELECT datname, CASE WHEN pg_catalog.has_database_privilege(oid, 'CONNECT') THEN pg_catalog.pg_database_size(oid) END
  FROM pg_catalog.pg_database WHERE datname = ANY(%s)"""


@dataclass(frozen=True, slots=True)
class KeptDatabase:
    """A database that was kept when another one took its name; `size_bytes` is None when this role may not know it.

    `what`: `before` (a restore replaced it), `rolledback` (a rollback did), or `restore`: one that is being filled now, or that a
    killed restore left.
    """

    name: str
    what: str
    size_bytes: int | None

    def to_dict(self) -> dict[str, object]:
        """As `--json` prints it."""
        return {"name": self.name, "what": self.what, "size_bytes": self.size_bytes}


def list_kept(target: Target | str | Engine | URL) -> tuple[KeptDatabase, ...]:
    """Return the databases that restores and rollbacks of *target* kept, newest first, then unfinished ones.

    Raises CannotConnect, QueryFailed.
    """
    resolved = named_target(target)
    with refused_queries(resolved.label, "listing kept databases"), maintenance_connection(resolved) as connection:
        there = database_names(connection)
        names = [*kept_databases(resolved.database, there), *made_of(resolved.database, "restore", there)]
        sizes = dict(connection.execute(_SIZES, [names]).fetchall())
    return tuple(KeptDatabase(name, name.rpartition("__")[2].partition("_")[0], sizes.get(name)) for name in names)


def drop_kept(target: Target | str | Engine | URL, names: Sequence[str]) -> Check:
    """Drop those databases of *names* that restores or rollbacks of *target* kept.

    Raises UsageError for a name that is none of these, and then drops nothing; RestoreFailed while a restore is running.
    """
    resolved = named_target(target)
    with restore_lock(resolved), refused_queries(resolved.label, "dropping kept databases"), maintenance_connection(resolved) as connection:
        kept = kept_databases(resolved.database, database_names(connection))
        if unknown := [name for name in names if name not in kept]:
            remedy = f"Kept are: {', '.join(kept) or 'none'}."
            raise UsageError(f"no restore of {resolved.database!r} kept {', '.join(unknown)}", resource=resolved.label, remedy=remedy)
        return drop_unused(connection, names)


def drop_unused(connection: psycopg.Connection[Any], names: Sequence[str]) -> Check:
    """`restore.retention`: drop databases *names*, which were kept by restores; one that somebody is connected to stays."""
    from psycopg import errors, sql

    dropped, used = [], []
    for name in names:
        try:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        except (errors.ObjectInUse, errors.InsufficientPrivilege) as error:
            used.append(f"{name} stays: {error.diag.message_detail or error.diag.message_primary}")
        else:
            dropped.append(name)
    return Check(
        id="restore.retention",
        question="Are the kept databases dropped that were to go?",
        outcome=Outcome.WARNED if used else Outcome.PASSED,
        expected=", ".join(names),
        found="; ".join([f"dropped {', '.join(dropped)}"] * bool(dropped) + used),
        compared=len(names),
        remedy="Drop them with `pgaudit rollback TARGET --drop NAME` when nobody uses them." if used else "",
        evidence=tuple({"database": name, "dropped": name in dropped} for name in names),
    )
