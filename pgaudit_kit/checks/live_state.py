"""How a live database stands, with nothing to compare it with. What somebody may have meant so is a warning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pgaudit_kit.checks.restored_state import CONSTRAINTS, TRIGGERS
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.questions.registry import explain
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome

_NAMED = 5
# id → kinds of objects, what is wrong with one (attribute, value, whether that is its end), in words, the column of the evidence, remedy
_STATES: Mapping[str, tuple[tuple[str, ...], tuple[str, tuple[str, ...]], str, str, str]] = {
    "indexes.valid": (("INDEX",), ("valid", ("false",)), "invalid", "index", "REINDEX the invalid ones, or drop them."),
    "constraints.validated": (
        CONSTRAINTS,
        ("definition", ("NOT VALID",)),
        "not validated",
        "finding",
        "ALTER TABLE … VALIDATE CONSTRAINT names the first row that breaks it.",
    ),
    "foreign_keys.valid": (
        ("FK CONSTRAINT",),
        ("definition", ("NOT VALID",)),
        "not validated",
        "foreign_key",
        "ALTER TABLE … VALIDATE CONSTRAINT names the first row that breaks it.",
    ),
    "materialized_views.populated": (
        ("MATERIALIZED VIEW",),
        ("populated", ("false",)),
        "not populated",
        "finding",
        "REFRESH MATERIALIZED VIEW each of them.",
    ),
    "triggers.enabled": (
        TRIGGERS,
        ("enabled", ("disable",)),
        "switched off",
        "finding",
        "ALTER TABLE … ENABLE TRIGGER, unless it is meant so.",
    ),
}


def states_to_ask(live: Inventory) -> list[str]:
    """The ids of the checks for which there is any object."""
    return [check_id for check_id, (kinds, *_) in _STATES.items() if live.of_kind(*kinds)]


def check_state(check_id: str, live: Inventory) -> Check:
    """The check with that id of a live database alone."""
    kinds, (attribute, ends), words, column, remedy = _STATES[check_id]
    looked = live.of_kind(*kinds)
    wrong = [item for item in looked if (item.attributes.get(attribute) or "").lower().endswith(tuple(e.lower() for e in ends))]
    told = [f"{words} {_name(item)}" for item in wrong]
    more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return Check(
        id=check_id,
        question=explain(check_id).sentence,
        outcome=Outcome.WARNED if wrong else Outcome.PASSED,
        expected=f"{len(looked)}, none {words}",
        found="; ".join(told[:_NAMED]) + more if told else f"none {words}",
        compared=len(looked),
        remedy=remedy if wrong else "",
        evidence=tuple({column: text} for text in told),
    )


def _name(item: DatabaseObject) -> str:
    return f"{item.key.name} on {item.key.parent}" if item.key.parent else f"{item.key.schema}.{item.key.name}"


def check_rows_complete(manifest: Manifest, protected: Sequence[TableName]) -> Check:
    """`rows.complete`: of each table with row-level security the manifest has all rows, read under row_security = off."""
    known = [name for name in protected if name in manifest.table_data]
    hidden = [(name, manifest.table_data[name].not_readable) for name in known if manifest.table_data[name].fingerprint is None]
    return Check(
        id="rows.complete",
        question="Did the backup see every row, whatever policies hide?",
        outcome=Outcome.NOT_CHECKED if hidden or not known else Outcome.PASSED,
        expected=f"{many(len(known), 'table')} with row-level security, read whole",
        found="; ".join(f"{name}: {why or 'its rows were not recorded'}" for name, why in hidden[:_NAMED]) or "read whole",
        compared=len(known) - len(hidden),
        remedy="Back up as a role that bypasses row-level security, without --enable-row-security." if hidden else "",
        evidence=tuple({"table": str(name), "reason": why} for name, why in hidden),
    )


def protected_tables(objects: Iterable[DatabaseObject]) -> list[TableName]:
    """The tables with row-level security."""
    return [TableName(o.key.schema or "", o.key.name) for o in objects if o.key.kind == "TABLE" and o.attributes.get("row_security")]
