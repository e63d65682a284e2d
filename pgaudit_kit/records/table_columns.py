"""The columns of a table, for rows that do not name them."""

from __future__ import annotations

from pgaudit_kit.records.identifiers import read_parents
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import Column, ObjectKey
from pgaudit_kit.records.table_data import TableName

_DEEPEST = 64  # levels of inheritance; a damaged dump may name a circle


def columns_of(inventory: Inventory, name: TableName, *, generated: bool = True) -> tuple[str, ...] | None:
    """Return the columns of *name* in attribute order, without the generated ones when not *generated*; None when it is not there.

    A child of inheritance has its parents' columns first and a typed table those of its type, as pg_dump writes only a table's own
    ones into CREATE TABLE (pg_dump.c, dumpTableSchema: shouldPrintColumn). That is the order a restore gives them, too.
    """
    columns = declared_columns(inventory, name)
    if columns is None:
        return None
    computed = {c.name for c in columns if c.attributes.get("generated")} if not generated else ()
    return tuple(dict.fromkeys(c.name for c in columns if c.name not in computed))


def declared_columns(inventory: Inventory, name: TableName, *, depth: int = 0) -> list[Column] | None:
    """Return the columns that *name* inherits, has of its type and declares, in that order; one that it declares again comes twice.

    None when it is not there. *depth* counts the generations of inheritance that were climbed.
    """
    table = inventory.by_key.get(ObjectKey("TABLE", name.schema, name.name))
    if table is None or depth > _DEEPEST:
        return None
    columns: list[Column] = []
    for schema, parent in read_parents(table.attributes.get("inherits") or ""):
        columns += declared_columns(inventory, TableName(schema or name.schema, parent), depth=depth + 1) or []
    for schema, of_type in read_parents(table.attributes.get("of_type") or ""):
        row_type = inventory.by_key.get(ObjectKey("TYPE", schema or name.schema, of_type))
        columns += row_type.columns if row_type else ()
    return columns + list(table.columns)
