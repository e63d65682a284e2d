"""What restores that were killed left behind, and what those before kept: found by name and mark, dropped by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgaudit_kit.operations.restores.database_names import made_of
from pgaudit_kit.records.verdict import Check, Outcome

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

STAGED = "pgaudit_kit is restoring into this database; when no restore is running, it may be dropped"
# The mark for us: the one thing that CREATE DATABASE itself can say, so that one killed in the middle of it is known as ours, too.
# A superuser does not heed it, and no load has as many connections. -2: DROP DATABASE was ended in its middle, and must be given again
STAGED_LIMIT = 74_683
_MARKED = """
SELECT datname FROM pg_catalog.pg_database
 WHERE datname = ANY(%s) AND (datconnlimit IN (%s, -2) OR pg_catalog.shobj_description(oid, 'pg_database') = %s)"""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Databases `NAME__restore_TIME`, newest first: those that are `ours` for sure by their mark, and those that only have the name."""

    ours: tuple[str, ...] = ()
    unmarked: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Both."""
        return (*self.ours, *self.unmarked)


def mark_staged(name: str) -> sql.Composed:
    """Return the statement that says to people that a restore is filling database *name*; the exchange takes that off."""
    from psycopg import sql

    return sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(STAGED))


def unmark(name: str) -> tuple[sql.Composed, ...]:
    """Return the statements that take both marks (or any comment and limit) off database *name*."""
    from psycopg import sql

    database = sql.Identifier(name)
    return (
        sql.SQL("COMMENT ON DATABASE {} IS NULL").format(database),
        sql.SQL("ALTER DATABASE {} CONNECTION LIMIT -1").format(database),
    )


def find_leftovers(connection: psycopg.Connection[Any], database: str, names: Iterable[str]) -> Leftovers:
    """Return what restores into *database* left among *names*. Only true while nobody else restores into it (`restore_lock`)."""
    left = made_of(database, "restore", names)
    marked = {name for (name,) in connection.execute(_MARKED, [left, STAGED_LIMIT, STAGED])}
    return Leftovers(tuple(n for n in left if n in marked), tuple(n for n in left if n not in marked))


def check_leftovers(left: Leftovers, *, drop_unmarked: bool) -> Check:
    """`restore.leftovers`: no database is left of a restore that was killed; ours are dropped, others when told so.

    They cost space, nothing else. One without the mark may be somebody else's, or that of a restore killed as it began.
    """
    stays = () if drop_unmarked else left.unmarked
    dropped = [name for name in left.all if name not in stays]
    found = [f"{', '.join(dropped)} (left by a restore that was killed; dropped)"] if dropped else []
    found += [f"{', '.join(stays)} (not known to be ours; left alone)"] if stays else []
    return Check(
        id="restore.leftovers",
        question="Is no database left of an earlier restore that was killed?",
        outcome=Outcome.WARNED if left.all else Outcome.PASSED,
        expected="none",
        found="; ".join(found) or "none",
        compared=1,
        remedy="Look into them, and drop them by hand or with --drop-leftovers." if stays else "",
        evidence=tuple({"database": name, "dropped": name in dropped} for name in left.all),
    )


def kept_databases(database: str, names: Sequence[str]) -> list[str]:
    """Return the databases that restores and rollbacks of *database* kept among *names*, newest first."""
    kept = [*made_of(database, "before", names), *made_of(database, "rolledback", names)]
    return sorted(kept, key=lambda name: name.rpartition("_")[2], reverse=True)
