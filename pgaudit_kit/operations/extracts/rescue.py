"""Put rows back that a live database has lost: the script of `difference.rescue`, run in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pgaudit_kit.difference.rescue import COMMIT
from pgaudit_kit.errors import RestoreFailed, hide_secrets
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.targets import resolve_target

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import URL, Engine

    from pgaudit_kit.server.targets import Target


_WRITE = "write the script to a file (-o)"
_UNIQUE = (
    "Another row has that unique value now: give it another one, or decide which of the two is to stay. Values that rows have exchanged "
    "come back with --revert, unless foreign keys point at them, triggers are to fire, or none of their columns can be another for a "
    "moment (one that may be NULL, a number, a text, a uuid)."
)
_BUSY = "Others are writing to these tables: run it again."
_NO_PARTITION = (
    "The live table has no partition for these rows any more: make one, or a default one (CREATE TABLE … PARTITION OF …), and run it again."
)
_OTHER_PARTITION = (
    "A partition was divided, or has other bounds since, and such rows belong to another one now, where they may be already: write the "
    "script to a file (-o), and put those that are not there into the partitioned table."
)
# by SQLSTATE, or its class (Appendix A of PostgreSQL's manual)
_REMEDIES = {
    "23503": "The rows need rows of another table that are gone too, or have another key now: name that table as well, or add "
    "--with-parents, or --revert. Those that this dump does not hold either must be made by hand, or come from another dump.",
    "23505": _UNIQUE,
    "23P01": _UNIQUE,
    "23502": f"The table has got a column since that must not be NULL; {_WRITE}, and give that column a value.",
    "23514": f"A CHECK of the table or of a domain was tightened since; {_WRITE}, and change the values or the constraint.",
    "22": f"A column's type holds less than it did; {_WRITE}, and change the values or widen the type.",
    "25006": "The target is a standby, or read-only for this role: name the primary server, or another role.",
    "42501": "Use the owner of the tables, who may make temporary ones, too; or --fire-triggers if only disabling triggers was refused.",
    "P0001": f"A trigger, an event trigger, a rule, an identity or a new type changes or refuses values; {_WRITE} and look at it.",
    "55P03": _BUSY,
    "40": _BUSY,
}
# Only event triggers call such a function, so one that the error passed through was called by its event trigger
_STOPPED_BY = """
SELECT pg_catalog.quote_ident(evtname) FROM pg_catalog.pg_event_trigger
 WHERE evtenabled <> 'D'
   AND pg_catalog.strpos(%s, pg_catalog.concat('PL/pgSQL function ', evtfoid::pg_catalog.regprocedure, ' line ')) > 0
 ORDER BY evtname"""
_SETTING_MAJOR = 17


def apply_rescue(target: Target | str | Engine | URL, script: Iterable[str], *, progress: Callable[[int], None] | None = None) -> int:
    """Run *script* on *target*, all or nothing; return how many rows were put back or reverted.

    *progress* is called with the number of statements done. Raises RestoreFailed, and nothing has changed, when a statement
    fails; TargetError, CannotConnect.
    """
    import psycopg

    resolved = resolve_target(target)
    rows = 0
    statement = ""
    with connect(resolved, read_only=False, autocommit=True) as connection:
        try:
            for done, statement in enumerate(script, start=1):
                cursor = connection.execute(statement.encode("utf-8", "surrogateescape"))
                rows += _rows_written(statement, cursor)
                if progress:
                    progress(done)
        except psycopg.Error as error:
            words = hide_secrets((error.diag.message_primary or str(error)).strip())
            if statement == COMMIT and error.sqlstate is None:
                raise RestoreFailed(
                    f"the connection was lost while the rows were committed, so they are all back, or none is: {words}",
                    resource=resolved.label,
                    remedy="Run it again: what is back already stays as it is.",
                ) from None
            if stopped_by := _event_triggers(connection, error):
                words, remedy = f"the event trigger {' or '.join(stopped_by)} stopped it: {words}", _meanwhile(stopped_by, connection)
            else:
                remedy = _remedy(error)
            raise RestoreFailed(f"nothing was changed: {words}", resource=resolved.label, remedy=remedy) from None
    return rows


def _rows_written(statement: str, cursor: psycopg.Cursor[Any]) -> int:
    """Rows of the live tables: those that go into temporary tables do not count."""
    if statement.startswith("INSERT INTO pg_temp."):
        return 0
    return cursor.rowcount if statement.startswith(("INSERT", "UPDATE")) else 0


def _remedy(error: psycopg.Error) -> str:
    code = error.sqlstate or ""
    if error.diag.source_function == "ExecFindPartition":
        return _NO_PARTITION
    if code == "23514" and error.diag.constraint_name is None:  # ExecPartitionCheckEmitError names the table only
        return _OTHER_PARTITION
    return _REMEDIES.get(code) or _REMEDIES.get(code[:2]) or f"{_WRITE.capitalize()} and look at the statement."


def _event_triggers(connection: psycopg.Connection[Any], error: psycopg.Error) -> list[str]:
    """The event triggers whose function *error* was raised in, as SQL writes their names; none when it was not, or cannot be asked."""
    import psycopg

    if not error.diag.context:
        return []
    try:
        connection.execute("ROLLBACK")
        return [name for (name,) in connection.execute(_STOPPED_BY, [error.diag.context])]
    except psycopg.Error:
        return []


def _meanwhile(event_triggers: Sequence[str], connection: psycopg.Connection[Any]) -> str:
    """How a rescue gets past *event_triggers*: switching them off is for whoever put them there to decide."""
    since_17 = connection.info.server_version >= _SETTING_MAJOR * 10_000
    setting = ", or as a superuser run this with PGOPTIONS='-c event_triggers=off'" if since_17 else ""
    disable = "; ".join(f"ALTER EVENT TRIGGER {name} DISABLE" for name in event_triggers)
    return (
        "Temporary tables, and triggers that are disabled for a moment, are DDL to it. "
        f"Let its owner disable it meanwhile ({disable}){setting}."
    )
