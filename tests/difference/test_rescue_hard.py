"""Rescues where PostgreSQL makes it hard: circles of keys, sequences of all kinds, odd settings, and what cannot be put back at all."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.difference.rescue import Rescue
from pgaudit_kit.difference.rows import RowCounts
from pgaudit_kit.errors import RestoreFailed, RowsNotAvailable
from pgaudit_kit.operations.extracts.rescue import apply_rescue
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.cli.conftest import Run
from tests.cli.conftest import pgaudit as pgaudit  # noqa: PLC0414  the fixture
from tests.difference.dumping import pg_dump
from tests.difference.test_rescue import rows, run, script

Incident = Callable[..., tuple[Path, str]]


@pytest.fixture
def incident(server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path) -> Incident:
    """Give a function that makes a database by a script, dumps it, and runs a second script on it; returns the dump and its URL."""

    def play(schema: str, loss: str) -> tuple[Path, str]:
        url = make_database()
        run(url, schema)
        path = tmp_path / "before.dump"
        pg_dump(server, url, path, "-Fc")
        run(url, loss)
        return path, url

    return play


def rows_are_the_same(before: tuple[Path, str]) -> bool:
    with diff(*before, data_only=True) as found:
        return found.verdict == "same"


def test_tables_that_need_each_other_come_back_and_their_keys_are_as_they_were(incident: Incident) -> None:
    before = incident(
        """CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a);
        CREATE TABLE p (id int PRIMARY KEY, q int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
        CREATE TABLE q (id int PRIMARY KEY, p int REFERENCES p DEFERRABLE);
        INSERT INTO a SELECT i FROM generate_series(1, 5) i; INSERT INTO b SELECT i, i FROM generate_series(1, 5) i;
        INSERT INTO p SELECT i FROM generate_series(1, 5) i; INSERT INTO q SELECT i, i FROM generate_series(1, 5) i;
        UPDATE a SET b = id; UPDATE p SET q = id; ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;
        ALTER TABLE p ADD FOREIGN KEY (q) REFERENCES q""",
        "TRUNCATE a, b, p, q",
    )
    run(before[1], script(before, "a", "b", "p", "q"))
    with diff(*before) as found:
        assert found.verdict == "same", found.objects


def test_sequences_go_forward_whatever_they_feed_and_however_they_count(incident: Incident) -> None:
    before = incident(
        """CREATE TABLE parted (id int GENERATED ALWAYS AS IDENTITY, at date) PARTITION BY RANGE (at);
        CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE SEQUENCE "shared by 'two'"; CREATE TABLE one (id int PRIMARY KEY DEFAULT nextval($$"shared by 'two'"$$));
        CREATE TABLE two (id bigint PRIMARY KEY DEFAULT nextval($$"shared by 'two'"$$));
        CREATE SEQUENCE down INCREMENT -1; CREATE TABLE falling (id int DEFAULT nextval('down'));
        CREATE SEQUENCE bounded MAXVALUE 10; CREATE TABLE beyond (id int DEFAULT nextval('bounded'));
        CREATE SEQUENCE turning MAXVALUE 10 CYCLE; CREATE TABLE round (id int DEFAULT nextval('turning'));
        CREATE SEQUENCE begun_anew MAXVALUE 10 CYCLE; CREATE TABLE anew (id int DEFAULT nextval('begun_anew'));
        INSERT INTO parted (at) SELECT '2024-05-01' FROM generate_series(1, 30);
        INSERT INTO one SELECT FROM generate_series(1, 5); INSERT INTO two SELECT FROM generate_series(1, 5);
        INSERT INTO falling SELECT FROM generate_series(1, 5); INSERT INTO beyond SELECT FROM generate_series(1, 5);
        INSERT INTO beyond VALUES (1000); INSERT INTO round SELECT FROM generate_series(1, 5);
        INSERT INTO anew SELECT FROM generate_series(1, 13)
        """,
        """DELETE FROM parted WHERE id > 9; DELETE FROM one; DELETE FROM falling; DELETE FROM beyond; DELETE FROM round; DELETE FROM anew;
        SELECT setval('parted_id_seq', 5), setval($$"shared by 'two'"$$, 2), setval('down', -1), setval('turning', 2)""",
    )
    with diff(*before, data_only=True) as found:
        behind = set(found.sequences[["sequence", "column"]].itertuples(index=False, name=None))
        assert behind == {("public.parted_id_seq", "public.parted.id"), ("public.\"shared by 'two'\"", "public.two.id")}
    run(before[1], script(before, "parted", "one", "falling", "beyond", "round", "anew"))
    assert rows_are_the_same(before)
    next_values = rows(
        before[1],
        """SELECT nextval('parted_id_seq'), nextval($$"shared by 'two'"$$), nextval('down'), nextval('bounded'), nextval('turning'),
        nextval('begun_anew')""",
    )
    assert next_values == [(31, 11, -6, 6, 6, 4)]


def test_a_lost_row_comes_back_although_a_changed_one_has_its_unique_value(incident: Incident) -> None:
    before = incident(
        """CREATE TABLE t (id int PRIMARY KEY, mail text UNIQUE, boss int REFERENCES t);
        INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 3)""",
        "UPDATE t SET boss = NULL; DELETE FROM t WHERE id = 1; UPDATE t SET mail = 'a' WHERE id = 2",
    )
    with pytest.raises(psycopg.errors.UniqueViolation):
        run(before[1], script(before, "t"))
    run(before[1], script(before, "t", revert=True))
    assert rows_are_the_same(before)
    assert rows(before[1], "SELECT condeferrable FROM pg_constraint WHERE contype = 'f'") == [(False,)]


def test_columns_may_be_called_and_be_as_many_as_they_like(incident: Incident) -> None:
    many = ", ".join(f"c{i} int" for i in range(1599))
    before = incident(
        f"""CREATE TABLE lost (live int PRIMARY KEY, lost text, "pgaudit times" int, there int, times int);
        CREATE TABLE there (live text, lost text, "pgaudit times" int, "pgaudit times+" int, row_text text);
        CREATE TABLE widest (id int PRIMARY KEY, {many});
        INSERT INTO lost VALUES (1, 'x', 5, 6, 7); INSERT INTO there VALUES ('a', 'b', 1, 2, 'c'), ('a', 'b', 1, 2, 'c');
        INSERT INTO widest VALUES (1, 2)""",
        "DELETE FROM lost; DELETE FROM there; DELETE FROM widest",
    )
    text = script(before, "lost", "there", "widest")
    run(before[1], text)
    run(before[1], text)
    assert rows_are_the_same(before)


HOSTILE = """
ALTER DATABASE {name} SET standard_conforming_strings = off; ALTER DATABASE {name} SET array_nulls = off;
ALTER DATABASE {name} SET extra_float_digits = -3; ALTER DATABASE {name} SET DateStyle = 'German'; ALTER DATABASE {name} SET jit = on;
ALTER DATABASE {name} SET IntervalStyle = 'sql_standard'; ALTER DATABASE {name} SET bytea_output = 'escape';
ALTER DATABASE {name} SET TimeZone = 'America/New_York';
ALTER DATABASE {name} SET session_replication_role = 'replica'; ALTER DATABASE {name} SET search_path = evil, pg_catalog;
"""


@pytest.mark.parametrize("major", [13, 18])
def test_a_file_runs_in_psql_under_whatever_settings_the_database_has(
    server_of: Callable[[int], EmbeddedServer], tmp_path: Path, major: int
) -> None:
    server = server_of(major)
    name = "rescue_hostile"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        run(
            server.url(name),
            """CREATE FUNCTION slow(integer) RETURNS boolean LANGUAGE plpgsql AS
                'BEGIN IF $1 = 1 THEN PERFORM pg_sleep(0.4); END IF; RETURN true; END';
            CREATE TABLE parent (id int PRIMARY KEY CHECK (slow(id)));
            CREATE TABLE t (id int PRIMARY KEY REFERENCES parent, a text, b text[], d date,
            f float8, i interval, z timestamptz, y bytea); CREATE TABLE odd (f float8, y bytea);
            CREATE SCHEMA evil; CREATE FUNCTION evil.eq(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT 1 / 0 = 1';
            CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq);
            INSERT INTO parent SELECT generate_series(1, 300);
            INSERT INTO t SELECT i, E'a\\\\b''c\\\\''d\\n' || i, '{NULL,"NULL",x}', '2024-05-06', 0.1::float8 + 0.2, '-1 mon 3 days',
                '2024-06-01 12:00+00', '\\x5c27005c' FROM generate_series(1, 300) i;
            INSERT INTO odd VALUES (0.1::float8 + 0.2, '\\x5c27'), (0.3, NULL)""",
        )
        path = tmp_path / "before.sql"
        pg_dump(server, server.url(name), path)
        run(server.url(name), "TRUNCATE parent, t, odd;" + HOSTILE.format(name=name))
        file = tmp_path / "rescue.sql"
        file.write_text(script((path, server.url(name)), "parent", "t", "odd"), encoding="utf-8")
        for once_more in ((), ("-1",)):
            psql = [server.bin_folder / "psql", "-qXA", "-v", "ON_ERROR_STOP=1", *once_more, "-f", file, "-d", server.url(name)]
            impatient = {**os.environ, "PGOPTIONS": "-c statement_timeout=300ms"}  # less than one INSERT of the script takes
            done = subprocess.run(psql, capture_output=True, text=True, check=False, env=impatient)
            assert (done.returncode, "ERROR" in done.stderr) == (0, False), done.stderr
        assert rows_are_the_same((path, server.url(name)))
        orphan = f"-- nothing\n{script((path, server.url(name)), 'odd')}".replace(
            "COMMIT;", "INSERT INTO public.t (id) VALUES (0); COMMIT;"
        )
        with pytest.raises(psycopg.errors.ForeignKeyViolation):  # replica or not
            run(server.url(name), orphan)
    finally:
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_parents_that_changed_their_key_or_lost_their_key_constraint_or_their_table_are_told(incident: Incident) -> None:
    before = incident(
        """CREATE TABLE code (id int PRIMARY KEY, code text UNIQUE); CREATE TABLE gone (id int PRIMARY KEY);
        CREATE TABLE free (id int PRIMARY KEY);
        CREATE TABLE child (id int PRIMARY KEY, code text REFERENCES code (code), gone int REFERENCES gone, free int REFERENCES free);
        INSERT INTO code VALUES (1, 'x'), (2, 'y'); INSERT INTO gone VALUES (1), (2); INSERT INTO free VALUES (1), (2), (3);
        INSERT INTO child VALUES (1, 'x', 1, 1), (2, 'y', 2, 2)""",
        """DELETE FROM child WHERE id = 1; DROP TABLE gone CASCADE; ALTER TABLE child DROP CONSTRAINT child_free_fkey; DELETE FROM free;
        UPDATE code SET code = 'z' WHERE id = 1""",
    )
    with diff(*before) as found:
        told = {(p.table.name, p.rows, p.why) for p in Rescue(found, ["child"]).lost_parents}
        assert told == {("code", 1, "changed"), ("gone", 1, "gone"), ("free", 1, "lost")}
        left = {(p.table.name, p.why) for p in Rescue(found, ["child"], with_parents=True).lost_parents}
        assert left == {("code", "changed"), ("gone", "gone")}
    with pytest.raises(RestoreFailed, match="another key now"), diff(*before) as found:
        apply_rescue(before[1], Rescue(found, ["child"], with_parents=True).script())
    assert rows(before[1], "SELECT count(*) FROM free") == [(0,)]
    with diff(*before) as found:
        apply_rescue(before[1], Rescue(found, ["child", "code"], with_parents=True, revert=True).script())
    assert rows(before[1], "SELECT id FROM free") == [(1,)]


def test_a_table_that_is_gone_is_brought_back_another_way_and_that_way_is_told(incident: Incident) -> None:
    before = incident(
        """CREATE TABLE t (id int); CREATE TABLE v (id int); CREATE TABLE turned (id int);
        CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
        CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO p VALUES (1), (11);
        CREATE TABLE q (id int) PARTITION BY RANGE (id); CREATE TABLE q1 PARTITION OF q FOR VALUES FROM (0) TO (10);
        CREATE TABLE q2 PARTITION OF q DEFAULT; CREATE TABLE r (id int) PARTITION BY RANGE (id);
        CREATE TABLE r1 PARTITION OF r FOR VALUES FROM (0) TO (10); CREATE TABLE r2 PARTITION OF r DEFAULT""",
        """DROP TABLE q, r; CREATE TABLE q (id int);
        DROP TABLE t, v, p1, turned; CREATE VIEW v AS SELECT 1 AS id; CREATE TABLE turned (id int) PARTITION BY RANGE (id);
        CREATE TABLE turned_1 PARTITION OF turned FOR VALUES FROM (0) TO (10)""",
    )
    with diff(*before) as found:
        for table, words in {
            "t": "t is gone.* pgaudit extract DUMP public.t --into TARGET",
            "v": "v is a view now",
            "turned": "turned is partitioned now",
            "p": "p1 is gone.* pgaudit extract DUMP public.p1 --into TARGET.* pgaudit rescue DUMP TARGET public.p2",
            "q": "q is not partitioned any more.* pgaudit extract DUMP public.q --into TARGET",
            "r": "pgaudit extract DUMP public.r1 --into TARGET, then pgaudit extract DUMP public.r2 --into TARGET",
        }.items():
            with pytest.raises(RowsNotAvailable, match=words):
                Rescue(found, [table])


PARTED = "CREATE TABLE t (a int PRIMARY KEY) PARTITION BY RANGE (a); CREATE TABLE td PARTITION OF t DEFAULT; INSERT INTO t VALUES (1), (7)"
DIVIDED = """CREATE TABLE t1 (LIKE t INCLUDING ALL);
    WITH moved AS (DELETE FROM td WHERE a < 5 RETURNING *) INSERT INTO t1 SELECT * FROM moved;
    ALTER TABLE t ATTACH PARTITION t1 FOR VALUES FROM (0) TO (5)"""
ORPHAN = """CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE t (a int); INSERT INTO t VALUES (1);
    ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES parent NOT VALID"""


@pytest.mark.parametrize(
    ("schema", "loss", "words"),
    [
        ("CREATE TABLE t (id int PRIMARY KEY, a text UNIQUE); INSERT INTO t VALUES (1, 'a')", "UPDATE t SET id = 3", "unique value"),
        ("CREATE TABLE t (a text, b int); INSERT INTO t VALUES ('x')",
         "DELETE FROM t; ALTER TABLE t ADD c int NOT NULL", "must not be NULL"),
        ("CREATE DOMAIN d AS text; CREATE TABLE t (a d); INSERT INTO t VALUES ('x')",
         "DELETE FROM t; ALTER DOMAIN d ADD CHECK (value <> 'x')", "CHECK of the table or of a domain"),
        ("CREATE TYPE e AS ENUM ('x'); CREATE TABLE t (a e); INSERT INTO t VALUES ('x')",
         "DELETE FROM t; ALTER TYPE e RENAME VALUE 'x' TO 'y'", "widen the type"),
        ("CREATE TABLE t (a text); INSERT INTO t VALUES ('x')",
         "DELETE FROM t; CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING", "a rule"),
        ("CREATE TABLE t (a text); INSERT INTO t VALUES ('x')",
         "DELETE FROM t; DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET default_transaction_read_only = on'; END $$",
         "read-only for this role"),
        (PARTED, DIVIDED, "partition was divided"),
        (ORPHAN, "DELETE FROM t", "does not hold either"),
    ],
    ids=["unique", "not null", "domain", "enum", "rule", "read-only", "partition", "parent"],
)  # fmt: skip
def test_what_stands_in_the_way_is_named_and_nothing_is_changed(incident: Incident, schema: str, loss: str, words: str) -> None:
    before = incident(schema, loss)
    held = rows(before[1], "SELECT t::text FROM t")
    with diff(*before) as found, pytest.raises(RestoreFailed, match=f"nothing was changed.*{words}"):
        apply_rescue(before[1], Rescue(found, ["t"]).script())
    assert rows(before[1], "SELECT t::text FROM t") == held


@pytest.mark.parametrize(
    "kind", ["text UNIQUE", "int NOT NULL UNIQUE", "text NOT NULL UNIQUE", "uuid NOT NULL UNIQUE", "numeric UNIQUE NULLS NOT DISTINCT"]
)
def test_rows_that_exchanged_their_unique_values_get_them_back(incident: Incident, kind: str) -> None:
    value = "md5(i::text)::uuid" if "uuid" in kind else "i"
    before = incident(
        f"""CREATE TABLE t (id int PRIMARY KEY, u {kind}, other int, UNIQUE (other, u));
        INSERT INTO t SELECT i, {value}, 0 FROM generate_series(1, 9) i""",
        """CREATE TABLE kept AS SELECT * FROM t; DELETE FROM t WHERE id < 6;
        INSERT INTO t SELECT k.id, n.u, k.other FROM kept k JOIN kept n ON n.id = k.id % 4 + 1 WHERE k.id < 5; DROP TABLE kept""",
    )
    with diff(*before) as found:
        assert found.row_result("t").counts.changed == 4
        assert apply_rescue(before[1], Rescue(found, ["t"], revert=True).script()) == 5  # and the lost one
    assert rows_are_the_same(before)
    with diff(*before) as found:
        assert apply_rescue(before[1], Rescue(found, ["t"], revert=True).script()) == 0


def test_unique_values_at_which_rows_point_stay_where_they_are(incident: Incident) -> None:
    before = incident(
        """CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE); CREATE TABLE child (u int REFERENCES t (u) ON UPDATE CASCADE);
        INSERT INTO t VALUES (1, 1), (2, 2); INSERT INTO child VALUES (1), (2)""",
        "UPDATE t SET u = 3 WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2; UPDATE t SET u = 2 WHERE id = 1",
    )
    held = rows(before[1], "SELECT u FROM child")
    with diff(*before) as found, pytest.raises(RestoreFailed, match="exchanged come back with --revert, unless foreign keys point at them"):
        apply_rescue(before[1], Rescue(found, ["t"], revert=True).script())
    assert rows(before[1], "SELECT u FROM child") == held


@pytest.mark.parametrize(
    ("kind", "then", "now"),
    [
        *[
            ("numeric", "1.0", "1.00"),
            ("own", "1.0", "1.00"),
            ("float8", "-0", "0"),
            ('text COLLATE "C"', "a", "a"),
            ("varchar(9)", "a", "a"),
        ],
        *[
            ("interval", "1 mon", "30 days"),
            ("jsonb", "[1.0]", "[1.00]"),
            ("own[]", "{1.0}", "{1.00}"),
            ("numrange", "[1.0,2)", "[1.00,2)"),
        ],
        *[("pair", "(1.0,x)", "(1.00,x)"), ("citext", "Ab", "aB"), ("citext[]", "{Ab}", "{aB}"), ("character(3)", "a", "a ")],
    ],
)
def test_a_row_whose_key_is_equal_but_printed_otherwise_is_changed_and_not_lost(incident: Incident, kind: str, then: str, now: str) -> None:
    before = incident(
        f"CREATE DOMAIN own AS numeric; CREATE TYPE pair AS (a own, b text); CREATE EXTENSION citext;"
        f"CREATE TABLE t (k {kind} PRIMARY KEY, v int); INSERT INTO t VALUES ('{then}', 1)",
        f"UPDATE t SET k = '{now}', v = 2 WHERE v = 1",
    )
    with diff(*before) as found:
        assert found.row_result("t").counts == RowCounts(changed=1)
        columns = {"v"} if then == now.rstrip() else {"k", "v"}
        assert {c.attribute for c in found.row_result("t").listed[0].columns} == columns
        assert apply_rescue(before[1], Rescue(found, ["t"]).script()) == 0
    with diff(*before, include=["t"]) as found:
        assert found.row_result("t").counts == RowCounts(changed=1)
    with diff(*before) as found:
        apply_rescue(before[1], Rescue(found, ["t"], revert=True).script())
    assert rows_are_the_same(before)


@pytest.mark.parametrize("kind", ["int", "numeric", "character(3)"])
def test_a_row_whose_key_is_null_gets_its_values_back_where_nulls_are_one_value(incident: Incident, kind: str) -> None:
    before = incident(
        f"CREATE TABLE t (a {kind}, b text, UNIQUE NULLS NOT DISTINCT (a)); INSERT INTO t VALUES (NULL, 'x'), ('1', 'y'), ('2', 'z')",
        "UPDATE t SET b = b || '!' WHERE a IS NULL OR a = '1'; DELETE FROM t WHERE a = '2'",
    )
    with diff(*before) as found:
        assert found.row_result("t").counts == RowCounts(missing=1, changed=2)
        assert apply_rescue(before[1], Rescue(found, ["t"], revert=True).script()) == 3
    assert rows_are_the_same(before)


def test_rows_of_periods_are_told_by_their_key(incident: Incident) -> None:
    before = incident(
        "CREATE EXTENSION btree_gist; CREATE TABLE t (id int, during daterange, v int, PRIMARY KEY (id, during WITHOUT OVERLAPS));"
        "INSERT INTO t VALUES (1, '[2024-01-01,2024-02-01)', 1), (1, '[2024-02-01,)', 2), (2, '[2024-02-01,)', 3)",
        "UPDATE t SET v = 0 WHERE v = 2; DELETE FROM t WHERE v = 3",
    )
    with diff(*before) as found:
        assert found.row_result("t").counts == RowCounts(missing=1, changed=1)
        assert apply_rescue(before[1], Rescue(found, ["t"], revert=True).script()) == 2
    assert rows_are_the_same(before)


@pytest.mark.parametrize("columns", ["", "a int GENERATED ALWAYS AS (1) STORED"])
def test_rows_of_no_columns_come_back_as_many_as_there_were(incident: Incident, columns: str) -> None:
    before = incident(f"CREATE TABLE t ({columns}); {3 * 'INSERT INTO t DEFAULT VALUES;'}", "DELETE FROM t; INSERT INTO t DEFAULT VALUES")
    for times in (2, 0):
        with diff(*before) as found:
            assert found.row_result("t").counts == RowCounts(missing=times)
            assert apply_rescue(before[1], Rescue(found, ["t"]).script()) == times
    assert rows_are_the_same(before)
    run(before[1], "INSERT INTO t DEFAULT VALUES")
    with diff(*before) as found:
        assert apply_rescue(before[1], Rescue(found, ["t"]).script()) == 0


def test_rows_of_which_no_column_is_left_are_refused(incident: Incident) -> None:
    before = incident("CREATE TABLE t (a int); INSERT INTO t VALUES (1)", "ALTER TABLE t DROP a, ADD b int; DELETE FROM t")
    with diff(*before) as found, pytest.raises(RowsNotAvailable, match="none of the columns any more"):
        "".join(Rescue(found, ["t"]).script())


def test_rows_of_no_encoding_come_back_byte_for_byte(server: EmbeddedServer, tmp_path: Path) -> None:
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE rescue_any_bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'")
        url = server.url("rescue_any_bytes")
        run(url, "CREATE TABLE t (a text)")
        with psycopg.connect(url, client_encoding="SQL_ASCII") as connection:
            connection.execute(b"INSERT INTO t VALUES ('\xe9\xff'), ('\xc3\xa9')")
        path = tmp_path / "any.dump"
        pg_dump(server, url, path, "-Fc")
        run(url, "DELETE FROM t")
        with diff(path, url) as found:
            apply_rescue(url, Rescue(found, ["t"]).script())
        assert rows_are_the_same((path, url))
        admin.execute("DROP DATABASE rescue_any_bytes WITH (FORCE)")


def test_values_for_which_no_column_is_left_are_told_and_not_called_as_before(incident: Incident, pgaudit: Run) -> None:
    before = incident(
        "CREATE TABLE t (id int PRIMARY KEY, email text, twice int, stays int); CREATE TABLE whole (id int);"
        "INSERT INTO t SELECT i, 'e' || i, 0, i FROM generate_series(1, 5) i; INSERT INTO whole VALUES (1)",
        "DELETE FROM t WHERE id < 3; DELETE FROM whole; ALTER TABLE t RENAME email TO mail; ALTER TABLE t DROP twice;"
        "ALTER TABLE t ADD twice int GENERATED ALWAYS AS (id * 2) STORED",
    )
    told = 'rows of public.t come back without their values of "email", "twice"'
    assert f"-- {told}" in script(before, "t", "whole")
    asked = ("rescue", *map(str, before), "t", "whole")
    written = json.loads(pgaudit(*asked, "-o", str(before[0].with_name("rescue.sql")), "--json").stdout)
    assert written["left_out"] == {"public.t": ["email", "twice"]}
    done = pgaudit(*asked, "--apply", "--yes")
    assert done.returncode == 0, done.stderr
    assert told in done.stderr
    assert "3 rows of public.t, public.whole are as before, but for the columns named above; no other row was changed" in done.stdout
    assert rows(before[1], "SELECT * FROM t WHERE id < 3 ORDER BY 1") == [(1, None, 1, 2), (2, None, 2, 4)]


def test_functions_of_the_application_find_what_they_need(incident: Incident) -> None:
    before = incident(
        """CREATE FUNCTION inner_one(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
        CREATE FUNCTION plain(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN inner_one($1); END';
        CREATE DOMAIN fine AS text CHECK (plain(value) <> 'bad');
        CREATE TABLE log (what text); CREATE TABLE t (id int PRIMARY KEY, a text CHECK (plain(a) <> 'bad'), b fine);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (TG_OP); RETURN NULL; END';
        CREATE TRIGGER at_once AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note();
        CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();
        CREATE INDEX ON t (plain(a)); INSERT INTO t SELECT i, 'A' || i, 'B' FROM generate_series(1, 3) i""",
        "DELETE FROM t WHERE id = 1; UPDATE t SET a = 'C' WHERE id = 2",
    )
    run(before[1], "TRUNCATE log")  # only now: what was deferred has written, too
    with diff(*before) as found:
        assert apply_rescue(before[1], Rescue(found, ["t"], revert=True, fire_triggers=True).script()) == 2
    assert rows(before[1], "SELECT what FROM log ORDER BY 1") == [("INSERT",), ("UPDATE",)]
    assert rows(before[1], "SELECT * FROM t ORDER BY 1") == [(1, "A1", "B"), (2, "A2", "B"), (3, "A3", "B")]


def test_of_rows_that_share_a_key_since_none_is_overwritten(incident: Incident) -> None:
    before = incident(
        "CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t SELECT i, 'a' || i FROM generate_series(1, 4) i",
        "ALTER TABLE t DROP CONSTRAINT t_pkey; UPDATE t SET a = 'b' WHERE id IN (1, 2); INSERT INTO t VALUES (1, 'other')",
    )
    held = rows(before[1], "SELECT * FROM t ORDER BY 1, 2")
    with diff(*before) as found, pytest.raises(RestoreFailed, match="1 changed rows share their key with others now"):
        apply_rescue(before[1], Rescue(found, ["t"], revert=True).script())
    assert rows(before[1], "SELECT * FROM t ORDER BY 1, 2") == held
    run(before[1], "DELETE FROM t WHERE a = 'other'")
    run(before[1], script(before, "t", revert=True))
    assert rows_are_the_same(before)


def test_rows_whose_key_has_another_name_now_are_refused_and_get_no_new_one(incident: Incident) -> None:
    before = incident(
        """CREATE TABLE t (id serial PRIMARY KEY, a text); INSERT INTO t (a) VALUES ('x'), ('y');
        CREATE TABLE made (a int, id int GENERATED ALWAYS AS (a * 2) STORED PRIMARY KEY); INSERT INTO made VALUES (1), (2)""",
        "DELETE FROM t WHERE id = 1; ALTER TABLE t RENAME id TO number; DELETE FROM made WHERE a = 1",
    )
    run(before[1], script(before, "made"))
    assert rows(before[1], "SELECT count(*), min(id) FROM made") == [(2, 2)]
    with pytest.raises(RowsNotAvailable, match=r't has no "id" any more, which was of its key.*pgaudit extract DUMP public.t'):
        script(before, "t")
