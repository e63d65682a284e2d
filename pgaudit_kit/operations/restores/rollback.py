"""The way back: the database that a restore replaced takes its name again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pgaudit_kit.errors import RestoreFailed
from pgaudit_kit.operations.restores.database_facts import read_database
from pgaudit_kit.operations.restores.database_names import made_name, made_of
from pgaudit_kit.operations.restores.leftovers import find_leftovers, kept_databases
from pgaudit_kit.operations.restores.maintenance import database_names, maintenance_connection, named_target
from pgaudit_kit.operations.restores.replace_database import describe, not_confirmed
from pgaudit_kit.operations.restores.restore_lock import check_lock_held, restore_lock
from pgaudit_kit.operations.restores.restored import Confirm, Rollback
from pgaudit_kit.operations.restores.server_state import check_prepared, check_rights, check_sessions, refuse_failed
from pgaudit_kit.operations.restores.swap import drop_database, lasting_sessions, rename_databases
from pgaudit_kit.server.connection import refused_queries
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import URL, Engine


def rollback(target: Target | str | Engine | URL, *, confirm: Confirm, to: str | None = None, force: bool = False) -> Rollback:
    """Bring back the newest database that a restore of *target* kept (`NAME__before_TIME`), or the kept one called *to*.

    All in one transaction. The one that has the name now is kept as `NAME__rolledback_TIME`; *confirm* is asked before. *force*: end
    the sessions of others. What a killed restore left behind is dropped, and said. Raises RestoreFailed, and nothing has changed, when
    there is nothing to go back to or it could not be done.
    """
    resolved = named_target(target)
    name = resolved.database
    with (
        restore_lock(resolved) as lock,
        refused_queries(resolved.label, "rolling back"),
        maintenance_connection(resolved) as connection,
    ):
        names = database_names(connection)
        back = _to_bring_back(resolved, names, to)
        live = read_database(connection, name)
        sessions = lasting_sessions(connection, name, back)
        checks = [check_rights(connection, live.owner if live else None), check_sessions(connection, sessions, force=force)]
        refuse_failed([*checks, *filter(None, (check_prepared(connection, one) for one in (name, back)))], resolved)
        left = find_leftovers(connection, name, names).ours
        if live is None:
            rename_databases(resolved, connection, [(back, name)], force=force)
            _drop(left, connection)
            return Rollback(name, back, None, left)
        kept = made_name(name, "rolledback", datetime.now(UTC), taken=names)
        if not confirm(describe(resolved, connection, incoming=back, kept=kept, force=force)):
            raise not_confirmed(resolved)
        check_lock_held(resolved, lock)
        rename_databases(resolved, connection, [(name, kept), (back, name)], force=force)
        _drop(left, connection)
    return Rollback(name, back, kept, left)


def _drop(left: Sequence[str], connection: psycopg.Connection[Any]) -> None:
    for name in left:
        drop_database(connection, name)


def _to_bring_back(target: Target, names: Sequence[str], to: str | None) -> str:
    """The database to bring back. Raises RestoreFailed when there is none."""
    wanted = made_of(target.database, "before", names) if to is None else [n for n in kept_databases(target.database, names) if n == to]
    if wanted:
        return wanted[0]
    kept = kept_databases(target.database, names)
    raise RestoreFailed(
        f"there is no database {to or f'{target.database}__before_…'} to go back to, so nothing was changed",
        resource=target.label,
        remedy=f"Kept are {', '.join(kept)}: name one with --to." if kept else "Restore a backup instead.",
    )
