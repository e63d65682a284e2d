"""The tables of any source whose rows can be read, with their types: what frames, queries and extracts are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pgaudit_kit.errors import RowsNotAvailable, UsageError
from pgaudit_kit.records.identifiers import read_parents
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_columns import columns_of
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.table_names import how_to_choose, name_in_sql, tables_like, tables_meant, why_refused
from pgaudit_kit.rows.copy_text import project
from pgaudit_kit.sql.column_types import types_of
from pgaudit_kit.sql.typed_table import OpenRows, TypedTable

_NAMED = 5  # tables, where none is like the one that was asked for


@dataclass(frozen=True, slots=True)
class TableRows:
    """The rows of one table: the columns of its COPY lines, and blocks of whole lines."""

    columns: tuple[str, ...]
    blocks: Iterator[bytes]


@dataclass(frozen=True)
class RowSource:
    """A source as SQL sees it. `names` are the tables with rows of their own; `open_rows` gives them from the beginning every time.

    A partitioned table has the rows of its partitions, and a parent of inheritance also those of its children, as in PostgreSQL.
    `what` is the word for it in messages: dump, database.
    """

    label: str
    inventory: Inventory
    names: Sequence[TableName]
    open_rows: Callable[[TableName], OpenRows]
    what: str = "dump"

    @classmethod
    def of(cls, source: Source) -> RowSource:
        """Return *source*: what it says of itself when it has a `row_source`, as a dump, that need not read all rows to list tables."""
        own = getattr(source, "row_source", None)
        if isinstance(own, RowSource):
            return own

        def open_rows(name: TableName) -> TableRows:
            return TableRows(source.table_data[name].columns, source.row_blocks(name))

        what = "database" if source.provenance.format == "live" else "source"
        return cls(source.label, source.inventory, tuple(source.table_data), open_rows, what)

    @cached_property
    def members(self) -> Mapping[TableName, tuple[TableName, ...]]:
        """All tables that have rows, their own or those of tables below them: by name, the tables that these rows lie in."""
        children = _children(self.inventory)
        has_rows = frozenset(self.names)
        below = {name: _members(name, children, has_rows) for name in dict.fromkeys([*self.names, *children])}
        return {name: its for name, its in below.items() if its}

    def find(self, text: str, *, own: bool = False) -> TableName:
        """Return the one table with rows that *text* means (records.table_names); with *own*, with rows of its own.

        Tables without rows count: where one of them may be meant, the rows of another are not what was asked for.
        Raises UsageError, RowsNotAvailable.
        """
        with_rows = self.names if own else tuple(self.members)
        without = (TableName(t.key.schema or "", t.key.name) for t in self.inventory.of_kind("TABLE"))
        found = tables_meant(text, [*with_rows, *without])
        if len(found) == 1 and found[0] in with_rows:
            return found[0]
        if len(found) > 1:
            raise RowsNotAvailable(f"{text} {why_refused(found)}", resource=self.label, table=text, remedy=how_to_choose(found))
        if not found and name_in_sql(text) is None:
            remedy = 'Write schema.table, or "Schema"."Table".'
            raise UsageError(f"not the name of a table: {text!r}", resource=self.label, remedy=remedy)
        close = ", ".join(map(str, tables_like(text, with_rows) or with_rows[:_NAMED]))
        remedy = f"It has rows of {close or 'no table at all'}."
        raise RowsNotAvailable(f"no rows of {text} in this {self.what}", resource=self.label, table=text, remedy=remedy)

    def table(self, name: TableName) -> TypedTable:
        """Return *name*, one of `members`, with the rows of all tables below it. Raises RowsNotAvailable, DamagedDump."""
        members = self.members[name]
        if members == (name,):
            return TypedTable.of(name, self.inventory, self.label, self.open_rows)
        columns = columns_of(self.inventory, name, generated=False) or ()
        for member in members:
            has = self.open_rows(member).columns
            if missing := [column for column in columns if column not in has]:
                message = f"the rows of {member}, which are rows of {name}, have no column {missing[0]!r} in this {self.what}"
                raise RowsNotAvailable(message, resource=self.label, table=str(name), remedy=f"Ask for {member} itself.")

        def blocks() -> Iterator[bytes]:
            for member in members:
                rows = self.open_rows(member)
                yield from project(rows.blocks, rows.columns, columns)

        return TypedTable(name, columns, types_of(self.inventory, name, columns), self.label, lambda: TableRows(columns, blocks()))


def _children(inventory: Inventory) -> dict[TableName, list[TableName]]:
    """Partitions and children of inheritance, by their parent."""
    children: dict[TableName, list[TableName]] = {}
    for table in inventory.of_kind("TABLE"):
        name = TableName(table.key.schema or "", table.key.name)
        for attribute in ("partition_of", "inherits"):
            for schema, parent in read_parents(table.attributes.get(attribute) or ""):
                children.setdefault(TableName(schema or name.schema, parent), []).append(name)
    return children


def _members(name: TableName, children: Mapping[TableName, Sequence[TableName]], has_rows: frozenset[TableName]) -> tuple[TableName, ...]:
    """*name* and all below it, those that have rows; each once, also when a damaged dump says that they go in a circle."""
    seen = [name]
    for table in seen:
        seen += [child for child in children.get(table, ()) if child not in seen]
    return tuple(table for table in seen if table in has_rows)
