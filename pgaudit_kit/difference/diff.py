"""What differs between two sources: one code path whatever they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from pgaudit_kit.difference.keys import key_columns
from pgaudit_kit.difference.objects import compare_inventories
from pgaudit_kit.difference.rows import RowCounts, compare_rows
from pgaudit_kit.difference.selection import SelectedSource, Selection
from pgaudit_kit.difference.sessions import align_sessions
from pgaudit_kit.difference.tables import Progress, common_columns, compare_tables, without_table
from pgaudit_kit.display import frames, html
from pgaudit_kit.display.object_changes import objects_html, without_secrets
from pgaudit_kit.errors import RowsNotAvailable, UsageError
from pgaudit_kit.records.difference import ObjectDifference, RowDifference, Skipped, TableDifference
from pgaudit_kit.records.objects import LARGE_OBJECTS, DatabaseObject, Unmodelled
from pgaudit_kit.records.provenance import ARCHIVES
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName

if TYPE_CHECKING:
    from pandas import DataFrame

DiffVerdict = Literal["same", "different", "not_checked"]
ROWS_LISTED = 10_000


@dataclass(frozen=True)
class RowResult:
    """The rows of one table that differ: exact counts, and the first of them in no particular order.

    `why_not` says why they could not be listed ("" when they could).
    """

    counts: RowCounts
    listed: tuple[RowDifference, ...] = ()
    why_not: str = ""


class Difference:
    """What differs between two sources; each part is worked out when it is first asked for.

    `left` is the first source (usually the dump), `right` the second (usually the live database): `only_left`
    means missing on the right. Use it as a context manager, or `close()` it, when a live source was opened for it.
    With *schema_only* rows are neither read nor judged, with *data_only* objects are not; *selection* chooses what is compared
    of both sides; attributes in *ignore* (`difference.objects.checked_ignore`) are not compared.
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
        progress: Progress | None = None,
    ) -> None:
        if schema_only and data_only:
            raise UsageError("schema only and data only leave nothing to compare", remedy="Choose one.")
        self.left = SelectedSource(left, selection) if selection else left
        self.right = SelectedSource(right, selection) if selection else right
        self._selection = selection
        self._ignore = ignore
        self.schema_only = schema_only
        self.data_only = data_only
        self.closing = ExitStack()
        self._progress = progress
        self._rows: dict[TableName, RowResult] = {}
        self._unaligned = align_sessions(left, right)

    @property
    def objects_comparable(self) -> bool:
        """False when only rows were asked for, or one side defines no object at all but holds rows (pg_dump --data-only)."""
        return not self.data_only and all(s.inventory.objects or not s.table_data for s in (self.left, self.right))

    @cached_property
    def object_differences(self) -> tuple[ObjectDifference, ...]:
        """The objects that differ, as records."""
        return compare_inventories(self.left, self.right, ignore=self._ignore) if self.objects_comparable else ()

    @cached_property
    def all_tables(self) -> tuple[TableDifference, ...]:
        """Every table whose rows were compared, `same` ones included."""
        if self.schema_only:
            return ()
        left_out = {s.what for s in self._filtered}
        compared = compare_tables(self.left, self.right, progress=self._progress)
        return tuple(self._doubt_timezone(t) for t in compared if f"rows of {t.name}" not in left_out)

    def _doubt_timezone(self, table: TableDifference) -> TableDifference:
        if table.status != "different" or table.name not in self._unaligned:
            return table
        reason = "timestamps were printed under a time zone that could not be found out, so their text cannot be compared"
        return TableDifference(table.name, "not_checked", table.rows_left, table.rows_right, reason)

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
        skipped += _not_told(self.left, self.right)
        if self._ignore:
            skipped.append(Skipped(f"attributes: {', '.join(sorted(self._ignore))}", "ignored on request"))
        if self.schema_only:
            skipped.append(Skipped("rows", "only the schema was asked for"))
        if self.data_only:
            skipped.append(Skipped("objects", "only the rows were asked for"))
        elif not self.objects_comparable:
            skipped.append(Skipped("objects", "one side holds data only; ask for the rows alone with --data-only"))
        skipped += [Skipped(f"rows of {t.name}", t.reason) for t in self.all_tables if t.status == "not_checked"]
        return tuple(skipped)

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
        objects = len({*self.left.inventory.by_key, *self.right.inventory.by_key}) if self.objects_comparable else 0
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
        if any(t.status == "not_checked" for t in self.all_tables):
            return "not_checked"
        return "same"

    @property
    def sentence(self) -> str:
        """The verdict in one sentence for people."""
        if self.verdict == "same":
            return f"{self.left.label} and {self.right.label} are the same in all {self.compared} things compared."
        if self.verdict == "not_checked":
            reasons = "; ".join(f"{s.what}: {s.reason}" for s in self.skipped[:3]) or "there was nothing to compare"
            return f"Not everything could be compared ({reasons})."
        tables = sum(t.status in ("different", "only_left", "only_right") for t in self.all_tables)
        objects = sum(d.status != "equivalent" for d in self.object_differences)
        parts = [_count(objects, "{} object"), _count(tables, "the rows of {} table")]
        return (
            f"{self.right.label} differs from {self.left.label} in {' and '.join(filter(None, parts))}, of {self.compared} things compared."
        )

    def row_result(self, table: str | TableName) -> RowResult:
        """Counts and the first ROWS_LISTED differing rows of *table* (a TableName or `schema.table`), as records."""
        name = self.find_table(table)
        if name not in self._rows:
            self._rows[name] = self._compare_rows(name)
        return self._rows[name]

    def find_table(self, table: str | TableName) -> TableName:
        """The one table of that name (`schema.table`, or a name that is there only once) in either source. Raises UsageError."""
        if isinstance(table, TableName):
            return table
        names = {*self.left.table_data, *self.right.table_data}
        found = [n for n in names if table in (str(n), f"{n.schema}.{n.name}", n.name)]
        if len(found) != 1:
            what = "is in several schemas" if found else "is in neither source"
            raise UsageError(f"table {table} {what}", resource=table, remedy="Name it as schema.table, as `tables` lists it.")
        return found[0]

    def _compare_rows(self, name: TableName) -> RowResult:
        summary = next((t for t in self.all_tables if t.name == name), None)
        if summary is None or summary.status in ("same", "equivalent"):
            return RowResult(RowCounts())
        if summary.status in ("only_left", "only_right"):
            rows = summary.rows_left or summary.rows_right or 0
            counts = RowCounts(missing=rows) if summary.status == "only_left" else RowCounts(extra=rows)
            return RowResult(counts, why_not="the whole table is on one side only")
        if summary.status == "not_checked":
            return RowResult(RowCounts(), why_not=summary.reason)
        try:
            return _tally(compare_rows(self.left, self.right, name, *self.columns_and_key(name)))
        except RowsNotAvailable as error:
            return RowResult(RowCounts(), why_not=str(error))

    def columns_and_key(self, name: TableName) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The columns of *name* that both sides hold, and those among them by which rows are paired (() without a key)."""
        columns = common_columns(self.left, self.right, name)
        key = key_columns(self.left.inventory, name) or key_columns(self.right.inventory, name)
        return columns, key if set(key) <= set(columns) else ()

    @property
    def objects(self) -> DataFrame:
        """Frame `object_differences` (display.frames.SCHEMAS): one row per changed attribute; empty when nothing differs."""
        return frames.object_differences_frame(self.object_differences)

    @property
    def tables(self) -> DataFrame:
        """Frame `table_differences`: one row per table compared, `same` ones included."""
        return frames.table_differences_frame(self.all_tables)

    @property
    def summary(self) -> DataFrame:
        """Frame `summary`: one row per table whose rows differ, with exact counts of rows missing, extra and changed."""
        rows = []
        for t in self.table_differences:
            result = self.row_result(t.name)
            known = not result.why_not or t.status in ("only_left", "only_right")
            c = result.counts
            counts = (c.missing, c.extra, c.changed) if known else (None, None, None)
            rows.append((t.name.schema, t.name.name, t.rows_left, t.rows_right, *counts, result.why_not or t.reason or None))
        return frames.frame("summary", rows)

    def rows(self, table: str | TableName) -> DataFrame:
        """Frame `row_differences` of *table*: one row per changed column; at most ROWS_LISTED rows of the table are listed."""
        return frames.row_differences_frame(self.row_result(table).listed)

    def rescue(self, *tables: str | TableName, revert: bool = False, with_parents: bool = False, fire_triggers: bool = False) -> str:
        """The SQL that puts back the rows of *tables* that the right side has lost (`difference.rescue.Rescue`), as one text.

        Raises UsageError, RowsNotAvailable.
        """
        from pgaudit_kit.difference.rescue import Rescue

        return "".join(Rescue(self, tables, revert=revert, with_parents=with_parents, fire_triggers=fire_triggers).script())

    def to_dict(self, *, rows: bool = False) -> dict[str, Any]:
        """The difference as `--json` prints it (keys: docs of `pgaudit diff`)."""
        plain: dict[str, Any] = {
            "verdict": self.verdict,
            "left": self.left.label,
            "right": self.right.label,
            "compared": self.compared,
            "skipped": [{"what": s.what, "reason": s.reason} for s in self.skipped],
            "unmodelled": [{"kind": u.kind, "schema": u.schema, "name": u.name, "reason": u.reason} for u in self.unmodelled],
            "objects": [_object_entry(d) for d in self.object_differences],
            "tables": [
                {
                    "schema": t.name.schema,
                    "name": t.name.name,
                    "status": t.status,
                    "rows_left": t.rows_left,
                    "rows_right": t.rows_right,
                    "reason": t.reason,
                }
                for t in self.table_differences
            ],
        }
        if rows:
            results = {t.name: self.row_result(t.name) for t in self.table_differences}
            plain["rows"] = {_dotted(n): [_row_entry(r) for r in result.listed] for n, result in results.items()}
            plain["row_counts"] = {_dotted(n): _counts_entry(result) for n, result in results.items()}
        return plain

    def _repr_html_(self) -> str:
        """The difference for a notebook: verdict, objects and tables that differ; rows are asked for by name."""
        return html.fragment(
            html.banner(self.verdict, self.sentence),
            *objects_html(self.object_differences, (self.left.label, self.right.label)),
            html.frame_table(self.summary, caption="Tables whose rows differ"),
            html.table(["what", "reason"], [(s.what, s.reason) for s in self.skipped], caption="Not compared"),
            html.table(["kind", "schema", "name", "reason"], _named(self.unmodelled), caption="Not understood, not compared"),
        )

    def close(self) -> None:
        """Close the sources that were opened for this difference; those that were handed in stay open. Harmless twice."""
        self.closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Difference {self.left.label} ↔ {self.right.label}: {self.verdict}, {self.compared} compared>"


_WORDS = {"acl": "privileges", "security_label": "security labels", LARGE_OBJECTS: "large objects"}


def _not_told(left: Source, right: Source) -> Iterable[Skipped]:
    """What one side leaves out as a whole while the other holds some: it was not compared."""
    for source, other in ((left, right), (right, left)):
        for attribute in sorted(source.inventory.not_told - other.inventory.not_told):
            if any(_tells(item, attribute) for item in other.inventory.objects):
                yield Skipped(_WORDS[attribute], f"{source.label} holds none: it was made without, or all of them were the default")


def _tells(item: DatabaseObject, attribute: str) -> bool:
    return any(name.rpartition(" ")[2] == attribute for name in item.attributes) or any(attribute in c.attributes for c in item.columns)


def _tally(differences: Iterable[RowDifference]) -> RowResult:
    listed: list[RowDifference] = []
    counts = {"only_left": 0, "only_right": 0, "changed": 0}
    for difference in differences:
        counts[difference.status] += 1
        if len(listed) < ROWS_LISTED:
            listed.append(difference)
    return RowResult(RowCounts(counts["only_left"], counts["only_right"], counts["changed"]), tuple(listed))


def _count(number: int, phrase: str) -> str:
    """*phrase* with the number in it, in the plural when it is one; nothing when there is none."""
    return phrase.format(f"{number:,}") + ("" if number == 1 else "s") if number else ""


def _named(unmodelled: Iterable[Unmodelled]) -> list[tuple[str | None, ...]]:
    return [(u.kind, u.schema, u.name, u.reason) for u in unmodelled]


def _dotted(name: TableName) -> str:
    return f"{name.schema}.{name.name}"


def _object_entry(d: ObjectDifference) -> Mapping[str, Any]:
    return {
        "kind": d.key.kind,
        "schema": d.key.schema,
        "name": d.key.name,
        "parent": d.key.parent,
        "status": d.status,
        "changes": [{"attribute": c.attribute, "left": c.left, "right": c.right} for c in map(without_secrets, d.changes)],
        "reason": d.reason,
        "hint": d.hint,
    }


def _row_entry(r: RowDifference) -> Mapping[str, Any]:
    return {
        "status": r.status,
        "key": dict(r.key),
        "columns": [{"attribute": c.attribute, "left": c.left, "right": c.right} for c in r.columns],
    }


def _counts_entry(result: RowResult) -> Mapping[str, Any]:
    return {"missing": result.counts.missing, "extra": result.counts.extra, "changed": result.counts.changed, "why_not": result.why_not}
