"""Is the restored database the one that was backed up?"""

from __future__ import annotations

from collections.abc import Iterator

from pgaudit_kit.audits.asking import ask
from pgaudit_kit.audits.ledgers import same_ledgers
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.verify import ask_same
from pgaudit_kit.checks.constraints import check_foreign_keys, check_indexes_valid
from pgaudit_kit.checks.sequences import check_sequences_ahead, unmoved
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Check
from pgaudit_kit.server.sequence_use import sequence_uses
from pgaudit_kit.server.snapshot import Snapshot


def prove(expected: Source, restored: Snapshot, *, ignore: frozenset[str] = frozenset()) -> AuditResult:
    """Prove the database behind *restored* against *expected* (the manifest, or the dump when there is none).

    Attributes in *ignore* (such as `owner` after a restore without owners) are not compared.
    """
    return AuditResult("Is the restored database the one that was backed up?", restored.label, tuple(_ask(expected, restored, ignore)))


def _ask(expected: Source, restored: Snapshot, ignore: frozenset[str]) -> Iterator[Check]:
    yield from ask_same(expected, restored, ignore=ignore)
    inventory = expected.inventory
    if inventory.of_kind("SEQUENCE"):
        uses = ask(
            "sequences.ahead",
            "Will the next inserted row get a fresh number?",
            lambda: check_sequences_ahead(sequence_uses(restored), unmoved=unmoved(inventory, restored.inventory)),
        )
        if any(s.attributes.get("owned_by") for s in inventory.of_kind("SEQUENCE")):
            yield uses
    if inventory.of_kind("INDEX"):
        yield check_indexes_valid(inventory, restored.inventory)
    if inventory.of_kind("FK CONSTRAINT"):
        yield check_foreign_keys(inventory, restored.inventory)
    yield from same_ledgers(expected, restored)
