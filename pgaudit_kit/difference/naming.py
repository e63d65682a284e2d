"""Which table somebody means by a name, and what to say when it is none that holds rows."""

from __future__ import annotations

from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName

# What holds no rows of its own, and where to look instead
_INSTEAD = {
    "VIEW": "Name the tables that it reads.",
    "MATERIALIZED VIEW": "Name the tables that it reads; a restore fills it from them.",
    "FOREIGN TABLE": "Its rows lie on another server: compare that one.",
    "SEQUENCE": "`sequences` says which are behind their column.",
}
_PARTITIONED = "Name its partitions, as `tables` lists them."
_EMPTY = "Neither source holds rows of it: the dump may have been made without."


def find_table(name: str | TableName, left: Source, right: Source) -> TableName:
    """Return the one table of that name (`schema.table`, or a name that is there only once) in either source. Raises UsageError."""
    if isinstance(name, TableName):
        return name
    tables = {*left.table_data, *right.table_data}
    found = [table for table in tables if name == str(table)] or [table for table in tables if name in _spellings(table)]
    if len(found) == 1:
        return found[0]
    if not found:
        for source in (left, right):
            for item in source.inventory.of_kind("TABLE", *_INSTEAD):
                if name in _spellings(TableName(item.key.schema or "", item.key.name)):
                    kind, remedy = _without_rows(item)
                    raise UsageError(f"{name} is a {kind}: there are no rows of it to compare", resource=name, remedy=remedy)
    what = "is in several schemas" if found else "is in neither source"
    raise UsageError(f"table {name} {what}", resource=name, remedy="Name it as schema.table, as `tables` lists it.")


def _spellings(table: TableName) -> tuple[str, str, str]:
    return str(table), f"{table.schema}.{table.name}", table.name


def _without_rows(item: DatabaseObject) -> tuple[str, str]:
    """What *item* is, and what to do."""
    if item.key.kind in _INSTEAD:
        return item.key.kind.lower(), _INSTEAD[item.key.kind]
    return ("partitioned table", _PARTITIONED) if item.attributes.get("partition_key") else ("table", _EMPTY)
