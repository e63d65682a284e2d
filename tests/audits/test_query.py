"""SQL over several sources: an old dump beside the live database, each under its name, equal values equal."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgaudit_kit as pk
from pgaudit_kit.audits.query import open_query
from pgaudit_kit.difference.sessions import LiveSession
from pgaudit_kit.errors import PgAuditError, QueryFailed, RowsNotAvailable, UsageError
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.snapshot import Snapshot
from pgaudit_kit.sql.named_sources import NamedSources
from pgaudit_kit.sql.row_source import RowSource
from pgaudit_kit.sql.typed_table import OpenRows

pytestmark = pytest.mark.filterwarnings("ignore:.*these columns are text here")
APP = """
CREATE SCHEMA sales;
CREATE TABLE users (id int PRIMARY KEY, name text, score numeric, points numeric, price numeric(8, 2), during tstzrange);
INSERT INTO users
  SELECT i, 'user ' || i, i * 1.5, i * 1.5, i / 3.0, tstzrange('2024-01-01'::timestamptz, NULL) FROM generate_series(1, 100) i;
CREATE TABLE sales.orders (id int, user_id int, "at" timestamptz);
INSERT INTO sales.orders SELECT i, i % 10, '2024-03-31 01:30:00+00' FROM generate_series(1, 20) i;
CREATE TABLE measured (day date, value int) PARTITION BY RANGE (day);
CREATE TABLE measured_2024 PARTITION OF measured FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO measured VALUES ('2024-05-05', 1);
CREATE VIEW seen AS SELECT 1;
"""
AFTER = """
DELETE FROM users WHERE id IN (7, 70);
UPDATE users SET score = 'NaN' WHERE id = 3;
UPDATE users SET score = 0.00001, points = 0.00001 WHERE id = 4;
INSERT INTO measured VALUES ('2024-06-06', 2);
"""


@pytest.fixture(scope="module")
def app(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A dump, and the database as it is since."""
    url, path = server.url("asked"), tmp_path_factory.mktemp("asked") / "app.dump"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE asked TEMPLATE template0")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(APP.encode())
        subprocess.run([server.bin_folder / "pg_dump", "-Fc", "-f", str(path), "-d", url], check=True)
        connection.execute(AFTER.encode())
    yield path, url
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE asked WITH (FORCE)")


def test_rows_that_the_live_database_lost_since_the_dump(app: tuple[Path, str]) -> None:
    dump, live = app
    lost = "SELECT d.* FROM dump.public.users d LEFT JOIN live.public.users l USING (id) WHERE l.id IS NULL ORDER BY id"
    frame = pk.query(lost, dump=dump, live=live)
    assert frame["id"].tolist() == [7, 70]
    assert str(frame["price"].iloc[0]) == "2.33"
    assert pk.query(lost.replace("public.", ""), dump=pk.read_dump(dump), live=live)["id"].tolist() == [7, 70]


def test_names_say_which_source_and_a_single_one_needs_none(app: tuple[Path, str]) -> None:
    dump, live = app
    both = "SELECT (SELECT count(*) FROM dump.measured) AS d, (SELECT count(*) FROM live.measured) AS l, count(*) AS o FROM dump.orders"
    assert pk.query(both, dump=dump, live=live).iloc[0].tolist() == [1, 2, 20]
    for name in ("users", "public.users", "dump.users", "dump.public.users", "Dump.USERS"):
        assert pk.query(f"SELECT count(*) AS n FROM {name}", dump=dump)["n"].item() == 100
    for name in ("users", "public.users", "live.users", "live.public.users"):
        assert pk.query(f"SELECT count(*) AS n FROM {name}", live=live)["n"].item() == 98
    three = "SELECT count(*) AS n FROM a.users JOIN b.users USING (id) JOIN c.users USING (id)"
    assert pk.query(three, a=dump, b=dump, c=live)["n"].item() == 98


def test_a_value_that_needs_text_on_one_side_is_text_on_both(app: tuple[Path, str]) -> None:
    dump, live = app
    changed = "SELECT id FROM dump.users d JOIN live.users l USING (id) WHERE d.score <> l.score ORDER BY id"
    assert pk.query(changed, dump=dump, live=live)["id"].tolist() == [3, 4]
    digits = "SELECT id FROM dump.users d JOIN live.users l USING (id) WHERE d.points <> l.points"
    assert pk.query(digits, dump=dump, live=live)["id"].tolist() == [4]


def test_columns_that_are_not_named_are_not_read_and_a_row_as_a_whole_is_all_of_them(app: tuple[Path, str]) -> None:
    dump, live = app
    with open_query({"dump": dump, "live": live}, "SELECT count(id) FROM live.users JOIN dump.users USING (id)") as asked:
        assert asked.notes == ()  # of score, which is text
    whole = "SELECT id FROM dump.users d JOIN live.users l USING (id) WHERE d IS DISTINCT FROM l ORDER BY id"
    assert pk.query(whole, dump=dump, live=live)["id"].tolist() == [3, 4]


def test_equal_values_of_every_type_are_equal_whatever_the_sessions_were(typed_dump: Path, typed_url: str) -> None:
    for name in ("public.plain_values", "odd.values", "public.child"):
        unlike = f"SELECT count(*) AS n FROM (SELECT * FROM dump.{name} EXCEPT ALL SELECT * FROM live.{name})"
        assert pk.query(unlike, dump=typed_dump, live=typed_url)["n"].item() == 0, name


def test_only_the_tables_that_are_named_are_read_and_the_snapshot_can_be_used_again(app: tuple[Path, str]) -> None:
    dump, url = app
    with pk.snapshot(url) as live:
        assert isinstance(live, LiveSession)
        read: list[str] = []
        row_blocks = Snapshot.row_blocks

        def noted(self: Snapshot, name: Any, columns: Any = None) -> Iterator[bytes]:
            read.append(str(name))
            return row_blocks(self, name, columns)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Snapshot, "row_blocks", noted)
            pk.query("SELECT count(*) FROM live.sales.orders JOIN dump.users ON true", dump=dump, live=live)
        assert set(read) == {"sales.orders"}
        assert pk.query("SELECT count(*) AS n FROM users", x=live)["n"].item() == 98
        assert live.fingerprint(next(name for name in live.table_data if name.name == "users")).rows == 98


@pytest.mark.parametrize(
    ("sql", "kind", "words"),
    [
        ("SELECT * FROM users", UsageError, r"does not say which source is meant\. Write dump\.public\.users or live\.public\.users"),
        ("SELECT * FROM sales.orders", UsageError, r"dump\.sales\.orders or live\.sales\.orders"),
        ("SELECT * FROM other.users", UsageError, "the sources are dump, live"),
        ("SELECT * FROM other.public.users", UsageError, "no source is called other"),
        ("SELECT * FROM dump.nope", UsageError, "no table nope in this dump"),
        ("SELECT * FROM live.nope", UsageError, "no table nope in this database"),
        ("SELECT * FROM live.seen", RowsNotAvailable, "is a view: the database has its definition"),
        ("SELECT nope FROM dump.users", UsageError, '"nope" not found'),
        ("DELETE FROM live.users", UsageError, "only be read"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(app: tuple[Path, str], sql: str, kind: type[PgAuditError], words: str) -> None:
    dump, live = app
    with pytest.raises(kind, match=words) as caught:
        pk.query(sql, dump=dump, live=live)
    assert caught.value.remedy


def _no_rows(name: TableName) -> OpenRows:
    raise AssertionError(name)


def test_names_that_duckdb_cannot_have_are_refused() -> None:
    source = RowSource("app.dump", Inventory(), (), _no_rows)
    for names in (("temp",), ("a b",), ("main",), ("a", "A"), ()):
        with pytest.raises(UsageError) as caught:
            NamedSources(dict.fromkeys(names, source))
        assert caught.value.remedy


def test_rows_that_a_role_may_not_read_are_not_available(app: tuple[Path, str]) -> None:
    _, url = app
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader_of_queries LOGIN; GRANT USAGE ON SCHEMA sales TO reader_of_queries")
    reader = re.sub(r"//[^@/]*@", "//reader_of_queries@", url)
    try:
        with pytest.raises((RowsNotAvailable, QueryFailed), match=r"may not SELECT|permission"):
            pk.query("SELECT * FROM users", live=reader)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY reader_of_queries; DROP ROLE reader_of_queries")


def test_instants_in_texts_of_dumps_of_several_zones_are_equal(server: EmbeddedServer, app: tuple[Path, str], tmp_path: Path) -> None:
    """A year above 294246, in no type of DuckDB, and ranges are text, and their timestamps those of one zone."""
    dumps = {}
    with psycopg.connect(app[1], autocommit=True) as connection:
        connection.execute("CREATE TABLE zoned (far timestamptz, during tstzrange, times timestamptz[])")
        connection.execute(
            """INSERT INTO zoned
            VALUES ('294270-01-01 00:00+00', '[2024-03-31 00:30+00,2024-03-31 01:30+00)', '{{2024-01-01+00},{infinity}}')"""
        )
        for zone in ("Europe/Berlin", "Asia/Kolkata"):
            dumps[zone[:4].lower()] = path = tmp_path / f"{zone[:4]}.dump"
            program, environment = server.bin_folder / "pg_dump", {**os.environ, "PGTZ": zone}
            subprocess.run([program, "-Fc", "-t", "zoned", "-f", str(path), "-d", app[1]], check=True, env=environment)
        connection.execute("DROP TABLE zoned")
    joined = "SELECT a.* FROM euro.zoned a JOIN asia.zoned b ON a.far = b.far AND a.during = b.during AND a.times = b.times"
    ((far, during, times),) = pk.query(joined, euro=dumps["euro"], asia=dumps["asia"]).itertuples(index=False)
    assert far == "294270-01-01 00:00:00+00"
    assert during == '["2024-03-31 00:30:00+00","2024-03-31 01:30:00+00")'
    assert times == '{{"2024-01-01 00:00:00+00"},{infinity}}'
