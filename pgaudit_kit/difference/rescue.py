"""The SQL that puts back exactly what was lost: rows that the left source has and the right one lacks, and, on request, their old values.

The script is one transaction and never deletes. Rows go into temporary tables first and from there into the live ones, so that
running it twice does nothing the second time, and so that it can check at its end that every row is back as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.difference.foreign_keys import ForeignKey, foreign_keys, parents_first
from pgaudit_kit.difference.rescue_sql import TableRescue, literal, qualified, quoted
from pgaudit_kit.difference.rows import RowPair, differing_rows
from pgaudit_kit.dumps.identifiers import read_identifier
from pgaudit_kit.errors import RowsNotAvailable, UsageError
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey
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
        self.tables = tuple(dict.fromkeys(difference.find_table(t) for t in tables))
        self._revert = revert
        self._with_parents = with_parents
        self._fire_triggers = fire_triggers
        for table in self.tables:
            for side in (difference.left, difference.right):
                if table not in side.table_data:
                    remedy = "Restore the whole dump beside the live database, or create the table first."
                    raise RowsNotAvailable(f"{side.label} holds no rows of {table}", resource=side.label, table=str(table), remedy=remedy)

    @cached_property
    def _foreign_keys(self) -> tuple[ForeignKey, ...]:
        """Those of the live database whose parents are in both sources."""
        sides = (self.difference.left.table_data, self.difference.right.table_data)
        return tuple(k for k in foreign_keys(self.difference.right.inventory) if all(k.parent in side for side in sides))

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

    def _pairs(self, table: TableName, only: set[Key] | None) -> Iterator[RowPair]:
        """The rows of *table* that are to be put back or reverted; of a parent that was not named, *only* the lost ones that are needed."""
        for pair in differing_rows(self.difference.left, self.difference.right, table, *self.difference.columns_and_key(table)):
            lost = pair.right is None
            if pair.left is not None and (pair.key in only and lost if only is not None else lost or self._revert):
                yield pair

    def script(self) -> Iterator[str]:
        """Yield the script statement by statement, from BEGIN to COMMIT, for psql or for `operations.rescue`.

        Raises RowsNotAvailable, DamagedDump, QueryFailed.
        """
        parents = self.needed if self._with_parents else {}
        ordered = parents_first([*self.tables, *parents], self._foreign_keys)
        triggers = [] if self._fire_triggers else [t for t in self.difference.right.inventory.of_kind("TRIGGER") if _fires(t, ordered)]
        yield "BEGIN;\n"
        yield from (f"{line}\n" for line in _SETTINGS.splitlines())
        yield from (f"ALTER TABLE {_of(trigger)} DISABLE TRIGGER {quoted(trigger.key.name)};\n" for trigger in triggers)
        rescues = []
        for number, table in enumerate(ordered, start=1):
            rescue = TableRescue(table, *self.difference.columns_and_key(table), number, self._never_set(table))
            if not rescue.columns:
                raise RowsNotAvailable(f"{table} has no columns, so its rows cannot be told apart", table=str(table))
            rescues.append(rescue)
            yield from rescue.stage(self._pairs(table, parents.get(table)))
        yield from (rescue.put_back() for rescue in rescues)
        if self._revert:
            yield from (statement for rescue in rescues for statement in rescue.revert())
        yield from (statement for table in ordered for statement in self._sequences(table))
        yield from (f"ALTER TABLE {_of(t)} {_ENABLE[t.attributes.get('enabled')]} {quoted(t.key.name)};\n" for t in triggers)
        yield from (rescue.check(reverted=self._revert) for rescue in rescues)
        yield "COMMIT;\n"

    def _never_set(self, table: TableName) -> frozenset[str]:
        found = self.difference.right.inventory.by_key.get(ObjectKey("TABLE", table.schema, table.name))
        return frozenset(c.name for c in found.columns if c.attributes.get("identity") == "ALWAYS") if found else frozenset()

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


def _fires(trigger: DatabaseObject, tables: Sequence[TableName]) -> bool:
    table = TableName(trigger.key.schema or "", trigger.key.parent or "")
    return table in tables and trigger.attributes.get("enabled") in _ENABLE


def _of(trigger: DatabaseObject) -> str:
    return qualified(TableName(trigger.key.schema or "", trigger.key.parent or ""))
