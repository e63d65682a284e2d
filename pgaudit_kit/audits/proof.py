"""Is the restored database the one that was backed up?"""

from __future__ import annotations

from collections.abc import Iterator

from pgaudit_kit.audits.asking import ask
from pgaudit_kit.audits.ledgers import same_ledgers
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.verify import ask_same
from pgaudit_kit.checks.constraints import check_foreign_keys, check_indexes_valid
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
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Check
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
    if inventory.of_kind("SEQUENCE"):
        uses = ask(
            "sequences.ahead",
            "Will the next inserted row get a fresh number?",
            lambda: check_sequences_ahead(sequence_uses(restored), unmoved=unmoved(inventory, restored.inventory)),
        )
        if any(s.attributes.get("owned_by") for s in inventory.of_kind("SEQUENCE")):
            yield uses
    yield from _ask_state(inventory, restored.inventory)
    if inventory.of_kind("FK CONSTRAINT"):
        yield check_foreign_keys(inventory, restored.inventory)
        yield from _ask_orphans(restored)
    yield from same_ledgers(expected, restored)


def _ask_state(expected: Inventory, restored: Inventory) -> Iterator[Check]:
    """What a restore has to bring about itself; of what there is none of, nothing is asked."""
    if expected.of_kind("INDEX"):
        yield check_indexes_valid(expected, restored)
    if expected.of_kind(*CONSTRAINTS):
        yield check_validated(expected, restored)
    if any(v.attributes.get("populated") for v in expected.of_kind("MATERIALIZED VIEW")):
        yield check_populated(expected, restored)
    if expected.of_kind(*TRIGGERS):
        yield check_triggers(expected, restored)
    if extensions_to_restore(expected):
        yield check_extension_versions(expected, restored)


def _ask_orphans(restored: Snapshot) -> Iterator[Check]:
    keys = dangling_keys(restored, restored, whole=restored)
    if any(k.rows is not None for k in keys):  # else all are temporal, and the server has checked them
        yield check_orphans(keys)
