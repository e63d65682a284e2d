"""Do the sequences stand where they should?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.sequence_use import SequenceUse
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome


def check_sequence_values(left: Inventory, right: Inventory) -> Check:
    """`sequences.value`: each sequence stands at the value recorded (left).

    Sequences are read outside the snapshot (PGDUMP_FORMATS.md 7), so on a busy database two honest readings
    may differ: a difference is `warned`, and `sequences.ahead` decides whether it hurts. One whose value nobody recorded is not asked for.
    """
    rights = right.by_key
    pairs = [(s, rights[s.key]) for s in left.of_kind("SEQUENCE") if s.key in rights and s.attributes.get("last_value") is not None]
    unknown = [b for _, b in pairs if b.attributes.get("last_value") is None]
    moved = [(a, b) for a, b in pairs if b not in unknown and _value(a.attributes) != _value(b.attributes)]
    told = [f"{a.key.schema}.{a.key.name}: {_value(a.attributes)} → {_value(b.attributes)}" for a, b in moved]
    told += [f"{b.key.schema}.{b.key.name} not known" for b in unknown]
    return Check(
        id="sequences.value",
        question="Does every sequence stand where it stood?",
        outcome=Outcome.NOT_CHECKED if unknown else Outcome.WARNED if moved else Outcome.PASSED,
        expected=f"{many(len(pairs), 'sequence')} at the recorded value",
        found="; ".join(told) or ("all at their value" if pairs else "no sequence on both sides whose value was recorded"),
        compared=len(pairs) - len(unknown),
        remedy="A dump without rows has no values. In a live database: GRANT SELECT ON each of them to this role."
        if unknown
        else "Sequences do not obey the snapshot; harmless unless one is behind its table's rows."
        if moved
        else "",
        evidence=tuple({"sequence": str(a.key), "left": _value(a.attributes), "right": _value(b.attributes)} for a, b in moved),
    )


def _value(attributes: Mapping[str, str | None]) -> str:
    value = attributes.get("last_value")
    if value is None:
        return "unknown"
    return value if attributes.get("is_called") == "true" else f"{value} (not yet used)"


def check_sequences_ahead(uses: Sequence[SequenceUse], *, unmoved: AbstractSet[ObjectKey] = frozenset()) -> Check:
    """`sequences.ahead`: the next value of each sequence is beyond every value in the column that it feeds.

    One that was behind already where the backup was taken (*unmoved*) is a warning: the restore has brought back what there was.
    """
    known = [u for u in uses if u.next_value is not None]
    behind = [u for u in known if u.behind]
    unknown = len(uses) - len(known)
    return Check(
        id="sequences.ahead",
        question="Will the next inserted row get a fresh number?",
        outcome=_outcome(behind, unmoved) if behind else Outcome.NOT_CHECKED if unknown or not uses else Outcome.PASSED,
        expected=f"{many(len(uses), 'sequence')} beyond the column",
        found="; ".join(f"{u.sequence} would give {u.next_value}, but {u.column} already reaches {u.in_use}" for u in behind)
        or (f"{unknown} could not be read" if unknown else "all beyond" if uses else "no sequence feeds a column"),
        compared=len(known),
        remedy="; ".join(f"SELECT setval('{u.sequence}', {u.in_use})" for u in _furthest(behind)),
        evidence=tuple({"sequence": u.sequence, "column": u.column, "next": u.next_value, "in_use": u.in_use} for u in behind),
    )


def _furthest(uses: Iterable[SequenceUse]) -> Iterable[SequenceUse]:
    """Of the columns that share a sequence, the one that has come furthest."""
    found: dict[str, SequenceUse] = {}
    for use in uses:
        other = found.setdefault(use.sequence, use)
        if (use.in_use or 0) * use.increment > (other.in_use or 0) * use.increment:
            found[use.sequence] = use
    return found.values()


def unmoved(expected: Inventory, live: Inventory) -> frozenset[ObjectKey]:
    """The sequences that are known to stand in *live* where they stand in *expected*."""
    known = (s for s in expected.of_kind("SEQUENCE") if s.attributes.get("last_value") is not None and s.key in live.by_key)
    return frozenset(s.key for s in known if _value(s.attributes) == _value(live.by_key[s.key].attributes))


def _outcome(behind: Sequence[SequenceUse], unmoved: AbstractSet[ObjectKey]) -> Outcome:
    return Outcome.WARNED if all(u.key in unmoved for u in behind) else Outcome.FAILED
