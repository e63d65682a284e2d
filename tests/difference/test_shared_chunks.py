"""Two incremental backups are compared by what they do not share: the same result, and only those chunks are read."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

import pgaudit_kit as pk
from pgaudit_kit.difference.rows import differing_rows
from pgaudit_kit.difference.tables import columns_and_key, compare_rows
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.incremental.incremental import IncrementalReader
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.table_data import TableName
from tests.dumps.incremental.making import StoreOfBackups

MANY, BAG, WIDE = TableName("public", "many"), TableName("public", "bag"), TableName("public", "wide")
SCHEMA = """
    CREATE TABLE many (id integer PRIMARY KEY, t text);
    INSERT INTO many SELECT n, md5(n::text) || repeat('x', n % 40) FROM generate_series(1, 60000) AS n;
    CREATE TABLE bag (a text);
    INSERT INTO bag SELECT repeat('the same row', 20) FROM generate_series(1, 5000);
    CREATE TABLE wide (id integer PRIMARY KEY, t text);
    INSERT INTO wide SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 3000) AS n;
"""
CHANGES = """
    UPDATE many SET t = t || '!' WHERE id = 31000;
    DELETE FROM many WHERE id = 100;
    INSERT INTO many VALUES (100000, 'new');
    INSERT INTO bag VALUES (repeat('the same row', 20)), ('another');
    ALTER TABLE wide ADD COLUMN more integer;
    UPDATE wide SET more = 1, t = 'changed' WHERE id = 7;
"""


class Pair:
    """A database before and after changes, as incremental backups and as ordinary dumps."""

    def __init__(self, url: str, server: EmbeddedServer, folder: Path) -> None:
        store = StoreOfBackups(folder, server.bin_folder / "pg_dump")
        self.paths: dict[str, Path] = {}
        for name, sql in (("before", SCHEMA), ("after", CHANGES)):
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(sql)
            self.paths[f"{name}.inc"] = store.backup(url, name)
            self.paths[f"{name}.dump"] = folder / f"{name}.dump"
            subprocess.run([store.pg_dump, "-Fc", "-f", self.paths[f"{name}.dump"], "-d", url], check=True)
        self.paths["again.inc"] = store.backup(url, "again")

    def open(self, name: str) -> Dump:
        return read_dump(self.paths[name])


@pytest.fixture
def pair(server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path) -> Pair:
    return Pair(make_database(), server, tmp_path)


def reader(dump: Dump) -> IncrementalReader:
    found = dump.archive
    assert isinstance(found, IncrementalReader)
    return found


def test_the_result_is_that_of_ordinary_dumps(pair: Pair) -> None:
    chunked = list(compare_rows(pair.open("before.inc"), pair.open("after.inc")))
    plain = list(compare_rows(pair.open("before.dump"), pair.open("after.dump")))
    mixed = list(compare_rows(pair.open("before.inc"), pair.open("after.dump")))
    assert chunked == plain == mixed
    counts = {table.name: (table.status, rows.counts.missing, rows.counts.extra, rows.counts.changed) for table, rows in chunked}
    assert counts == {MANY: ("different", 1, 1, 1), BAG: ("different", 0, 2, 0), WIDE: ("different", 0, 0, 1)}
    assert [(t.rows_left, t.rows_right) for t, _ in chunked if t.name == MANY] == [(60000, 60000)]


def test_every_row_that_differs_is_found(pair: Pair) -> None:
    for name in (MANY, BAG, WIDE):
        found = []
        for form in ("inc", "dump"):
            sides = pair.open(f"before.{form}"), pair.open(f"after.{form}")
            columns, key = columns_and_key(*sides, name)
            found.append(sorted(differing_rows(*sides, name, columns, key), key=repr))
        assert found[0] == found[1] != []


def test_only_chunks_that_differ_are_read(pair: Pair) -> None:
    before, after = pair.open("before.inc"), pair.open("after.inc")
    assert pk.diff(before, after).verdict == "different"
    results = {table.name: rows for table, rows in compare_rows(before, after)}
    assert results[MANY].counts.changed == 1
    all_chunks = [{c.digest for c in reader(side).chunks_of(MANY)} for side in (before, after)]
    fresh = [pair.open("before.inc"), pair.open("after.inc")]
    columns, key = columns_and_key(fresh[0], fresh[1], MANY)
    assert len(list(differing_rows(fresh[0], fresh[1], MANY, columns, key))) == 3
    rows_alone = [all_chunks[0] - all_chunks[1], all_chunks[1] - all_chunks[0]]
    lists = [len(reader(side).chunk_lists(MANY).nodes) for side in fresh]  # type: ignore[union-attr]  # it lies in chunks
    for number, side in enumerate(fresh):
        assert 0 < len(rows_alone[number]) < 20 < len(all_chunks[number])
        assert reader(side).chunks.chunks_read == len(rows_alone[number]) + lists[number]


def test_of_two_equal_backups_nothing_is_read(pair: Pair) -> None:
    after, again = pair.open("after.inc"), pair.open("again.inc")
    difference = pk.diff(after, again)
    assert difference.verdict == "same"
    assert [table.status for table, _ in compare_rows(after, again)] == ["same"] * 3
    assert [reader(side).chunks.chunks_read for side in (after, again)] == [0, 0]


def test_a_damaged_chunk_that_differs_is_told_and_one_that_is_shared_does_not_matter(pair: Pair) -> None:
    newest = max(pair.paths["after.inc"].parent.glob("packs/*.pack"), key=lambda path: path.stat().st_mtime_ns)
    newest.unlink()
    table, rows = next(found for found in compare_rows(pair.open("before.inc"), pair.open("after.inc")) if found[0].name == MANY)
    assert table.status == "not_checked"
    assert "is in no pack" in rows.why_not
    sides = pair.open("before.inc"), pair.open("after.inc")
    with pytest.raises(DamagedDump):
        list(differing_rows(*sides, MANY, ("id", "t"), None))
