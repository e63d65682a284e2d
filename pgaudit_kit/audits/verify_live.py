"""A live database: is it sound by itself, and is it the one that was backed up?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from pgaudit_kit.audits.asking import ask, ask_if_any, not_checked
from pgaudit_kit.audits.expectations import ask_tables
from pgaudit_kit.audits.ledgers import ledger_states
from pgaudit_kit.audits.proof import ask_orphans, prove
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.same import ask_privileges
from pgaudit_kit.audits.sources import names_a_server, open_source
from pgaudit_kit.checks.backup_preflight import check_readable
from pgaudit_kit.checks.fitting import check_collations_current, check_encoding, check_locale, check_versions
from pgaudit_kit.checks.live_state import check_state, states_to_ask
from pgaudit_kit.checks.sequences import check_sequences_ahead
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.errors import PgAuditError, UsageError
from pgaudit_kit.records.config import Config
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Check
from pgaudit_kit.server.facts import server_facts
from pgaudit_kit.server.sequence_use import sequence_uses
from pgaudit_kit.server.snapshot import Snapshot

QUESTION = "Is this database sound?"
# id → what there must be any of, "" where another line of the same says it
_OF_OBJECTS = {
    "indexes.valid": "index beside those of constraints",
    "constraints.validated": "constraint",
    "foreign_keys.valid": "foreign key",
    "foreign_keys.orphans": "",
    "materialized_views.populated": "materialized view",
    "triggers.enabled": "trigger",
    "sequences.ahead": "sequence of a column",
}
_LOCALE = ("locale_provider", "lc_collate", "lc_ctype", "locale", "icu_rules")


def is_live(given: Any) -> bool:
    """Whether *given* names a live database, or is one."""
    if isinstance(given, str):
        return names_a_server(given)
    return not isinstance(given, os.PathLike | Dump) and not hasattr(given, "read") and not hasattr(given, "databases")


def verify_live(target: Any, *, require: Sequence[str], config: Config) -> AuditResult:
    """Ask a live database whether all in it works, and can be backed up. Raises the errors of snapshot."""
    with open_source(target) as live:
        if not isinstance(live, Snapshot):
            raise UsageError("a dump or a live database was expected", resource=live.label, remedy="Name a dump or a target.")
        checks = tuple(_ask_live(live, require, config))
        return AuditResult(QUESTION, live.label, checks, _none_there(checks))


def _ask_live(live: Snapshot, require: Sequence[str], config: Config) -> Iterator[Check]:
    yield from ask_tables(live, require, config)
    yield ask("backup.readable", lambda: check_readable(list(live.table_data.values())))
    yield from _ask_objects(live)

    def collations() -> Check | None:
        found = server_facts(live)  # of C and POSIX there are no versions, and nothing that could be asked
        return check_collations_current(found.collations, found.actual_collations) if found.collations else None

    yield from ask_if_any("collations.current", collations)


def _ask_objects(live: Snapshot) -> Iterator[Check]:
    """What is asked of the objects that are there; of all kinds when nobody knows which are."""
    try:
        inventory = live.inventory
    except PgAuditError as error:
        yield from (not_checked(check_id, error.message, error.remedy) for check_id in (*_OF_OBJECTS, "migrations.state"))
        return
    for check_id in states_to_ask(inventory):
        yield ask(check_id, partial(check_state, check_id, inventory))
    if inventory.of_kind("FK CONSTRAINT"):
        yield from ask_orphans(live)
    if any(s.attributes.get("owned_by") for s in inventory.of_kind("SEQUENCE")):
        yield ask("sequences.ahead", lambda: check_sequences_ahead(sequence_uses(live)))
    yield from ledger_states(live)


def _none_there(checks: Sequence[Check]) -> tuple[str, ...]:
    """What there is none of, so that it was not asked about."""
    asked = {check.id for check in checks}
    none = [words for check_id, words in _OF_OBJECTS.items() if check_id not in asked and words]
    return (f"It has no {', no '.join(none)}.",) if none else ()


def ask_target(expected: Source, dump: Dump, target: Any) -> Iterator[Check]:
    """The checks that the database at *target* is the one that was backed up, on a server that fits. Raises the errors of snapshot."""
    with open_source(target) as live:
        if not isinstance(live, Snapshot):
            raise UsageError("a live database was expected as TARGET", resource=live.label, remedy="pgaudit diff compares two files.")
        yield ask("restore.versions", lambda: check_versions(dump.provenance.server_version, live.provenance.server_version or ""))
        yield from _ask_texts(expected, live)
        ignore = frozenset({"owner"}) if isinstance(expected, Dump) and not any(e.owner for e in dump.toc_entries) else frozenset[str]()
        yield from prove(expected, live, ignore=ignore).check_list
        yield from ask_privileges(expected, live, ignore=ignore)


def _ask_texts(expected: Source, live: Snapshot) -> Iterator[Check]:
    """Encoding and locale, where the backup knows those of its database; the encoding of a dump's text may be another one."""
    database = expected.inventory.database
    known = {name: value for name, value in (database.attributes if database else {}).items() if value is not None}
    encoding = known.get("encoding") or (expected.provenance.encoding if isinstance(expected, Manifest) else None)
    if encoding:
        yield ask("database.encoding", lambda: check_encoding(encoding, live.provenance.encoding))
    recorded = {name: known[name] for name in _LOCALE if name in known}
    if recorded:
        yield ask("database.locale", lambda: check_locale(recorded, _locale_of(live)))


def _locale_of(live: Snapshot) -> dict[str, str]:
    found = live.inventory.database
    attributes = found.attributes if found else {}
    return {name: value for name in _LOCALE if (value := attributes.get(name)) is not None}
