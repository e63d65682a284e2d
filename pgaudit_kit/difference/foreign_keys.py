"""Which table's rows need which other table's rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from pgaudit_kit.records.identifiers import read_name, read_names_in_parentheses
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.table_data import TableName

_FOREIGN_KEY = "FOREIGN KEY"
_REFERENCES = " REFERENCES "


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Each row of `table` whose `columns` are not NULL needs the row of `parent` with these values in `parent_columns`.

    With `match_full` one NULL among several columns is not enough: all of them must be. A `temporal` one (PERIOD, 18+) needs rows
    that together cover a range. `declared_on` differs from `table` where that is a partition of it.
    """

    name: str
    table: TableName
    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]
    declared_on: TableName
    match_full: bool = False
    deferrable: bool = False
    temporal: bool = False
    trusted: bool = True  # neither NOT VALID nor NOT ENFORCED
    dropped: bool = False  # only the first of two sources has it

    @property
    def reference(self) -> tuple[TableName, tuple[str, ...], TableName, tuple[str, ...]]:
        """What it says, whatever it is called."""
        return self.table, self.columns, self.parent, self.parent_columns


def foreign_keys(inventory: Inventory) -> tuple[ForeignKey, ...]:
    """Return the foreign keys of *inventory*, read from what pg_get_constraintdef prints."""
    found = []
    for item in inventory.of_kind("FK CONSTRAINT"):
        definition = item.attributes.get("definition") or ""
        temporal = _read(definition) is None
        if read := _read(definition.replace(", PERIOD ", ", ") if temporal else definition):
            schema = item.key.schema or ""
            table = TableName(schema, item.key.parent or "")
            parent = TableName(read.parent[0] or schema, read.parent[1])
            found.append(
                ForeignKey(
                    item.key.name,
                    *(table, read.columns, parent, read.parent_columns, table),
                    match_full=" MATCH FULL" in read.rest,
                    deferrable=" DEFERRABLE" in read.rest,
                    temporal=temporal,
                    trusted=" NOT VALID" not in read.rest and " NOT ENFORCED" not in read.rest,
                )
            )
    return tuple(found)


def foreign_keys_of_both(left: Inventory, right: Inventory) -> tuple[ForeignKey, ...]:
    """Return the foreign keys of *right*, and those of *left* that are not there: what they promised is expected all the same."""
    now = foreign_keys(right)
    held = {k.reference for k in now}
    return (*now, *(replace(k, dropped=True) for k in foreign_keys(left) if k.reference not in held))


class _Read(NamedTuple):
    columns: tuple[str, ...]
    parent: tuple[str | None, str]
    parent_columns: tuple[str, ...]
    rest: str


def _read(definition: str) -> _Read | None:
    columns = read_names_in_parentheses(definition, len(_FOREIGN_KEY)) if definition.startswith(_FOREIGN_KEY) else None
    parent = read_name(definition, columns[1] + len(_REFERENCES)) if columns and definition.startswith(_REFERENCES, columns[1]) else None
    parent_columns = read_names_in_parentheses(definition, parent[2]) if parent else None
    if not (columns and parent and parent_columns):
        return None
    return _Read(columns[0], parent[:2], parent_columns[0], definition[parent_columns[1] :])


@dataclass(frozen=True, slots=True)
class InOrder:
    """`tables` so that each comes after those that its rows need; `circular` are the pairs (child, parent) for which that cannot be."""

    tables: tuple[TableName, ...]
    circular: frozenset[tuple[TableName, TableName]]


def parents_first(tables: Iterable[TableName], keys: Sequence[ForeignKey]) -> InOrder:
    """Put *tables* in order; those of a circle come in their own order, before what needs them."""
    wanted = sorted(set(tables))
    needs = {t: {k.parent for k in keys if k.table == t and k.parent != t and k.parent in wanted} for t in wanted}
    circular: set[tuple[TableName, TableName]] = set()
    while True:
        try:
            return InOrder(tuple(TopologicalSorter({t: sorted(needs[t]) for t in wanted}).static_order()), frozenset(circular))
        except CycleError as error:
            first, second = error.args[1][:2]
            needs[second].discard(first)
            circular.add((second, first))
