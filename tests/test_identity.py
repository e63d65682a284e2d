"""Things of one name are told apart by their schema, their table, their arguments and their kind, and never taken for one another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.server.snapshot import snapshot
from tests.conftest import Score, missing
from tests.fakes import FakeSource
from tests.postgres_versions import installation
from tests.test_mutations_of_kinds import GONE, NEW, live, told

DATABASE = "identity"
TWICE = """
CREATE SCHEMA {0};
CREATE TYPE {0}.thing AS ENUM ('a');
CREATE DOMAIN {0}.word AS text CONSTRAINT "check" CHECK (VALUE <> '');
CREATE TABLE {0}.things (id serial PRIMARY KEY, n integer CONSTRAINT "check" CHECK (n > 0));
CREATE TABLE {0}.others (id integer REFERENCES {0}.things, n integer CONSTRAINT "check" CHECK (n > 0));
CREATE INDEX by_n ON {0}.things (n);
CREATE FUNCTION {0}.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION {0}.f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION {0}.f(a text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION {0}.f(a integer, b integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE {0}.agg(integer) (SFUNC = int4pl, STYPE = integer);
CREATE AGGREGATE {0}.agg(bigint) (SFUNC = int8pl, STYPE = bigint);
CREATE OPERATOR {0}.### (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
CREATE OPERATOR {0}.### (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = int8pl);
CREATE TRIGGER t BEFORE UPDATE ON {0}.things FOR EACH ROW EXECUTE FUNCTION {0}.f();
CREATE TRIGGER t BEFORE UPDATE ON {0}.others FOR EACH ROW EXECUTE FUNCTION {0}.f();
CREATE RULE r AS ON DELETE TO {0}.things DO INSTEAD NOTHING;
CREATE RULE r AS ON DELETE TO {0}.others DO INSTEAD NOTHING;
CREATE POLICY p ON {0}.things USING (id = 1);
CREATE POLICY p ON {0}.others USING (id = 1);
CREATE SEQUENCE {0}.loose;
CREATE STATISTICS {0}.st ON id, n FROM {0}.things;
CREATE VIEW {0}.seen AS SELECT id FROM {0}.things;
CREATE OPERATOR FAMILY {0}.fam USING btree;
CREATE OPERATOR FAMILY {0}.fam USING hash;
INSERT INTO {0}.things (n) VALUES (1);
"""
# a name that is also that of something else, and names that look alike once they are put together
ONCE = """
CREATE SEQUENCE two.same; CREATE FUNCTION two.same() RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE TYPE two.same_too AS ENUM ();
CREATE TABLE one.same (id integer);
CREATE SCHEMA "one.things"; CREATE TABLE "one.things".n (id integer);
CREATE TABLE one."things on others" (id integer); CREATE TABLE one."THINGS" (id integer, "N" integer, n integer);
"""
CHANGES = (
    ("ALTER TABLE two.things ADD m integer", "TABLE two.things", "column m"),
    ("ALTER TYPE two.thing ADD VALUE 'b'", "TYPE two.thing", "labels"),
    ("COMMENT ON DOMAIN two.word IS 'w'", "DOMAIN two.word", "comment"),
    ('ALTER TABLE two.things DROP CONSTRAINT "check"', "CHECK CONSTRAINT two.check on things", GONE),
    ('ALTER TABLE one.others DROP CONSTRAINT "check"', "CHECK CONSTRAINT one.check on others", GONE),
    ('ALTER DOMAIN one.word DROP CONSTRAINT "check"', "CHECK CONSTRAINT one.check on word", GONE),
    ("DROP INDEX two.by_n; CREATE INDEX by_n ON two.things (id)", "INDEX two.by_n on things", "definition"),
    ("COMMENT ON FUNCTION two.f(integer) IS 'i'", "FUNCTION two.f(a integer)", "comment"),
    ("COMMENT ON FUNCTION two.f(text) IS 't'", "FUNCTION two.f(a text)", "comment"),
    ("DROP FUNCTION one.f(integer, integer)", "FUNCTION one.f(a integer, b integer)", GONE),
    ("CREATE OR REPLACE FUNCTION one.f(a text) RETURNS integer LANGUAGE sql AS 'SELECT 2'", "FUNCTION one.f(a text)", "body"),
    ("DROP AGGREGATE two.agg(bigint)", "AGGREGATE two.agg(bigint)", GONE),
    ("COMMENT ON AGGREGATE one.agg(integer) IS 'a'", "AGGREGATE one.agg(integer)", "comment"),
    ("DROP OPERATOR one.### (bigint, bigint)", "OPERATOR one.### (bigint, bigint)", GONE),
    ("COMMENT ON OPERATOR two.### (integer, integer) IS 'o'", "OPERATOR two.### (integer, integer)", "comment"),
    ("COMMENT ON OPERATOR FAMILY two.fam USING hash IS 'f'", "OPERATOR FAMILY two.fam USING hash", "comment"),
    ("ALTER TABLE two.others DISABLE TRIGGER t", "TRIGGER two.t on others", "enabled"),
    ("DROP TRIGGER t ON one.things", "TRIGGER one.t on things", GONE),
    ("ALTER TABLE two.things DISABLE RULE r", "RULE two.r on things", "enabled"),
    ("ALTER POLICY p ON one.others USING (id = 2)", "POLICY one.p on others", "using"),
    ("ALTER SEQUENCE two.things_id_seq RESTART 7", "SEQUENCE two.things_id_seq", "is_called, last_value"),
    ("ALTER SEQUENCE one.loose INCREMENT 2", "SEQUENCE one.loose", "increment"),
    ("DROP STATISTICS two.st", "STATISTICS two.st", GONE),
    ("COMMENT ON VIEW two.seen IS 'v'", "VIEW two.seen", "comment"),
    ("COMMENT ON SEQUENCE two.same IS 's'", "SEQUENCE two.same", "comment"),
    ("COMMENT ON FUNCTION two.same() IS 's'", "FUNCTION two.same()", "comment"),
    ("DROP TABLE one.same", "TABLE one.same", GONE),
    ("CREATE TABLE one.same_too (id integer)", "TABLE one.same_too", NEW),
    ('ALTER TABLE "one.things".n ADD m integer', "TABLE one.things.n", "column m"),
    ('DROP TABLE one."things on others"', "TABLE one.things on others", GONE),
    ('ALTER TABLE one."THINGS" ALTER "N" SET NOT NULL', "TABLE one.THINGS", "column N not_null"),
)
# what is gone or new, and its hint
RENAMES: tuple[tuple[str, dict[str, str]], ...] = (
    ("ALTER INDEX one.by_n RENAME TO by_number", {"by_n": "to by_number", "by_number": "from by_n"}),
    ("ALTER FUNCTION one.same_arguments RENAME TO g", {"same_arguments()": "to g()", "g()": "from same_arguments()"}),
    ("ALTER POLICY p ON one.others RENAME TO q", {"p": "to q", "q": "from p"}),
    ("ALTER TRIGGER t ON two.things RENAME TO u", {"t": "to u", "u": "from t"}),
    ("ALTER TABLE one.same RENAME TO other", {"same": "to other", "other": "from same"}),
    # its NOT NULL keeps its name, which is then none that the server would choose
    ("ALTER TABLE one.key_and_more RENAME TO moved", {"key_and_more": "to moved", "moved": "from key_and_more"}),
    # not the same: by what it does, by its arguments, by its schema, by its table, by its kind
    ("DROP INDEX one.by_n; CREATE INDEX by_id ON one.things (id)", {}),
    ("DROP FUNCTION one.f(text); CREATE FUNCTION one.g(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'", {}),
    ('ALTER TABLE one."things on others" SET SCHEMA two', {}),
    ("DROP POLICY p ON one.others; CREATE POLICY q ON one.things USING (id = 1)", {}),
    ("DROP TABLE one.same; CREATE TYPE one.same AS (id integer)", {}),
    # more than one could be meant
    ("ALTER TABLE one.same RENAME TO other; CREATE TABLE one.another (id integer)", {}),
    ('DROP TABLE one.same; ALTER TABLE one."things on others" RENAME TO new', {}),
)


@pytest.fixture(scope="module")
def base(server_of: Callable[[int], EmbeddedServer]) -> Iterator[EmbeddedServer]:
    """The server, with the database."""
    server = server_of(18)
    more = "CREATE FUNCTION one.same_arguments() RETURNS integer LANGUAGE sql AS 'SELECT 3';"
    more += "CREATE TABLE one.key_and_more (id integer NOT NULL, a integer, b text)"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0".encode())
        with psycopg.connect(server.url(DATABASE), autocommit=True) as made:
            made.execute((TWICE.format("one") + TWICE.format("two") + ONCE + more).encode())
        yield server
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())


@pytest.fixture(scope="module")
def dumped(base: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Inventory]:
    made, folder = installation(18, missing), tmp_path_factory.mktemp("identity")
    return {form: read_dump(made.dump(base.url(DATABASE), folder / form, dump_format=form)).inventory for form in ("plain", "custom")}


def test_of_two_things_with_one_name_the_one_that_changed_is_named(
    base: EmbeddedServer, dumped: dict[str, Inventory], score: Score
) -> None:
    wrong: dict[str, str] = {}
    with psycopg.connect(base.url(DATABASE)) as connection:
        for sql, key, attribute in CHANGES:
            after = live(connection, 18, sql)
            for form, inventory in dumped.items():
                if (found := told(inventory, after)) != {key: attribute}:
                    wrong.setdefault(sql, f"{form}: {found}")
    score.add(len(CHANGES) - len(wrong), len(CHANGES))
    assert not wrong, wrong


@pytest.mark.parametrize(("sql", "expected"), RENAMES)
def test_a_rename_is_a_hint_where_one_thing_alone_can_be_meant_and_never_more(
    base: EmbeddedServer, dumped: dict[str, Inventory], sql: str, expected: dict[str, str]
) -> None:
    with psycopg.connect(base.url(DATABASE)) as connection:
        after = live(connection, 18, sql)
    for inventory in dumped.values():
        found = diff(FakeSource(inventory=inventory), FakeSource(inventory=after)).object_differences
        assert {d.status for d in found} == {GONE, NEW}
        assert {d.key.name: d.hint.removeprefix("looks renamed ") for d in found if d.hint} == expected


def test_the_rows_of_two_tables_with_one_name_are_not_mixed_up(base: EmbeddedServer, tmp_path: Path) -> None:
    dump = read_dump(installation(18, missing).dump(base.url(DATABASE), tmp_path / "dump"))
    with psycopg.connect(base.url(DATABASE), autocommit=True) as connection:
        connection.execute("UPDATE two.things SET n = 2")
        with snapshot(base.url(DATABASE)) as after, diff(dump, after) as found:
            assert [(str(t.name), t.status) for t in found.table_differences] == [("two.things", "different")]
            assert [(r.status, dict(r.key)) for r in found.row_result("two.things").listed] == [("changed", {"id": "1"})]
        connection.execute("UPDATE two.things SET n = 1")
