"""The SQL that puts back exactly what was lost: rows that the left source has and the right one lacks, and, on request, their old values.

The script is one transaction and never deletes. Rows go into temporary tables first and from there into the live ones, so that
running it twice does nothing the second time, and so that it can check at its end that every row is back as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import TypeAlias

from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.difference.foreign_keys import ForeignKey, foreign_keys, parents_first
from pgaudit_kit.difference.keys import RowKey
from pgaudit_kit.difference.partitions import leaves, triggers_of
from pgaudit_kit.difference.rescue_sql import TableRescue, literal, qualified, quoted
from pgaudit_kit.difference.rows import RowPair, differing_rows
from pgaudit_kit.difference.sessions import MONEY
from pgaudit_kit.errors import RowsNotAvailable, UsageError
from pgaudit_kit.records.identifiers import read_identifier
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS
from pgaudit_kit.records.objects import Column, ObjectKey
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import decode_line

_SETTINGS = """\
SET LOCAL client_encoding = 'UTF8';
SET LOCAL standard_conforming_strings = on;
SET LOCAL DateStyle = 'ISO';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL xmloption = content;
SET LOCAL row_security = off;
SELECT pg_catalog.set_config('search_path', '', true);
"""
# What enables a trigger as it was. One that is disabled, or for replicas only, does not fire and is left alone.
_ENABLE = {None: "ENABLE TRIGGER", "ALWAYS": "ENABLE ALWAYS TRIGGER"}

Key: TypeAlias = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class LostParents:
    """Lost rows of `table` that lost rows of `child` need: how many."""

    table: TableName
    child: TableName
    rows: int


class Rescue:
    """The script for *tables* of *difference*, whose right side is the live database.

    With *revert*, rows that changed get their old values too. With *with_parents*, lost rows of other tables that these rows
    need come back as well. Triggers of the tables do not fire unless *fire_triggers*. Nothing is held but the keys of needed parents.
    Raises UsageError without a table, or for one that is in neither source; RowsNotAvailable for one that is not on both sides.
    """

    def __init__(
        self,
        difference: Difference,
        tables: Sequence[str | TableName],
        *,
        revert: bool = False,
        with_parents: bool = False,
        fire_triggers: bool = False,
    ) -> None:
        if not tables:
            raise UsageError("no table was named", remedy="Name the tables whose rows are to come back, as `pgaudit diff` lists them.")
        self.difference = difference
        self.tables = tuple(dict.fromkeys(found for t in tables for found in self._with_rows(t)))
        self._revert = revert
        self._with_parents = with_parents
        self._fire_triggers = fire_triggers
        if LARGE_OBJECT_ROWS in self.tables:
            remedy = "Restore the dump beside the live database (`pg_restore --section=data`), and copy them with lo_get and lo_from_bytea."
            raise UsageError("large objects are no table, and no rows can bring them back", resource=str(LARGE_OBJECT_ROWS), remedy=remedy)
        for table in self.tables:
            if table in difference.alignment.doubtful.get(MONEY, {}):
                remedy = "Install that locale on the server (localedef), or restore the dump beside the live database."
                message = f"money of {table} is printed in a locale that could not be found out, and would be read as other amounts"
                raise RowsNotAvailable(message, resource=difference.left.label, table=str(table), remedy=remedy)
            for side in (difference.left, difference.right):
                if table not in side.table_data:
                    remedy = "Restore the whole dump beside the live database, or create the table first."
                    raise RowsNotAvailable(f"{side.label} holds no rows of {table}", resource=side.label, table=str(table), remedy=remedy)

    def _with_rows(self, table: str | TableName) -> tuple[TableName, ...]:
        """The table, or the partitions that hold its rows."""
        try:
            found = self.difference.find_table(table)
        except UsageError:
            named = [t for t in self._leaves if table in (str(t), f"{t.schema}.{t.name}", t.name)]
            if len(named) != 1:
                raise
            found = named[0]
        return self._leaves.get(found, (found,))

    @cached_property
    def _leaves(self) -> dict[TableName, tuple[TableName, ...]]:
        """The partitions of the dump, which may have been dropped since."""
        return leaves(self.difference.left.inventory) or leaves(self.difference.right.inventory)

    @cached_property
    def _foreign_keys(self) -> tuple[ForeignKey, ...]:
        """Those of the live database whose parents are in both sources; what a partitioned table needs or gives, its partitions do."""
        sides = (self.difference.left.table_data, self.difference.right.table_data)
        below = leaves(self.difference.right.inventory)
        keys = (
            replace(k, table=table, parent=parent)
            for k in foreign_keys(self.difference.right.inventory)
            for table, parent in product(below.get(k.table, (k.table,)), below.get(k.parent, (k.parent,)))
        )
        return tuple(k for k in keys if all(k.parent in side for side in sides))

    @cached_property
    def needed(self) -> dict[TableName, set[Key]]:
        """The keys of lost rows of tables that were not named, but without which the rows cannot come back."""
        needed: dict[TableName, set[Key]] = {}
        ahead = list(self.tables)
        while ahead:
            child = ahead.pop(0)
            for foreign_key in self._foreign_keys:
                if foreign_key.table == child and foreign_key.parent not in self.tables:
                    keys = self._lost_parents(foreign_key, needed.get(child))
                    if keys - needed.get(foreign_key.parent, set()):
                        needed.setdefault(foreign_key.parent, set()).update(keys)
                        ahead.append(foreign_key.parent)
        return needed

    @property
    def lost_parents(self) -> tuple[LostParents, ...]:
        """The lost rows that are needed and not in the script: without them it fails. () with *with_parents*."""
        if self._with_parents:
            return ()
        children = {k.parent: k.table for k in reversed(self._foreign_keys) if k.table in self.tables or k.table in self.needed}
        return tuple(LostParents(table, children[table], len(keys)) for table, keys in self.needed.items())

    def _lost_parents(self, foreign_key: ForeignKey, only: set[Key] | None) -> set[Key]:
        """Keys of the parent's lost rows that the child's rows to be put back point at (*only* the child's rows with these keys)."""
        child_columns, _ = self.difference.columns_and_key(foreign_key.table)
        parent_columns, _ = self.difference.columns_and_key(foreign_key.parent)
        if not (set(foreign_key.columns) <= set(child_columns) and set(foreign_key.parent_columns) <= set(parent_columns)):
            return set()
        pairs = self._pairs(foreign_key.table, only)
        wanted = {_values(p.left, child_columns, foreign_key.columns) for p in pairs}
        wanted = {values for values in wanted if None not in values}
        if not wanted:
            return set()
        lost = (p for p in self._pairs(foreign_key.parent, None) if p.right is None)
        return {p.key for p in lost if _values(p.left, parent_columns, foreign_key.parent_columns) in wanted}

    def _columns_and_key(self, table: TableName) -> tuple[tuple[str, ...], RowKey | None]:
        """A key that can be NULL tells rows of two sources apart, but not what a script finds in the table when it runs again."""
        columns, key = self.difference.columns_and_key(table)
        return columns, key if key and key.nulls == "never" else None

    def _columns_and_key_names(self, table: TableName) -> tuple[tuple[str, ...], tuple[str, ...]]:
        columns, key = self._columns_and_key(table)
        return columns, key.columns if key else ()

    def _pairs(self, table: TableName, only: set[Key] | None) -> Iterator[RowPair]:
        """The rows of *table* that are to be put back or reverted; of a parent that was not named, *only* the lost ones that are needed."""
        columns, key = self._columns_and_key(table)
        before = None
        for pair in differing_rows(self.difference.left, self.difference.right, table, columns, key):
            lost = pair.right is None
            again = not key and pair.left == before  # each of the rows that are the same; one of them says how many there were
            if pair.left is not None and not again and (pair.key in only and lost if only is not None else lost or self._revert):
                yield pair
            before = pair.left

    def script(self) -> Iterator[str]:
        """Yield the script statement by statement, from BEGIN to COMMIT, for psql or for `operations.rescue`.

        Raises RowsNotAvailable, DamagedDump, QueryFailed.
        """
        parents = self.needed if self._with_parents else {}
        ordered = parents_first([*self.tables, *parents], self._foreign_keys)
        yield "-- All or nothing: psql -X -v ON_ERROR_STOP=1 -f FILE\nBEGIN;\n"
        yield from (f"{line}\n" for line in _SETTINGS.splitlines())
        if locale := self.difference.right.provenance.settings.get(MONEY):  # in which money is printed, and so has to be read
            yield f"SET LOCAL lc_monetary = {literal(locale)};\n"
        rescues = []
        for number, table in enumerate(ordered, start=1):
            rescue = TableRescue(
                table, *self._columns_and_key_names(table), number, self._never_set(table), tuple(self._other_types(table).items())
            )
            if not rescue.columns:
                raise RowsNotAvailable(f"{table} has no columns, so its rows cannot be told apart", table=str(table))
            rescues.append(rescue)
            yield from rescue.stage(self._pairs(table, parents.get(table)))
        triggers = [] if self._fire_triggers else [(table, *trigger) for table in ordered for trigger in self._firing(table)]
        yield from (f"ALTER TABLE {qualified(table)} DISABLE TRIGGER {quoted(name)};\n" for table, name, _ in triggers)
        yield from (rescue.put_back() for rescue in rescues)
        if self._revert:
            yield from (statement for rescue in rescues for statement in rescue.revert())
        yield from (rescue.check(reverted=self._revert) for rescue in rescues)
        yield "SET CONSTRAINTS ALL IMMEDIATE;\n"  # what is deferred could fail, and keeps triggers from being altered
        yield from (f"ALTER TABLE {qualified(table)} {_ENABLE[enabled]} {quoted(name)};\n" for table, name, enabled in triggers)
        yield from (statement for table in ordered for statement in self._sequences(table))  # last: nothing takes a setval back
        yield "COMMIT;\n"

    def _firing(self, table: TableName) -> Iterator[tuple[str, str | None]]:
        """The triggers of *table* that would fire, with how they are enabled."""
        found = triggers_of(self.difference.right.inventory, table)
        return ((name, enabled) for name, enabled in found.items() if enabled in _ENABLE)

    def _columns(self, inventory: Inventory, table: TableName) -> tuple[Column, ...]:
        found = inventory.by_key.get(ObjectKey("TABLE", table.schema, table.name))
        return found.columns if found else ()

    def _other_types(self, table: TableName) -> dict[str, str]:
        """The columns that are of another type in the live database than in the dump, and that type."""
        types = {c.name: c.attributes.get("type") for c in self._columns(self.difference.left.inventory, table)}
        now = {c.name: c.attributes.get("type") or "" for c in self._columns(self.difference.right.inventory, table)}
        shared, _ = self.difference.columns_and_key(table)
        return {name: now[name] for name in shared if name in now and types.get(name, now[name]) != now[name]}

    def _never_set(self, table: TableName) -> frozenset[str]:
        columns = self._columns(self.difference.right.inventory, table)
        return frozenset(c.name for c in columns if c.attributes.get("identity") == "ALWAYS")

    def _sequences(self, table: TableName) -> Iterator[str]:
        """Sequences that feed *table* go forward to its furthest value, never back."""
        for sequence in self.difference.right.inventory.of_kind("SEQUENCE"):
            owner, column = _owner(sequence.attributes.get("owned_by") or "")
            if owner != table:
                continue
            furthest, beyond = ("min", "<") if (sequence.attributes.get("increment") or "").startswith("-") else ("max", ">")
            name = qualified(TableName(sequence.key.schema or "", sequence.key.name))
            used = f"SELECT pg_catalog.{furthest}({quoted(column)})::bigint AS value FROM ONLY {qualified(table)}"
            yield (
                f"SELECT pg_catalog.setval({literal(name)}::pg_catalog.regclass, used.value, true) FROM ({used}) AS used, {name} AS state\n"
                f"  WHERE used.value {beyond} state.last_value OR (used.value = state.last_value AND NOT state.is_called);\n"
            )


def _values(line: bytes | None, columns: Sequence[str], wanted: Sequence[str]) -> Key:
    row = dict(zip(columns, decode_line(line or b""), strict=True))
    return tuple(row[name] for name in wanted)


def _owner(owned_by: str) -> tuple[TableName | None, str]:
    """Table and column of `schema.table.column`."""
    names: list[str] = []
    at = 0
    while found := read_identifier(owned_by, at):
        names.append(found[0])
        at = found[1] + 1
    return (TableName(names[0], names[1]), names[2]) if len(names) == 3 else (None, "")  # noqa: PLR2004  schema, table, column
