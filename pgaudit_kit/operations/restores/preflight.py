"""Before a restore touches anything: everything that would make it fail is looked for, and all that is found is said at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pgaudit_kit.checks.fitting import check_versions
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.scripts.safe_script import problems_of, script_remedy
from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.restores.database_facts import DatabaseFacts, Locale, read_database
from pgaudit_kit.operations.restores.database_names import made_name
from pgaudit_kit.operations.restores.dump_needs import (
    check_extension_versions,
    check_extensions,
    check_privileges,
    check_roles,
    check_tablespaces,
    check_whole,
    roles_in,
    tablespaces_in,
)
from pgaudit_kit.operations.restores.leftovers import Leftovers, check_leftovers, find_leftovers, kept_databases
from pgaudit_kit.operations.restores.locale_choice import choose_locale, dumped_locale
from pgaudit_kit.operations.restores.lost_access import ID as ACCESS
from pgaudit_kit.operations.restores.lost_access import ask_access, not_given_back
from pgaudit_kit.operations.restores.maintenance import database_names
from pgaudit_kit.operations.restores.only_live import ID as ONLY_LIVE
from pgaudit_kit.operations.restores.only_live import check_only_live, live_contents
from pgaudit_kit.operations.restores.server_state import check_prepared, check_rights, check_sessions, check_space, refuse_failed
from pgaudit_kit.operations.restores.swap import drop_database, lasting_sessions
from pgaudit_kit.operations.restores.unpacking import why_not_unpacked
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.connection import refused_queries
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg

_GIVE_AGAIN = "Restore a backup made with --full, without --no-owner, or give them again afterwards{}."
_KEPT_HAS_THEM = ": the kept database has them still, and pgaudit diff names each"


@dataclass(frozen=True, slots=True)
class Options:
    """What a restore was asked for; see `restore`."""

    owners: bool = True
    tablespaces: bool = True
    force: bool = False
    jobs: int = 1
    drop_old: bool = False
    keep: int | None = None
    drop_leftovers: bool = False
    accept_partial: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided before anything is touched: the live database as it is (None: there is none), the names, what was asked.

    `locale`: of the new database. `dropped`: kept databases that go once the exchange is made, newest first. `unasked`: sentences on
    what nobody could know.
    """

    live: DatabaseFacts | None
    staging: str
    kept: str
    checks: tuple[Check, ...]
    locale: Locale = field(default_factory=Locale)
    dropped: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()

    @property
    def loses(self) -> str:
        """What the live database has and the restored one will not: tables, owners and privileges; "" when there is none."""
        return "; ".join(c.found for c in self.checks if c.id in (ACCESS, ONLY_LIVE) and c.outcome is Outcome.WARNED)


def plan_restore(dump: Dump, expected: Source, target: Target, connection: psycopg.Connection[Any], options: Options) -> Plan:
    """Look for everything that would make the restore fail; then drop what killed ones left. Raises RestoreFailed that names all of it.

    Call it under `restore_lock` only: what another restore is filling looks like a leftover.
    """
    _refuse_impossible(dump, options)
    name, now = target.database, datetime.now(UTC)
    with refused_queries(target.label, "looking at the server"):
        live = read_database(connection, name)
        if live is not None:
            made_name(name, "rolledback", now)  # the longest name: the way back must be open too
        names = database_names(connection)
        left = find_leftovers(connection, name, names)
        locale, about_locale = choose_locale(dumped_locale(dump, expected), live, connection)
        checks = [
            *_ask_server(target, connection, live, options),
            about_locale,
            check_leftovers(left, drop_unmarked=options.drop_leftovers),
            *_ask_needs(dump, expected, connection, options),
            *([check_script(dump)] if dump.provenance.format == "plain" else _can_pg_restore_read(dump, connection)),
        ]
        asked: list[Check | str | None] = [check_space(expected, target, connection)]
        asked += _ask_live(expected, target, connection, options) if live else [check_whole(expected, replaces=False, accepted=True)]
        checks += [c for c in asked if isinstance(c, Check)]
        refuse_failed(checks, target)
        _drop_leftovers(left, connection, options)
    staging, kept = made_name(name, "restore", now, taken=names), made_name(name, "before", now, taken=names)
    dropped = _dropped(live, kept, kept_databases(name, names), options)
    unasked = tuple(c for c in asked if isinstance(c, str))
    return Plan(live, staging, kept, tuple(checks), locale, dropped, unasked)


def _refuse_impossible(dump: Dump, options: Options) -> None:
    if dump.provenance.format == "plain":
        owners = not options.owners and roles_in(dump.toc_entries)
        if owners or (not options.tablespaces and tablespaces_in(dump.inventory)):
            raise UsageError(
                f"{'owners' if owners else 'tablespaces'} are part of a plain script and cannot be left out",
                resource=dump.label,
                remedy=f"Create the {'roles' if owners else 'tablespaces'}, or restore a dump in custom format.",
            )
    if options.jobs < 1 or (options.keep is not None and options.keep < 0):
        what = "jobs" if options.jobs < 1 else "keep"
        raise UsageError(f"there is no such number for {what}", resource=what, remedy="Give 1 or more jobs, and keep 0 or more databases.")


def _ask_server(target: Target, connection: psycopg.Connection[Any], live: DatabaseFacts | None, options: Options) -> Iterator[Check]:
    yield check_rights(connection, live.owner if live else None)
    yield check_sessions(connection, lasting_sessions(connection, target.database), force=options.force)
    if prepared := check_prepared(connection, target.database):
        yield prepared


def _ask_needs(dump: Dump, expected: Source, connection: psycopg.Connection[Any], options: Options) -> Iterator[Check]:
    yield check_versions(dump.provenance.server_version, connection.info.parameter_status("server_version") or "")
    if expected.inventory.of_kind("EXTENSION"):
        yield check_extensions(expected, connection)
    optional = [check_extension_versions(expected, connection), check_privileges(expected.inventory, connection)]
    yield from (check for check in optional if check)
    if options.owners and roles_in(dump.toc_entries):
        yield check_roles(dump, connection)
    if options.tablespaces and (wanted := tablespaces_in(dump.inventory)):
        yield check_tablespaces(wanted, connection)


def _ask_live(expected: Source, target: Target, connection: psycopg.Connection[Any], options: Options) -> Iterator[Check | str | None]:
    """What the live database holds and would lose; one that cannot be looked at may hold anything."""
    contents = live_contents(target)
    holds_something = isinstance(contents, str) or not contents.is_empty
    yield check_whole(expected, replaces=holds_something, accepted=options.accept_partial)
    yield contents if isinstance(contents, str) else check_only_live(expected, contents.tables)
    yield _ask_access(expected, target, connection, options)


def _ask_access(expected: Source, target: Target, connection: psycopg.Connection[Any], options: Options) -> Check | str | None:
    lost = not_given_back(expected, owners=options.owners)
    remedy = _GIVE_AGAIN.format("" if options.drop_old else _KEPT_HAS_THEM)
    return ask_access(target, connection, lost, remedy=remedy)


def _drop_leftovers(left: Leftovers, connection: psycopg.Connection[Any], options: Options) -> None:
    for name in left.all if options.drop_leftovers else left.ours:
        drop_database(connection, name)


def _dropped(live: DatabaseFacts | None, kept: str, kept_before: list[str], options: Options) -> tuple[str, ...]:
    """What goes after the exchange: the one just replaced (drop_old), and what is beyond the newest `keep`."""
    new = [] if live is None or options.drop_old else [kept]
    beyond = [] if options.keep is None else [*new, *kept_before][options.keep :]
    return (*([kept] if live is not None and options.drop_old else []), *beyond)


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
