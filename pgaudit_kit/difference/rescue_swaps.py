"""Unique values that rows may have exchanged: which ones a rescue can take away for a moment, and what stands there meanwhile."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from pgaudit_kit.difference.keys import keys_of
from pgaudit_kit.difference.partitions import downwards
from pgaudit_kit.difference.rescue_sql import UniqueValues, quoted, rows_of
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import Column, ObjectKey
from pgaudit_kit.records.table_data import TableName

# A value of that type that no row has, by the `number` of the row in the query `given`
_MEANWHILE = (
    (
        re.compile(r"smallint|integer|bigint|numeric"),
        "(SELECT least(pg_catalog.min({column})::numeric, 0::numeric) - given.number::numeric FROM {rows})",
    ),
    (re.compile(r"text|character varying"), "pg_catalog.concat('pgaudit ', pg_catalog.txid_current(), ' ', given.number)"),
    (re.compile(r"uuid"), "pg_catalog.gen_random_uuid()"),  # 13+
)


def exchangeable(
    inventory: Inventory, table: TableName, columns: Collection[str], *, referenced: Collection[tuple[str, ...]]
) -> Iterator[UniqueValues]:
    """Yield the keys of *table* and its partitions, as *inventory* has them, of whose *columns* one can have another value for a moment.

    Not of those that foreign keys have *referenced*: rows that point there might follow, or forbid it.
    """
    owner = inventory.by_key.get(ObjectKey("TABLE", table.schema, table.name))
    held = {c.name: c for c in owner.columns if c.name in columns} if owner else {}
    rows = rows_of(table, partitioned=bool(owner and owner.attributes.get("partition_key")))
    taken = {frozenset(reference) for reference in referenced}
    keys = [key for place in (table, *downwards(table, inventory)) for key in keys_of(inventory, place)]
    for key in {frozenset(key.columns): key for key in keys}.values():
        if key.nulls == "distinct" and (free := next((c for c in key.columns if c in held and not _is_not_null(held[c])), None)):
            meanwhile = "NULL"
        else:
            free, meanwhile = next(((c, told) for c in key.columns if c in held and (told := _told(held[c], rows))), (None, ""))
        if free and frozenset(key.columns) not in taken:
            yield UniqueValues(key.columns, free, meanwhile)


def _is_not_null(column: Column) -> bool:
    return column.attributes.get("not_null") == "true"


def _told(column: Column, rows: str) -> str:
    kind = column.attributes.get("type") or ""
    found = next((sql for pattern, sql in _MEANWHILE if pattern.match(kind) and not kind.endswith("]")), "")
    return found.format(column=quoted(column.name), rows=rows)
