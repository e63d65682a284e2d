"""Which table somebody means by a name, and what to say when it is none that holds rows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.identifiers import read_name
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
    known = {*left.table_data, *right.table_data}
    found = meant_by(name, known)
    if len(found) == 1:
        return found[0]
    if not found:
        for source in (left, right):
            for item in source.inventory.of_kind("TABLE", *_INSTEAD):
                if meant_by(name, [TableName(item.key.schema or "", item.key.name)]):
                    kind, remedy = _without_rows(item)
                    raise UsageError(f"{name} is a {kind}: there are no rows of it to compare", resource=name, remedy=remedy)
    what = "is in several schemas" if found else "is in neither source"
    close = sorted(map(str, found)) or _like(name, known)
    remedy = f"There is {', '.join(close)}." if close else "Name it as schema.table, as `tables` lists it."
    raise UsageError(f"table {name} {what}", resource=name, remedy=remedy)


def meant_by(name: str, tables: Iterable[TableName]) -> list[TableName]:
    """Return those of *tables* that are called *name*: as they are shown, or as SQL writes them, with the schema or without.

    What is shown so is meant, whatever others are called that have dots in their names.
    """
    tables = list(tables)
    found = [table for table in tables if name == str(table)]
    found = found or [table for table in tables if name in (f"{table.schema}.{table.name}", table.name)]
    parsed = None if found else read_name(name, 0)
    if not parsed or parsed[2] != len(name):
        return found
    return [table for table in tables if table.name == parsed[1] and parsed[0] in (None, table.schema)]


def _like(name: str, tables: Iterable[TableName]) -> list[str]:
    """Those that somebody may have meant by a name of which no table is, without regard to capitals."""
    spelled = [(text.lower(), str(table)) for table in tables for text in (str(table).replace('"', ""), table.name)]
    close = difflib.get_close_matches(name.replace('"', "").lower(), {text for text, _ in spelled})
    return sorted({table for text, table in spelled if text in close})


def _without_rows(item: DatabaseObject) -> tuple[str, str]:
    """What *item* is, and what to do."""
    if item.key.kind in _INSTEAD:
        return item.key.kind.lower(), _INSTEAD[item.key.kind]
    return ("partitioned table", _PARTITIONED) if item.attributes.get("partition_key") else ("table", _EMPTY)
