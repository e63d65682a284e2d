"""What differs between two sources: one code path whatever they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from pgaudit_kit.difference.compared_tables import ComparedTables
from pgaudit_kit.difference.dangling import dangling_keys
from pgaudit_kit.difference.entries import entries_of
from pgaudit_kit.difference.keys import RowKey
from pgaudit_kit.difference.lost import TableLoss, losses
from pgaudit_kit.difference.naming import find_table
from pgaudit_kit.difference.not_compared import NOT_OF_A_SCHEMA, NotCompared
from pgaudit_kit.difference.objects import compare_inventories
from pgaudit_kit.difference.partitions_as_one import partitions_as_one
from pgaudit_kit.difference.rows import ROWS_LISTED, RowCounts, RowResult
from pgaudit_kit.difference.selection import SelectedSource, Selection, why_no_match
from pgaudit_kit.difference.sequence_uses import uses_of_sequences
from pgaudit_kit.difference.sessions import align_sessions
from pgaudit_kit.difference.shown import difference_html, sentence_of
from pgaudit_kit.difference.tables import columns_and_key, without_table
from pgaudit_kit.display import frames
from pgaudit_kit.errors import RowsNotAvailable, UsageError
from pgaudit_kit.records.difference import ObjectDifference, Skipped, TableDifference
from pgaudit_kit.records.loss import DanglingKey
from pgaudit_kit.records.objects import Unmodelled
from pgaudit_kit.records.provenance import ARCHIVES
from pgaudit_kit.records.sequence_use import SequenceUse
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName

if TYPE_CHECKING:
    from pandas import DataFrame

DiffVerdict = Literal["same", "different", "not_checked"]


class Difference:
    """What differs between two sources; each part is worked out when it is first asked for.

    `left` is the first source (usually the dump), `right` the second (usually the live database): `only_left`
    means missing on the right. Use it as a context manager, or `close()` it, when a live source was opened for it.
    With *schema_only* rows are neither read nor judged, with *data_only* objects are not; *selection* chooses what is compared
    of both sides; attributes in *ignore* (`difference.objects.checked_ignore`) are not compared. All differing rows
    are counted, and up to *limit* of each table listed. *progress*: a bar of the rows read (`display.progress`).
    """

    def __init__(
        self,
        left: Source,
        right: Source,
        *,
        schema_only: bool = False,
        data_only: bool = False,
        selection: Selection | None = None,
        ignore: frozenset[str] = frozenset(),
        limit: int = ROWS_LISTED,
        progress: bool | None = False,
    ) -> None:
        if schema_only and data_only:
            raise UsageError("schema only and data only leave nothing to compare", remedy="Choose one.")
        ours = SelectedSource(left, selection, right) if selection else left
        theirs = SelectedSource(right, selection, left) if selection else right
        self.alignment = align_sessions(left, right, rows=not schema_only)  # first: bounds of partitions are printed by settings, too
        self.left, self.right = (ours, theirs) if schema_only else partitions_as_one(ours, theirs)
        self._given = (left, right)
        self._selection = selection
        self._ignore = ignore
        self._aside = NotCompared(self.left, self.right, ignore, schema_only=schema_only)
        self._not_asked = ignore | (NOT_OF_A_SCHEMA if schema_only else frozenset())
        self.schema_only = schema_only
        self.data_only = data_only
        self.closing = ExitStack()
        self._progress = progress
        self._limit = limit

    @property
    def objects_comparable(self) -> bool:
        """False when only rows were asked for, or one side defines no object at all but holds rows (pg_dump --data-only)."""
        return not self.data_only and all(s.inventory.objects or not s.table_data for s in (self.left, self.right))

    @cached_property
    def object_differences(self) -> tuple[ObjectDifference, ...]:
        """The objects that differ, as records."""
        if not self.objects_comparable:
            return ()
        left_out, both_live = self._aside.in_no_dump, self._aside.both_live
        return compare_inventories(self.left, self.right, ignore=self._not_asked, leaving_out=left_out, whole_databases=both_live)

    @cached_property
    def _rows(self) -> dict[TableName, tuple[TableDifference, RowResult]]:
        """Every table whose rows were compared, with the rows of it that differ."""
        if self.schema_only:
            return {}
        tables = ComparedTables(self.left, self.right, self.alignment, limit=self._limit, objects_told=self.objects_comparable)
        return tables.all_rows(left_out={s.what for s in self._filtered}, progress=self._progress)

    @property
    def all_tables(self) -> tuple[TableDifference, ...]:
        """Every table whose rows were compared, `same` ones included."""
        return tuple(table for table, _ in self._rows.values())

    @property
    def table_differences(self) -> tuple[TableDifference, ...]:
        """The tables whose rows differ or could not be compared, as records."""
        return tuple(t for t in self.all_tables if t.status != "same")

    @cached_property
    def _filtered(self) -> tuple[Skipped, ...]:
        return (*without_table(self.left), *without_table(self.right))

    @cached_property
    def skipped(self) -> tuple[Skipped, ...]:
        """What was not compared, and why."""
        skipped = [Skipped(f"what {s.label} has lost", "it is cut off or damaged; `pgaudit verify` says where") for s in self._damaged]
        skipped += self._filtered
        if self._selection:
            skipped.append(Skipped("everything outside of the selection", "left out on request (include, exclude)"))
            skipped += [Skipped(f"what {text} names", why_no_match(text)) for text in self._without_match]
            why = "as with pg_dump, a pattern must fit the names of the partitions, too"
            skipped += [Skipped(f"rows in partitions of {table}", why) for table in self._without_partitions]
        if self.objects_comparable:
            skipped += self._aside.skipped()
        if self._ignore:
            skipped.append(Skipped(f"attributes: {', '.join(sorted(self._ignore))}", "ignored on request"))
        if self.schema_only:
            skipped.append(Skipped("rows", "only the schema was asked for, which has neither rows nor the state of sequences"))
        if self.data_only:
            skipped.append(Skipped("objects", "only the rows were asked for"))
        elif not self.objects_comparable:
            skipped.append(Skipped("objects", "one side holds data only; ask for the rows alone with --data-only"))
        skipped += [Skipped(f"rows of {t.name}", t.reason) for t in self.all_tables if t.status == "not_checked"]
        return tuple(skipped)

    @cached_property
    def _without_match(self) -> tuple[str, ...]:
        return self._selection.without_match(*self._given) if self._selection else ()

    @cached_property
    def _without_partitions(self) -> tuple[TableName, ...]:
        return self._selection.without_partitions(*self._given) if self._selection and not self.schema_only else ()

    @cached_property
    def _damaged(self) -> tuple[Source, ...]:
        """The sides that are not whole. An archive whose contents could be read has all objects, whatever became of its rows."""
        asked = (s for s in (self.left, self.right) if not (self.schema_only and s.provenance.format in ARCHIVES))
        return tuple(s for s in asked if s.provenance.complete is False)

    @cached_property
    def unmodelled(self) -> tuple[Unmodelled, ...]:
        """What either side holds that is not understood, each once; it was not compared."""
        both = {(u.kind, u.schema, u.name): u for s in (self.right, self.left) for u in s.inventory.unmodelled}
        return tuple(both[k] for k in sorted(both, key=lambda k: (k[0], k[1] or "", k[2])))

    @property
    def compared(self) -> int:
        """How many objects and tables of rows were compared."""
        objects = self._aside.compared if self.objects_comparable else 0
        return objects + sum(t.status != "not_checked" for t in self.all_tables)

    @property
    def verdict(self) -> DiffVerdict:
        """`different` when anything differs, `same` when all that was asked was compared and is equal, else `not_checked`.

        A side that is damaged is `not_checked` whatever differs: what it lacks may be what it has lost.
        """
        if self._damaged:
            return "not_checked"
        if any(d.status != "equivalent" for d in self.object_differences):
            return "different"
        if any(t.status in ("different", "only_left", "only_right") for t in self.all_tables):
            return "different"
        if self.compared == 0 or not (self.data_only or self.objects_comparable):
            return "not_checked"
        doubt = self._without_match or self._without_partitions or (self.objects_comparable and self._aside.leaves_doubt)
        if doubt or any(t.status == "not_checked" for t in self.all_tables):
            return "not_checked"
        return "same"

    @property
    def sentence(self) -> str:
        """The verdict in one sentence for people."""
        return sentence_of(self)

    def row_result(self, table: str | TableName) -> RowResult:
        """Exact counts, and up to `limit` of the differing rows of *table* (a TableName or `schema.table`), as records."""
        found = self._rows.get(self.find_table(table))
        return found[1] if found else RowResult(RowCounts())

    def find_table(self, table: str | TableName) -> TableName:
        """The one table of that name (`schema.table`, or a name that is there only once) in either source. Raises UsageError."""
        return find_table(table, self.left, self.right)

    def columns_and_key(self, name: TableName) -> tuple[tuple[str, ...], RowKey | None]:
        """The columns of *name* that both sides hold, and those among them by which rows are paired (None without a key)."""
        return columns_and_key(self.left, self.right, name)

    @property
    def objects(self) -> DataFrame:
        """Frame `object_differences` (display.frames.SCHEMAS): one row per changed attribute; empty when nothing differs."""
        return frames.object_differences_frame(self.object_differences)

    @property
    def tables(self) -> DataFrame:
        """Frame `table_differences`: one row per table compared, `same` ones included."""
        return frames.table_differences_frame(self.all_tables)

    @cached_property
    def dangling_keys(self) -> tuple[DanglingKey, ...]:
        """Every foreign key of either side, with how many rows of the right side point at nothing by it, as records."""
        return () if self.schema_only else dangling_keys(self.left, self.right, whole=self._given[1])

    @cached_property
    def sequence_uses(self) -> tuple[SequenceUse, ...]:
        """Every column of the right side that a sequence feeds, and how far both have come, as records."""
        return () if self.schema_only else uses_of_sequences(self.right, whole=self._given[1])

    @property
    def looked_at(self) -> dict[str, int]:
        """Of how many foreign keys, and columns fed by sequences, it is known whether they dangle or are behind."""
        known = sum(u.behind is not None for u in self.sequence_uses)
        return {"foreign_keys": sum(k.rows is not None for k in self.dangling_keys), "sequences": known}

    @cached_property
    def losses(self) -> tuple[TableLoss, ...]:
        """The tables whose rows differ, and what was lost of each, as records."""
        return tuple(losses(self))

    @property
    def summary(self) -> DataFrame:
        """Frame `summary`: one row per table whose rows differ: how many and what share of them, when they were touched, what dangles."""
        return frames.frame("summary", (loss.cells() for loss in self.losses))

    @property
    def dangling(self) -> DataFrame:
        """Frame `dangling`: the foreign keys by which rows of the right side point at nothing, or for which that is not known."""
        return frames.frame("dangling", (frames.dangling_cells(k) for k in self.dangling_keys if k.rows != 0))

    @property
    def foreign_keys(self) -> DataFrame:
        """Frame `dangling` of every foreign key of either side, those that hold included."""
        return frames.frame("dangling", map(frames.dangling_cells, self.dangling_keys))

    @property
    def over_time(self) -> DataFrame:
        """Frame `touched_over_time`: how many of the rows that differ were touched when."""
        return frames.frame("touched_over_time", (cells for loss in self.losses for cells in loss.cells_over_time()))

    @property
    def sequences(self) -> DataFrame:
        """Frame `sequences`: the columns that a sequence of the right side gives a number in use next, or for which that is not known."""
        return frames.frame("sequences", (frames.sequence_cells(u) for u in self.sequence_uses if u.behind is not False))

    def rows(self, table: str | TableName) -> DataFrame:
        """Frame `row_differences` of *table*: one row per changed column; at most `limit` rows of the table are listed."""
        result = self.row_result(table)
        if result.why_not and not result.listed:
            name = self.find_table(table)
            raise RowsNotAvailable(
                f"the rows of {name} cannot be listed: {result.why_not}",
                resource=self.right.label,
                table=str(name),
                remedy="`summary` says what is known of them.",
            )
        return frames.row_differences_frame(result.listed)

    def rescue(self, *tables: str | TableName, revert: bool = False, with_parents: bool = False, fire_triggers: bool = False) -> str:
        """The SQL that puts back the rows of *tables* that the right side has lost (`difference.rescue.Rescue`), as one text.

        Raises UsageError, RowsNotAvailable.
        """
        return "".join(self.rescue_statements(*tables, revert=revert, with_parents=with_parents, fire_triggers=fire_triggers))

    def rescue_statements(
        self, *tables: str | TableName, revert: bool = False, with_parents: bool = False, fire_triggers: bool = False
    ) -> Iterator[str]:
        """`rescue`, statement by statement: of a table that lost millions of rows, too, no more than one is held."""
        from pgaudit_kit.difference.rescue import Rescue

        yield from Rescue(self, tables, revert=revert, with_parents=with_parents, fire_triggers=fire_triggers).script()

    def to_dict(self, *, rows: bool = False) -> dict[str, Any]:
        """The difference as `--json` prints it (keys: docs of `pgaudit diff`)."""
        return entries_of(self, rows=rows)

    def _repr_html_(self) -> str:
        """The difference for a notebook: verdict, objects and tables that differ; rows are asked for by name."""
        return difference_html(self)

    def close(self) -> None:
        """Close the sources that were opened for this difference; those that were handed in stay open. Harmless twice."""
        self.closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Difference {self.left.label} ↔ {self.right.label}: {self.verdict}, {self.compared} compared>"
