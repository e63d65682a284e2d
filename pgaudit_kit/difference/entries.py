"""What a difference says as plain values: the keys that `pgaudit diff --json` documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pgaudit_kit.difference.lost import what_was_lost
from pgaudit_kit.display.object_changes import without_secrets

if TYPE_CHECKING:
    from pgaudit_kit.difference.diff import Difference
    from pgaudit_kit.difference.rows import RowResult
    from pgaudit_kit.records.difference import ObjectDifference, RowDifference, TableDifference
    from pgaudit_kit.records.table_data import TableName


def entries_of(difference: Difference, *, rows: bool) -> dict[str, Any]:
    """Return all that *difference* says; with *rows*, also which rows differ and what was lost."""
    plain: dict[str, Any] = {
        "verdict": difference.verdict,
        "left": difference.left.label,
        "right": difference.right.label,
        "compared": difference.compared,
        "skipped": [{"what": s.what, "reason": s.reason} for s in difference.skipped],
        "unmodelled": [{"kind": u.kind, "schema": u.schema, "name": u.name, "reason": u.reason} for u in difference.unmodelled],
        "objects": [_object_entry(d) for d in difference.object_differences],
        "tables": [_table_entry(t) for t in difference.table_differences],
    }
    if rows:
        results = {t.name: difference.row_result(t.name) for t in difference.table_differences}
        keys = _keys(results)
        plain["rows"] = {keys[n]: [_row_entry(r) for r in result.listed] for n, result in results.items()}
        unknown = {t.name for t in difference.table_differences if t.status == "not_checked"}
        plain["row_counts"] = {keys[n]: _counts_entry(result, known=n not in unknown) for n, result in results.items()}
        plain |= what_was_lost(difference)
    return plain


def _table_entry(t: TableDifference) -> Mapping[str, Any]:
    return {
        "schema": t.name.schema,
        "name": t.name.name,
        "status": t.status,
        "rows_left": t.rows_left,
        "rows_right": t.rows_right,
        "reason": t.reason,
        "method": t.method,
    }


def _keys(names: Iterable[TableName]) -> dict[TableName, str]:
    """Each as schema.table; with quotes as in SQL where dots within make several the same."""
    dotted = {name: f"{name.schema}.{name.name}" for name in names}
    times = Counter(dotted.values())
    return {name: key if times[key] == 1 else str(name) for name, key in dotted.items()}


def _object_entry(d: ObjectDifference) -> Mapping[str, Any]:
    return {
        "kind": d.key.kind,
        "schema": d.key.schema,
        "name": d.key.name,
        "parent": d.key.parent,
        "status": d.status,
        "changes": [{"attribute": c.attribute, "left": c.left, "right": c.right} for c in map(without_secrets, d.changes)],
        "reason": d.reason,
        "hint": d.hint,
    }


def _row_entry(r: RowDifference) -> Mapping[str, Any]:
    return {
        "status": r.status,
        "key": dict(r.key),
        "columns": [{"attribute": c.attribute, "left": c.left, "right": c.right} for c in r.columns],
    }


def _counts_entry(result: RowResult, *, known: bool) -> Mapping[str, Any]:
    counts = (result.counts.missing, result.counts.extra, result.counts.changed) if known else (None, None, None)
    return {**dict(zip(("missing", "extra", "changed"), counts, strict=True)), "why_not": result.why_not}
