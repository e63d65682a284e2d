"""The moment of a restore that changes something: asking, and giving the proven database the live one's name and surroundings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pgaudit_kit.errors import CannotConnect, RestoreFailed
from pgaudit_kit.operations.restores.database_facts import DatabaseFacts, carry_over, read_database
from pgaudit_kit.operations.restores.leftovers import unmark
from pgaudit_kit.operations.restores.preflight import Plan
from pgaudit_kit.operations.restores.restored import Confirm, Replacement
from pgaudit_kit.operations.restores.swap import lasting_sessions, rename_databases
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg

_HOLDS = """
SELECT pg_catalog.pg_database_size(pg_catalog.current_database()), sum(greatest(c.reltuples, 0))::bigint
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"""


def exchange(target: Target, plan: Plan, connection: psycopg.Connection[Any], *, confirm: Confirm, force: bool) -> DatabaseFacts | None:
    """Give the staging database the live one's name; return what the live one was, None when there was none.

    Raises RestoreFailed when *confirm* says no or others stay connected.
    """
    if plan.live is None:
        rename_databases(target, connection, [(plan.staging, target.database)], before=unmark(plan.staging), ours=[plan.staging])
        return None
    asked = describe(target, connection, incoming=plan.staging, kept=plan.kept, dropped=plan.dropped, force=force)
    if not confirm(replace(asked, loses=plan.loses)):
        raise not_confirmed(target)
    now = read_database(connection, target.database)
    if now is None:
        raise RestoreFailed(f"{target.database!r} has disappeared meanwhile", resource=target.label, remedy="Restore again.")
    names = [(target.database, plan.kept), (plan.staging, target.database)]
    rename_databases(target, connection, names, before=tuple(carry_over(now, plan.staging)), ours=[plan.staging], force=force)
    return now


def not_confirmed(target: Target) -> RestoreFailed:
    """The error for a replacement that the person did not want."""
    return RestoreFailed("not confirmed, so nothing was replaced", resource=target.label, remedy="Confirm it to go on.")


def describe(
    target: Target, connection: psycopg.Connection[Any], *, incoming: str, kept: str, dropped: tuple[str, ...] = (), force: bool = False
) -> Replacement:
    """Return what a person has to confirm, with what the live database holds now."""
    sessions = lasting_sessions(connection, target.database)
    size_bytes = rows = None
    try:
        with connect(target) as live:
            size_bytes, rows = live.execute(_HOLDS).fetchone() or (None, None)
    except CannotConnect:
        pass  # a database that takes no connections can be replaced all the same
    return Replacement(target.label, target.database, incoming, kept, size_bytes, rows, sessions, dropped, force)
