"""Rows hashed by the server: several times faster than sending them, but only to be compared with what another server says likewise.

A row's hash is hash_record_extended (PostgreSQL 14+) of its columns: as they are where equal values print the same, else of their text.
It has 64 bits, and their sum is exact. Equal sums prove equal rows; when sums differ, the rows themselves have to say how, since another
build might hash otherwise. Sums are made by buckets of keys, so that only rows of buckets that differ have to be fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.catalog_query import query
from pgaudit_kit.server.snapshot import Snapshot, qualified, quoted

BUCKETS = 1 << 12
LARGE_BYTES = 4 << 20  # below, a table is read faster than the server answers
_FIRST_MAJOR = 14
_KEY_SEED, _ROW_SEED = 1, 0
# Hashing into groups beats sorting, but the planner thinks that each row is a group; with free tuples it lets workers help.
_PLANNING = {"enable_sort": "off", "parallel_setup_cost": "0", "parallel_tuple_cost": "0"}

Sums: TypeAlias = Mapping[int, tuple[int, Decimal]]
"""By number of the bucket: how many rows, and the sum of their hashes."""


def can_hash_alike(left: Snapshot, right: Snapshot) -> bool:
    """Whether hashes of both servers can be compared: text is hashed in the database's encoding."""
    encodings = {side.provenance.encoding for side in (left, right)}
    return min(left.major, right.major) >= _FIRST_MAJOR and len(encodings) == 1 and "SQL_ASCII" not in encodings


def is_large(snapshot: Snapshot, name: TableName) -> bool:
    """Whether hashing pays for its queries. Raises QueryFailed."""
    return snapshot.sizes.get(name, 0) >= LARGE_BYTES


def hashed_as_they_are(snapshot: Snapshot, name: TableName) -> Mapping[str, str]:
    """The columns of *name* that need not be hashed as text, with their types. Raises QueryFailed."""
    rows = snapshot.ask(query("row_hash_columns", snapshot.major), {"schema": name.schema, "table": name.name})
    return {row["name"]: row["type"] for row in rows}


def bucket_sums(snapshot: Snapshot, name: TableName, columns: Sequence[str], key: Sequence[str], *, buckets: int = BUCKETS) -> Sums:
    """Count the rows of *name* and sum their hashes, by bucket of *key*. Raises RowsNotAvailable, QueryFailed."""
    as_they_are = hashed_as_they_are(snapshot, name)
    bucket = _bucket(key or columns, as_they_are, buckets) if buckets > 1 else "0"
    row_hash = _hash(columns, as_they_are, _ROW_SEED)
    sql = f"SELECT {bucket} AS bucket, count(*) AS rows, sum({row_hash}) AS hashes FROM ONLY {qualified(name)} GROUP BY 1"  # noqa: S608
    found = snapshot.ask_rows(name, sql, settings=_PLANNING)
    return {row["bucket"]: (row["rows"], row["hashes"]) for row in found}


def rows_in_buckets(
    snapshot: Snapshot, name: TableName, columns: Sequence[str], key: Sequence[str], chosen: Iterable[int], *, buckets: int = BUCKETS
) -> Iterator[bytes]:
    """The rows of *name* in the *chosen* buckets, as `Snapshot.row_blocks` gives all of them."""
    bucket = _bucket(key or columns, hashed_as_they_are(snapshot, name), buckets)
    numbers = ", ".join(map(str, sorted(chosen)))
    return snapshot.row_blocks(name, columns, where=f"{bucket} = ANY ('{{{numbers}}}'::bigint[])")


def _bucket(key: Sequence[str], as_they_are: Mapping[str, str], buckets: int) -> str:
    return f"({_hash(key, as_they_are, _KEY_SEED)} & {buckets - 1})"


def _hash(columns: Sequence[str], as_they_are: Mapping[str, str], seed: int) -> str:
    """The hash of a row. Text is what the output functions say, as for COPY; a cast to text would cut blanks from character(n)."""
    parts = [quoted(c) for c in columns if c in as_they_are]
    if texts := [quoted(c) for c in columns if c not in as_they_are]:
        parts.append(f"ROW({', '.join(texts)})::pg_catalog.text")
    return f"pg_catalog.hash_record_extended(ROW({', '.join(parts)}), {seed})"
