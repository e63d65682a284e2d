"""The rows of two sources compared table by table: exact counts and fingerprints, and which rows differ."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import replace
from itertools import islice

from pgaudit_kit.difference.hash_partitions import together
from pgaudit_kit.difference.keys import RowKey, key_of
from pgaudit_kit.difference.partitions_as_one import giver, in_doubt, partitions_as_one, whole
from pgaudit_kit.difference.row_matching import Matching, closing_blocks
from pgaudit_kit.difference.rows import ROWS_LISTED, RowCounts, RowPair, RowResult, RowShape, match, tally
from pgaudit_kit.difference.server_hashes import HashedTable, compare_hashes, same_as_recorded
from pgaudit_kit.difference.times_touched import TimesSeen, time_columns
from pgaudit_kit.errors import PgAuditError, RowsNotAvailable
from pgaudit_kit.records.difference import Method, Skipped, TableDifference, TableStatus
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.large_objects import KIND, LARGE_OBJECT_ROWS, is_without_large_objects, says_nothing_of_contents
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import lines_of
from pgaudit_kit.server.shared_work import count_together
from pgaudit_kit.server.snapshot import Snapshot


def compare_tables(left: Source, right: Source) -> tuple[TableDifference, ...]:
    """Compare, by fingerprint, every table whose rows either source holds. One result per table, `same` ones included.

    Of a manifest (left) with hashes of a server, a live database is asked for its own first: that takes a fifth of the time of reading.
    """
    left, right = partitions_as_one(left, right)
    names = _names(left, right)
    hashed = {name: same for name in names if (same := same_as_recorded(giver(left, name), giver(right, name), name))}
    _count_ahead(left, right, without=hashed.keys())
    doubts = in_doubt(left, right)
    found = [hashed.get(name) or _unless_in_doubt(doubts, *_compare(left, right, name, _by_fingerprint))[0] for name in names]
    return together(found, left, right)


def compare_rows(
    left: Source, right: Source, *, limit: int = ROWS_LISTED, read: Callable[[int], None] | None = None
) -> Iterator[tuple[TableDifference, RowResult]]:
    """As `compare_tables`, with the rows that differ: both sides of a table are read side by side, in one pass.

    *read* is told how many rows more were read. Of a side that knows fingerprints only (a manifest) rows cannot be told apart; the result
    says so.
    """
    left, right = partitions_as_one(left, right)

    def by_rows(left: Source, right: Source, name: TableName) -> tuple[TableDifference, RowResult]:
        if whole(left) is whole(right):  # one connection gives one stream of rows at a time
            return _by_fingerprint(left, right, name)
        columns, key = columns_and_key(left, right, name)
        hashed = compare_hashes(giver(left, name), giver(right, name), name, columns, key.columns if key else ())
        if hashed:
            return _by_hashes(left, right, name, hashed, RowShape(columns, key), limit=limit)
        try:
            matching = match(left, right, name, columns, read=read)
        except RowsNotAvailable as error:  # of a manifest; of what this role may not read, also fingerprints are not available
            table, _ = _by_fingerprint(left, right, name)
            return table, RowResult(RowCounts(), why_not=str(error) if table.status == "different" else "")
        table = _judged(left, right, name, *matching.fingerprints, method="rows")
        if table.status != "different":
            return table, RowResult(RowCounts())
        return table, _tallied(left, right, name, matching, RowShape(columns, key), limit=limit)

    if any(isinstance(whole(side), Manifest) for side in (left, right)):
        _count_ahead(left, right)
    doubts = in_doubt(left, right)
    for name in _names(left, right):
        yield _unless_in_doubt(doubts, *_compare(left, right, name, by_rows, limit=limit))


def compare_table(left: Source, right: Source, name: TableName) -> TableDifference:
    """Compare, by fingerprint, the rows of one table that either source holds, both of them as `partitions_as_one` gives them."""
    return _compare(left, right, name, _by_fingerprint)[0]


def rows_that_differ(left: Source, right: Source, name: TableName, *, without: frozenset[str], limit: int) -> RowResult:
    """The rows of *name* that differ in other columns than those of *without*."""
    columns, key = columns_and_key(left, right, name)
    sure = tuple(column for column in columns if column not in without)
    try:
        shape = RowShape(sure, key if key and without.isdisjoint(key.columns) else None)
        return _tallied(left, right, name, match(left, right, name, sure), shape, limit=limit)
    except PgAuditError as error:
        return RowResult(RowCounts(), why_not=str(error))


def columns_and_key(left: Source, right: Source, name: TableName) -> tuple[tuple[str, ...], RowKey | None]:
    """The columns of *name* that both sources hold, and those among them by which rows are paired (None without a key)."""
    columns = common_columns(left, right, name)
    keys = (key_of(whole(side).inventory, name) for side in (left, right))  # a selection of the table leaves its domains out
    return columns, next((key for key in keys if key and set(key.columns) <= set(columns)), None)


def common_columns(left: Source, right: Source, name: TableName) -> tuple[str, ...]:
    """The columns of *name* that both sources hold, in the order of a file if one is: a server gives any order."""
    first, second = (right, left) if isinstance(whole(left), Snapshot) else (left, right)
    there = set(second.table_data[name].columns)
    return tuple(c for c in first.table_data[name].columns if c in there)


def _count_ahead(left: Source, right: Source, *, without: Container[TableName] = ()) -> None:
    """Where only fingerprints are asked for, live tables are counted several at a time."""
    for side, other in ((left, right), (right, left)):
        live = whole(side)
        if isinstance(live, Snapshot):
            shared = [name for name in side.table_data if name in other.table_data and name not in without]
            count_together(live, (n for n in shared if side.table_data[n].columns == other.table_data[n].columns))


def _names(left: Source, right: Source) -> list[TableName]:
    names = sorted({*left.table_data, *right.table_data})
    if says_nothing_of_contents(left.inventory) or says_nothing_of_contents(right.inventory):
        names = [name for name in names if name != LARGE_OBJECT_ROWS]  # it is among what is not modelled there
    return names


def _compare(
    left: Source,
    right: Source,
    name: TableName,
    compare: Callable[[Source, Source, TableName], tuple[TableDifference, RowResult]],
    *,
    limit: int = 0,
) -> tuple[TableDifference, RowResult]:
    for holder, other, left_has_it in ((left, right, True), (right, left, False)):
        if name not in other.table_data:
            table = _on_one_side(holder, other, name, left_has_it=left_has_it)
            return table, _rows_on_one_side(table, holder, limit=limit)
    try:
        return compare(left, right, name)
    except PgAuditError as error:
        table = TableDifference(name, "not_checked", left.table_data[name].rows, right.table_data[name].rows, reason=str(error))
        return table, RowResult(RowCounts(), why_not=table.reason)


def _unless_in_doubt(doubts: Mapping[TableName, str], table: TableDifference, rows: RowResult) -> tuple[TableDifference, RowResult]:
    """What was found of a table, unless rows that it lacks, or has more, may lie in another one."""
    why = doubts.get(table.name)
    if why is None or table.status in ("same", "equivalent", "not_checked"):
        return table, rows
    return replace(table, status="not_checked", reason=why), RowResult(RowCounts(), why_not=why)


def _by_fingerprint(left: Source, right: Source, name: TableName) -> tuple[TableDifference, RowResult]:
    columns = common_columns(left, right, name)
    a, b = (_fingerprint(side, name, columns) for side in (left, right))
    return _judged(left, right, name, a, b, method="fingerprints"), RowResult(RowCounts())


def _tallied(left: Source, right: Source, name: TableName, matching: Matching, shape: RowShape, *, limit: int) -> RowResult:
    """Count and list the rows that differ, and see when they were touched."""
    times = time_columns(left.inventory, name, shape.columns) or time_columns(right.inventory, name, shape.columns)
    seen = TimesSeen(times, shape.columns)
    result = tally(matching, shape, limit=limit, see=seen.see if times else None)
    return replace(result, times=seen.best(right.provenance.created_at))


def _by_hashes(
    left: Source, right: Source, name: TableName, hashed: HashedTable, shape: RowShape, *, limit: int
) -> tuple[TableDifference, RowResult]:
    rows = _tallied(left, right, name, hashed.matching, shape, limit=limit) if hashed.matching else RowResult(RowCounts())
    fingerprints = hashed.matching.fingerprints if hashed.matching else (Fingerprint(), Fingerprint())
    table = _judged(left, right, name, *fingerprints, method="server hashes")
    return replace(table, rows_left=hashed.rows[0], rows_right=hashed.rows[1]), rows


def _judged(left: Source, right: Source, name: TableName, a: Fingerprint, b: Fingerprint, *, method: Method) -> TableDifference:
    if a != b:
        return TableDifference(name, "different", a.rows, b.rows, method=method)
    held = [set(side.table_data[name].columns) for side in (left, right)]
    if held[0] != held[1]:
        both = [c for c in left.table_data[name].columns if c in held[1]]
        reason = f"the columns differ; compared on those both have: {', '.join(both) or 'none'}"
        return TableDifference(name, "equivalent", a.rows, b.rows, reason=reason, method=method)
    return TableDifference(name, "same", a.rows, b.rows, method=method)


def _fingerprint(source: Source, name: TableName, columns: tuple[str, ...]) -> Fingerprint:
    """Ask without columns when they are the source's own: a manifest knows only those."""
    own = source.table_data[name].columns
    return source.fingerprint(name, None if own == columns else columns)


def _rows_on_one_side(table: TableDifference, holder: Source, *, limit: int) -> RowResult:
    """All rows of it are missing, or extra; up to *limit* of them are listed."""
    if table.status == "not_checked":
        return RowResult(RowCounts(), why_not=table.reason)
    rows = table.rows_left or table.rows_right or 0
    counts = RowCounts(missing=rows) if table.status == "only_left" else RowCounts(extra=rows)
    shape = RowShape(holder.table_data[table.name].columns, key_of(holder.inventory, table.name))
    try:
        blocks = holder.row_blocks(table.name)
        with closing_blocks(blocks):
            lines = list(islice(lines_of(blocks), limit))
    except PgAuditError as error:
        return RowResult(counts, why_not=str(error))
    pairs = ((line, None) if table.status == "only_left" else (None, line) for line in lines)
    listed = (shape.described(RowPair(shape.key_values(left or right or b""), left, right)) for left, right in pairs)
    return RowResult(counts, tuple(listed))


def _on_one_side(holder: Source, other: Source, name: TableName, *, left_has_it: bool) -> TableDifference:
    """A table whose rows only *holder* has: gone from the other side, or there without rows to compare."""
    rows: int | None = holder.table_data[name].rows
    reason = _why_no_contents(holder, other) if name == LARGE_OBJECT_ROWS else ""
    if reason:
        return TableDifference(name, "not_checked", rows if left_has_it else None, None if left_has_it else rows, reason)
    if rows is None:
        try:
            rows = holder.fingerprint(name).rows
        except PgAuditError as error:
            reason = str(error)
    other_has_table = any(o.key.schema == name.schema and o.key.name == name.name for o in other.inventory.of_kind("TABLE"))
    status: TableStatus = "only_left" if left_has_it else "only_right"
    if other_has_table:
        status, reason = "not_checked", f"{other.label} has the table but holds no rows of it"
    elif name != LARGE_OBJECT_ROWS and other.provenance.format != "live" and not other.inventory.of_kind("TABLE"):
        status, reason = "not_checked", f"{other.label} says nothing of this table"
    return TableDifference(name, status, rows if left_has_it else None, None if left_has_it else rows, reason)


def _why_no_contents(holder: Source, other: Source) -> str:
    """Why nothing can be said of the large objects that only *holder* has: a dump may have been made without, or without their contents."""
    if unread := next((u for u in other.inventory.unread if u.kind == KIND), None):
        return f"{unread.reason} ({other.label})"
    if is_without_large_objects(other.inventory):
        return f"{other.label} holds no large objects, of which {holder.label} has some: it may have been made without"
    if other.inventory.of_kind(KIND):  # pg_dump --section=pre-data, up to 16
        return f"{other.label} lists large objects but holds no content of them"
    return ""


def without_table(source: Source) -> tuple[Skipped, ...]:
    """The data that a dump holds of tables it does not define, although it defines others.

    pg_dump writes the rows of an extension's configuration table that way, filtered by the extension's own
    condition (pg_extension_config_dump), so they cannot be compared with the whole table.
    """
    defined = {(o.key.schema, o.key.name) for o in source.inventory.of_kind("TABLE")}
    if not defined:
        return ()
    return tuple(
        Skipped(f"rows of {name}", "configuration table of an extension: the dump holds only the rows that the extension chose")
        for name in source.table_data
        if (name.schema, name.name) not in defined and name != LARGE_OBJECT_ROWS
    )
