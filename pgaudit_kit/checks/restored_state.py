"""Is what a restore has to bring about itself, beside objects and rows, as it was: populated, enabled, validated, of the same version?"""

from __future__ import annotations

from collections.abc import Sequence

from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.loss import DanglingKey
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome

TRIGGERS = ("TRIGGER", "RULE", "EVENT TRIGGER")
CONSTRAINTS = ("CHECK CONSTRAINT", "CONSTRAINT")
_ON = "enabled"
_IN_EVERY_DATABASE = "plpgsql"  # pg_dump up to 10 lists it all the same; neither a newer one nor a snapshot does


def check_populated(expected: Inventory, restored: Inventory) -> Check:
    """`materialized_views.populated`: each materialized view holds rows, or none, as it did where that is known."""
    known = [v for v in expected.of_kind("MATERIALIZED VIEW") if v.attributes.get("populated") is not None]
    wrong = [
        f"{v.key.schema}.{v.key.name} is {'not ' if v.attributes['populated'] == 'true' else ''}populated"
        for v in known
        if (there := restored.by_key.get(v.key)) is None or there.attributes.get("populated") != v.attributes["populated"]
    ]
    return _check(
        "materialized_views.populated",
        "Is every materialized view populated as it was?",
        wrong,
        compared=len(known),
        what="materialized views",
        remedy="REFRESH MATERIALIZED VIEW each of them.",
    )


def check_triggers(expected: Inventory, restored: Inventory) -> Check:
    """`triggers.enabled`: each trigger, rule and event trigger fires when it did: always, as a replica, never."""
    wanted = expected.of_kind(*TRIGGERS)
    wrong = [
        f"{o.key}: {_state(o)} → {_state(there) if there else 'missing'}"
        for o in wanted
        if (there := restored.by_key.get(o.key)) is None or _state(there) != _state(o)
    ]
    return _check(
        "triggers.enabled",
        "Does every trigger fire when it did?",
        wrong,
        compared=len(wanted),
        what="triggers and rules",
        remedy="ALTER TABLE … ENABLE or DISABLE TRIGGER as it was.",
    )


def check_validated(expected: Inventory, restored: Inventory) -> Check:
    """`constraints.validated`: each check, unique, primary key and exclusion constraint is there, and validated unless it was not."""
    wanted = expected.of_kind(*CONSTRAINTS)
    wrong = []
    for item in wanted:
        there = restored.by_key.get(item.key)
        if there is None:
            wrong.append(f"missing {item.key}")
        elif _not_valid(there) and not _not_valid(item):
            wrong.append(f"not validated {item.key}")
    return _check(
        "constraints.validated",
        "Is every constraint there and validated?",
        wrong,
        compared=len(wanted),
        what="constraints",
        remedy="ALTER TABLE … VALIDATE CONSTRAINT names the first row that breaks it.",
    )


def extensions_to_restore(expected: Inventory) -> list[DatabaseObject]:
    """Return the extensions that *expected* has, but for the one that every database has from the beginning."""
    return [e for e in expected.of_kind("EXTENSION") if e.key.name != _IN_EVERY_DATABASE]


def check_extension_versions(expected: Inventory, restored: Inventory) -> Check:
    """`extensions.version`: each extension is there; one in another version than was backed up, where that is known, is a warning."""
    wanted = extensions_to_restore(expected)
    absent = [e.key.name for e in wanted if e.key not in restored.by_key]
    other = []
    for item in wanted:
        before, there = item.attributes.get("version"), restored.by_key.get(item.key)
        now = there.attributes.get("version") if there else None
        if before is not None and now is not None and before != now:
            other.append(f"{item.key.name}: {before} → {now}")
    return Check(
        id="extensions.version",
        question="Is every extension there, in the version that was backed up?",
        outcome=Outcome.FAILED if absent else Outcome.WARNED if other else Outcome.PASSED,
        expected=many(len(wanted), "extension"),
        found="; ".join([f"missing {name}" for name in absent] + other) or "all there",
        compared=len(wanted),
        remedy="CREATE EXTENSION each."
        if absent
        else "A dump names no versions: the server's own came. Read their notes."
        if other
        else "",
        evidence=tuple({"extension": text} for text in (*absent, *other)),
    )


def check_orphans(keys: Sequence[DanglingKey]) -> Check:
    """`foreign_keys.orphans`: no row points at a row that is not there.

    By a key that was NOT VALID where the backup was taken that is a warning: the restore has brought back what there was. Keys by
    which nobody could count (temporal ones) are named; the server itself checked them as it added them.
    """
    counted = [k for k in keys if k.rows is not None]
    orphans = [k for k in counted if k.rows]
    uncounted = [k for k in keys if k.rows is None]
    found = [
        f"{k.table}: {many(k.rows or 0, 'row')} {'points' if k.rows == 1 else 'point'} at nothing in {k.parent} ({k.name}, {k.state})"
        for k in orphans
    ]
    found += [f"{k.name} not counted: {k.reason}" for k in uncounted]
    unknown = any("temporal" not in k.reason for k in uncounted)
    broken = any(k.state == "in force" for k in orphans)
    return Check(
        id="foreign_keys.orphans",
        question="Does every row that points at another one find it?",
        outcome=Outcome.FAILED if broken else Outcome.NOT_CHECKED if unknown else Outcome.WARNED if orphans else Outcome.PASSED,
        expected=f"no orphans by {many(len(keys), 'foreign key')}",
        found="; ".join(found) or ("none" if keys else "there is no foreign key"),
        compared=len(counted),
        remedy="See them with `pgaudit diff BACKUP TARGET`; `pgaudit rescue` puts back the rows that they point at." if orphans else "",
        evidence=tuple({"foreign_key": k.name, "table": str(k.table), "rows": k.rows, "state": k.state} for k in (*orphans, *uncounted)),
    )


def _state(item: DatabaseObject) -> str:
    return (item.attributes.get("enabled") or _ON).lower()


def _not_valid(item: DatabaseObject) -> bool:
    return (item.attributes.get("definition") or "").endswith("NOT VALID")


def _check(check_id: str, question: str, wrong: Sequence[str], *, compared: int, what: str, remedy: str) -> Check:
    return Check(
        id=check_id,
        question=question,
        outcome=Outcome.FAILED if wrong else Outcome.PASSED,
        expected=f"{compared} {what}, as they were",
        found="; ".join(wrong) or "all as they were",
        compared=compared,
        remedy=remedy if wrong else "",
        evidence=tuple({"finding": text} for text in wrong),
    )
