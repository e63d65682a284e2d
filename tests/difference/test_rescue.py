"""A rescue puts back exactly what was lost, on a real server: afterwards nothing is missing, and running it twice changes nothing."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.difference.rescue import Rescue
from pgaudit_kit.errors import RowsNotAvailable, UsageError
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.difference.dumping import pg_dump

_numbers = itertools.count(1)
SCHEMA = """
CREATE SCHEMA "My App%";
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, mood mood, boss bigint REFERENCES users,
    shout text GENERATED ALWAYS AS (upper(name)) STORED);
CREATE TABLE messages (id serial PRIMARY KEY, author bigint NOT NULL REFERENCES users, body text, at timestamptz, data jsonb, raw bytea,
    tags text[], price numeric);
CREATE TABLE log (line text, n integer);
CREATE TABLE "My App%"."Odd $pgaudit$ ""Table"" x" ("Key 1" text, "k2" uuid, "va'lue" json, PRIMARY KEY ("Key 1", "k2"));
CREATE TABLE parts (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := 'spoilt'; RETURN NEW; END $$;
CREATE TRIGGER spoil BEFORE INSERT OR UPDATE ON messages FOR EACH ROW EXECUTE FUNCTION spoil();
CREATE TRIGGER always BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION spoil();
ALTER TABLE messages DISABLE TRIGGER USER;
INSERT INTO users (name, mood, boss) SELECT 'user ' || i, CASE WHEN i % 3 = 0 THEN 'sad' WHEN i % 3 = 1 THEN 'happy' END::mood,
    CASE WHEN i > 1 THEN 1 END FROM generate_series(1, 40) i;
INSERT INTO messages (author, body, at, data, raw, tags, price)
    SELECT 1 + i % 40, E'it''s \\\\ line\\nbreak\\t' || i,
    '2024-03-10 12:00+02'::timestamptz + i * interval '1 hour',
    jsonb_build_object('n', i), decode(md5(i::text), 'hex'), ARRAY['a,b', NULL, '"'], i / 7.0 FROM generate_series(1, 1200) i;
INSERT INTO log SELECT 'same line', 1 FROM generate_series(1, 5);
INSERT INTO log VALUES (NULL, NULL), ('', 0), ('other', 2);
INSERT INTO "My App%"."Odd $pgaudit$ ""Table"" x" SELECT 'k''ey ' || i, md5(i::text)::uuid, '{"a": 1}' FROM generate_series(1, 10) i;
INSERT INTO parts SELECT i, '2024-06-01' FROM generate_series(1, 20) i;
ALTER TABLE messages ENABLE TRIGGER spoil;
ALTER TABLE messages ENABLE ALWAYS TRIGGER always;
"""
ODD = '"My App%"."Odd $pgaudit$ ""Table"" x"'
LOSS = f"""
DELETE FROM messages WHERE id % 3 = 0;
DELETE FROM messages WHERE author > 30;
DELETE FROM users WHERE id > 30;
DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log);
DELETE FROM log WHERE n = 2 OR line IS NULL;
DELETE FROM {ODD} WHERE "Key 1" LIKE '%7';
DELETE FROM parts WHERE id < 5;
SELECT setval('messages_id_seq', 3), setval('users_id_seq', 2);
"""


@pytest.fixture
def before(server: EmbeddedServer, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A dump of the database before the incident, and the URL of the database in which rows were then lost."""
    name = f"rescue_{next(_numbers)}"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    url = server.url(name)
    run(url, SCHEMA)
    dump = tmp_path / "before.dump"
    subprocess.run([server.bin_folder / "pg_dump", "-Fc", "-f", dump], env=_environment(url), check=True)
    run(url, LOSS)
    yield dump, url
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def run(url: str, script: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(script.encode())


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def _environment(url: str) -> dict[str, str]:
    parts = make_url(url)
    return {**os.environ, "PGHOST": str(parts.query["host"]), "PGUSER": parts.username or "", "PGDATABASE": parts.database or ""}


@contextmanager
def rescue(before: tuple[Path, str], *tables: str, **options: bool) -> Iterator[Rescue]:
    with diff(*before) as difference:
        yield Rescue(difference, tables, **options)


def script(before: tuple[Path, str], *tables: str, **options: bool) -> str:
    with diff(*before) as difference:
        return difference.rescue(*tables, **options)


ALL = ("public.messages", "public.users", "public.log", ODD, "public.parts_1")


def test_after_a_rescue_nothing_is_missing_and_nothing_else_has_changed(before: tuple[Path, str]) -> None:
    run(before[1], script(before, *ALL))
    with diff(*before) as found:
        assert found.verdict == "same", (found.summary, found.objects)
    assert rows(before[1], "SELECT nextval('messages_id_seq'), nextval('users_id_seq')") == [(1201, 41)]
    enabled = rows(before[1], "SELECT tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1")
    assert enabled == [("always", "A"), ("spoil", "O")]


def test_a_second_run_changes_nothing_even_where_no_key_tells_rows_apart(before: tuple[Path, str]) -> None:
    text = script(before, *ALL)
    run(before[1], text)
    once = rows(before[1], "SELECT t::text FROM log t ORDER BY 1") + rows(before[1], "SELECT t::text FROM messages t ORDER BY id")
    run(before[1], "UPDATE users SET name = 'renamed since' WHERE id = 35")
    run(before[1], text)
    assert rows(before[1], "SELECT t::text FROM log t ORDER BY 1") + rows(before[1], "SELECT t::text FROM messages t ORDER BY id") == once
    assert rows(before[1], "SELECT name FROM users WHERE id = 35") == [("renamed since",)]


def test_nothing_that_was_added_since_is_deleted_and_changed_rows_stay_unless_asked(before: tuple[Path, str]) -> None:
    run(before[1], "INSERT INTO log VALUES ('new', 9)")
    run(before[1], "ALTER TABLE messages DISABLE TRIGGER USER; UPDATE messages SET body = 'edited', price = 0 WHERE id = 10")
    run(before[1], script(before, "messages", "users", "log"))
    assert rows(before[1], "SELECT count(*) FROM log WHERE line = 'new'") == [(1,)]
    assert rows(before[1], "SELECT body FROM messages WHERE id = 10") == [("edited",)]
    text = script(before, "messages", revert=True)
    run(before[1], text)
    run(before[1], text)
    with diff(*before, include=["messages"], ignore=["enabled"]) as found:
        assert found.table_differences == ()


def test_rows_whose_parents_are_gone_too_are_told_and_bring_them_along_when_asked(before: tuple[Path, str]) -> None:
    with rescue(before, "messages") as made:
        (lost,) = made.lost_parents
        assert (str(lost.table), str(lost.child), lost.rows) == ("public.users", "public.messages", 10)
        text = "".join(made.script())
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        run(before[1], text)
    assert rows(before[1], "SELECT count(*) FROM messages WHERE id % 3 = 0") == [(0,)]
    run(before[1], script(before, "messages", with_parents=True))
    with diff(*before, include=["messages", "users"]) as found:
        assert found.table_differences == ()


def test_only_the_parents_that_are_needed_come_along(before: tuple[Path, str]) -> None:
    run(before[1], "DELETE FROM messages WHERE author IN (20, 21)")
    run(before[1], "DELETE FROM users WHERE id IN (20, 21)")
    run(before[1], "INSERT INTO users (id, name) OVERRIDING SYSTEM VALUE VALUES (21, 'another')")
    with rescue(before, "messages", with_parents=True) as made:
        assert len(next(iter(made.needed.values()))) == 11  # 31 to 40, and 20; 21 is there, though changed


def test_a_row_that_a_trigger_would_spoil_fails_the_check_and_nothing_is_changed(before: tuple[Path, str]) -> None:
    text = script(before, "messages", "users", fire_triggers=True)
    with pytest.raises(psycopg.errors.RaiseException, match="not as they were"):
        run(before[1], text)
    assert rows(before[1], "SELECT count(*) FROM users WHERE id > 30") == [(0,)]


def test_of_rows_that_are_the_same_as_many_come_back_as_there_were(before: tuple[Path, str]) -> None:
    run(before[1], "DELETE FROM log WHERE ctid IN (SELECT ctid FROM log WHERE line = 'same line' LIMIT 2)")
    run(before[1], script(before, "log"))
    assert rows(before[1], "SELECT count(*) FROM log WHERE line = 'same line'") == [(5,)]
    run(before[1], "TRUNCATE log")
    run(before[1], script(before, "log"))
    assert rows(before[1], "SELECT count(*) FROM log WHERE line = 'same line'") == [(5,)]


def test_a_partitioned_table_stands_for_its_partitions_and_their_triggers_do_not_fire(before: tuple[Path, str]) -> None:
    spoil = "CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.id := 1000 + NEW.id; RETURN NEW; END $$;"
    run(before[1], f"{spoil} CREATE TRIGGER later BEFORE INSERT ON parts FOR EACH ROW EXECUTE FUNCTION later()")
    run(before[1], "CREATE TRIGGER once BEFORE INSERT ON parts FOR EACH STATEMENT EXECUTE FUNCTION later()")
    run(before[1], script(before, "parts"))
    assert rows(before[1], "SELECT min(id), max(id), count(*) FROM parts") == [(1, 20, 20)]
    assert rows(before[1], "SELECT DISTINCT tgenabled::text FROM pg_trigger WHERE tgname = 'later'") == [("O",)]


@pytest.fixture
def partitioned(server: EmbeddedServer, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """As `before`, of two partitioned tables that need each other's rows, by a key that is deferred, with a trigger."""
    schema = """
    CREATE TABLE p (id integer PRIMARY KEY, needs integer) PARTITION BY RANGE (id);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
    CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p);
    ALTER TABLE p ADD FOREIGN KEY (needs) REFERENCES c DEFERRABLE INITIALLY DEFERRED;
    CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE TRIGGER nothing BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION nothing();
    BEGIN; INSERT INTO p SELECT i, i FROM generate_series(1, 9) i; INSERT INTO c SELECT i, i FROM generate_series(1, 9) i; COMMIT;
    """
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE rescue_partitioned TEMPLATE template0")
        url = server.url("rescue_partitioned")
        run(url, schema)
        path = tmp_path / "partitioned.dump"
        pg_dump(server, url, path, "-Fc")
        yield path, url
        admin.execute("DROP DATABASE rescue_partitioned WITH (FORCE)")


def test_parents_in_a_partition_come_along_and_deferred_keys_keep_no_trigger_disabled(partitioned: tuple[Path, str]) -> None:
    run(partitioned[1], "TRUNCATE p, c")
    run(partitioned[1], script(partitioned, "c", with_parents=True))
    with diff(*partitioned) as found:
        assert found.verdict == "same"


def test_a_value_that_a_new_type_would_change_is_refused(before: tuple[Path, str]) -> None:
    run(
        before[1], "ALTER TABLE messages DISABLE TRIGGER USER; ALTER TABLE messages ALTER price TYPE numeric(10,2), ALTER body TYPE varchar"
    )
    with pytest.raises(psycopg.errors.RaiseException, match=r"column price of public.messages is numeric\(10,2\) now"):
        run(before[1], script(before, "messages", "users"))
    run(before[1], "ALTER TABLE messages ALTER price TYPE numeric")
    run(before[1], script(before, "messages", "users"))
    assert rows(before[1], "SELECT count(*) FROM messages") == [(1200,)]


def test_an_identity_that_cannot_be_set_back_is_not_called_as_it_was(server: EmbeddedServer, before: tuple[Path, str]) -> None:
    run(before[1], "CREATE TABLE kept (k text PRIMARY KEY, id int GENERATED ALWAYS AS IDENTITY); INSERT INTO kept VALUES ('a')")
    path = before[0].with_name("identity.dump")
    pg_dump(server, before[1], path, "-Fc")
    run(before[1], "DELETE FROM kept; INSERT INTO kept VALUES ('a')")
    with pytest.raises(psycopg.errors.RaiseException, match="not as they were"):
        run(before[1], script((path, before[1]), "kept", revert=True))


def test_a_script_that_fails_leaves_the_sequences_alone(before: tuple[Path, str]) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="not as they were"):
        run(before[1], script(before, "messages", "users", fire_triggers=True))
    assert rows(before[1], "SELECT last_value FROM messages_id_seq") == [(3,)]


def test_large_rows_are_not_gathered_into_one_statement(before: tuple[Path, str]) -> None:
    with rescue(before, "messages") as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pgaudit_kit.difference.rescue_sql._BYTES_PER_INSERT", 1000)
        assert max(len(s) for s in made.script() if s.startswith("INSERT INTO pg_temp.")) < 1500


def test_the_script_runs_in_psql_too(server: EmbeddedServer, before: tuple[Path, str]) -> None:
    done = subprocess.run(
        [server.bin_folder / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", "-"],
        env=_environment(before[1]), input=script(before, *ALL), text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    with diff(*before) as found:
        assert found.table_differences == ()


def test_what_cannot_be_rescued_is_refused_with_the_reason(before: tuple[Path, str]) -> None:
    with pytest.raises(UsageError, match="no table"):
        script(before)
    with pytest.raises(UsageError, match="neither"):
        script(before, "nobody")
    run(before[1], "DROP TABLE log")
    with pytest.raises(RowsNotAvailable, match="log is gone"):
        script(before, "public.log")
