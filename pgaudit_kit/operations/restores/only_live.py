"""Tables that the live database has and the dump has not: a restore takes them away, whatever the reason that they are not in it."""

from __future__ import annotations

from collections.abc import Sequence

from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.operations.restores.database_contents import Contents, read_contents
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.connection import connect, refused_queries
from pgaudit_kit.server.targets import Target

ID = "restore.only_live"
_NAMED = 5
_REMEDY = "Tables that only the live database has are newer than the dump or were left out of it: back them up before they go."


def live_contents(target: Target) -> Contents | str:
    """What the live database holds; a sentence when it cannot be looked at."""
    try:
        with refused_queries(target.label, "looking at its tables"), connect(target) as connection:
            return read_contents(connection)
    except PgAuditError as error:
        return f"Which tables only the live database has could not be asked: {error.message}."


def check_only_live(expected: Source, live: Sequence[TableName]) -> Check | None:
    """`restore.only_live`: each of the *live* tables is in what is restored; None when there are none.

    They may be newer than the dump. They may also be what somebody left out of it: a dump without a manifest does not say.
    """
    if not live:
        return None
    held = {TableName(o.key.schema or "", o.key.name) for o in expected.inventory.of_kind("TABLE")}
    gone = [str(name) for name in live if name not in held]
    more = f" and {len(gone) - _NAMED:,} more" if len(gone) > _NAMED else ""
    return Check(
        id=ID,
        question="Does the dump hold every table that the live database has?",
        outcome=Outcome.WARNED if gone else Outcome.PASSED,
        expected=many(len(live), "table"),
        found=f"{many(len(gone), 'table')} that the dump does not hold: {', '.join(gone[:_NAMED])}{more}" if gone else "all of them",
        compared=len(live),
        remedy=_REMEDY if gone else "",
        evidence=tuple({"table": name} for name in gone),
    )
