"""Are the tables that must be there, there?"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Check, Outcome


def check_required_tables(required: Sequence[str], present: Collection[TableName]) -> Check:
    """`tables.required`: each of *required* (`name` or `schema.table`) holds rows data in the source."""
    names = {alias for t in present for alias in (t.name, str(t), f"{t.schema}.{t.name}")}
    absent = [r for r in required if r not in names]
    return Check(
        id="tables.required",
        question="Are the required tables there?",
        outcome=Outcome.FAILED if absent else Outcome.PASSED,
        expected=", ".join(required),
        found=f"missing: {', '.join(absent)}" if absent else "all there",
        compared=len(required),
        remedy="Find out why they were left out (another database, an exclude pattern) and back up again." if absent else "",
        evidence=tuple({"table": a} for a in absent),
    )
