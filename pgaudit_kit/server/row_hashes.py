"""Rows hashed by the server: several times faster than sending them, but only to be compared with what another server says likewise.

A row's hash is a chain (PostgreSQL 14+): each column is hashed with what came before it as the seed, in the quickest form that tells apart
what prints otherwise: as it is, in the bytes that its type would send, or as text. It has 64 bits, and their sum is exact. Equal sums prove
equal rows; when sums differ, the rows themselves have to say how, since another build might hash otherwise. Sums are made by buckets of
keys, so that only rows of buckets that differ have to be fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from pgaudit_kit.errors import QueryFailed
from pgaudit_kit.records.fingerprint import ServerHash
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.catalog_query import query
from pgaudit_kit.server.copy_statement import qualified, quoted
from pgaudit_kit.server.snapshot import Snapshot

BUCKETS = 1 << 12
LARGE_BYTES = 4 << 20  # below, a table is read faster than the server answers
_FIRST_MAJOR = 14
_TOGETHER = 30
_KEY_SEED, _ROW_SEED = 1, 0
# Hashing into groups beats sorting, but the planner thinks that each row is a group; with free tuples it lets workers help. These read
# pages themselves: to have them read by the few I/O workers of 18 takes a tenth longer, of what is cached and of what is not.
_PLANNING = {"enable_sort": "off", "parallel_setup_cost": "0", "parallel_tuple_cost": "0", "effective_io_concurrency": "0"}
_ONE_PROCESS = {"max_parallel_workers_per_gather": "0"}

_AS_IT_IS = "{}"
_AS_TEXT = '({}::pg_catalog.text COLLATE pg_catalog."C")'  # by its bytes: some collations take for equal what is not the same


def _as_printed(kind: str) -> str:
    """As text, but not by a cast: somebody may have made one that tells less."""
    return f'(pg_catalog.textin(pg_catalog.{kind}_out({{}})) COLLATE pg_catalog."C")'


# What of a type's value is hashed. Equal numbers may print otherwise, and of 64 bits hash functions take only the sum of both halves; the
# bytes that a value is sent in tell all. Types that are not here are hashed by what they print.
_FORMS = (
    dict.fromkeys(("bool", "int2", "int4", "date", "uuid", "bytea", "macaddr", "macaddr8"), _AS_IT_IS)
    | dict.fromkeys(("text", "varchar", "name"), _AS_TEXT)
    | {kind: _as_printed(kind) for kind in ("json", "jsonb")}
    | {kind: f"pg_catalog.{kind}send({{}})" for kind in ("int8", "float4", "float8", "bpchar")}
    | {kind: f"pg_catalog.{kind}_send({{}})" for kind in ("numeric", "time", "timetz", "timestamp", "timestamptz", "interval", "pg_lsn")}
)


def _as_text_hashed(value: str) -> str:
    return f"pg_catalog.hashtextextended(COALESCE({value}, 'NULL 6f0d2b94'), {{seed}})"


def _time_hashed(kind: str, subtracted: str) -> str:
    """The hash of a timestamp: of its distance from 1900 in seconds, a float8, which tells microseconds apart for more than 200 years.

    Others are hashed as sent. The float8 is never 0, of which hashfloat8extended gives back the seed: two columns could change places.
    """
    first, last = (f"'{year}-01-01 00:00:00+00'::pg_catalog.{kind}" for year in (1900, 2100))
    sent = f"pg_catalog.hashtextextended(pg_catalog.encode(pg_catalog.{kind}_send({{c}}), 'hex') COLLATE pg_catalog.\"C\", 1)"
    near = f"WHEN {{c}} > {first} AND {{c}} < {last} THEN pg_catalog.{subtracted}({{c}}, {first})"
    return f"pg_catalog.hashfloat8extended(CASE {near} ELSE COALESCE({sent}::float8, -1) END, {{seed}})"


# Of these, hash functions that can be called take a seed, and need no record, which is dearer than text: {c} is the column, {seed} the
# hash of the columns before it. NULL is hashed as a value that these never have; where any value could be one, it is told by its place.
# int8 is hashed as float8 too: its own hash gives away how its halves differ, and where float8 is not exact, its halves tell.
_CHAINED = {
    "int2": "pg_catalog.hashint4extended(COALESCE({c}::int4, 65536), {seed})",
    "int4": "pg_catalog.hashint4extended(COALESCE({c}, -1730815047), {seed})",
    "int8": "pg_catalog.hashint8extended(COALESCE({c}, 0), pg_catalog.hashfloat8extended(COALESCE({c}::float8, 0.5), {seed}))",
    "bool": "pg_catalog.hashint4extended(COALESCE({c}::int4, 2), {seed})",
    "date": "pg_catalog.hashint4extended(COALESCE(pg_catalog.daterange_subdiff({c}, '2000-01-01')::int4, -1730815047), {seed})",
    "uuid": "pg_catalog.uuid_hash_extended(COALESCE({c}, 'e5d1c0b7-94a2-4f6b-8d3c-1f20a96b57ce'::uuid), {seed})",
    **dict.fromkeys(("text", "varchar", "name"), _as_text_hashed(_AS_TEXT.format("{c}"))),
    **{kind: _as_text_hashed(_as_printed(kind).format("{c}")) for kind in ("json", "jsonb", "numeric")},
    "timestamp": _time_hashed("timestamp", "tsrange_subdiff"),
    "timestamptz": _time_hashed("timestamptz", "tstzrange_subdiff"),
}
_ANY_VALUE = ("int4", "uuid", "text", "varchar", "name")
_BITS = 31  # of an int4 that is not negative
_MOST_CHAINED = 62  # each is one level deeper for the server, which has an end

Sums: TypeAlias = Mapping[int, tuple[int, Decimal]]
"""By number of the bucket: how many rows, and the sum of their hashes."""


def can_hash_alike(left: Snapshot, right: Snapshot) -> bool:
    """Whether hashes of both servers can be compared: text is hashed in the database's encoding."""
    encodings = {side.provenance.encoding for side in (left, right)}
    return min(left.major, right.major) >= _FIRST_MAJOR and len(encodings) == 1 and "SQL_ASCII" not in encodings


def can_hash(snapshot: Snapshot) -> bool:
    """Whether that server can hash rows so that another one of the same encoding can be asked for the same."""
    return snapshot.major >= _FIRST_MAJOR and snapshot.provenance.encoding != "SQL_ASCII"


def server_hash(snapshot: Snapshot, name: TableName, columns: Sequence[str], *, workers: bool = True) -> ServerHash | None:
    """The rows of *name* over *columns*, hashed by the server as a whole, by several processes of it unless not *workers*.

    None when it does not hash them: a role may not call every function. Raises RowsNotAvailable, and QueryFailed when the server is gone.
    """
    try:
        rows, total = bucket_sums(snapshot, name, columns, (), buckets=1, workers=workers).get(0, (0, Decimal(0)))
        return ServerHash(rows, int(total), _hash(columns, types_hashed_apart(snapshot, name), _ROW_SEED))
    except QueryFailed:
        if snapshot.is_closed:
            raise
        return None


def server_hashes(snapshot: Snapshot, tables: Mapping[TableName, Sequence[str]]) -> Iterator[tuple[TableName, ServerHash]]:
    """Yield the rows of each of *tables* over its columns, hashed by the server: small tables some at a time.

    Tables that the server does not hash are left out: some types have outputs that fail. Raises RowsNotAvailable.
    """
    types: dict[TableName, dict[str, str]] = {}
    for row in snapshot.ask(query("row_hash_columns_of_all", snapshot.major), {"types": list(_FORMS)}):
        types.setdefault(TableName(row["schema"], row["table"]), {})[row["name"]] = row["type"]
    expressions = {name: _hash(columns, types.get(name, {}), _ROW_SEED) for name, columns in tables.items() if columns}
    large = {name for name in expressions if is_large(snapshot, name)}
    small = [name for name in expressions if name not in large]
    groups = [*([name] for name in large), *(small[at : at + _TOGETHER] for at in range(0, len(small), _TOGETHER))]
    for group in groups:
        yield from _hashed_together(snapshot, group, expressions)


def _hashed_together(
    snapshot: Snapshot, group: Sequence[TableName], expressions: Mapping[TableName, str]
) -> Iterator[tuple[TableName, ServerHash]]:
    """Ask for a *group* of tables at once; one by one when that fails."""
    sums = [
        f"SELECT {number} AS number, count(*) AS rows, sum({expressions[name]}) AS hashes FROM ONLY {qualified(name)}"  # noqa: S608
        for number, name in enumerate(group)
    ]
    try:
        found = snapshot.ask_rows(group[0], " UNION ALL ".join(sums), settings=_PLANNING)
    except QueryFailed:
        for name in group if len(group) > 1 else ():
            yield from _hashed_together(snapshot, [name], expressions)
        return
    for row in found:
        name = group[row["number"]]
        yield name, ServerHash(row["rows"], int(row["hashes"] or 0), expressions[name])


def is_large(snapshot: Snapshot, name: TableName) -> bool:
    """Whether hashing pays for its queries. Raises QueryFailed."""
    return snapshot.sizes.get(name, 0) >= LARGE_BYTES


def types_hashed_apart(snapshot: Snapshot, name: TableName) -> Mapping[str, str]:
    """The columns of *name* that need not be hashed by what their type prints, with their types. Raises QueryFailed."""
    rows = snapshot.ask(query("row_hash_columns", snapshot.major), {"schema": name.schema, "table": name.name, "types": list(_FORMS)})
    return {row["name"]: row["type"] for row in rows}


def bucket_sums(
    snapshot: Snapshot, name: TableName, columns: Sequence[str], key: Sequence[str], *, buckets: int = BUCKETS, workers: bool = True
) -> Sums:
    """Count the rows of *name* and sum their hashes, by bucket of *key*. Raises RowsNotAvailable, QueryFailed."""
    types = types_hashed_apart(snapshot, name)
    bucket = _bucket(key or columns, types, buckets) if buckets > 1 else "0"
    sums = f"SELECT {bucket} AS bucket, count(*) AS rows, sum({_hash(columns, types, _ROW_SEED)}) AS hashes FROM ONLY {qualified(name)}"  # noqa: S608
    found = snapshot.ask_rows(name, f"{sums} GROUP BY 1" if buckets > 1 else sums, settings=_PLANNING | ({} if workers else _ONE_PROCESS))
    return {row["bucket"]: (row["rows"], row["hashes"]) for row in found if row["rows"]}


def rows_in_buckets(
    snapshot: Snapshot, name: TableName, columns: Sequence[str], key: Sequence[str], chosen: Iterable[int], *, buckets: int = BUCKETS
) -> Iterator[bytes]:
    """The rows of *name* in the *chosen* buckets, as `Snapshot.row_blocks` gives all of them."""
    bucket = _bucket(key or columns, types_hashed_apart(snapshot, name), buckets)
    numbers = ", ".join(map(str, sorted(chosen)))
    return snapshot.row_blocks(name, columns, where=f"{bucket} = ANY ('{{{numbers}}}'::bigint[])")


def _bucket(key: Sequence[str], types: Mapping[str, str], buckets: int) -> str:
    return f"({_hash(key, types, _KEY_SEED)} & {buckets - 1})"


def _hash(columns: Sequence[str], types: Mapping[str, str], seed: int) -> str:
    """The hash of a row: of the columns that are hashed as a record, then of each other one in turn, then of which of these are NULL.

    A record's hash is a sum of its columns' hashes, each times a constant: summed up over rows, values that change places between rows
    would not be seen. As a seed of what follows (no NULL, at least) it is mixed.
    """
    chained = [column for column in columns if types.get(column) in _CHAINED][:_MOST_CHAINED]
    found = _record_hash([column for column in columns if column not in chained], types, seed)
    for column in chained:
        found = _CHAINED[types[column]].format(c=quoted(column), seed=found)
    doubtful = [quoted(column) for column in chained if types[column] in _ANY_VALUE]
    for start in range(0, max(len(doubtful), 1), _BITS):
        bits = (f"CASE WHEN {column} IS NULL THEN {1 << bit} ELSE 0 END" for bit, column in enumerate(doubtful[start : start + _BITS]))
        found = f"pg_catalog.hashint4extended({' + '.join(bits) or '0'}, {found})"
    return found


def _record_hash(columns: Sequence[str], types: Mapping[str, str], seed: int) -> str:
    """The hash of *columns* as a record. Other types are hashed by what their output functions say, as for COPY; a cast may drop blanks."""
    parts = [_FORMS[types[c]].format(quoted(c)) for c in columns if c in types]
    if texts := [quoted(c) for c in columns if c not in types]:
        parts.append(_AS_TEXT.format(f"ROW({', '.join(texts)})"))
    return f"pg_catalog.hash_record_extended(ROW({', '.join(parts)}), {seed})" if parts else str(seed)
