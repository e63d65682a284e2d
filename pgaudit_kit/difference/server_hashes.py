"""Two live databases compared where they are: servers hash rows, and only those that differ are fetched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from pgaudit_kit.difference.row_matching import Matching, match_rows
from pgaudit_kit.errors import QueryFailed
from pgaudit_kit.records.difference import TableDifference
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.row_hashes import (
    BUCKETS,
    Sums,
    bucket_sums,
    can_hash,
    can_hash_alike,
    is_large,
    rows_in_buckets,
    server_hash,
    types_hashed_apart,
)
from pgaudit_kit.server.snapshot import Snapshot

_WORTH_IT = 0.3  # above this share of rows in buckets that differ, fetching all rows is no more work than choosing them

Found = TypeVar("Found")


@dataclass(frozen=True)
class HashedTable:
    """What the servers say of a table: how many rows there are, and the rows of buckets that differ (None: the rows are the same)."""

    rows: tuple[int, int]
    matching: Matching | None


def compare_hashes(left: Source, right: Source, name: TableName, columns: Sequence[str], key: Sequence[str]) -> HashedTable | None:
    """Compare the rows of *name* by what both servers say; None when they cannot, or when it is quicker to fetch all rows.

    Raises RowsNotAvailable, and QueryFailed when a server is gone.
    """
    if not (isinstance(left, Snapshot) and isinstance(right, Snapshot) and columns and can_hash_alike(left, right)):
        return None
    if not (is_large(left, name) or is_large(right, name)) or _are_of_other_types(left, right, name, columns):
        return None
    sums = _sums(left, right, name, columns, key)
    if sums is None:
        return None
    lefts, rights = sums
    rows = sum(count for count, _ in lefts.values()), sum(count for count, _ in rights.values())
    differ = [bucket for bucket in {*lefts, *rights} if lefts.get(bucket) != rights.get(bucket)]
    if not differ:
        return HashedTable(rows, None)
    if len(differ) > _WORTH_IT * min(BUCKETS, max(rows)):
        return None
    return HashedTable(
        rows,
        match_rows(
            lambda: rows_in_buckets(left, name, columns, key, differ),
            lambda: rows_in_buckets(right, name, columns, key, differ),
        ),
    )


def _are_of_other_types(left: Snapshot, right: Snapshot, name: TableName, columns: Sequence[str]) -> bool:
    types = [types_hashed_apart(side, name) for side in (left, right)]
    return any(types[0].get(column) != types[1].get(column) for column in columns)


def _sums(left: Snapshot, right: Snapshot, name: TableName, columns: Sequence[str], key: Sequence[str]) -> tuple[Sums, Sums] | None:
    """What both servers say; None when one refuses: a role may not call every function, and yet read the rows."""
    try:
        return on_both(left, right, lambda side: bucket_sums(side, name, columns, key))
    except QueryFailed:
        if left.is_closed or right.is_closed:
            raise
        return None


def same_as_recorded(recorded: Source, live: Source, name: TableName) -> TableDifference | None:
    """The table as `same` when the server of *live* sums up its rows to what a manifest recorded; None when that cannot be told.

    Unequal sums tell nothing, since another build or version might hash otherwise: then rows have to be read. Raises QueryFailed when
    the server is gone.
    """
    if not (isinstance(recorded, Manifest) and isinstance(live, Snapshot) and can_hash(live)):
        return None
    data, other = recorded.table_data.get(name), live.table_data.get(name)
    if not (data and data.server_hash and other) or other.not_readable or {*data.columns} != {*other.columns}:
        return None
    if recorded.provenance.encoding != live.provenance.encoding:
        return None
    if server_hash(live, name, data.columns) != data.server_hash:
        return None
    return TableDifference(name, "same", data.rows, data.rows, method="server hashes")


def on_both(left: Snapshot, right: Snapshot, ask: Callable[[Snapshot], Found]) -> tuple[Found, Found]:
    """Ask both servers at the same time. When one fails, or we are interrupted, the other is stopped."""
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(ask, left)
        try:
            mine = ask(right)
        except BaseException:  # Ctrl-C too: leaving the pool waits for the other server, which may work for hours
            left.cancel()
            raise
        return other.result(), mine
