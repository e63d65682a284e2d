"""Which columns take their numbers from which sequence: read from an inventory, so dumps and servers answer alike."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgaudit_kit.records.identifiers import read_identifier, read_name
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import Attributes, ObjectKey
from pgaudit_kit.records.table_data import TableName

# What ruleutils.c prints of DEFAULT nextval('s'), also where the column's type is not bigint; regclass is qualified under search_path = ''
_NEXTVAL = re.compile(r"\(?(?:pg_catalog\.)?nextval\((E?)'((?:[^']|'')*)'::(?:pg_catalog\.)?regclass\)\)?(?:::[a-z]+)?")
_WHOLE_NUMBERS = frozenset({"smallint", "integer", "bigint", "numeric"})


@dataclass(frozen=True)
class SequenceFeed:
    """A sequence, its attributes, and the columns of whole numbers that it feeds: what it is owned by, and what has it as default."""

    key: ObjectKey
    attributes: Attributes
    columns: tuple[tuple[TableName, str], ...]

    @property
    def name(self) -> TableName:
        """Schema and name."""
        return TableName(self.key.schema or "", self.key.name)

    @property
    def descends(self) -> bool:
        """Whether it counts downwards."""
        return (self.attributes.get("increment") or "").startswith("-")

    @property
    def cycles(self) -> bool:
        """Whether it begins anew at its end, so that standing behind a value in use is what it is made for."""
        return self.attributes.get("cycle") == "true"


def sequence_feeds(inventory: Inventory) -> tuple[SequenceFeed, ...]:
    """Return each sequence of *inventory* that feeds a column there. Identity and serial columns own theirs; others only name it."""
    by_default: dict[TableName, list[tuple[TableName, str]]] = {}
    numbers = set()
    for item in inventory.of_kind("TABLE"):
        table = TableName(item.key.schema or "", item.key.name)
        for column in item.columns:
            if column.attributes.get("type") in {None, *_WHOLE_NUMBERS}:
                numbers.add((table, column.name))
            if sequence := _named_in(column.attributes.get("default") or ""):
                by_default.setdefault(sequence, []).append((table, column.name))
    found = []
    for item in inventory.of_kind("SEQUENCE"):
        columns = [*_owner(item.attributes.get("owned_by") or ""), *by_default.get(TableName(item.key.schema or "", item.key.name), ())]
        fed = tuple(sorted({c for c in columns if c in numbers}))
        if fed:
            found.append(SequenceFeed(item.key, item.attributes, fed))
    return tuple(found)


def _named_in(default: str) -> TableName | None:
    match = _NEXTVAL.fullmatch(default)
    if not match:
        return None
    text = match[2].replace("''", "'")
    name = read_name(text.replace("\\\\", "\\") if match[1] else text, 0)
    return TableName(name[0], name[1]) if name and name[0] else None


def _owner(owned_by: str) -> tuple[tuple[TableName, str], ...]:
    """Table and column of `schema.table.column`."""
    names: list[str] = []
    at = 0
    while found := read_identifier(owned_by, at):
        names.append(found[0])
        at = found[1] + 1
    return ((TableName(names[0], names[1]), names[2]),) if len(names) == 3 else ()  # noqa: PLR2004  schema, table, column
