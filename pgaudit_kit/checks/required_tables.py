"""Are the tables that must be there, there: those of a list, of a Prisma schema, of the backup before?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.table_names import tables_like, tables_meant
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome

_NAMED = 5
_NEAR = 0.85  # how alike a name must be to be offered for a required one
ModelTable = tuple[str, str | None, str]
"""A model's name, the schema of its table (None: whichever) and the table's name."""


def tables_with_rows(source: Source) -> frozenset[TableName]:
    """The tables of *source* that can hold rows of their own or of partitions; a table whose rows were left out is not among them."""
    parents = {o.key for o in source.inventory.of_kind("TABLE") if o.attributes.get("partition_key")}
    return frozenset({*source.table_data, *(TableName(k.schema or "", k.name) for k in parents)} - {LARGE_OBJECT_ROWS})


def all_tables(source: Source) -> frozenset[TableName]:
    """The tables of *source*, whether it holds rows of them or not."""
    return frozenset(TableName(o.key.schema or "", o.key.name) for o in source.inventory.of_kind("TABLE"))


def check_required_tables(required: Sequence[str], present: Collection[TableName], without_rows: Iterable[TableName] = ()) -> Check:
    """`tables.required`: each of *required* (records.table_names) holds rows data in the source.

    A name that may be another table's is a warning: once the one that is meant is lost, the other would stand for it. Where of several
    tables that may be meant some hold no rows, as those of *without_rows*, it is not known whether the one that is meant does.
    """
    known = {*present, *without_rows}
    meant = {text: tables_meant(text, known) for text in required}
    absent = [text for text, tables in meant.items() if not any(t in present for t in tables)]
    unsure = {text: tables for text, tables in meant.items() if text not in absent and not _is_sure(text, tables)}
    in_doubt = [str(table) for tables in unsure.values() for table in tables if table not in present]
    told = [f"missing: {', '.join(f'{text}{_near(text, present)}' for text in absent)}"] if absent else [] if in_doubt else ["all there"]
    told += [f"{text} is taken for {' or '.join(map(str, tables))}" for text, tables in unsure.items()]
    told += [f"no rows of {', '.join(in_doubt)}"] if in_doubt else []
    remedy = "Write the one that is meant as `tables` lists it, with its schema, and quotes around capitals." if unsure else ""
    if absent:
        remedy = "Find out why they were left out (another database, an exclude pattern) and back up again."
    return Check(
        id="tables.required",
        question="Are the required tables there?",
        outcome=Outcome.FAILED if absent else Outcome.NOT_CHECKED if in_doubt else Outcome.WARNED if unsure else Outcome.PASSED,
        expected=", ".join(required),
        found="; ".join(told),
        compared=len(required),
        remedy=remedy,
        evidence=tuple({"table": a} for a in absent),
    )


def _is_sure(text: str, tables: Sequence[TableName]) -> bool:
    """Whether *text* means one table alone, and has the letters of its name: without quotes, Account may have been meant as "Account"."""
    return len(tables) == 1 and ('"' in text or tables[0].name in text)


def _near(text: str, present: Iterable[TableName]) -> str:
    """What may have been meant: names are case-sensitive in PostgreSQL, and Prisma's begin with a capital."""
    near = tables_like(text, present, cutoff=_NEAR)
    return f" (there is {near[0] if '.' in text else near[0].name})" if near else ""


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
        expected=f"{many(len(before), 'table')} of {last.taken_at}",
        found=f"gone: {_listed([str(name) for name in gone])}" if gone else "all there" if before else "it had none",
        compared=len(before),
        remedy="If nobody meant to drop them, keep that backup: pgaudit restore --table brings them back from it." if gone else "",
        evidence=tuple({"table": str(name), "rows_before": before[name]} for name in gone),
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
