"""A table that is partitioned on one side only is compared row by row, with all of its partitions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.difference.dumping import pg_dump
from tests.difference.test_rescue import run

PLAIN = """
CREATE TABLE t (id int, at timestamptz, v text, twice int GENERATED ALWAYS AS (id * 2) STORED, PRIMARY KEY (id, at));
INSERT INTO t SELECT i, timestamptz '2024-01-01 UTC' + i * interval '1 day', 'row ' || i FROM generate_series(1, 500) i;
CREATE TABLE other (id int); INSERT INTO other VALUES (1);
"""
PARTED = """
CREATE TABLE t (v text, id int, at timestamptz, twice int GENERATED ALWAYS AS (id * 2) STORED, PRIMARY KEY (id, at))
PARTITION BY RANGE (id);
CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (100);
CREATE TABLE high PARTITION OF t FOR VALUES FROM (100) TO (9999) PARTITION BY LIST (id);
CREATE TABLE high_rest PARTITION OF high DEFAULT;
INSERT INTO t SELECT 'row ' || i, i, timestamptz '2024-01-01 UTC' + i * interval '1 day' FROM generate_series(1, 500) i;
CREATE TABLE other (id int); INSERT INTO other VALUES (1);
"""


def test_a_pattern_that_leaves_the_partitions_of_its_table_out_is_no_proof_of_its_rows(make_database: Callable[..., str]) -> None:
    """As with pg_dump -t, a partitioned table comes without its partitions, in which all of its rows are."""
    url = make_database()
    run(url, PARTED)
    for include, exclude, schema_only, verdict in (
        (["t"], [], False, "not_checked"),
        (["t", "low", "high"], [], False, "not_checked"),
        (["t", "low", "high*"], [], False, "same"),
        (["t", "low"], ["high*"], False, "same"),
        (["t"], [], True, "same"),
        (["other"], [], False, "same"),
        ([], ["low"], False, "same"),
    ):
        with diff(url, url, include=include, exclude=exclude, schema_only=schema_only) as found:
            assert found.verdict == verdict, (include, exclude)
            doubts = [s.what for s in found.skipped if "partitions" in s.what]
            assert ("rows in partitions of public.t" in doubts) is (verdict == "not_checked")


@pytest.fixture
def sides(server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path) -> tuple[Path, str, str]:
    """A dump of the plain table, its database, and one with partitions."""
    plain, parted = make_database(), make_database()
    run(plain, PLAIN)
    run(parted, PARTED)
    run(plain, "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET TimeZone = ''Asia/Tokyo'''; END $$")
    return pg_dump(server, plain, tmp_path / "plain.sql"), plain, parted


def test_the_rows_of_all_partitions_are_those_of_the_table(sides: tuple[Path, str, str]) -> None:
    dump, plain, parted = sides
    for left, right in ((dump, parted), (plain, parted), (parted, plain), (parted, dump)):
        with diff(left, right, data_only=True) as found:
            assert {(t.name.name, t.status, t.rows_left, t.rows_right) for t in found.all_tables} == {
                ("t", "same", 500, 500),
                ("other", "same", 1, 1),
            }
            assert found.verdict == "same"


def test_rows_that_differ_are_told_and_nothing_else(sides: tuple[Path, str, str]) -> None:
    dump, plain, parted = sides
    run(parted, "DELETE FROM t WHERE id = 7; UPDATE t SET v = 'x' WHERE id = 300; INSERT INTO t VALUES ('new', 8000, '2025-01-01')")
    for left in (dump, plain):
        with diff(left, parted, include=["t"]) as found:
            listed = {(row.status, row.key["id"]) for row in found.row_result("t").listed}
            assert listed == {("only_left", "7"), ("changed", "300"), ("only_right", "8000")}
            assert found.summary["schema"].tolist() == ["public"]


def test_where_a_partition_holds_no_rows_here_or_belongs_to_both_sides_it_is_not_checked(sides: tuple[Path, str, str]) -> None:
    dump, _, parted = sides
    run(
        parted,
        """CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
        ALTER TABLE t DROP CONSTRAINT t_pkey; CREATE FOREIGN TABLE far PARTITION OF t FOR VALUES FROM (10000) TO (20000) SERVER s""",
    )
    with diff(dump, parted, data_only=True) as found:
        assert {t.name.name: t.status for t in found.all_tables}["t"] == "not_checked"
        assert found.verdict != "same"


def test_a_partitioned_table_without_partitions_has_lost_all_rows(sides: tuple[Path, str, str]) -> None:
    dump, _, parted = sides
    run(parted, "DROP TABLE low, high")
    with diff(dump, parted, data_only=True) as found:
        assert found.row_result("t").counts.missing == 500
