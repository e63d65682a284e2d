"""Rows of live databases: counted, hashed, and compared with a dump and with another database, against pg_dump and reladiff."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from benchmarks.data import TABLES, Data
from benchmarks.job import Job, Peer
from benchmarks.measuring import Measured, inside, outside

MOST_MEMORY = 300_000_000
IMPORTS = """
import numpy, psycopg
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.server.row_hashes import bucket_sums
from pgaudit_kit.server.shared_work import count_together
from pgaudit_kit.server.snapshot import snapshot
"""
COPIED = """
with snapshot({url!r}) as live:
    count_together(live, live.table_data)
    assert sum(live.fingerprint(name).rows for name in live.table_data) == {rows}
"""
HASHED = """
with snapshot({url!r}) as live:
    sums = [bucket_sums(live, name, data.columns, (), buckets=1) for name, data in live.table_data.items()]
    assert sum(rows for found in sums for rows, _ in found.values()) == {rows}
"""
AGAINST_DUMP = """
dump = read_dump({dump!r})
with snapshot({url!r}) as live:
    found = Difference(dump, live, data_only=True)
    assert sum(found.row_result(t.name).counts.changed for t in found.all_tables) == {changed}
"""
AGAINST_LIVE = """
with snapshot({left!r}) as left, snapshot({right!r}) as right:
    found = Difference(left, right, data_only=True)
    assert sum(found.row_result(t.name).counts.changed for t in found.all_tables) == {changed}
"""
SMALL = """
left = {left}({source!r})
with snapshot({url!r}) as right:
    found = Difference(left, right, data_only=True)
    assert len(found.all_tables) == 1000 and found.verdict == "same"
"""
# reladiff, as a library and with a connection to each database; it gives each changed row twice, removed and added
RELADIFF = """
from reladiff import connect_to_table, diff_tables
found = 0
for table, columns in {tables!r}.items():
    sides = [connect_to_table(where, table, 'id', extra_columns=columns) for where in {where!r}]
    found += sum(1 for _ in diff_tables(*sides, extra_columns=columns, skip_sort_results=True))
assert found == 2 * {changed}
"""
ONE_IN = 10_000  # rows of which one is changed
TEXT_KEYS = (
    "ALTER TABLE {table} DROP CONSTRAINT {table}_pkey; ALTER TABLE {table} ALTER id TYPE text; ALTER TABLE {table} ADD PRIMARY KEY (id)"
)
CHANGES = {"users": "name", "messages": "subject", "events": "kind", "documents": "title"}


def row_jobs(data: Data) -> Iterator[Job]:
    """The jobs; their databases are made when they are first run."""
    live = _Databases(data)

    def pg_dump(bound: float) -> Peer:
        return Peer("pg_dump --data-only > /dev/null", bound, live.pg_dump)

    yield _job("live rows counted and fingerprinted: COPY, 2 connections", live.copied, pg_dump(1.0))
    yield _job("live rows counted and hashed: by the server", live.hashed, pg_dump(0.3))
    yield _job("rows that differ, dump ↔ live, 0.01 % changed", live.against_dump, pg_dump(2.0))
    yield _job("rows that differ, live ↔ live, 0.01 % changed", live.against_live, Peer("reladiff", 1 / 3, live.reladiff))
    yield _job("rows that differ, live ↔ live, 0.01 % changed, text keys", live.text_keys, pg_dump(2.0))
    yield replace(_job("1,000 small tables, dump ↔ live", live.small_against_dump), bound=10.0)
    yield replace(_job("1,000 small tables, live ↔ live", live.small_against_live), bound=10.0)


def _job(name: str, ours: Callable[[], Measured], *peers: Peer) -> Job:
    return Job(name, ours, peers=peers, most=MOST_MEMORY)


class _Databases:
    """The generated database, copies of it with changed rows, and a dump."""

    def __init__(self, data: Data) -> None:
        self._data = data

    @cached_property
    def _changed(self) -> int:
        """How many rows of the second database are changed."""
        return sum(_execute(self.second, f"SELECT count(*) FROM {table} WHERE id % {ONE_IN} = 77") for table in TABLES)  # noqa: S608

    @cached_property
    def first(self) -> str:
        """URL of the database."""
        return self._data.url("rows")

    @cached_property
    def second(self) -> str:
        """URL of a copy with one row in 10,000 changed."""
        url = self._data.copy("rows", "changed")
        for table, column in CHANGES.items():
            _execute(url, f"UPDATE {table} SET {column} = 'changed' WHERE id % {ONE_IN} = 77")  # noqa: S608
        return url

    @cached_property
    def _text_keys(self) -> tuple[str, str]:
        made = {"rows": self.first, "changed": self.second}  # what is copied
        first, second = (self._data.copy(name, f"text_keys_of_{name}") for name in made)
        for url in (first, second):
            for table in TABLES:
                _execute(url, TEXT_KEYS.format(table=table))
        return first, second

    def pg_dump(self) -> float:
        return outside([self._data.program("pg_dump"), "--data-only", "-d", self.first])

    def copied(self) -> Measured:
        return inside(IMPORTS, COPIED.format(url=self.first, rows=self._data.total_rows))

    def hashed(self) -> Measured:
        return inside(IMPORTS, HASHED.format(url=self.first, rows=self._data.total_rows))

    def against_dump(self) -> Measured:
        return inside(IMPORTS, AGAINST_DUMP.format(dump=str(self._data.plain), url=self.second, changed=self._changed))

    def against_live(self) -> Measured:
        return inside(IMPORTS, AGAINST_LIVE.format(left=self.first, right=self.second, changed=self._changed))

    def text_keys(self) -> Measured:
        left, right = self._text_keys
        return inside(IMPORTS, AGAINST_LIVE.format(left=left, right=right, changed=self._changed))

    def reladiff(self) -> float | None:
        if not importlib.util.find_spec("reladiff"):
            return None
        where = [_for_reladiff(url) for url in (self.first, self.second)]
        columns = {table: tuple(_columns(self.first, table)) for table in TABLES}
        return inside("import reladiff", RELADIFF.format(tables=columns, where=where, changed=self._changed)).seconds

    @cached_property
    def _small_dump(self) -> Path:
        return self._data.small

    def small_against_dump(self) -> Measured:
        return inside(IMPORTS, SMALL.format(left="read_dump", source=str(self._small_dump), url=self._data.url("tables")))

    def small_against_live(self) -> Measured:
        return inside(IMPORTS, SMALL.format(left="snapshot", source=self._data.url("tables"), url=self._data.url("tables")))


def _execute(url: str, sql: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return int(cursor.fetchall()[0][0]) if cursor.description else 0


def _columns(url: str, table: str) -> list[str]:
    """All but the key, and but bytea and json, which reladiff does not compare."""
    sql = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 1 AND NOT atttypid = ANY ('{bytea,json}'::regtype[])"
    with psycopg.connect(url) as connection:
        return [name for (name,) in connection.execute(sql, [table]).fetchall()]


def _for_reladiff(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    return {
        "driver": "postgresql",
        "host": parse_qs(parts.query)["host"][0],
        "user": parts.username or "",
        "password": "",
        "database": parts.path[1:],
    }
