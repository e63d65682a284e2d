"""Before a restore touches anything: everything that would make it fail is looked for, and all that is found is said at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.scripts.safe_script import problems_of, script_remedy
from pgaudit_kit.errors import RestoreFailed, UsageError
from pgaudit_kit.operations.restores.database_facts import DatabaseFacts, read_database
from pgaudit_kit.operations.restores.database_names import made_name, made_of
from pgaudit_kit.operations.restores.load_dump import why_not_unpacked
from pgaudit_kit.operations.restores.maintenance import database_names
from pgaudit_kit.operations.restores.swap import Session, drop_database, lasting_sessions
from pgaudit_kit.records.toc import TocEntry
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.connection import refused_queries
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg

_MAJOR = re.compile(r"\d+")
_GRANTEE = re.compile(r"\b(?:TO|FROM)\s+(?:GROUP\s+)?((?:\"(?:[^\"]|\"\")*\"|\w+)(?:\s*,\s*(?:\"(?:[^\"]|\"\")*\"|\w+))*)", re.IGNORECASE)
_ROLE = re.compile(r"\"((?:[^\"]|\"\")*)\"|(\w+)")


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided before anything is touched: the live database as it is (None: there is none), the names, what was asked."""

    live: DatabaseFacts | None
    staging: str
    kept: str
    checks: tuple[Check, ...]


def plan_restore(
    dump: Dump, target: Target, connection: psycopg.Connection[Any], *, owners: bool, force: bool, drop_leftovers: bool
) -> Plan:
    """Look for everything that would make the restore fail; then drop leftovers if told so. Raises RestoreFailed that names all of it."""
    if not owners and dump.provenance.format == "plain":
        raise UsageError(
            "owners are part of a plain script and cannot be left out",
            resource=dump.label,
            remedy="Create the roles, or restore a dump in custom format.",
        )
    name, now = target.database, datetime.now(UTC)
    with refused_queries(target.label, "looking at the server"):
        live = read_database(connection, name)
        if live is not None:
            made_name(name, "rolledback", now)  # the longest name: the way back must be open too
        names = database_names(connection)
        leftovers = made_of(name, "restore", names)
        checks = [
            check_versions(dump, connection),
            check_rights(connection, live.owner if live else None),
            check_sessions(lasting_sessions(connection, name), force=force),
            check_leftovers(leftovers, dropped=drop_leftovers),
        ]
        if dump.inventory.of_kind("EXTENSION"):
            checks.append(check_extensions(dump, connection))
        if owners and roles_in(dump.toc_entries):
            checks.append(check_roles(dump, connection))
        checks += [check_script(dump)] if dump.provenance.format == "plain" else _can_pg_restore_read(dump, connection)
        refuse_failed(checks, target)
        for leftover in leftovers if drop_leftovers else ():
            drop_database(connection, leftover)
    staging, kept = made_name(name, "restore", now, taken=names), made_name(name, "before", now, taken=names)
    return Plan(live, staging, kept, tuple(checks))


def refuse_failed(checks: Sequence[Check], target: Target) -> None:
    """Raise RestoreFailed that names every one of *checks* that failed."""
    failed = [c for c in checks if c.outcome is Outcome.FAILED]
    if failed:
        raise RestoreFailed(
            f"nothing was touched. {' '.join(f'{c.question} No: {c.found}.' for c in failed)}",
            resource=target.label,
            remedy=" ".join(c.remedy for c in failed),
        )


def check_script(dump: Dump) -> Check:
    """`restore.script`: nothing is in the script but what pg_dump writes into it, and nothing for psql to carry out (`safe_script`)."""
    problems = []
    if isinstance(dump.file, DumpFile):
        with dump.file.open() as script:
            problems = problems_of(script, resource=dump.label)
    return Check(
        id="restore.script",
        question="Is nothing in the script but what pg_dump writes?",
        outcome=Outcome.FAILED if problems else Outcome.PASSED,
        expected="SQL, and no psql command but \\restrict and \\unrestrict",
        found="; ".join(problems) or "nothing else",
        compared=1,
        remedy=script_remedy(problems[0]) if problems else "",
    )


def check_wrapping(dump: Dump) -> Check:
    """`restore.wrapping`: pg_restore can read the archive as it lies there; it does not look inside gzip or tar, as our reader does."""
    if isinstance(dump.file, DumpFile):
        packed = "tar" if dump.provenance.format == "directory" else ""
        around = "+".join((*dump.file.wrappings, *filter(None, [packed]))) or ("a byte order mark" if dump.file.skip else "")
    else:
        around = ""
    return Check(
        id="restore.wrapping",
        question="Can pg_restore read the file as it is?",
        outcome=Outcome.FAILED if around else Outcome.PASSED,
        expected="a bare archive",
        found=f"the archive is inside {around}" if around else "a bare archive",
        compared=1,
        remedy="Unpack it first (gunzip, tar -xf …), then restore what comes out." if around else "",
    )


def _can_pg_restore_read(dump: Dump, connection: psycopg.Connection[Any]) -> list[Check]:
    wrapping = check_wrapping(dump)
    return [wrapping] if wrapping.outcome is Outcome.FAILED else [wrapping, check_compression(dump, connection)]


def check_compression(dump: Dump, connection: psycopg.Connection[Any]) -> Check:
    """`restore.compression`: the pg_restore at hand can unpack the data; not every build has lz4 and zstd."""
    why_not = why_not_unpacked(dump, connection)
    return Check(
        id="restore.compression",
        question="Can pg_restore unpack the data?",
        outcome=Outcome.FAILED if why_not else Outcome.PASSED,
        expected=f"a pg_restore with {dump.provenance.compression}",
        found=why_not or "it can",
        compared=1,
        remedy="Set PGBIN to the programs of a PostgreSQL built with it, as those of most distributions are." if why_not else "",
    )


def check_versions(dump: Dump, connection: psycopg.Connection[Any]) -> Check:
    """`restore.versions`: the server is at least as new as the one that was dumped; an older one is warned of, not refused."""
    server_version = connection.info.parameter_status("server_version") or ""
    dumped, here = _major(dump.provenance.server_version), _major(server_version)
    older = dumped is not None and here is not None and here < dumped
    return Check(
        id="restore.versions",
        question="Is the server as new as the one that was dumped?",
        outcome=Outcome.WARNED if older or dumped is None else Outcome.PASSED,
        expected=f"PostgreSQL {dump.provenance.server_version or 'unknown'} or newer",
        found=f"PostgreSQL {server_version}",
        compared=1,
        remedy="What the older server does not know makes the restore fail, before anything is replaced." if older else "",
    )


def check_extensions(dump: Dump, connection: psycopg.Connection[Any]) -> Check:
    """`restore.extensions`: the server can create every extension of the dump."""
    wanted = [o.key.name for o in dump.inventory.of_kind("EXTENSION")]
    available = {name for (name,) in connection.execute("SELECT name FROM pg_catalog.pg_available_extensions")}
    return _all_there("restore.extensions", "Does the server have every extension?", "extensions", wanted, available, remedy=_INSTALL)


_INSTALL = "Install them on the server (contrib package), or restore into a server that has them."
_CREATE_ROLES = "Create them (pg_dumpall --roles-only of the old server), or restore without owners and privileges (--no-owner)."


def check_roles(dump: Dump, connection: psycopg.Connection[Any]) -> Check:
    """`restore.roles`: every role that owns something in the dump or is granted something exists."""
    there = {name for (name,) in connection.execute("SELECT rolname FROM pg_catalog.pg_roles")}
    wanted = sorted(roles_in(dump.toc_entries))
    return _all_there("restore.roles", "Does every role that the dump names exist?", "roles", wanted, there, remedy=_CREATE_ROLES)


def roles_in(entries: Iterable[TocEntry]) -> set[str]:
    """Return the roles that own entries, or are granted something by their definitions where those are known."""
    roles = set()
    for entry in entries:
        if entry.owner:
            roles.add(entry.owner)
        if entry.desc in ("ACL", "DEFAULT ACL", "ACL LANGUAGE"):
            roles.update(_grantees(entry.definition or ""))
    return roles


def _grantees(definition: str) -> Iterator[str]:
    for match in _GRANTEE.finditer(definition):
        for quoted, bare in _ROLE.findall(match[1]):
            if quoted or bare.upper() != "PUBLIC":
                yield quoted.replace('""', '"') if quoted else bare


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


def check_sessions(sessions: Sequence[Session], *, force: bool) -> Check:
    """`restore.sessions`: nobody else is connected to the live database, or they are to be ended (*force*)."""
    return Check(
        id="restore.sessions",
        question="Is nobody else connected to the database that will be replaced?",
        outcome=Outcome.PASSED if not sessions else Outcome.WARNED if force else Outcome.FAILED,
        expected="no other session",
        found="; ".join(map(str, sessions[:5])) + (f"; {len(sessions) - 5} more" if len(sessions) > 5 else "") or "none",  # noqa: PLR2004
        compared=1,
        remedy=("They will be ended before the swap." if force else "Stop the application, or give --force to end its sessions.")
        if sessions
        else "",
    )


def check_leftovers(leftovers: Sequence[str], *, dropped: bool) -> Check:
    """`restore.leftovers`: no database is left of a restore that was killed; they cost space, nothing else."""
    return Check(
        id="restore.leftovers",
        question="Is no database left of an earlier restore that was killed?",
        outcome=Outcome.WARNED if leftovers and not dropped else Outcome.PASSED,
        expected="none",
        found=", ".join(leftovers) + (" (dropped)" if dropped else "") if leftovers else "none",
        compared=1,
        remedy="Drop them, when no other restore is running." if leftovers and not dropped else "",
    )


def _all_there(check_id: str, question: str, what: str, wanted: Sequence[str], there: set[str], *, remedy: str) -> Check:
    missing = [name for name in wanted if name not in there]
    return Check(
        id=check_id,
        question=question,
        outcome=Outcome.FAILED if missing else Outcome.PASSED,
        expected=f"{len(wanted)} {what}",
        found=f"missing: {', '.join(missing)}" if missing else "all there",
        compared=len(wanted),
        remedy=remedy if missing else "",
    )


def _major(version: str | None) -> int | None:
    match = _MAJOR.match(version or "")
    return int(match[0]) if match else None
