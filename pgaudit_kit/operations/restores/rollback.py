"""The way back: the database that a restore replaced takes its name again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pgaudit_kit.errors import RestoreFailed
from pgaudit_kit.operations.restores.database_facts import read_database
from pgaudit_kit.operations.restores.database_names import made_name, made_of
from pgaudit_kit.operations.restores.maintenance import database_names, maintenance_connection, named_target
from pgaudit_kit.operations.restores.preflight import check_rights, check_sessions, refuse_failed
from pgaudit_kit.operations.restores.replace_database import describe, not_confirmed
from pgaudit_kit.operations.restores.restored import Confirm, Rollback
from pgaudit_kit.operations.restores.swap import lasting_sessions, rename_databases
from pgaudit_kit.server.connection import refused_queries
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine


def rollback(target: Target | str | Engine | URL, *, confirm: Confirm, force: bool = False) -> Rollback:
    """Bring back the newest database that a restore of *target* kept (`NAME__before_TIME`), in one transaction.

    The one that has the name now is kept as `NAME__rolledback_TIME`; *confirm* is asked before. *force*: end the sessions of others.
    Raises RestoreFailed, and nothing has changed, when there is nothing to go back to or it could not be done.
    """
    resolved = named_target(target)
    name = resolved.database
    with refused_queries(resolved.label, "rolling back"), maintenance_connection(resolved) as connection:
        names = database_names(connection)
        candidates = made_of(name, "before", names)
        if not candidates:
            raise RestoreFailed(
                f"there is no database {name}__before_… to go back to, so nothing was changed",
                resource=resolved.label,
                remedy="Restore a backup instead.",
            )
        back = candidates[0]
        live = read_database(connection, name)
        sessions = lasting_sessions(connection, name, back)
        refuse_failed([check_rights(connection, live.owner if live else None), check_sessions(sessions, force=force)], resolved)
        if live is None:
            rename_databases(connection, [(back, name)], force=force)
            return Rollback(name, back, None)
        kept = made_name(name, "rolledback", datetime.now(UTC), taken=names)
        if not confirm(describe(resolved, connection, incoming=back, kept=kept)):
            raise not_confirmed(resolved)
        rename_databases(connection, [(name, kept), (back, name)], force=force)
    return Rollback(name, back, kept)
