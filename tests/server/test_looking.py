"""How the catalog is read: only what is there, some queries at a time, and nobody else has to wait for it."""

from __future__ import annotations

import re

import psycopg
import pytest

from pgaudit_kit.errors import QueryFailed
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server import catalog
from pgaudit_kit.server.catalog import read_inventory
from pgaudit_kit.server.catalog_query import query
from tests.server.live import HERE, LiveDatabase

NO_SUBSCRIPTION = ("ALTER SUBSCRIPTION sub DISABLE", "ALTER SUBSCRIPTION sub SET (slot_name = NONE)", "DROP SUBSCRIPTION sub")
MADE_HERE = """
CREATE TABLE t (id serial PRIMARY KEY, a text);
CREATE VIEW v AS SELECT a FROM t;
CREATE MATERIALIZED VIEW m AS SELECT a FROM v;
CREATE FUNCTION f(t) RETURNS text LANGUAGE sql AS 'SELECT $1.a';
INSERT INTO t (a) VALUES ('x');
"""
# what the two files of kinds lack
THE_OTHERS = """
CREATE TABLE theirs (id serial);
CREATE DOMAIN theirs_too AS integer;
CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER fires BEFORE INSERT ON theirs FOR EACH ROW EXECUTE FUNCTION fired();
ALTER FUNCTION fired() DEPENDS ON EXTENSION hstore;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
"""
CHANGES = (
    "ALTER TABLE t ADD b int",
    "ALTER SEQUENCE t_id_seq RESTART WITH 7",
    "CREATE OR REPLACE VIEW v AS SELECT a || '' AS a FROM t",
    "REFRESH MATERIALIZED VIEW m",
    "DROP FUNCTION f(t)",
    "DROP TABLE t CASCADE",
)


def asked_about() -> set[str]:
    """The names that without_objects.sql has a line for."""
    return set(re.findall(r"^ +\('(\w+)',", query("without_objects", 18), re.MULTILINE))


def test_no_query_is_left_out_that_would_give_a_row(database: LiveDatabase) -> None:
    def compare() -> set[str]:
        with database.snapshot() as live:
            without = {str(row["name"]) for row in live.ask(query("without_objects", live.major))}
            assert [name for name in without if live.ask(query(name, live.major))] == []
            in_full = read_inventory(lambda sql: [] if sql == query("without_objects", live.major) else live.ask(sql), live.major)
            assert live.inventory == in_full
            return without

    assert compare() == asked_about()  # an empty database has none of them
    database.run((HERE.parent / "mutations_of_kinds.sql").read_text(encoding="utf-8"))
    database.run_file("every_other_kind.sql")
    try:
        database.run(THE_OTHERS)
        assert compare() == set()
    finally:
        database.run(*NO_SUBSCRIPTION)


def test_every_query_that_may_be_left_out_is_one_that_is_asked() -> None:
    assert asked_about() <= {*catalog._KINDS, *catalog._AFTER}


def test_a_query_that_fails_among_others_is_told_and_the_snapshot_goes_on(
    database_18: LiveDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database_18.run(MADE_HERE)

    def wrong(name: str, major: int) -> str:
        return "SELECT 1 / 0 AS name" if name == "view" else query(name, major)

    with database_18.snapshot() as live:
        with monkeypatch.context() as patched:
            patched.setattr(catalog, "query", wrong)
            with pytest.raises(QueryFailed, match="reading the catalog failed: division by zero"):
                _ = live.inventory
        assert "public.t" in {f"{o.key.schema}.{o.key.name}" for o in live.inventory.of_kind("TABLE")}
        assert live.fingerprint(TableName("public", "t")).rows == 1


def test_an_open_snapshot_holds_no_lock_on_anything_of_the_user_and_no_one_waits_for_it(database: LiveDatabase) -> None:
    database.run(MADE_HERE)
    held = "SELECT DISTINCT relation::regclass::text FROM pg_locks WHERE pid = %s AND locktype = 'relation' AND relation >= 16384"
    with database.snapshot() as live, psycopg.connect(database.url, autocommit=True) as other:
        assert live.inventory.of_kind("VIEW", "SEQUENCE")
        assert len(live.table_data) == 1
        assert live.fingerprint(TableName("public", "t")).rows == 1
        pid = int(live.ask("SELECT pg_backend_pid() AS pid")[0]["pid"])
        assert other.execute(held, [pid]).fetchall() == []
        other.execute("SET lock_timeout = '2s'")
        for change in CHANGES:
            other.execute(change.encode())
