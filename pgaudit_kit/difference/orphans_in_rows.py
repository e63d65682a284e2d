"""How many rows point at a row that is not there, in a source whose rows can be read but not queried: a dump."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

from pgaudit_kit.difference.column_types import column_collation, column_type
from pgaudit_kit.difference.foreign_keys import ForeignKey
from pgaudit_kit.difference.partitions import leaves
from pgaudit_kit.errors import RowsNotAvailable
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import NULL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_READ_AS_TABLES = ("TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW")
# Types of which equal values have equal text, whatever the other column's is of these
_TOLD_BY_TEXT = re.compile(r"smallint|integer|bigint|oid|uuid|text|character varying(\(\d+\))?|boolean|date|bytea|name|macaddr8?")
# and those of which they do when both columns are of the very same type
_TOLD_WHEN_ALIKE = re.compile(
    r"character\(\d+\)|numeric\(\d+,\d+\)|(timestamp|time)(\(\d\))? without time zone|timestamp(\(\d\))? with time zone"
)


def orphans_in_rows(source: Source, key: ForeignKey) -> int:
    """Count the rows of *source* that point at a row that is not there by *key*; both tables are read once, eight bytes kept per parent.

    Raises RowsNotAvailable when rows are missing, or equal values may have other texts.
    """
    import numpy as np

    parents = _parents(source, key)
    orphans = 0
    for hashes in _hashes(source, key.table, key.columns, match_full=key.match_full):
        there = (
            parents[np.minimum(np.searchsorted(parents, hashes), len(parents) - 1)] == hashes
            if len(parents)
            else np.zeros(len(hashes), bool)
        )
        orphans += int(len(hashes) - np.count_nonzero(there))
    return orphans


def _parents(source: Source, key: ForeignKey) -> NDArray[np.uint64]:
    """The hashes of the parent's keys; none when the table is gone."""
    import numpy as np

    defined = source.inventory.by_key
    if source.inventory.of_kind("TABLE") and not any(ObjectKey(k, key.parent.schema, key.parent.name) in defined for k in _READ_AS_TABLES):
        return np.empty(0, np.uint64)
    for mine, theirs in zip(key.columns, key.parent_columns, strict=True):
        if not _told_by_text(source.inventory, (key.table, mine), (key.parent, theirs)):
            raise RowsNotAvailable(
                f"whether values of {key.table}.{mine} and {key.parent}.{theirs} are equal, only a server can say",
                resource=source.label,
                table=str(key.table),
            )
    return np.unique(np.concatenate([np.empty(0, np.uint64), *_hashes(source, key.parent, key.parent_columns, match_full=False)]))


def _told_by_text(inventory: Inventory, mine: tuple[TableName, str], theirs: tuple[TableName, str]) -> bool:
    if column_collation(inventory, *mine) or column_collation(inventory, *theirs):
        return False  # it may call other texts equal
    types = {column_type(inventory, *mine) or "", column_type(inventory, *theirs) or ""}
    if all(map(_TOLD_BY_TEXT.fullmatch, types)):
        return True
    if len(types) > 1:
        return False
    (alike,) = types
    enums = {str(TableName(t.key.schema or "", t.key.name)) for t in inventory.of_kind("TYPE") if t.attributes.get("form") == "enum"}
    return alike in enums or bool(_TOLD_WHEN_ALIKE.fullmatch(alike))


def _hashes(source: Source, table: TableName, columns: Sequence[str], *, match_full: bool) -> Iterator[NDArray[np.uint64]]:
    """The hashes of the values of *columns*, block by block, without those that are NULL (with *match_full*: all of them NULL)."""
    import numpy as np

    nothing = all if match_full else any
    for part in leaves(source.inventory).get(table, (table,)):
        if part not in source.table_data:
            raise RowsNotAvailable(f"{source.label} holds no rows of {part}", resource=source.label, table=str(part))
        for block in source.row_blocks(part, columns):
            lines = block.split(b"\n")
            lines.pop()
            if len(columns) == 1:
                lines = [line for line in lines if line != NULL]
            else:
                lines = [line for line in lines if not nothing(field == NULL for field in line.split(b"\t"))]
            yield np.fromiter(map(xxh3_64_intdigest, lines), np.uint64, len(lines))
