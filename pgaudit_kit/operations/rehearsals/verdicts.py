"""The checks of a rehearsal: pure, from what was found to an outcome."""

from __future__ import annotations

from collections.abc import Sequence

from pgaudit_kit.operations.rehearsals.left_out import LeftOut
from pgaudit_kit.operations.rehearsals.problems import Blame, Problem, of, settings_in
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome

_SHOWN = 3
_TOLD = 100
_CONTRIB = "the contrib extensions of PostgreSQL (on Debian part of postgresql-NN, elsewhere postgresqlNN-contrib)"
# Where to get what is in no contrib package, by the first word of its name
_PACKAGES = {
    "vector": "pgvector (postgresql-NN-pgvector)",
    "postgis": "PostGIS (postgresql-NN-postgis-3)",
    "timescaledb": "TimescaleDB (timescaledb-2-postgresql-NN)",
    "citus": "Citus (postgresql-NN-citus)",
    "pg_cron": "pg_cron (postgresql-NN-cron)",
    "pg_partman": "pg_partman (postgresql-NN-partman)",
    "pgrouting": "pgRouting (postgresql-NN-pgrouting)",
    "rum": "RUM (postgresql-NN-rum)",
}


def check_no_server(major: int | None, found: Sequence[str]) -> Check:
    """`rehearsal.server`: there is a server that is as new as the one that was dumped."""
    return Check(
        id="rehearsal.server",
        question="Is there a server to rehearse in?",
        outcome=Outcome.NOT_CHECKED,
        expected=f"PostgreSQL {major} or newer" if major else "PostgreSQL",
        found=f"only {', '.join(found)}" if found else "none",
        remedy=f"Install PostgreSQL {major or ''} on this machine, or set PGBIN to the folder of its programs.".replace("  ", " "),
    )


def check_extensions(wanted: Sequence[str], lacks: Sequence[str], *, skipped: bool) -> Check:
    """`rehearsal.extensions`: the server can create every extension of the dump; what it *lacks* is *skipped*, or stops the rehearsal."""
    get = ", ".join(dict.fromkeys(_how_to_get(name) for name in lacks))
    remedy = f"Install {get} for a PostgreSQL of this machine" + (
        "." if skipped else ", or rehearse the rest with --skip-missing-extensions."
    )
    return Check(
        id="rehearsal.extensions",
        question="Does the server have every extension?",
        outcome=Outcome.NOT_CHECKED if lacks else Outcome.PASSED,
        expected=", ".join(wanted),
        found=f"the server lacks {', '.join(lacks)}" + ("; left out" if skipped else "; nothing was restored") if lacks else "all there",
        compared=len(wanted),
        remedy=remedy if lacks else "",
        evidence=tuple({"extension": name, "get": _how_to_get(name)} for name in lacks),
    )


def _how_to_get(name: str) -> str:
    return next((package for word, package in _PACKAGES.items() if name.startswith(word)), f"{name}, perhaps one of {_CONTRIB}")


def check_commands(problems: Sequence[Problem], carried_out: int) -> Check:
    """`rehearsal.load`: every statement of the dump was carried out; otherwise, who is to blame."""
    bad, lacking = of(problems, Blame.BACKUP), (*of(problems, Blame.ENVIRONMENT), *of(problems, Blame.VERSIONS))
    outcome = Outcome.FAILED if bad else Outcome.NOT_CHECKED if lacking else Outcome.PASSED
    worst = bad or lacking
    told = "; ".join(f"{p.what}: {p.message}" for p in worst[:_SHOWN]) + (
        f"; and {len(worst) - _SHOWN} more" if len(worst) > _SHOWN else ""
    )
    settings = ", ".join(settings_in(problems))
    fine = "all carried out" + (f", without the settings that the server does not know: {settings}" if settings else "")
    return Check(
        id="rehearsal.load",
        question="Does the dump restore without an error?",
        outcome=outcome,
        expected=f"{carried_out:,} statements or entries",
        found=told or fine,
        compared=carried_out,
        remedy="A restore in earnest would stop there: make a new backup, or repair what the message names."
        if bad
        else "The server lacks what the messages name, or is too new for it; the dump is not to blame."
        if lacking
        else "",
        evidence=tuple(
            {"what": p.what, "message": p.message, "sqlstate": p.sqlstate, "blame": str(p.blame)}
            for p in (*worst, *(p for p in problems if p not in worst))[:_TOLD]
        ),
    )


def check_cannot_unpack(compression: str | None, why_not: str) -> Check:
    """`rehearsal.compression`: no pg_restore here can unpack the large objects. *why_not*: what it says."""
    return Check(
        id="rehearsal.compression",
        question="Can pg_restore unpack the large objects?",
        outcome=Outcome.NOT_CHECKED,
        expected=f"a pg_restore with {compression}",
        found=why_not,
        remedy="Set PGBIN to the programs of a PostgreSQL built with it, as those of most distributions are.",
    )


def check_left_out(left: LeftOut) -> Check:
    """`rehearsal.left_out`: what was not restored for want of something on the server, and so was not compared."""
    names = left.names
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return Check(
        id="rehearsal.left_out",
        question="Was all of the dump restored?",
        outcome=Outcome.NOT_CHECKED,
        expected="nothing left out",
        found=f"{many(len(names), 'thing')} left out and not compared: {', '.join(names[:_SHOWN])}{more}",
        remedy="Rehearse with a server that has what they need.",
        evidence=tuple({"left_out": name} for name in names),
    )


def check_not_told(attributes: Sequence[str]) -> Check:
    """`rehearsal.not_told`: the database had owners or privileges that the dump was made without, so that none came back."""
    words = " and ".join({"acl": "privileges", "owner": "owners"}[a] for a in attributes)
    return Check(
        id="rehearsal.not_told",
        question="Does the dump bring owners and privileges back?",
        outcome=Outcome.WARNED,
        expected="as the database had them",
        found=f"{words} are not in the dump, and were not compared",
        compared=1,
        remedy="Make the backup with owners and privileges, if a restore is to bring them back.",
    )


def check_without_rows(tables: Sequence[TableName], of: int) -> Check:
    """`rehearsal.rows`: the dump has rows of all of its tables (*of* so many), and not only their definitions."""
    more = f" and {len(tables) - _SHOWN} more" if len(tables) > _SHOWN else ""
    return Check(
        id="rehearsal.rows",
        question="Does the dump hold the rows of its tables?",
        outcome=Outcome.WARNED,
        expected=f"rows of {many(of, 'table')}",
        found=f"none of {', '.join(map(str, tables[:_SHOWN]))}{more}: they must come back empty",
        compared=of,
        remedy="It was made with --schema-only or --exclude-table-data. Rehearse a dump with all rows to know of those.",
    )


def check_not_kept(reason: str) -> Check:
    """`rehearsal.evidence`: the result could be written beside the backup."""
    return Check(
        id="rehearsal.evidence",
        question="Is the result kept beside the backup?",
        outcome=Outcome.WARNED,
        expected="a file beside the backup",
        found=f"it could not be written: {reason}",
        compared=1,
        remedy="Make the folder of the backup writable, or say --no-evidence.",
    )
