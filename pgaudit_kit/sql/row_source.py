"""The tables of any source whose rows can be read, with their types: what frames, queries and extracts are made from."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pgaudit_kit.errors import RowsNotAvailable, UsageError
from pgaudit_kit.records.identifiers import read_name, read_parents
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_columns import columns_of
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import project
from pgaudit_kit.sql.column_types import types_of
from pgaudit_kit.sql.typed_table import OpenRows, TypedTable


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


def find_table(text: str, names: Sequence[TableName], resource: str, *, what: str = "dump") -> TableName:
    """Return the one of *names* that *text* means, a name as in SQL; a bare one is there only once. Raises UsageError, RowsNotAvailable.

    What means none as in SQL is taken letter by letter: shells eat the quotes of "User", and Prisma calls its tables so.
    """
    parsed = read_name(text, 0)
    is_sql = parsed is not None and parsed[2] == len(text.rstrip())
    schema, table = parsed[:2] if parsed and is_sql else (None, text)
    found = [name for name in names if is_sql and name.name == table and schema in (None, name.schema)]
    found = found or [name for name in names if text in (name.name, f"{name.schema}.{name.name}")]
    if len(found) == 1:
        return found[0]
    if not found and not is_sql:
        raise UsageError(f"not the name of a table: {text!r}", resource=resource, remedy='Write schema.table, or "Schema"."Table".')
    known = [str(name) for name in found or names]
    like = difflib.get_close_matches(table, [name.name for name in names])  # a bare name is not like one with a schema
    close = (found and known) or difflib.get_close_matches(text, known) or [str(name) for name in names if name.name in like] or known[:5]
    message = f"{text} is there more than once" if found else f"no rows of {text} in this {what}"
    raise RowsNotAvailable(message, resource=resource, table=text, remedy=f"It has rows of {', '.join(close) or 'no table at all'}.")


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
