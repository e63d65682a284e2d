"""Which table's rows need which other table's rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from pgaudit_kit.records.identifiers import read_name, read_names_in_parentheses
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.table_data import TableName

_FOREIGN_KEY = "FOREIGN KEY"
_REFERENCES = " REFERENCES "


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Each row of `table` whose `columns` are not NULL needs the row of `parent` with these values in `parent_columns`."""

    name: str
    table: TableName
    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]


def foreign_keys(inventory: Inventory) -> tuple[ForeignKey, ...]:
    """Return the foreign keys of *inventory*, read from what pg_get_constraintdef prints."""
    found = []
    for item in inventory.of_kind("FK CONSTRAINT"):
        definition = item.attributes.get("definition") or ""
        columns = read_names_in_parentheses(definition, len(_FOREIGN_KEY)) if definition.startswith(_FOREIGN_KEY) else None
        parent = (
            read_name(definition, columns[1] + len(_REFERENCES)) if columns and definition.startswith(_REFERENCES, columns[1]) else None
        )
        parent_columns = read_names_in_parentheses(definition, parent[2]) if parent else None
        if columns and parent and parent_columns:
            schema = item.key.schema or ""
            table = TableName(schema, item.key.parent or "")
            found.append(ForeignKey(item.key.name, table, columns[0], TableName(parent[0] or schema, parent[1]), parent_columns[0]))
    return tuple(found)


def parents_first(tables: Iterable[TableName], keys: Sequence[ForeignKey]) -> tuple[TableName, ...]:
    """Return *tables* so that each comes after those that its rows need; those of a circle in their own order, before what needs them."""
    wanted = sorted(set(tables))
    needs = {t: {k.parent for k in keys if k.table == t and k.parent != t and k.parent in wanted} for t in wanted}
    while True:
        try:
            return tuple(TopologicalSorter({t: sorted(needs[t]) for t in wanted}).static_order())
        except CycleError as error:
            first, second = error.args[1][:2]
            needs[second].discard(first)
