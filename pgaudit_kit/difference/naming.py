"""Which table somebody means by a name, and what to say when it is none that holds rows."""

from __future__ import annotations

from collections.abc import Collection

from pgaudit_kit.difference.partitions import upwards
from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.table_names import how_to_choose, tables_like, tables_meant, why_refused

# What holds no rows of its own, and where to look instead
_INSTEAD = {
    "VIEW": "Name the tables that it reads.",
    "MATERIALIZED VIEW": "Name the tables that it reads; a restore fills it from them.",
    "FOREIGN TABLE": "Its rows lie on another server: compare that one.",
    "SEQUENCE": "`sequences` says which are behind their column.",
}
_PARTITIONED = "Name its partitions, as `tables` lists them."
_EMPTY = "Neither source holds rows of it: the dump may have been made without."


def find_table(name: str | TableName, left: Source, right: Source, *, also: Collection[TableName] = ()) -> TableName:
    """Return the one table with rows in either source, or of *also*, that *name* means (records.table_names). Raises UsageError.

    Tables without rows count: where one of them may be meant, the rows of another are not what was asked for.
    """
    if isinstance(name, TableName) and any(name in held for held in (left.table_data, right.table_data)):
        return name  # asked for each table of a difference
    with_rows = {*left.table_data, *right.table_data, *also}
    without = _relations(left, right)
    known = {*with_rows, *(table for table, item in without.items() if item.key.kind == "TABLE")}
    found = _meant(name, known)
    if len(found) == 1 and found[0] in with_rows:
        return found[0]
    text = str(name)
    if len(found) > 1:
        raise UsageError(f"table {text} {why_refused(found)}", resource=text, remedy=how_to_choose(found))
    if others := _meant(name, without):
        for above in (t for side in (left, right) for t in upwards(others[0], side.inventory) if t in with_rows):
            why = f"{text} is a partition of {above}, which is divided otherwise on the other side: all its rows are compared as one table"
            raise UsageError(why, resource=text, remedy=f"Name {above}.")
        kind, remedy = _without_rows(without[others[0]])
        raise UsageError(f"{text} is a {kind}: there are no rows of it to compare", resource=text, remedy=remedy)
    close = tables_like(text, with_rows)
    remedy = f"There is {', '.join(map(str, close))}." if close else "Name it as schema.table, as `tables` lists it."
    raise UsageError(f"table {text} is in neither source", resource=text, remedy=remedy)


def _meant(name: str | TableName, tables: Collection[TableName]) -> list[TableName]:
    if isinstance(name, TableName):
        return [name] if name in tables else []
    return tables_meant(name, tables)


def _relations(left: Source, right: Source) -> dict[TableName, DatabaseObject]:
    """What has the name of a table on either side: tables, and what holds no rows of its own."""
    items = (item for source in (right, left) for item in source.inventory.of_kind("TABLE", *_INSTEAD))
    return {TableName(item.key.schema or "", item.key.name): item for item in items}


def _without_rows(item: DatabaseObject) -> tuple[str, str]:
    """What *item* is, and what to do."""
    if item.key.kind in _INSTEAD:
        return item.key.kind.lower(), _INSTEAD[item.key.kind]
    return ("partitioned table", _PARTITIONED) if item.attributes.get("partition_key") else ("table", _EMPTY)
