"""Are the rows the same: as many, and the very same ones?"""

from __future__ import annotations

from collections.abc import Sequence

from pgaudit_kit.records.difference import TableDifference
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome

NAMED = 5
_UNKNOWN = "Give a dump that holds these rows, whole, and a role that may read them; beside `not checked` stands what was in the way."


def check_row_counts(tables: Sequence[TableDifference]) -> Check:
    """`rows.count`: every table holds exactly as many rows as expected (left)."""
    judged = [t for t in tables if t.status != "not_checked"]
    wrong = [t for t in judged if t.rows_left != t.rows_right]
    rows = sum(t.rows_left or 0 for t in judged)
    expected = f"{many(rows, 'row')} in {many(len(tables), 'table')}"
    return _check("rows.count", "Does every table hold as many rows?", tables, wrong, expected=expected)


def check_row_fingerprints(tables: Sequence[TableDifference]) -> Check:
    """`rows.fingerprint`: every table holds the very same rows, by 128-bit fingerprint over all of them."""
    wrong = [t for t in tables if t.status in ("different", "only_left", "only_right")]
    expected = f"{many(len(tables), 'table')} with the same fingerprint"
    return _check("rows.fingerprint", "Are they the very same rows?", tables, wrong, expected=expected)


def _check(check_id: str, question: str, tables: Sequence[TableDifference], wrong: Sequence[TableDifference], *, expected: str) -> Check:
    unknown = [t for t in tables if t.status == "not_checked"]
    named = [f"{t.name}: {_count(t.rows_left)} → {_count(t.rows_right)} rows" for t in wrong[:NAMED]]
    more = [f"{len(wrong) - NAMED} more"] if len(wrong) > NAMED else []
    named += more + [f"{t.name} not checked: {t.reason}" for t in unknown[:NAMED]]
    return Check(
        id=check_id,
        question=question,
        outcome=Outcome.FAILED if wrong else Outcome.NOT_CHECKED if unknown else Outcome.PASSED,
        expected=expected,
        found="; ".join(named) or "all the same",
        compared=len(tables) - len(unknown),
        remedy="See which rows with `pgaudit diff DUMP TARGET --rows`." if wrong else _UNKNOWN if unknown else "",
        evidence=tuple(
            {"table": str(t.name), "status": t.status, "rows_left": t.rows_left, "rows_right": t.rows_right, "reason": t.reason}
            for t in (*wrong, *unknown)
        ),
    )


def _count(rows: int | None) -> str:
    return "no" if rows is None else f"{rows:,}"
