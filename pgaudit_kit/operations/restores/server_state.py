"""Before a restore or a rollback touches anything: may this role do it, is somebody in the way, is there room?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgaudit_kit.errors import RestoreFailed
from pgaudit_kit.operations.restores.swap import Session
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.connection import APPLICATION_NAME
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg

NAMED = 5
OWN_SESSIONS = (
    f"Those of {APPLICATION_NAME} are snapshots and differences that are still open, in a notebook most often: close them with .close(),"
    " or open them in a with block."
)
_AT_LEAST = 3  # TOAST makes text about that much smaller; below this share of the text there is no room for sure
_PREPARED = "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = %s ORDER BY prepared"
_MAY_END = """
SELECT u.usename FROM pg_catalog.pg_roles me, pg_catalog.unnest(%s::text[]) AS u(usename)
  JOIN pg_catalog.pg_roles r ON r.rolname = u.usename
 WHERE me.rolname = current_user AND NOT me.rolsuper
   AND NOT (pg_catalog.pg_has_role(me.rolname, r.rolname, 'USAGE')
            OR (NOT r.rolsuper AND pg_catalog.pg_has_role(me.rolname, 'pg_signal_backend', 'USAGE')))
 GROUP BY 1 ORDER BY 1"""


def refuse_failed(checks: Sequence[Check], target: Target) -> None:
    """Raise RestoreFailed that names every one of *checks* that failed, and has them all."""
    failed = [c for c in checks if c.outcome is Outcome.FAILED]
    if failed:
        error = RestoreFailed(
            f"nothing was touched. {' '.join(f'{c.question} No: {c.found}.' for c in failed)}",
            resource=target.label,
            remedy=" ".join(c.remedy for c in failed),
        )
        error.checks = tuple(checks)
        raise error


def check_rights(connection: psycopg.Connection[Any], owner: str | None) -> Check:
    """`restore.rights`: we may create databases, and rename the live one (its owner is *owner*; None: there is none yet)."""
    row = connection.execute(
        "SELECT rolsuper, rolcreatedb, rolname, rolsuper OR %(owner)s::text IS NULL OR pg_catalog.pg_has_role(%(owner)s::text, 'MEMBER')"
        "  FROM pg_catalog.pg_roles WHERE rolname = current_user",
        {"owner": owner},
    ).fetchone()
    superuser, may_create, role, may_rename = row or (False, False, "?", False)
    lacks = ([] if superuser or may_create else ["CREATEDB"]) + ([] if may_rename else [f"membership of the owner {owner}"])
    return Check(
        id="restore.rights",
        question="May this role create and rename databases?",
        outcome=Outcome.FAILED if lacks else Outcome.PASSED,
        expected="CREATEDB" + (f" and membership of {owner}" if owner else ""),
        found=f"{role} lacks {' and '.join(lacks)}" if lacks else f"{role} may",
        compared=1,
        remedy="Use the owner of the database with CREATEDB, or a superuser." if lacks else "",
    )


def check_sessions(connection: psycopg.Connection[Any], sessions: Sequence[Session], *, force: bool) -> Check:
    """`restore.sessions`: nobody else is connected to the live database, or they are to be ended (*force*), and we may end them."""
    protected = {name for (name,) in connection.execute(_MAY_END, [[s.user for s in sessions]])} if force and sessions else set()
    untouchable = [s for s in sessions if s.user in protected]
    told = untouchable or sessions
    remedy = "They will be ended before the swap." if force else "Stop the application, or give --force to end its sessions."
    if any(s.application == APPLICATION_NAME for s in told):
        remedy += f" {OWN_SESSIONS}"
    if untouchable:
        remedy = "This role may not end these sessions: stop what opened them, or use a superuser."
    named = "; ".join(map(str, told[:NAMED])) + (f"; {len(told) - NAMED} more" if len(told) > NAMED else "")
    return Check(
        id="restore.sessions",
        question="Is nobody else connected to the database that will be replaced?",
        outcome=Outcome.PASSED if not sessions else Outcome.WARNED if force and not untouchable else Outcome.FAILED,
        expected="no other session",
        found=named or "none",
        compared=1,
        remedy=remedy if sessions else "",
    )


def check_prepared(connection: psycopg.Connection[Any], database: str) -> Check | None:
    """`restore.prepared`: no prepared transaction holds the live database, which nobody could rename then; None when there is none."""
    held = [gid for (gid,) in connection.execute(_PREPARED, [database])]
    if not held:
        return None
    return Check(
        id="restore.prepared",
        question="Is no prepared transaction open in the database that will be replaced?",
        outcome=Outcome.FAILED,
        expected="none",
        found=", ".join(held[:NAMED]) + (f" and {len(held) - NAMED} more" if len(held) > NAMED else ""),
        compared=1,
        remedy="End them with COMMIT PREPARED or ROLLBACK PREPARED, as the application that prepared them would.",
    )


def check_space(expected: Source, target: Target, connection: psycopg.Connection[Any]) -> Check | str:
    """`restore.space`: there is room beside the live database; a sentence instead where nobody can know.

    The free space is that of the server's data folder, which we can see only on the same machine, and through a socket only.
    """
    sizes = [data.size_bytes for data in expected.table_data.values()]
    if not sizes or None in sizes:
        return "Space on the server was not asked for: the size of the rows is not known."
    needed = sum(size or 0 for size in sizes)
    free = _free_bytes(target, connection)
    if free is None:
        return f"Space on the server could not be asked for; about {_megabytes(needed)} are needed beside what is there."
    return judge_space(needed=needed, free=free)


def judge_space(*, needed: int, free: int) -> Check:
    """`restore.space` of that many bytes."""
    outcome = Outcome.PASSED if free > needed else Outcome.WARNED if free * _AT_LEAST > needed else Outcome.FAILED
    return Check(
        id="restore.space",
        question="Is there room for the restored database beside the live one?",
        outcome=outcome,
        expected=f"{_megabytes(needed)} of rows, without indexes",
        found=f"{_megabytes(free)} free",
        compared=1,
        remedy="" if outcome is Outcome.PASSED else "Make room on the server's disk: drop databases that restores kept, or move the data.",
    )


def _free_bytes(target: Target, connection: psycopg.Connection[Any]) -> int | None:
    import psycopg

    host = target.parameters.get("host", os.environ.get("PGHOST", ""))
    if host and not host.startswith(("/", "@")):
        return None
    try:
        row = connection.execute("SELECT pg_catalog.current_setting('data_directory')").fetchone()
        folder = Path(row[0]) if row else None
        return shutil.disk_usage(folder).free if folder and (folder / "PG_VERSION").exists() else None
    except (psycopg.Error, OSError):
        return None  # the setting, or the folder, is not for this role's eyes


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"
