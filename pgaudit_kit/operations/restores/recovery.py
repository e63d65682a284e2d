"""How the server stands after a restore that failed, asked anew, and the steps that are true for that very state."""

from __future__ import annotations

from dataclasses import dataclass

from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.operations.restores.maintenance import database_oid, maintenance_connection
from pgaudit_kit.operations.restores.preflight import Plan
from pgaudit_kit.operations.restores.swap import drop_database
from pgaudit_kit.server.connection import refused_queries
from pgaudit_kit.server.targets import Target


@dataclass(frozen=True, slots=True)
class Standing:
    """`state`: how the server stands, a clause without an end; `steps`: what to do from there, one sentence each."""

    state: str
    steps: tuple[str, ...]


def untouched(target: Target, plan: Plan) -> Standing:
    """Nothing has changed, and nothing is left over."""
    state = f"{target.database!r} is as it was" if plan.live else f"{target.database!r} was not made"
    return Standing(state, ("Then give the same command again: nothing is left over.",))


def tidy_up(target: Target, plan: Plan, oid: int | None) -> Standing:
    """Drop the staging database, which had *oid*, after a failure, and say how the server stands.

    It is asked over a new connection, because the old one may be what failed.
    """
    try:
        with refused_queries(target.label, "tidying up"), maintenance_connection(target) as connection:
            if oid is not None and database_oid(connection, target.database) == oid:
                return _exchanged(target, plan)
            drop_database(connection, plan.staging)
            gone = plan.live is not None and database_oid(connection, target.database) is None
    except PgAuditError as error:
        return _unknown(target, plan, error)
    return _disappeared(target) if gone else untouched(target, plan)


def _exchanged(target: Target, plan: Plan) -> Standing:
    """The failure came after the commit of the exchange, or its answer was lost."""
    if plan.live is None:
        return Standing(f"yet {target.database!r} had been made: it is the restored database", ("Do not restore again: it was proven.",))
    return Standing(
        f"yet the exchange had been made: {target.database!r} is the restored database, the one before it is kept as {plan.kept!r}",
        ("Do not restore again: it was proven.", "`pgaudit rollback TARGET` brings the one before it back."),
    )


def _disappeared(target: Target) -> Standing:
    return Standing(
        f"there is no {target.database!r} any more: somebody renamed or dropped it meanwhile",
        ("`pgaudit rollback TARGET --list` names what earlier restores kept; restoring again makes it anew.",),
    )


def _unknown(target: Target, plan: Plan, error: PgAuditError) -> Standing:
    whole = f"{target.database!r} is whole, old or new" if plan.live else f"{target.database!r} is whole or was not made"
    return Standing(
        f"the server cannot be asked any more ({error.message}): {whole}; {plan.staging!r} may be left over",
        (
            f"When it answers again, `pgaudit rollback TARGET --list` says which: if {plan.kept!r} is there, the exchange was made.",
            f"If not, give the same command again: it drops {plan.staging!r}.",
        ),
    )
