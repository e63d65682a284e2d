"""Do indexes and foreign keys really work, not only exist?"""

from __future__ import annotations

from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome


def check_indexes_valid(expected: Inventory, live: Inventory) -> Check:
    """`indexes.valid`: every expected index is there and PostgreSQL uses it (pg_index.indisvalid), unless it was invalid before.

    One of a partitioned table is invalid for as long as a partition has none that is attached to it (CREATE INDEX ON ONLY); of
    another one that is invalid pg_dump brings nothing.
    """
    wanted = expected.of_kind("INDEX")
    before = {i.key for i in wanted if i.attributes.get("valid") == "false"}
    absent = [i for i in wanted if i.key not in live.by_key and i.key not in before]
    invalid = [i for i in live.of_kind("INDEX") if i.attributes.get("valid") == "false" and i.key not in before]
    wrong = [f"missing {i.key.name}" for i in absent] + [f"invalid {i.key.name}" for i in invalid]
    return Check(
        id="indexes.valid",
        question="Is every index there and valid?",
        outcome=Outcome.FAILED if wrong else Outcome.PASSED,
        expected=many(len(wanted), "index", "indexes"),
        found="; ".join(wrong) or "all there and valid",
        compared=len(wanted),
        remedy="REINDEX the invalid ones, create the missing ones." if wrong else "",
        evidence=tuple({"index": w} for w in wrong),
    )


def check_foreign_keys(expected: Inventory, live: Inventory) -> Check:
    """`foreign_keys.valid`: every expected foreign key is there, and validated unless it was NOT VALID before."""
    wanted = expected.of_kind("FK CONSTRAINT")
    wrong = []
    for key in wanted:
        there = live.by_key.get(key.key)
        if there is None:
            wrong.append(f"missing {key.key.name} on {key.key.parent}")
        elif _not_valid(there.attributes.get("definition")) and not _not_valid(key.attributes.get("definition")):
            wrong.append(f"not validated {key.key.name} on {key.key.parent}")
    return Check(
        id="foreign_keys.valid",
        question="Is every foreign key there and validated?",
        outcome=Outcome.FAILED if wrong else Outcome.PASSED,
        expected=many(len(wanted), "foreign key"),
        found="; ".join(wrong) or "all there and validated",
        compared=len(wanted),
        remedy="Add them again; ADD CONSTRAINT checks every row, so orphans will be named." if wrong else "",
        evidence=tuple({"foreign_key": w} for w in wrong),
    )


def _not_valid(definition: str | None) -> bool:
    return (definition or "").endswith("NOT VALID")
