"""Put rows back that a live database has lost: the script of `difference.rescue`, run in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pgaudit_kit.errors import RestoreFailed, hide_secrets
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.targets import resolve_target

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import URL, Engine

    from pgaudit_kit.server.targets import Target


def apply_rescue(target: Target | str | Engine | URL, script: Iterable[str], *, progress: Callable[[int], None] | None = None) -> int:
    """Run *script* on *target*, all or nothing; return how many rows were put back or reverted.

    *progress* is called with the number of statements done. Raises RestoreFailed, and nothing has changed, when a statement
    fails; TargetError, CannotConnect.
    """
    import psycopg

    resolved = resolve_target(target)
    rows = 0
    with connect(resolved, read_only=False, autocommit=True) as connection:
        try:
            for done, statement in enumerate(script, start=1):
                cursor = connection.execute(statement.encode())
                rows += _rows_written(statement, cursor)
                if progress:
                    progress(done)
        except psycopg.Error as error:
            raise RestoreFailed(
                f"nothing was changed: {hide_secrets((error.diag.message_primary or str(error)).strip())}",
                resource=resolved.label,
                remedy=_remedy(error),
            ) from None
    return rows


def _rows_written(statement: str, cursor: psycopg.Cursor[Any]) -> int:
    """Rows of the live tables: those that go into temporary tables do not count."""
    if statement.startswith("INSERT INTO pg_temp."):
        return 0
    return cursor.rowcount if statement.startswith(("INSERT", "UPDATE")) else 0


def _remedy(error: psycopg.Error) -> str:
    from psycopg import errors

    if isinstance(error, errors.ForeignKeyViolation):
        return (
            "The rows need rows of another table that are gone too: name that table as well, or add --with-parents. "
            "Tables that need each other's rows can come back only while one of their foreign keys is DEFERRABLE INITIALLY DEFERRED."
        )
    if isinstance(error, errors.UniqueViolation):
        return "Another row has that unique value now: give it another one, or decide which of the two is to stay."
    if isinstance(error, errors.InsufficientPrivilege):
        return "Use the owner of the tables, or --fire-triggers if only disabling triggers was refused."
    if isinstance(error, errors.NotNullViolation):
        return "The table has got a column since that must not be NULL; write the script to a file (-o) and give that column a value."
    if isinstance(error, errors.RaiseException):
        return "A trigger, a rule, an identity or a new type changes values; write the script to a file (-o) and look at it."
    return "Write the script to a file (-o) and look at the statement."
