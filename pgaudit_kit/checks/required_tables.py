"""Are the tables that must be there, there: those of a list, of a Prisma schema, of the backup before?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Check, Outcome

_NAMED = 5
ModelTable = tuple[str, str | None, str]
"""A model's name, the schema of its table (None: whichever) and the table's name."""


def tables_with_rows(source: Source) -> frozenset[TableName]:
    """The tables of *source* that can hold rows of their own or of partitions; a table whose rows were left out is not among them."""
    parents = {o.key for o in source.inventory.of_kind("TABLE") if o.attributes.get("partition_key")}
    return frozenset({*source.table_data, *(TableName(k.schema or "", k.name) for k in parents)} - {LARGE_OBJECT_ROWS})


def check_required_tables(required: Sequence[str], present: Collection[TableName]) -> Check:
    """`tables.required`: each of *required* (`name` or `schema.table`) holds rows data in the source."""
    names = {alias for t in present for alias in (t.name, str(t), f"{t.schema}.{t.name}")}
    absent = [r for r in required if r not in names]
    told = [f"{r}{_near(r, names)}" for r in absent]
    return Check(
        id="tables.required",
        question="Are the required tables there?",
        outcome=Outcome.FAILED if absent else Outcome.PASSED,
        expected=", ".join(required),
        found=f"missing: {', '.join(told)}" if absent else "all there",
        compared=len(required),
        remedy="Find out why they were left out (another database, an exclude pattern) and back up again." if absent else "",
        evidence=tuple({"table": a} for a in absent),
    )


def _near(name: str, names: Iterable[str]) -> str:
    """What may have been meant: names are case-sensitive in PostgreSQL, and Prisma's begin with a capital."""
    lower = {n.lower(): n for n in names}
    near = get_close_matches(name.lower(), lower, n=1, cutoff=0.85)
    return f" (there is {lower[near[0]]})" if near else ""


def check_prisma_tables(models: Sequence[ModelTable], present: Collection[TableName]) -> Check:
    """`tables.prisma`: the table of every model is there, and so is that of every implicit many-to-many relation."""
    bare = {t.name for t in present}
    absent = [m for m in models if (m[2] not in bare if m[1] is None else TableName(m[1], m[2]) not in present)]
    told = [f"{table} of {model}" if table != model else table for model, _, table in absent]
    return Check(
        id="tables.prisma",
        question="Is there a table for every model of the Prisma schema?",
        outcome=Outcome.FAILED if absent else Outcome.PASSED,
        expected=f"the tables of {len(models)} models and relations",
        found=f"missing: {_listed(told)}" if absent else "all there" if models else "the schema has no models",
        compared=len(models),
        remedy="Apply the migrations that are pending, or name the schema.prisma that this database was made by." if absent else "",
        evidence=tuple({"model": model, "table": f"{schema}.{table}" if schema else table} for model, schema, table in absent),
    )


def check_last_tables(last: Manifest, present: Collection[TableName]) -> Check:
    """`tables.last_backup`: no table of the *last* backup is gone; a warning, since somebody may have dropped it on purpose."""
    before = {name: data.rows for name, data in last.table_data.items() if name != LARGE_OBJECT_ROWS}
    gone = [name for name in before if name not in present]
    return Check(
        id="tables.last_backup",
        question="Are the tables of the last backup there?",
        outcome=Outcome.WARNED if gone else Outcome.PASSED,
        expected=f"{len(before)} tables of {last.taken_at}",
        found=f"gone: {_listed([str(name) for name in gone])}" if gone else "all there" if before else "it had none",
        compared=len(before),
        remedy="If nobody meant to drop them, keep that backup: pgaudit restore --table brings them back from it." if gone else "",
        evidence=tuple({"table": str(name), "rows_before": before[name]} for name in gone),
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
