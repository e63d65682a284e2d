"""What statements make, drop and rename; and that a real server agrees."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

import pgaudit_kit as pk
from pgaudit_kit.checks.migration_catalog import with_catalog
from pgaudit_kit.checks.sql_effects import OPAQUE, effects_of
from pgaudit_kit.migration_tools.prisma import TOOL
from pgaudit_kit.records.ledger import MigrationStatus, State

MADE = [
    ("CREATE TABLE a (id int, b text, CONSTRAINT a_pk PRIMARY KEY (id), CHECK (id > 0))",
     ["TABLE s.a", "COLUMN s.a.id", "COLUMN s.a.b", "CONSTRAINT s.a_pk on a"]),
    ('CREATE TABLE IF NOT EXISTS "x"."A b" ("id" SERIAL NOT NULL, "check" numeric(10, 2) DEFAULT 1.5)',
     ["TABLE x.A b", "COLUMN x.A b.id", "COLUMN x.A b.check"]),
    ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY a (id) WHERE id > 0", ["INDEX s.i on a"]),
    ("ALTER TABLE ONLY a ADD COLUMN IF NOT EXISTS c int, ADD CONSTRAINT u UNIQUE (c, d), ADD e text DEFAULT 'a, b', ADD CHECK (c > 0)",
     ["COLUMN s.a.c", "CONSTRAINT s.u on a", "COLUMN s.a.e"]),
    ("CREATE TYPE t AS ENUM ('a', 'b'); CREATE VIEW v AS SELECT 1; CREATE MATERIALIZED VIEW m AS SELECT 1",
     ["TYPE s.t", "VIEW s.v", "MATERIALIZED VIEW s.m"]),
    ("CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END", ["FUNCTION s.f"]),
    ("ALTER TYPE t ADD VALUE IF NOT EXISTS 'it''s' BEFORE 'a'", ["VALUE it's of s.t"]),
    ("CREATE TRIGGER g BEFORE UPDATE OF b ON a FOR EACH ROW EXECUTE FUNCTION f()", ["TRIGGER s.g on a"]),
    ("SET search_path TO q; CREATE SEQUENCE n; CREATE SCHEMA IF NOT EXISTS z; CREATE EXTENSION citext WITH SCHEMA z",
     ["SEQUENCE q.n", "SCHEMA z", "EXTENSION citext"]),
    ("CREATE TEMP TABLE a (id int); INSERT INTO b VALUES (1); COMMENT ON TABLE b IS 'x'; CREATE TABLE c AS SELECT 1",
     ["TABLE s.c"]),
    ("CREATE POLICY p ON a USING (true); CREATE RULE r AS ON INSERT TO a DO INSTEAD NOTHING", ["POLICY s.p on a", "RULE s.r on a"]),
    (f"CREATE TABLE {'é' * 40} ()", [f"TABLE s.{'é' * 31}"]),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "made"), MADE)
def test_what_is_made_is_named(sql: str, made: list[str]) -> None:
    assert [str(effect.thing) for effect in effects_of(sql, "s")] == made


@pytest.mark.parametrize(
    "sql", ["DO $$ BEGIN END $$", "SELECT make_tables()", "DROP SCHEMA s CASCADE", "CALL p()", "CREATE TABLE (", "garbage"]
)
def test_what_may_have_done_anything_is_opaque(sql: str) -> None:
    assert OPAQUE in effects_of(sql, "s")


HISTORY = {
    "1": """CREATE TYPE mood AS ENUM ('a'); CREATE TABLE a (id serial, old text, gone text, CONSTRAINT a_pkey PRIMARY KEY (id));
            CREATE INDEX a_gone ON a (gone, id); CREATE TABLE b (id int CONSTRAINT b_id CHECK (id > 0), a_id int);
            ALTER TABLE b ADD CONSTRAINT b_a FOREIGN KEY (a_id) REFERENCES a (id); CREATE VIEW v AS SELECT 1 AS one;
            CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
            CREATE TRIGGER g BEFORE INSERT ON b EXECUTE FUNCTION f(); CREATE TABLE c (id int); CREATE TABLE d (id int)""",
    "2": """ALTER TYPE mood ADD VALUE 'b'; ALTER TYPE mood ADD VALUE 'it''s, c'; ALTER TYPE mood RENAME VALUE 'b' TO 'bb';
            CREATE TYPE size AS ENUM ('s'); ALTER TYPE size ADD VALUE 'm'; ALTER TYPE size RENAME TO size_old;
            CREATE TYPE size AS ENUM ('l'); DROP TYPE size_old;
            ALTER TABLE a RENAME TO aa; ALTER TABLE aa RENAME old TO new; ALTER TABLE aa DROP COLUMN gone;
            ALTER TABLE aa RENAME CONSTRAINT a_pkey TO aa_pkey; DROP TABLE c, d; DROP VIEW IF EXISTS v; DROP TRIGGER g ON b""",
    "3": "CREATE INDEX b_a ON aa (new); ALTER INDEX b_a RENAME TO aa_new; CREATE TABLE p (id int) PARTITION BY RANGE (id); "
    "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)",
}


def test_a_history_that_renames_and_drops_agrees_with_a_real_catalog_and_each_loss_is_named(make_database: Callable[..., str]) -> None:
    url = make_database()
    with psycopg.connect(url, autocommit=True) as connection:
        for sql in HISTORY.values():
            connection.execute(sql.encode())
    applied = [MigrationStatus("prisma", "t", name, State.APPLIED, ledger="applied") for name in HISTORY]

    def faults() -> dict[str, str]:
        with pk.snapshot(url) as live:
            return {s.name: s.catalog for s in with_catalog(applied, dict(HISTORY), live.inventory, TOOL, "public") if s.faults}

    assert faults() == {}
    losses = {
        "DROP INDEX aa_new": ("3", "INDEX public.aa_new on aa"),
        "ALTER TABLE aa DROP COLUMN new": ("1", "COLUMN public.aa.new"),
        "ALTER TABLE b DROP CONSTRAINT b_a": ("1", "CONSTRAINT public.b_a on b"),
        "ALTER TYPE mood RENAME VALUE 'bb' TO 'other'": ("2", "VALUE bb of public.mood"),
        "DROP TYPE mood": ("1", "TYPE public.mood"),
        "DROP FUNCTION f": ("1", "FUNCTION public.f"),
    }
    for sql, (name, thing) in losses.items():
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.encode())
        assert thing in faults()[name], sql
