"""The SQL that puts back exactly what was lost: rows that the left source has and the right one lacks, and, on request, their old values.

The script is one transaction and never deletes. Rows go into temporary tables first and from there into the live ones, so that
running it twice does nothing the second time, and so that it can check at its end that every row is back as it was.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product

from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.difference.foreign_keys import ForeignKey, InOrder, foreign_keys_of_both, parents_first
from pgaudit_kit.difference.keys import RowKey, key_of, keys_of
from pgaudit_kit.difference.naming import find_table
from pgaudit_kit.difference.partitions import downwards, holding, joined, triggers_of, upwards
from pgaudit_kit.difference.partitions_as_one import has_rows
from pgaudit_kit.difference.rescue_parents import Key, LostParents, NeededParents, differing, extracted, told_left_out
from pgaudit_kit.difference.rescue_sql import NO_PATH, TableRescue, UniqueValues, forward, literal, qualified, quoted
from pgaudit_kit.difference.rescue_swaps import exchangeable
from pgaudit_kit.difference.rows import RowPair
from pgaudit_kit.difference.sequence_feeds import sequence_feeds
from pgaudit_kit.difference.sessions import MONEY
from pgaudit_kit.errors import RowsNotAvailable, UsageError
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS
from pgaudit_kit.records.objects import Column, ObjectKey
from pgaudit_kit.records.table_data import TableName

# Whatever role, database and server have set: values are read as pg_dump wrote them, and nothing ends a long script half-way.
# The path stays that of the application, whose checks, indexes and triggers may need it, but what is our own means pg_catalog first.
# transaction_timeout is known from 17 on; only a superuser may set session_replication_role, and only he can have another one.
_SETTINGS = """\
SET LOCAL client_encoding = '{encoding}';
SET LOCAL standard_conforming_strings = on;
SET LOCAL DateStyle = 'ISO';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL extra_float_digits = 3;
SET LOCAL array_nulls = on;
SET LOCAL xmloption = content;
SET LOCAL row_security = off;
SET LOCAL statement_timeout = 0;
SET LOCAL jit = off;
SET LOCAL idle_in_transaction_session_timeout = 0;
SELECT pg_catalog.set_config('search_path', \
pg_catalog.rtrim(pg_catalog.concat('pg_catalog, ', pg_catalog.current_setting('search_path')), ', '), true);
SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_settings WHERE name = 'transaction_timeout';
SELECT pg_catalog.set_config(name, 'origin', true) FROM pg_catalog.pg_settings \
WHERE name = 'session_replication_role' AND setting <> 'origin';
SET CONSTRAINTS ALL DEFERRED;
"""
COMMIT = "COMMIT;\n"
# What enables a trigger as it was. One that is disabled, or for replicas only, does not fire and is left alone.
_ENABLE = {None: "ENABLE TRIGGER", "ALWAYS": "ENABLE ALWAYS TRIGGER"}


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
            if table not in difference.left.table_data:
                raise RowsNotAvailable(
                    f"{difference.left.label} holds no rows of {table}",
                    resource=difference.left.label,
                    table=str(table),
                    remedy="Name a dump that has them.",
                )
        if gone := [t for t in self.tables if t not in difference.right.table_data]:
            raise self._gone(gone)

    def _gone(self, gone: Sequence[TableName]) -> RowsNotAvailable:
        """What to do about tables into which no row can be put."""
        live = self.difference.right
        relations = {(o.key.schema, o.key.name): o.key.kind for o in live.inventory.of_kind("TABLE", "VIEW", "FOREIGN TABLE")}
        whole = next((t for t, below in self._leaves.items() if t in live.table_data and not {*gone}.isdisjoint(below)), None)
        if whole:
            return RowsNotAvailable(
                f"{whole} is not partitioned any more, so rows of its partitions have no place to go back to",
                resource=live.label,
                table=str(whole),
                remedy=f"Bring it back beside what is there: {extracted(whole)}, and copy from there.",
            )
        there = [t for t in gone if (t.schema, t.name) in relations]
        if there:
            kind = relations[there[0].schema, there[0].name].lower()
            what = "partitioned" if kind == "table" else f"a {kind}"
            return RowsNotAvailable(
                f"{there[0]} is {what} now, so its rows have no place to go back to",
                resource=live.label,
                table=str(there[0]),
                remedy=f"Bring the old table back into a database of its own: {extracted(there[0])}, and copy from there.",
            )
        rest = shlex.join(str(t) for t in self.tables if t not in gone)
        others = f" Then rescue the others: pgaudit rescue DUMP TARGET {rest}" if rest else ""
        return RowsNotAvailable(
            f"{', '.join(map(str, gone))} {'is' if len(gone) == 1 else 'are'} gone, so there is nothing to put rows back into",
            resource=live.label,
            table=str(gone[0]),
            remedy=f"Bring the whole table back: {', then '.join(extracted(t) for t in gone)}.{others}",
        )

    def _with_rows(self, table: str | TableName) -> tuple[TableName, ...]:
        """The table, or those below it that hold its rows."""
        left, right = self.difference.left, self.difference.right
        found = find_table(table, left, right, also=self._leaves)
        if found in left.table_data:
            return (found,)
        below = self._leaves.get(found, (found,))
        # of one that was dropped and held no rows nothing is to be put back
        needed = tuple(t for t in below if t in right.table_data or t not in left.table_data or has_rows(left, t))
        return needed or below

    @cached_property
    def _leaves(self) -> dict[TableName, tuple[TableName, ...]]:
        """The tables below each partitioned one of the dump that hold its rows; they may have been dropped since."""
        return holding(self.difference.left) or holding(self.difference.right)

    @cached_property
    def _foreign_keys(self) -> tuple[ForeignKey, ...]:
        """Those of both sides whose parents the dump holds; what a partitioned table needs or gives, its partitions do.

        A key that was dropped since is no longer enforced, and without their parents the rows would point at nothing all the same.
        """
        left, right = self.difference.left, self.difference.right
        below: dict[TableName, tuple[TableName, ...]] = {**holding(left), **holding(right), **joined(left), **joined(right)}
        keys = (
            replace(k, table=table, parent=parent)
            for k in foreign_keys_of_both(left.inventory, right.inventory)
            for table, parent in product(below.get(k.table, (k.table,)), below.get(k.parent, (k.parent,)))
        )
        return tuple(k for k in keys if k.parent in left.table_data)

    @cached_property
    def _parents(self) -> NeededParents:
        return NeededParents(self.difference, self.tables, self._foreign_keys, self._pairs)

    @property
    def needed(self) -> dict[TableName, set[Key]]:
        """The keys of lost rows of tables that were not named, but without which the rows cannot come back."""
        return self._parents.lost

    @property
    def written(self) -> tuple[TableName, ...]:
        """The tables into which rows are put back: those that were named, and their parents where they come along."""
        return (*self.tables, *(self.needed if self._with_parents else ()))

    @property
    def lost_parents(self) -> tuple[LostParents, ...]:
        """The rows that are needed and that the script does not bring back: without them it fails, or its rows point at nothing."""
        return self._parents.told(lost=not self._with_parents)

    @property
    def left_out(self) -> dict[TableName, tuple[str, ...]]:
        """By table of `written`, the columns of the dump whose values do not come back: the live table has no place for them any more."""
        found = {}
        for table in self.written:
            shared, _ = self.difference.columns_and_key(table)
            if gone := tuple(c for c in self.difference.left.table_data[table].columns if c not in shared):
                found[table] = gone
        return found

    def _pairs(self, table: TableName, only: set[Key] | None) -> Iterator[RowPair]:
        """The rows of *table* that are to be put back or reverted; of a parent that was not named, *only* the lost ones that are needed."""
        _, key = self.difference.columns_and_key(table)
        before = None  # each of the rows that are the same is given; one of them says how many there were
        for pair in differing(self.difference, table):
            lost = pair.right is None
            again = (
                not key or len(pair.key) > len(key.columns)
            ) and pair.left == before  # each of the rows that are the same; one of them says how many there were
            if pair.left is not None and not again and (pair.key in only and lost if only is not None else lost or self._revert):
                yield pair
            before = pair.left

    def script(self) -> Iterator[str]:
        """Yield the script statement by statement, from BEGIN to COMMIT, for psql or for `operations.extracts.rescue`.

        Raises RowsNotAvailable, DamagedDump, QueryFailed.
        """
        parents = self.needed if self._with_parents else {}
        ordered = parents_first([*self.tables, *parents], self._foreign_keys)
        notes = (f"-- {told}".replace("\n", " ") + "\n" for told in told_left_out(self.left_out))
        yield "".join(("-- All or nothing: psql -X -v ON_ERROR_STOP=1 -f FILE\n", *notes, "BEGIN;\n"))
        # a server of SQL_ASCII holds bytes of whatever encoding, and takes them only as such
        encoding = "SQL_ASCII" if self.difference.right.provenance.encoding == "SQL_ASCII" else "UTF8"
        yield from (f"{line}\n" for line in _SETTINGS.format(encoding=encoding).splitlines())
        if locale := self.difference.right.provenance.settings.get(MONEY):  # in which money is printed, and so has to be read
            yield f"SET LOCAL lc_monetary = {literal(locale)};\n"
        rescues = []
        for number, table in enumerate(ordered.tables, start=1):
            rescues.append(rescue := self._rescue_of(table, number))
            yield from rescue.stage(self._pairs(table, parents.get(table)))
        around = [*self._deferring(ordered), *(() if self._fire_triggers else self._triggers(ordered.tables))]
        yield from (before for before, _ in around)
        for rescue in rescues:
            if self._revert:  # first: a value that must be unique may be with a row that changed
                yield from rescue.revert()
            yield rescue.put_back()
        yield from (rescue.check(reverted=self._revert) for rescue in rescues)
        yield "SET CONSTRAINTS ALL IMMEDIATE;\n"  # what is deferred could fail, and keeps tables from being altered
        yield from (after for _, after in around)
        yield NO_PATH
        yield from self._sequences(ordered.tables)  # last: nothing takes a setval back
        yield COMMIT

    def _rescue_of(self, table: TableName, number: int) -> TableRescue:
        columns, key = self.difference.columns_and_key(table)
        held = self.difference.left.table_data[table].columns
        had = key_of(self.difference.left.inventory, table)
        key_columns = {*held}.intersection(had.columns) if had and had.nulls == "never" else set()
        gone = ", ".join(map(quoted, sorted(key_columns.difference(columns))))
        none = held and not columns
        if none or gone:
            what = "none of the columns any more that its rows had" if none else f"no {gone} any more, which was of its key"
            raise RowsNotAvailable(
                f"{table} has {what}",
                resource=self.difference.right.label,
                table=str(table),
                remedy=f"Bring the old table back beside what is there: {extracted(table)}, and copy from there.",
            )
        return TableRescue(
            table,
            columns,
            key.columns if key else (),
            number,
            self._never_set(table),
            tuple(self._other_types(table).items()),
            may_be_null=bool(key and key.nulls != "never"),
            nulls_equal=bool(key and key.nulls == "equal"),
            kinds=key.kinds if key else (),
            is_key=not key or any(key.columns == held.columns for held in keys_of(self.difference.right.inventory, table)),
            unique=() if self._fire_triggers else self._exchangeable(table, columns, key),
            partitioned=self._is_partitioned(table),
        )

    def _is_partitioned(self, table: TableName) -> bool:
        found = self.difference.right.inventory.by_key.get(ObjectKey("TABLE", table.schema, table.name))
        return bool(found and found.attributes.get("partition_key"))

    def _exchangeable(self, table: TableName, columns: tuple[str, ...], key: RowKey | None) -> tuple[UniqueValues, ...]:
        """The keys by which rows are not paired. Triggers that fire would see what stands there meanwhile."""
        settable = {*columns} - {*(key.columns if key else ())} - self._never_set(table)
        referenced = [k.parent_columns for k in self._foreign_keys if k.parent == table]
        return tuple(exchangeable(self.difference.right.inventory, table, settable, referenced=referenced))

    def _deferring(self, ordered: InOrder) -> Iterator[tuple[str, str]]:
        """How foreign keys by which tables need each other, or rows to be reverted their own table's, are to wait, and how no more."""
        waiting = {*ordered.circular, *((t, t) for t in ordered.tables if self._revert)}
        seen = set()
        for key in self._foreign_keys:
            name = f"ALTER TABLE {qualified(key.declared_on)} ALTER CONSTRAINT {quoted(key.name)}"
            if (key.table, key.parent) in waiting and not (key.deferrable or key.dropped) and name not in seen:
                seen.add(name)
                yield f"{name} DEFERRABLE INITIALLY DEFERRED;\n", f"{name} NOT DEFERRABLE;\n"

    def _triggers(self, tables: Sequence[TableName]) -> Iterator[tuple[str, str]]:
        """How each trigger that would fire is disabled, and enabled as it was."""
        live = self.difference.right.inventory
        for place in (place for table in tables for place in (table, *downwards(table, live))):
            alter = f"ALTER TABLE {'ONLY ' if self._is_partitioned(place) else ''}{qualified(place)}"  # a partition's own may be disabled
            for name, enabled in triggers_of(live, place).items():
                if enabled in _ENABLE:
                    yield f"{alter} DISABLE TRIGGER {quoted(name)};\n", f"{alter} {_ENABLE[enabled]} {quoted(name)};\n"

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

    def _sequences(self, tables: Sequence[TableName]) -> Iterator[str]:
        """The sequences that feed *tables* go forward to the furthest value of all columns that they feed, never back."""
        inventory = self.difference.right.inventory
        fed = {place for table in tables for place in (table, *upwards(table, inventory), *downwards(table, inventory))}
        then = {s.key: s.attributes for s in self.difference.left.inventory.of_kind("SEQUENCE")}
        for feed in sequence_feeds(inventory):
            if any(table in fed for table, _ in feed.columns):
                yield forward(feed, then.get(feed.key, {}).get("last_value"))
