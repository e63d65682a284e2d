"""Two live databases whose servers hash their rows: what prints otherwise is not missed, and hashes alone make nothing different."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.difference import server_hashes
from pgaudit_kit.errors import QueryFailed
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server import row_hashes
from pgaudit_kit.server.row_hashes import Sums, bucket_sums
from pgaudit_kit.server.snapshot import Snapshot, snapshot

T = TableName("public", "t")
TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'fine');
CREATE TYPE pair AS (a numeric, b text);
CREATE DOMAIN amount AS numeric;
"""
# a type, a value, and one that is equal to it for the server and prints otherwise
EQUAL_BUT_NOT_THE_SAME = (
    ("numeric", "1.0", "1.00"),
    ("amount", "1.0", "1.00"),
    ("pair", "(1.0,x)", "(1.00,x)"),
    ("numeric[]", "{1.0}", "{1.00}"),
    ("integer[]", "{1,2}", "[0:1]={1,2}"),
    ("integer[]", "{1,2}", "{{1,2}}"),
    ("interval", "1 day", "24:00:00"),
    ("float8", "0", "-0"),
    ("float4", "0", "-0"),
    ("jsonb", '{"a": 1.0}', '{"a": 1.00}'),
    ("bpchar", "a", "a  "),
    ("numrange", "[1.0,2)", "[1.00,2)"),
    ("timetz", "12:00:00+00", "13:00:00+01"),
    ("mood", "sad", "fine"),
    ("json", '{"a":1}', '{"a": 1}'),
    ("point", "(0,0)", "(0,-0)"),
    ("tsvector", "a:1", "a:1A"),
    ("money", "1.00", "1.01"),
    ("text", "a", "A"),
    ("bytea", r"\x00", r"\x0000"),
    ("timestamptz", "infinity", "-infinity"),
)


@pytest.fixture(autouse=True)
def _every_table_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_hashes, "LARGE_BYTES", 0)


def _run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _fill(url: str) -> None:
    _run(url, "CREATE TABLE t (id int PRIMARY KEY, n numeric, s text)")
    _run(url, "INSERT INTO t SELECT i, i / 7.0, md5(i::text) FROM generate_series(1, 3000) i")


@pytest.fixture
def two(make_database: Callable[..., str]) -> tuple[str, str]:
    """Two databases with the same table of 3,000 rows."""
    urls = make_database(), make_database()
    for url in urls:
        _fill(url)
    return urls


def test_values_that_the_server_takes_for_equal_are_different_when_they_print_otherwise(make_database: Callable[..., str]) -> None:
    urls = make_database(), make_database()
    tables = [f"CREATE TABLE t{i} (id int PRIMARY KEY, v {kind})" for i, (kind, _, _) in enumerate(EQUAL_BUT_NOT_THE_SAME)]
    for number, url in enumerate(urls):
        values = [f"INSERT INTO t{i} VALUES (1, NULL), (2, '{both[number]}')" for i, (_, *both) in enumerate(EQUAL_BUT_NOT_THE_SAME)]
        _run(url, TYPES, *tables, *values)
    with diff(*urls) as difference:
        for i, (kind, left, right) in enumerate(EQUAL_BUT_NOT_THE_SAME):
            assert difference.row_result(f"t{i}").counts.changed == 1, (kind, left, right)
    with diff(urls[0], urls[0]) as same:
        assert same.verdict == "same"
        assert {t.method for t in same.all_tables} == {"server hashes"}


def test_only_rows_of_buckets_that_differ_are_fetched(two: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    _run(two[1], "DELETE FROM t WHERE id = 5; UPDATE t SET n = 0 WHERE id = 6; INSERT INTO t VALUES (9999, 1, 'x')")
    asked: list[str | None] = []
    row_blocks = Snapshot.row_blocks

    def watched(self: Snapshot, name: TableName, columns: tuple[str, ...], *, where: str | None = None) -> object:
        asked.append(where)
        return row_blocks(self, name, columns, where=where)

    monkeypatch.setattr(Snapshot, "row_blocks", watched)
    with diff(*two) as difference:
        (table,) = difference.all_tables
        assert (table.status, table.rows_left, table.rows_right, table.method) == ("different", 3000, 3000, "server hashes")
        rows = {(r.status, r.key["id"]) for r in difference.row_result("t").listed}
    assert rows == {("only_left", "5"), ("changed", "6"), ("only_right", "9999")}
    assert len(asked) == 2
    assert all(where and where.count(",") <= 12 for where in asked)


def test_a_table_without_a_key_is_compared_as_a_multiset(two: tuple[str, str]) -> None:
    for url in two:
        _run(url, "ALTER TABLE t DROP CONSTRAINT t_pkey; INSERT INTO t SELECT * FROM t WHERE id < 10")
    _run(two[1], "DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t WHERE id = 3)", "INSERT INTO t SELECT * FROM t WHERE id = 100")
    with diff(*two) as difference:
        found = difference.row_result("t")
        assert [(r.status, r.key["id"]) for r in found.listed] == [("only_left", "3"), ("only_right", "100")]
        assert (found.counts.missing, found.counts.extra, found.counts.changed) == (1, 1, 0)


def test_when_many_rows_differ_all_are_fetched(two: tuple[str, str]) -> None:
    _run(two[1], "UPDATE t SET s = ''")
    with diff(*two) as difference:
        assert difference.row_result("t").counts.changed == 3000
        assert difference.all_tables[0].method == "rows"


def test_a_server_that_hashes_otherwise_makes_nothing_different(two: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def otherwise(source: Snapshot, *asked: Any) -> Sums:
        return {bucket: (rows, hashes + id(source)) for bucket, (rows, hashes) in bucket_sums(source, *asked).items()}

    monkeypatch.setattr(server_hashes, "bucket_sums", otherwise)
    with diff(*two) as difference:
        assert difference.verdict == "same"
        assert difference.all_tables[0].method == "rows"


@pytest.mark.parametrize("kinds", [("timestamp", "timestamptz"), ("date", "timestamp"), ("text", "name")])
def test_a_column_of_another_type_is_compared_by_what_it_prints(make_database: Callable[..., str], kinds: tuple[str, str]) -> None:
    urls = make_database(), make_database()
    for url, kind in zip(urls, kinds, strict=True):
        _run(url, f"CREATE TABLE t (id int PRIMARY KEY, v {kind}); INSERT INTO t VALUES (1, '2024-01-01')")
    with diff(*urls) as difference:
        (table,) = difference.all_tables
        assert table.method == "rows"
        assert table.status == ("same" if kinds == ("text", "name") else "different")


def test_servers_before_14_send_their_rows(server_of: Callable[[int], EmbeddedServer], two: tuple[str, str]) -> None:
    old = server_of(13)
    _run(old.url(), "DROP DATABASE IF EXISTS hashes", "CREATE DATABASE hashes TEMPLATE template0")
    _fill(old.url("hashes"))
    with diff(old.url("hashes"), two[0], data_only=True) as difference:
        assert difference.verdict == "same"
        assert difference.all_tables[0].method == "rows"


def test_when_one_server_fails_the_other_is_stopped(two: tuple[str, str]) -> None:
    def ask(side: Snapshot) -> object:
        return side.ask("SELECT pg_sleep(60)" if side is left else "SELECT 1 / 0")

    with snapshot(two[0]) as left, snapshot(two[1]) as right:
        with pytest.raises(QueryFailed, match="division by zero"):
            server_hashes.on_both(left, right, ask)
        assert left.ask("SELECT 1 AS one") == [{"one": 1}]


def test_a_server_that_refuses_to_hash_sends_its_rows(two: tuple[str, str]) -> None:
    """A role may read all rows and yet not call every function of the server."""
    _run(two[1], "UPDATE t SET n = 0 WHERE id = 6", "CREATE ROLE reader LOGIN IN ROLE pg_read_all_data")
    _run(two[1], "REVOKE EXECUTE ON FUNCTION pg_catalog.hashtextextended(text, bigint) FROM PUBLIC")
    try:
        for urls in (two, two[::-1]):
            with diff(*(url.replace("://postgres@", "://reader@") for url in urls), data_only=True) as difference:
                (table,) = difference.all_tables
                assert (table.status, table.method) == ("different", "rows")
                assert difference.row_result("t").counts.changed == 1
    finally:
        _run(two[1], "DROP ROLE reader")


def test_a_server_that_is_gone_is_told_as_such(two: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(side: Snapshot, *_: object) -> object:
        return side.ask("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(server_hashes, "bucket_sums", ended)
    with diff(*two, data_only=True) as difference:
        (table,) = difference.all_tables
        assert table.status == "not_checked"
        assert "terminating connection" in table.reason


def test_a_limit_lists_fewer_rows_and_counts_all(two: tuple[str, str]) -> None:
    _run(two[1], "DELETE FROM t WHERE id % 500 = 0")
    with diff(*two, limit=2) as difference:
        found = difference.row_result("t")
        assert (found.counts.missing, len(found.listed)) == (6, 2)
        assert len(difference.to_dict(rows=True)["rows"]["public.t"]) == 2


def test_a_bar_of_the_rows_read_is_shown_where_it_is_wanted(
    two: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pgaudit_kit.display.progress._SECONDS_OF_PATIENCE", 0)
    monkeypatch.setattr(row_hashes, "LARGE_BYTES", 1 << 40)
    for wanted in (None, True):
        with diff(*two, progress=wanted) as difference:
            assert difference.verdict == "same"
        assert ("comparing rows" in capsys.readouterr().err) == bool(wanted)
