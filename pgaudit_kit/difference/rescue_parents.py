"""What lost rows need and do not find: rows of other tables, lost too or not to be found at all, and columns of their own."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.difference.foreign_keys import ForeignKey
from pgaudit_kit.difference.rescue_sql import quoted
from pgaudit_kit.difference.rows import RowPair, differing_rows
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.units import many
from pgaudit_kit.rows.copy_text import decode_line

Key: TypeAlias = tuple[str | None, ...]
Why: TypeAlias = Literal["lost", "changed", "gone"]


def extracted(table: TableName) -> str:
    """What to run to have the whole *table* back, in a shell; a command replaces DUMP and TARGET by what it was given."""
    return f"pgaudit extract DUMP {shlex.quote(str(table))} --into TARGET"


@dataclass(frozen=True, slots=True)
class LostParents:
    """How many rows of `table` the lost rows of `child` need and do not find.

    They are `lost` too, `changed` (they have another key now), or `gone` with their table.
    """

    table: TableName
    child: TableName
    rows: int
    why: Why = "lost"

    def __str__(self) -> str:
        rows = f"{many(self.rows, 'row')} of {self.table} that {self.child} needs"
        if self.why == "gone":
            return f"{rows} are gone with their table: bring it back first: {extracted(self.table)}"
        if self.why == "changed":
            return f"{rows} have another key now: name that table as well, with --revert."
        return f"{rows} are lost too: name it as well, or add --with-parents."


class NeededParents:
    """What the rows of *tables* that *rows_of* gives (of a table; only those with the keys, if any are given) need by the *keys*.

    `lost` are the keys of the lost rows of tables that were not named, parents of parents included. Nothing else is held.
    """

    def __init__(
        self,
        difference: Difference,
        tables: Sequence[TableName],
        keys: Sequence[ForeignKey],
        rows_of: Callable[[TableName, set[Key] | None], Iterator[RowPair]],
    ) -> None:
        self.lost: dict[TableName, set[Key]] = {}
        self._difference = difference
        self._rows_of = rows_of
        self._known_to_differ: dict[TableName, bool] = {}
        self._needed_by: dict[TableName, TableName] = {}
        self._other: dict[tuple[TableName, TableName, Why], set[Key]] = {}
        ahead = list(tables)
        while ahead:
            child = ahead.pop(0)
            needed = (k for k in keys if k.table == child and k.parent not in tables and not k.temporal)
            ahead += [key.parent for key in needed if self._add(key)]

    def told(self, *, lost: bool) -> tuple[LostParents, ...]:
        """What is not found, by table: *lost* rows, and rows that have changed or whose table is gone."""
        rows = [LostParents(table, self._needed_by[table], len(keys)) for table, keys in self.lost.items()] if lost else []
        return (*rows, *(LostParents(table, child, len(keys), why) for (table, child, why), keys in self._other.items()))

    def _add(self, key: ForeignKey) -> bool:
        """Add the rows of the parent that the child's rows point at and that are not there; whether any lost ones are new."""
        gone = key.parent not in self._difference.right.table_data
        wanted = self._wanted(key) if gone or self._differs(key.parent) else set()
        if not wanted:
            return False
        if gone:
            self._other.setdefault((key.parent, key.table, "gone"), set()).update(wanted)
            return False
        columns, _ = self._difference.columns_and_key(key.parent)
        if not set(key.parent_columns) <= set(columns):
            return False
        before = len(self.lost.get(key.parent, ()))
        for pair in differing(self._difference, key.parent):
            if pair.left is not None and (values := _values(pair.left, columns, key.parent_columns)) in wanted:
                if pair.right is None:
                    self.lost.setdefault(key.parent, set()).add(pair.key)
                    self._needed_by.setdefault(key.parent, key.table)
                elif _values(pair.right, columns, key.parent_columns) != values:
                    self._other.setdefault((key.parent, key.table, "changed"), set()).add(pair.key)
        return len(self.lost.get(key.parent, ())) > before

    def _differs(self, table: TableName) -> bool:
        """Whether any row of *table* differs: most parents are whole, and then the rows of their many children need not be read."""
        if table not in self._known_to_differ:
            self._known_to_differ[table] = next(differing(self._difference, table), None) is not None
        return self._known_to_differ[table]

    def _wanted(self, key: ForeignKey) -> set[Key]:
        """The values of the parent's columns that the child's rows to be put back have. One that is NULL needs no parent."""
        columns, _ = self._difference.columns_and_key(key.table)
        if not set(key.columns) <= set(columns):
            return set()
        rows = self._rows_of(key.table, self.lost.get(key.table))
        return {values for row in rows if None not in (values := _values(row.left or b"", columns, key.columns))}


def differing(difference: Difference, table: TableName) -> Iterator[RowPair]:
    """Yield the rows of *table* that differ."""
    return differing_rows(difference.left, difference.right, table, *difference.columns_and_key(table))


def _values(line: bytes, columns: Sequence[str], wanted: Sequence[str]) -> Key:
    row = dict(zip(columns, decode_line(line), strict=True))
    return tuple(row[name] for name in wanted)


def told_left_out(left_out: Mapping[TableName, Sequence[str]]) -> Iterator[str]:
    """Yield a sentence for each table of *left_out* (`Rescue.left_out`)."""
    for table, columns in left_out.items():
        names = ", ".join(map(quoted, columns))
        yield (
            f"rows of {table} come back without their values of {names}: dropped, renamed or computed since. "
            f"Whoever needs them: {extracted(table)}"
        )
