"""Which encoding and locale the restored database gets: the dump's, where it is known and the server knows it, else the live one's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.operations.restores.database_facts import DatabaseFacts, Locale
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Check, Outcome

if TYPE_CHECKING:
    import psycopg

_ICU_SINCE, _BUILTIN_SINCE = 150_000, 170_000
_AS_IS = "encoding", "provider", "collate", "ctype", "locale", "icu_rules"


def dumped_locale(dump: Dump, expected: Source) -> Locale:
    """Return what is known of the database that was dumped: from the manifest, else from an archive or a script with --create."""
    recorded = Locale.from_settings(expected.provenance.settings)
    if recorded != Locale():
        return recorded
    if dump.inventory.database and dump.inventory.database.attributes.get("encoding"):
        return Locale.of_database(dump.inventory.database.attributes)
    return Locale(encoding=dump.provenance.encoding)


def choose_locale(wanted: Locale, live: DatabaseFacts | None, connection: psycopg.Connection[Any]) -> tuple[Locale, Check]:
    """Return the locale to create the database with, and the check `restore.locale` that says what differs from the dump's.

    Without a live database a locale that the server does not know fails; with one, its own is taken, and that is a warning: text may
    sort otherwise. The encoding is the dump's always.
    """
    known = wanted.collate is not None
    problem = why_unknown(wanted, connection) if known else ""
    if known and not problem:
        chosen = wanted
    elif live is not None:
        chosen = replace(live.locale, encoding=_fitting_encoding(wanted, live))
    else:
        chosen = wanted if known else Locale(encoding=wanted.encoding)
    return chosen, _judged(wanted, chosen, live, problem)


def _fitting_encoding(wanted: Locale, live: DatabaseFacts) -> str | None:
    """The dump's encoding with the live one's locale, where that takes any; else the live one's, which the rows are then proved in."""
    takes_any = live.locale.provider == "libc" and {live.locale.collate, live.locale.ctype} <= {"C", "POSIX"}
    return wanted.encoding if takes_any and wanted.encoding else live.locale.encoding


def _judged(wanted: Locale, chosen: Locale, live: DatabaseFacts | None, problem: str) -> Check:
    differ = [a for a in _AS_IS if getattr(wanted, a) is not None and getattr(wanted, a) != getattr(chosen, a)]
    unlike_live = [] if live is None else [a for a in _AS_IS if getattr(live.locale, a) != getattr(chosen, a)]
    outcome, remedy = Outcome.PASSED, ""
    found = [problem] if problem else []
    if problem and live is None:
        outcome = Outcome.FAILED
        remedy = "Install the locale on the server's machine, or create the database with one that the server knows, then restore again."
    elif differ:
        outcome, remedy = Outcome.WARNED, "Text may sort otherwise than where it was backed up; install the locale to have it the same."
        found.append("the live database's is taken: " + _named(chosen, differ))
    elif unlike_live and live is not None:
        outcome, remedy = Outcome.WARNED, "The restored database is as the backed up one was, not as the live one is."
        found.append(f"unlike the live database: {_named(live.locale, unlike_live)} → {_named(chosen, unlike_live)}")
    return Check(
        id="restore.locale",
        question="Does the server know the encoding and locale of the dump?",
        outcome=outcome,
        expected=_named(wanted, _AS_IS) or "unknown",
        found="; ".join(found) or ("it does" if wanted.collate is not None else "the dump says its encoding only, and that is the same"),
        compared=1,
        remedy=remedy,
    )


def _named(locale: Locale, attributes: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"{a} {value}" for a in attributes if (value := getattr(locale, a)) is not None)


def why_unknown(locale: Locale, connection: psycopg.Connection[Any]) -> str:
    """Why the server cannot create a database of that *locale*; "" when nothing is known against it.

    A name of libc is tried out by setting lc_time to it, which needs no right and asks the system for it like CREATE DATABASE does.
    """
    import psycopg

    version = connection.info.server_version
    since = {"icu": _ICU_SINCE, "builtin": _BUILTIN_SINCE}.get(locale.provider or "libc", 0)
    if version < since:
        return f"this server has no databases of locale provider {locale.provider}"
    if locale.provider == "icu":
        row = connection.execute("SELECT EXISTS (SELECT FROM pg_catalog.pg_collation WHERE collprovider = 'i')").fetchone()
        if not row or not row[0]:
            return "this server was built without ICU"
    for name in dict.fromkeys(filter(None, (locale.collate, locale.ctype))):
        try:
            with connection.transaction(force_rollback=True):
                connection.execute("SELECT pg_catalog.set_config('lc_time', %s, true)", [name])
        except psycopg.errors.InvalidParameterValue:
            return f"the system of the server does not know the locale {name!r}"
    return ""
