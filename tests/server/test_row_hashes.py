"""What a server's hashes of rows tell apart."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.fingerprint import ServerHash
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.row_hashes import bucket_sums, server_hash, server_hashes, types_hashed_apart
from pgaudit_kit.server.snapshot import Snapshot, snapshot
from tests.server.live import LiveDatabase

T = TableName("public", "t")
BLIND = "CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"


def hashed(taken: Snapshot, name: TableName, columns: list[str]) -> ServerHash:
    found = server_hash(taken, name, columns)
    assert found
    return found


def test_text_of_a_collation_that_is_blind_to_case_is_hashed_by_its_bytes(server_15: EmbeddedServer) -> None:
    LiveDatabase(server_15, "postgres").run("DROP DATABASE IF EXISTS blind", "CREATE DATABASE blind TEMPLATE template0")
    database = LiveDatabase(server_15, "blind")
    database.run(BLIND, "CREATE TABLE t (v text COLLATE blind)", "INSERT INTO t VALUES ('a')")
    with database.snapshot() as before:
        database.run("UPDATE t SET v = 'A'")
        with database.snapshot() as after:
            assert bucket_sums(before, T, ["v"], [], buckets=1) != bucket_sums(after, T, ["v"], [], buckets=1)


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("int8", "1", "4294967296"),
        ("timestamp", "2000-01-01 00:00:00.000001", "2000-01-01 01:11:34.967296"),
        ("timestamptz", "2000-01-01 00:00:00.000001+00", "2000-01-01 01:11:34.967296+00"),
        ("time", "00:00:00.000001", "01:11:34.967296"),
        ("pg_lsn", "0/1", "1/0"),
        ("numeric", "5", "-5"),
        ("numeric", "NaN", "Infinity"),
    ],
)
def test_values_that_the_hash_function_of_their_type_takes_for_one_are_told_apart(
    database_18: LiveDatabase, kind: str, left: str, right: str
) -> None:
    """Of 64 bits hashint8extended takes the sum of both halves, and hash_numeric_extended neither sign nor kind of infinity."""
    database_18.run(f"CREATE TABLE t (v {kind})", f"INSERT INTO t VALUES ('{left}')")
    with database_18.snapshot() as before:
        assert types_hashed_apart(before, T) == {"v": kind}
        as_it_is = f"SELECT hash_record_extended(ROW('{left}'::{kind}), 0) = hash_record_extended(ROW('{right}'::{kind}), 0) AS same"
        assert before.ask(as_it_is)[0]["same"]
        database_18.run(f"UPDATE t SET v = '{right}'")
        with snapshot(database_18.url) as after:
            sums = [bucket_sums(taken, T, ["v"], [], buckets=1) for taken in (before, after)]
    assert [sums[0][0][0], sums[1][0][0]] == [1, 1]
    assert sums[0] != sums[1]


def test_values_that_changed_places_between_rows_are_told(database_18: LiveDatabase) -> None:
    """A record's hash adds up those of its columns, and sums of such hashes are blind to which row a value is in."""
    database_18.run("CREATE TABLE t (id int PRIMARY KEY, v text)", "INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 40) i")
    with database_18.snapshot() as before:
        sums = bucket_sums(before, T, ["id", "v"], ["id"], buckets=1)
        assert sums == bucket_sums(before, T, ["id", "v"], ["id"], buckets=1)
        for first in range(1, 40, 2):  # of sums that wrap around, every other one would be the same
            database_18.run(f"UPDATE t SET v = md5(({2 * first + 1} - id)::text) WHERE id IN ({first}, {first + 1})")
            with snapshot(database_18.url) as after:
                found = bucket_sums(after, T, ["id", "v"], ["id"], buckets=1)
            assert found != sums
            sums = found


WIDE = [f"c{i}" for i in range(150)]  # more than are chained


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        ("int2", "0"),
        ("int4", "0"),
        ("int8", "0"),
        ("bool", "false"),
        ("uuid", "00000000-0000-0000-0000-000000000000"),
        ("text", ""),
        ("varchar", ""),
        ("name", ""),
    ],
)
def test_null_is_not_the_value_that_is_hashed_in_its_place(database_18: LiveDatabase, kind: str, default: str) -> None:
    database_18.run(f"CREATE TABLE t (v {kind}, w {kind})", f"INSERT INTO t VALUES (NULL, '{default}')")
    seen = set()
    for change in ("v = v", f"v = '{default}'", "w = NULL", "v = NULL", f"w = '{default}'"):
        database_18.run(f"UPDATE t SET {change}")
        with snapshot(database_18.url) as taken:
            seen.add(bucket_sums(taken, T, ["v", "w"], [], buckets=1)[0])
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("kind", "in_its_place"),
    [("int4", "-1730815047"), ("int8", "0"), ("uuid", "e5d1c0b7-94a2-4f6b-8d3c-1f20a96b57ce"), ("text", "NULL 6f0d2b94")],
)
def test_null_is_told_from_the_very_value_that_stands_for_it(database_18: LiveDatabase, kind: str, in_its_place: str) -> None:
    database_18.run(f"CREATE TABLE t (v {kind}, w {kind})", f"INSERT INTO t VALUES (NULL, '{in_its_place}')")
    with database_18.snapshot() as before:
        database_18.run(f"UPDATE t SET v = '{in_its_place}'")
        with snapshot(database_18.url) as after:
            assert bucket_sums(before, T, ["v", "w"], [], buckets=1) != bucket_sums(after, T, ["v", "w"], [], buckets=1)


@pytest.mark.parametrize("between", [0, 29, 30])
def test_null_that_changed_places_with_what_stands_for_it_is_told(database_18: LiveDatabase, between: int) -> None:
    """In a row of two such columns, with others *between* them: as many of its columns are NULL as before."""
    stands_for_null = {"int4": "-1730815047", "int8": "0", "uuid": "e5d1c0b7-94a2-4f6b-8d3c-1f20a96b57ce", "text": "NULL 6f0d2b94"}
    others = [f"c{i}" for i in range(between)]
    columns = ", ".join(["v {0}", *(f"{name} int" for name in others), "w {1}"])
    seen = set()
    pairs = list(product(stands_for_null, repeat=2))
    for one, other in pairs:
        database_18.run("DROP TABLE IF EXISTS t", f"CREATE TABLE t ({columns.format(one, other)})")
        for change in (f"INSERT INTO t (v) VALUES ('{stands_for_null[one]}')", f"UPDATE t SET v = NULL, w = '{stands_for_null[other]}'"):
            database_18.run(change)
            with snapshot(database_18.url) as taken:
                expression = hashed(taken, T, ["v", "w"]).expression
                assert all(stands_for_null[kind] in expression for kind in (one, other))
                seen.add((one, other, bucket_sums(taken, T, ["v", *others, "w"], [], buckets=1)[0]))
    assert len(seen) == 2 * len(pairs)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("int4", "1", "2"),
        ("int8", "1", "4294967296"),
        ("bool", "true", "false"),
        ("timestamp", "1999-01-01 00:00:00.5", "infinity"),
        ("timestamptz", "-infinity", "infinity"),
        ("text", "a", "b"),
        ("numeric", "1", "1.0"),
        ("date", "1-1-1", "1-1-2"),
    ],
)
def test_values_that_changed_places_are_told_whatever_their_type(database_18: LiveDatabase, kind: str, one: str, other: str) -> None:
    """Between rows, and between columns of a row; also where nothing but them is hashed, each in its own way."""
    rows = [((one, one), (other, other)), ((one, other), (other, one)), ((one, one), (one, other)), ((one, one), (other, one))]
    seen = set()
    for first, second in rows:
        database_18.run("DROP TABLE IF EXISTS t", f"CREATE TABLE t (v {kind}, w {kind})")
        database_18.run(f"INSERT INTO t VALUES {first}, {second}")
        with snapshot(database_18.url) as taken:
            ((count, total),) = bucket_sums(taken, T, ["v", "w"], [], buckets=1).values()
            assert count == 2
            seen.add(total)
    assert len(seen) == len(rows)


# Neighbours where one way of hashing a type ends and another begins, and where float8 no longer tells whole numbers apart
_TIMES = (
    *(
        "1899-12-31 23:59:59.999999",
        "1900-01-01 00:00:00",
        "1900-01-01 00:00:00.000001",
        "2000-01-01 00:00:00",
        "2000-01-01 00:00:00.000001",
    ),
    *("2099-12-31 23:59:59.999998", "2099-12-31 23:59:59.999999", "2100-01-01 00:00:00", "2100-01-01 00:00:00.000001"),
    *("4713-11-24 00:00:00 BC", "294276-12-31 23:59:59.999998", "294276-12-31 23:59:59.999999", "infinity", "-infinity"),
)
_INT8 = (
    -(2**63),
    -(2**63) + 1,
    -(2**53) - 1,
    -(2**53),
    -(2**32),
    -1,
    0,
    1,
    2**32,
    2**53,
    2**53 + 1,
    2**60,
    2**60 + 2**32,
    2**63 - 2,
    2**63 - 1,
)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("timestamp", _TIMES),
        ("timestamptz", _TIMES),
        ("int8", _INT8),
        ("date", ("4713-11-24 BC", "1999-12-31", "2000-01-01", "2000-01-02", "5874897-12-31", "infinity", "-infinity")),
    ],
)
def test_neighbours_are_told_apart_and_servers_of_other_versions_say_the_same(
    database_18: LiveDatabase, server_of: Callable[[int], EmbeddedServer], kind: str, values: tuple[str | int, ...]
) -> None:
    """In two columns: no value may leave what it is hashed with as it was, or a row and its mirror image would be one."""
    pairs = list(product([None, *values], repeat=2))
    tables = {TableName("public", f"t{number}"): ["v", "w"] for number in range(len(pairs))}
    filled = ["NULL" if value is None else f"'{value}'" for pair in pairs for value in pair]
    statements = [
        f"CREATE TABLE t{number} (v {kind}, w {kind}); INSERT INTO t{number} VALUES ({filled[2 * number]}, {filled[2 * number + 1]})"
        for number in range(len(pairs))
    ]
    old = LiveDatabase(server_of(14), "neighbours")
    LiveDatabase(old.server, "postgres").run("DROP DATABASE IF EXISTS neighbours", "CREATE DATABASE neighbours TEMPLATE template0")
    hashes = []
    for database in (database_18, old):
        database.run("SET TimeZone = 'UTC'", *statements)
        with database.snapshot() as taken:
            hashes.append(dict(server_hashes(taken, tables)))
    assert len({found.total for found in hashes[0].values()}) == len(pairs)
    assert hashes[0] == hashes[1]


def test_each_column_of_many_is_hashed(database_18: LiveDatabase) -> None:
    database_18.run(f"CREATE TABLE t ({', '.join(f'{name} int DEFAULT 0' for name in WIDE)})", "INSERT INTO t DEFAULT VALUES")
    seen = set()
    for name in WIDE:
        for value in ("NULL", "1", "0"):
            database_18.run(f"UPDATE t SET {name} = {value}")
            with snapshot(database_18.url) as taken:
                seen.add(bucket_sums(taken, T, WIDE, [], buckets=1)[0])
    assert len(seen) == 2 * len(WIDE) + 1


def test_the_widest_table_is_hashed(database_18: LiveDatabase) -> None:
    names = [f"c{i}" for i in range(1600)]
    database_18.run(f"CREATE TABLE t ({', '.join(f'{name} bool' for name in names)})", "INSERT INTO t DEFAULT VALUES")
    with snapshot(database_18.url) as taken:
        assert bucket_sums(taken, T, names, names, buckets=4)


# Where one value ends and the next begins, what is NULL and what only looks like it
ROWS = [
    *["'a', '', NULL, NULL", "'', 'a', NULL, NULL", "'a', NULL, NULL, NULL", "NULL, 'a', NULL, NULL", "'', '', NULL, NULL"],
    *["'ab', 'c', NULL, NULL", "'a', 'bc', NULL, NULL", "'abc', '', NULL, NULL", "'abc', NULL, NULL, NULL", "NULL, NULL, NULL, NULL"],
    *[r"'\N', NULL, NULL, NULL", r"NULL, '\N', NULL, NULL", r"'\N', '\N', NULL, NULL", r"'\\N', '', NULL, NULL", r"E'\t', '', NULL, NULL"],
    *["'', '', '{}', NULL", "'', '', '{NULL}', NULL", "'', '', '{\"\"}', NULL", "'', '', '{\"NULL\"}', NULL", "'', '', '{{a},{b}}', NULL"],
    *[
        "'', '', '{a,b}', NULL",
        "'', '', '{\"a,b\"}', NULL",
        "'', '', '[0:1]={a,b}', NULL",
        "'', '', NULL, '(,)'",
        "'', '', NULL, '(,\"\")'",
    ],
    *["'', '', NULL, '(\"\",)'", "'', '', NULL, '(a,)'", "'', '', NULL, '(,a)'", "'', '', '{}', '(,)'", "'', '', '{a}', '(,)'"],
]


def test_rows_that_only_look_alike_have_hashes_of_their_own(database_18: LiveDatabase) -> None:
    database_18.run("CREATE TYPE pair AS (a text, b text)")
    columns = ["v", "w", "x", "y"]
    for number, row in enumerate(ROWS):
        database_18.run(f"CREATE TABLE t{number} (v text, w text, x text[], y pair); INSERT INTO t{number} VALUES ({row})")
    with database_18.snapshot() as taken:
        hashes = dict(server_hashes(taken, {TableName("public", f"t{number}"): columns for number in range(len(ROWS))}))
    assert len({found.total for found in hashes.values()}) == len(ROWS)
    assert len({found.expression for found in hashes.values()}) == 1


def test_hashes_over_other_columns_or_in_another_way_are_never_equal(database_18: LiveDatabase) -> None:
    """The expression is part of a hash: what an earlier version, or a table of other columns, recorded proves nothing."""
    database_18.run("CREATE TABLE t (v text, w text, n int, d numeric, a int[]); INSERT INTO t VALUES ('a', 'a', 1, 1, '{1}')")
    database_18.run("CREATE TABLE u (v text, n bigint, d text); INSERT INTO u VALUES ('a', 1, '1')")
    chosen = [["v"], ["w"], ["v", "w"], ["w", "v"], ["n"], ["n", "v"], ["d"], ["d", "a"], ["a", "n"]]
    with database_18.snapshot() as taken:
        found = [hashed(taken, T, columns) for columns in chosen]
        found += [hashed(taken, TableName("public", "u"), columns) for columns in (["n"], ["d"], ["n", "v"])]
        assert hashed(taken, T, ["v"]) == found[0]
    assert len(set(found)) == len(found)
    assert replace(found[0], expression=f"md5({found[0].expression})") != found[0]


@pytest.mark.parametrize("kind", ["numeric", "json", "jsonb"])
def test_a_cast_to_text_that_somebody_made_hides_nothing(database_18: LiveDatabase, kind: str) -> None:
    database_18.run(
        f"CREATE FUNCTION shown({kind}) RETURNS text LANGUAGE sql AS $$ SELECT 'a value' $$",
        f"CREATE CAST ({kind} AS text) WITH FUNCTION shown({kind}) AS IMPLICIT",
    )
    wide = ["v", *(f"c{i}" for i in range(70))]  # the last ones are not chained
    database_18.run(f"CREATE TABLE t ({', '.join(f'{name} {kind}' for name in wide)})", "INSERT INTO t (v, c69) VALUES ('1', '1')")
    seen = set()
    for change in ("v = v", "v = '2'", "c69 = '2'"):
        database_18.run(f"UPDATE t SET {change}")
        with snapshot(database_18.url) as taken:
            seen.add(bucket_sums(taken, T, wide, [], buckets=1)[0])
    assert len(seen) == 3


def _read_by_io_workers(url: str) -> int:
    """How many bytes the I/O workers of that server have read for others so far."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'io worker'").fetchall()
    assert found
    return sum(int(Path(f"/proc/{pid}/io").read_text("ascii").split()[1]) for (pid,) in found)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what a process has read is told by /proc")
@pytest.mark.parametrize("way", ["whole tables", "buckets"])
def test_who_hashes_reads_the_pages_too(database_18: LiveDatabase, way: str) -> None:
    """The few I/O workers of 18 take longer. Of a table made by CREATE TABLE AS only the last 16 MB are left in shared buffers."""
    filled = "WITH (autovacuum_enabled = false) AS SELECT i AS id, repeat('x', 1000) AS v FROM generate_series(1, 30000) i"
    database_18.run(f"CREATE TABLE u {filled}", f"CREATE TABLE t {filled}")
    with database_18.snapshot() as taken:
        before = _read_by_io_workers(database_18.url)
        taken.ask("SELECT count(*) FROM public.u")
        counted = _read_by_io_workers(database_18.url)
        if way == "buckets":
            assert bucket_sums(taken, T, ["id", "v"], ["id"])
        else:
            assert [found.rows for _, found in server_hashes(taken, {T: ["id", "v"]})] == [30000]
        hashed = _read_by_io_workers(database_18.url)
    assert counted - before > 8 << 20, "so it is seen when they read"
    assert hashed - counted < 1 << 20
