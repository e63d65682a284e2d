"""The columns of a table, for rows that do not name them."""

from __future__ import annotations

from pgaudit_kit.dumps.identifiers import read_parents
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.table_data import TableName

_DEEPEST = 64  # levels of inheritance; a damaged dump may name a circle


def columns_of(inventory: Inventory, name: TableName, *, generated: bool = True, depth: int = 0) -> tuple[str, ...] | None:
    """Return the columns of *name* in attribute order, without the generated ones when not *generated*; None when it is not there.

    A child of inheritance has its parents' columns first, as pg_dump writes only its own ones into CREATE TABLE.
    """
    table = inventory.by_key.get(ObjectKey("TABLE", name.schema, name.name))
    if table is None or depth > _DEEPEST:
        return None
    columns: list[str] = []
    for schema, parent in read_parents(table.attributes.get("inherits") or ""):
        columns += columns_of(inventory, TableName(schema or name.schema, parent), generated=generated, depth=depth + 1) or ()
    columns += [c.name for c in table.columns if generated or not c.attributes.get("generated")]
    return tuple(dict.fromkeys(columns))
