"""Is the restored database the one that was backed up?"""

from __future__ import annotations

from collections.abc import Iterator

from pgaudit_kit.audits.asking import ask, ask_if_any
from pgaudit_kit.audits.ledgers import same_ledgers
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.same import ask_same
from pgaudit_kit.checks.constraints import check_foreign_keys, check_indexes_valid
from pgaudit_kit.checks.fitting import check_collation_versions
from pgaudit_kit.checks.restored_state import (
    CONSTRAINTS,
    TRIGGERS,
    check_extension_versions,
    check_orphans,
    check_populated,
    check_triggers,
    check_validated,
    extensions_to_restore,
)
from pgaudit_kit.checks.sequences import check_sequences_ahead, unmoved
from pgaudit_kit.difference.dangling import dangling_keys
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.loss import TEMPORAL
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Check
from pgaudit_kit.server.facts import server_facts
from pgaudit_kit.server.sequence_use import sequence_uses
from pgaudit_kit.server.snapshot import Snapshot


def prove(expected: Source, restored: Snapshot, *, ignore: frozenset[str] = frozenset()) -> AuditResult:
    """Prove the database behind *restored* against *expected* (the manifest, or the dump when there is none).

    Objects, row counts, fingerprints, sequences and their columns, indexes, constraints, foreign keys and orphans, materialized views,
    triggers, extensions, the migration ledger. Attributes in *ignore* (such as `owner` after a restore without owners) are not compared,
    nor are those of the database itself, which a restore leaves as the database was made.
    """
    return AuditResult("Is the restored database the one that was backed up?", restored.label, tuple(_ask(expected, restored, ignore)))


def _ask(expected: Source, restored: Snapshot, ignore: frozenset[str]) -> Iterator[Check]:
    yield from ask_same(expected, restored, ignore=ignore, restored=True)
    inventory = expected.inventory
    if any(s.attributes.get("owned_by") for s in inventory.of_kind("SEQUENCE")):
        yield ask("sequences.ahead", lambda: check_sequences_ahead(sequence_uses(restored), unmoved=unmoved(inventory, restored.inventory)))
    yield from _ask_state(inventory, restored)
    if inventory.of_kind("FK CONSTRAINT"):
        yield ask("foreign_keys.valid", lambda: check_foreign_keys(inventory, restored.inventory))
        yield from ask_orphans(restored)
    yield from ask_collations(expected, restored)
    yield from same_ledgers(expected, restored)


def _ask_state(expected: Inventory, restored: Snapshot) -> Iterator[Check]:
    """What a restore has to bring about itself; of what there is none of, nothing is asked."""
    if expected.of_kind("INDEX"):
        yield ask("indexes.valid", lambda: check_indexes_valid(expected, restored.inventory))
    if expected.of_kind(*CONSTRAINTS):
        yield ask("constraints.validated", lambda: check_validated(expected, restored.inventory))
    if any(v.attributes.get("populated") for v in expected.of_kind("MATERIALIZED VIEW")):
        yield ask("materialized_views.populated", lambda: check_populated(expected, restored.inventory))
    if expected.of_kind(*TRIGGERS):
        yield ask("triggers.enabled", lambda: check_triggers(expected, restored.inventory))
    if extensions_to_restore(expected):
        yield ask("extensions.version", lambda: check_extension_versions(expected, restored.inventory))


def ask_orphans(live: Snapshot) -> Iterator[Check]:
    """`foreign_keys.orphans`, unless all keys are temporal, which the server has checked."""

    def answer() -> Check | None:
        keys = dangling_keys(live, live, whole=live)
        return None if keys and all(k.reason == TEMPORAL for k in keys) else check_orphans(keys)

    yield from ask_if_any("foreign_keys.orphans", answer)


def ask_collations(expected: Source, live: Snapshot) -> Iterator[Check]:
    """`collations.version`, where both sides have a version of any: an older server, or one with another provider, is no doubt in rows."""
    recorded = expected.server.collations if isinstance(expected, Manifest) and expected.server else {}
    if not recorded:
        return
    check = ask("collations.version", lambda: check_collation_versions(recorded, server_facts(live).actual_collations))
    if check.compared:
        yield check
