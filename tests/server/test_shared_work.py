"""Two connections that count the tables of one snapshot: the same fingerprints as one by one, whatever becomes of the second one."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from pgaudit_kit.errors import CannotConnect, QueryFailed
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows import worker_processes
from pgaudit_kit.server import shared_work
from pgaudit_kit.server.shared_work import count_together
from pgaudit_kit.server.snapshot import Snapshot, View, snapshot
from tests.server.live import LiveDatabase

LARGE, WIDE, NO_COLUMNS, EMPTY = (TableName("public", name) for name in ("large", "wide", "no_columns", "empty"))
TABLES = """
CREATE TABLE large (id int, v text);
INSERT INTO large SELECT i, repeat('x', i % 300) FROM generate_series(1, 30000) i;
DELETE FROM large WHERE id % 1000 < 400;
CREATE TABLE wide (id int, v text);
ALTER TABLE wide ALTER v SET STORAGE EXTERNAL;
INSERT INTO wide SELECT i, repeat('y', 9000) FROM generate_series(1, 300) i;
CREATE TABLE no_columns ();
INSERT INTO no_columns SELECT FROM generate_series(1, 3000);
CREATE TABLE empty (id int);
"""

_OTHERS = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""


def assert_the_only_connection(database: LiveDatabase) -> None:
    """One is left within two minutes: a server's process ends a moment after its client is gone."""
    deadline = time.monotonic() + 120
    with psycopg.connect(database.url, autocommit=True) as looking:
        while looking.execute(_OTHERS).fetchall() != [(1,)]:
            assert time.monotonic() < deadline, looking.execute("TABLE pg_stat_activity").fetchall()
            time.sleep(0.02)


@pytest.fixture
def filled(database: LiveDatabase, monkeypatch: pytest.MonkeyPatch) -> LiveDatabase:
    database.run(TABLES)
    monkeypatch.setattr(shared_work, "_WORTH_IT_BYTES", 1)
    monkeypatch.setattr(shared_work, "_PART_BYTES", 1 << 16)
    return database


def one_by_one(database: LiveDatabase) -> dict[TableName, tuple[Fingerprint, int | None]]:
    with database.snapshot() as taken:
        return {name: (taken.fingerprint(name), taken.table_data[name].size_bytes) for name in taken.table_data}


def known(taken: Snapshot) -> dict[TableName, tuple[Fingerprint | None, int | None]]:
    return {name: (data.fingerprint, data.size_bytes) for name, data in taken.table_data.items()}


def test_parts_of_tables_make_the_fingerprints_of_the_whole(filled: LiveDatabase) -> None:
    with filled.snapshot() as taken:
        assert len(taken.page_ranges(LARGE, 7)) == 7
        count_together(taken, taken.table_data)
        assert known(taken) == one_by_one(filled)
        assert taken.fingerprint(LARGE).rows == 18000


def test_both_connections_work_on_one_table(filled: LiveDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Snapshot, str | None]] = []
    row_blocks = Snapshot.row_blocks

    def seen(self: Snapshot, name: TableName, columns: None = None, *, where: str | None = None, wait: bool = True) -> object:
        asked.append((self, where))
        return row_blocks(self, name, columns, where=where, wait=wait)

    monkeypatch.setattr(Snapshot, "row_blocks", seen)
    with filled.snapshot() as taken:
        count_together(taken, [LARGE])
        assert len({id(snapshot) for snapshot, _ in asked}) == 2
        assert len({where for _, where in asked}) == len(asked) > 2
        assert taken.fingerprint(LARGE).rows == 18000
        assert taken.ask("SELECT count(*) AS n FROM public.large")[0]["n"] == 18000  # nothing is left on the connection


@pytest.fixture
def in_processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The second connection is another process's, however little there is to read."""
    monkeypatch.setattr(shared_work, "_DEARER", 1)
    monkeypatch.setattr(worker_processes, "LEAST_BYTES", 2)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1}, raising=False)
    monkeypatch.setattr(View, "open", lambda _: pytest.fail("a second connection of this process"))
    yield
    assert multiprocessing.active_children() == []


def test_another_process_counts_its_share(filled: LiveDatabase, in_processes: None, monkeypatch: pytest.MonkeyPatch) -> None:
    distant: list[TableName] = []
    take_in = shared_work._Distant._take_in

    def seen(self: shared_work._Distant, table: shared_work._Table, found: tuple[Fingerprint, int] | str | None) -> None:
        assert isinstance(found, tuple)
        distant.append(table.name)
        take_in(self, table, found)

    monkeypatch.setattr(shared_work._Distant, "_take_in", seen)
    before = one_by_one(filled)
    with filled.snapshot() as taken:
        taken.use_setting("TimeZone", "Asia/Tokyo")
        filled.run("INSERT INTO large SELECT i FROM generate_series(1, 50000) i", "UPDATE wide SET id = 0")
        count_together(taken, taken.table_data)
        assert known(taken) == before
        assert distant
        assert_the_only_connection(filled)


def test_a_process_whose_connection_is_lost_costs_nothing_but_time(
    filled: LiveDatabase, in_processes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = {name: found for name, (found, _) in one_by_one(filled).items()}
    monkeypatch.setattr(shared_work, "_count_there", _lose)
    with filled.snapshot() as taken:
        count_together(taken, taken.table_data)
        assert sum(fingerprint is None for fingerprint, _ in known(taken).values()) == 1  # what it had begun with
        assert {name: taken.fingerprint(name) for name in taken.table_data} == expected


def _lose(view: View, name: TableName, where: str | None) -> None:
    raise QueryFailed("the connection is lost", resource=str(name), remedy=str((view, where)))


def test_a_table_that_may_not_be_read_keeps_the_other_process_at_work(
    filled: LiveDatabase, in_processes: None, make_role: Callable[[str], str]
) -> None:
    role = make_role("counts_some_there")
    filled.run(f"GRANT SELECT ON large, no_columns TO {role}")
    with snapshot(filled.url_as(role)) as taken:
        count_together(taken, taken.table_data)
        assert {name for name, (fingerprint, _) in known(taken).items() if fingerprint} == {LARGE, NO_COLUMNS}


def test_what_is_written_meanwhile_is_in_no_part(filled: LiveDatabase) -> None:
    before = one_by_one(filled)
    with filled.snapshot() as taken:
        _ = taken.sizes
        filled.run("INSERT INTO large SELECT i FROM generate_series(1, 50000) i", "UPDATE wide SET id = 0")
        count_together(taken, taken.table_data)
        assert known(taken) == before


def test_without_another_connection_the_one_that_is_there_counts(filled: LiveDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: View) -> Snapshot:
        raise CannotConnect("no connection is free", remedy="")

    monkeypatch.setattr(View, "open", refuse)
    with filled.snapshot() as taken:
        count_together(taken, taken.table_data)
        assert {name: (taken.fingerprint(name), taken.table_data[name].size_bytes) for name in taken.table_data} == one_by_one(filled)


def test_a_second_connection_that_is_lost_costs_nothing_but_time(filled: LiveDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    open_view = View.open

    def lost(self: View) -> Snapshot:
        helper = open_view(self)
        filled.run(f"SELECT pg_terminate_backend({helper.ask('SELECT pg_backend_pid() AS pid')[0]['pid']}, 5000)")
        return helper

    monkeypatch.setattr(View, "open", lost)
    with filled.snapshot() as taken:
        count_together(taken, taken.table_data)
        assert sum(fingerprint is None for fingerprint, _ in known(taken).values()) == 1  # what it had begun with
        assert {name: taken.fingerprint(name) for name in taken.table_data} == {n: f for n, (f, _) in one_by_one(filled).items()}


def test_a_table_that_may_not_be_read_keeps_no_other_from_being_counted(filled: LiveDatabase, make_role: Callable[[str], str]) -> None:
    role = make_role("counts_some")
    filled.run(f"GRANT SELECT ON large, no_columns TO {role}")
    with snapshot(filled.url_as(role)) as taken:
        count_together(taken, taken.table_data)
        assert {name for name, (fingerprint, _) in known(taken).items() if fingerprint} == {LARGE, NO_COLUMNS}


def test_interrupted_it_leaves_no_work_behind(filled: LiveDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> Fingerprint:
        raise KeyboardInterrupt

    monkeypatch.setattr(shared_work, "fingerprint_of", interrupt)
    with filled.snapshot() as taken:
        with pytest.raises(KeyboardInterrupt):
            count_together(taken, taken.table_data)
        assert taken.fingerprint(LARGE).rows == 18000
        assert_the_only_connection(filled)
