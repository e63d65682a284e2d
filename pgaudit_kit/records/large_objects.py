"""Large objects as rows of one table: a row for each, with size and hash of its content in place of the content.

So counts, fingerprints, and which of them are missing, extra or changed come from where those of all tables come from. It bears
the name of the catalog in which a server keeps the contents, of which no dump holds rows as a table.
"""

from __future__ import annotations

from collections.abc import Mapping

from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import LARGE_OBJECTS
from pgaudit_kit.records.table_data import TableData, TableName

LARGE_OBJECT_ROWS = TableName("pg_catalog", "pg_largeobject")
# xxh3_128: 32 hex digits, of the whole content
LARGE_OBJECT_COLUMNS = ("loid", "size_bytes", "xxh3_128")
LARGE_OBJECT_KEY = ("loid",)
KIND = "BLOB"


def tables_alone(data: Mapping[TableName, TableData]) -> tuple[TableData, ...]:
    """Return what *data* holds of real tables: what is listed and counted as tables."""
    return tuple(table for name, table in data.items() if name != LARGE_OBJECT_ROWS)


def says_nothing_of_contents(inventory: Inventory) -> bool:
    """Whether a source names it as not compared, as manifests did that were written before contents were recorded."""
    return any(u.kind == KIND and u.reason == CONTENTS_NOT_RECORDED for u in inventory.unmodelled)


def is_without_large_objects(inventory: Inventory) -> bool:
    """Whether a source that holds none may have been told to leave them out."""
    return LARGE_OBJECTS in inventory.not_told


CONTENTS_NOT_RECORDED = "the contents of large objects are not compared"
