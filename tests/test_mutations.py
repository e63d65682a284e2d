"""No miss, no false alarm: one change made to a live database is named, with its attribute, and nothing else is.

Every line of `CHANGES` is made alone, to a copy of the database that was dumped, and looked for in both directions.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.difference import ObjectDifference, RowDifference
from pgaudit_kit.server.snapshot import snapshot
from tests.conftest import Score

BASE = "mutations_base"
COPY = "mutations_copy"
GONE, NEW = "only_left", "only_right"


@dataclass(frozen=True)
class Change:
    """SQL, the objects that it changes with the attributes (or GONE, NEW), and the rows: `status key: columns`."""

    sql: str
    objects: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _rows(sql: str, table: str, *rows: str) -> Change:
    return Change(sql, rows={table: rows})


USERS, POSTS = "TABLE app.users", "TABLE app.posts"
CHANGES = (
    # schemas, extensions
    Change("COMMENT ON SCHEMA app IS 'an app'", {"SCHEMA app": "comment"}),
    Change("ALTER SCHEMA app OWNER TO someone", {"SCHEMA app": "owner"}),
    Change("CREATE SCHEMA fresh", {"SCHEMA fresh": NEW}),
    Change("DROP SCHEMA other CASCADE", {"SCHEMA other": GONE, "EXTENSION citext": GONE}),
    Change("ALTER EXTENSION citext SET SCHEMA app", {"EXTENSION citext": "extension_schema"}),
    Change("COMMENT ON EXTENSION citext IS 'c'", {"EXTENSION citext": "comment"}),
    Change("DROP EXTENSION citext", {"EXTENSION citext": GONE}),
    # types, domains
    Change("ALTER TYPE mood ADD VALUE 'fine' AFTER 'sad'", {"TYPE app.mood": "labels"}),
    Change("ALTER TYPE mood RENAME VALUE 'ok' TO 'OK'", {"TYPE app.mood": "labels"}),
    Change("ALTER TYPE mood OWNER TO someone", {"TYPE app.mood": "owner"}),
    Change("COMMENT ON TYPE pair IS 'p'", {"TYPE app.pair": "comment"}),
    Change("ALTER TYPE pair ALTER ATTRIBUTE b TYPE varchar CASCADE", {"TYPE app.pair": "column b type"}),
    Change("ALTER TYPE pair ADD ATTRIBUTE c integer CASCADE", {"TYPE app.pair": "column c"}),
    Change("COMMENT ON COLUMN pair.a IS 'a'", {"TYPE app.pair": "column a comment"}),
    Change("ALTER DOMAIN positive SET DEFAULT 2", {"DOMAIN app.positive": "default"}),
    Change("ALTER DOMAIN positive SET NOT NULL", {"DOMAIN app.positive": "not_null"}),
    Change("ALTER DOMAIN positive OWNER TO someone", {"DOMAIN app.positive": "owner"}),
    Change("ALTER DOMAIN positive DROP CONSTRAINT above_zero", {"CHECK CONSTRAINT app.above_zero on positive": GONE}),
    Change(
        "ALTER DOMAIN positive DROP CONSTRAINT above_zero, ADD CONSTRAINT above_zero CHECK (VALUE >= 0)".replace(
            ", ADD", "; ALTER DOMAIN positive ADD"
        ),
        {"CHECK CONSTRAINT app.above_zero on positive": "definition"},
    ),
    # tables and their columns
    Change("ALTER TABLE users ALTER name TYPE varchar(21)", {USERS: "column name type"}),
    Change('ALTER TABLE users ALTER name TYPE varchar(20) COLLATE "C"', {USERS: "column name collation"}),
    Change("ALTER TABLE users ALTER name SET DEFAULT 'y'", {USERS: "column name default"}),
    Change("ALTER TABLE users ALTER name DROP DEFAULT", {USERS: "column name default"}),
    Change("ALTER TABLE users ALTER email DROP NOT NULL", {USERS: "column email not_null"}),
    Change("ALTER TABLE users ALTER name SET NOT NULL", {USERS: "column name not_null"}),
    Change("ALTER TABLE users ADD extra text", {USERS: "column extra"}),
    Change("ALTER TABLE users DROP doc", {USERS: "column doc"}),
    Change("ALTER TABLE users RENAME doc TO document", {USERS: "column doc, column document"}),
    Change("COMMENT ON COLUMN users.name IS 'what they are called.'", {USERS: "column name comment"}),
    Change("COMMENT ON COLUMN users.name IS NULL", {USERS: "column name comment"}),
    Change("COMMENT ON TABLE users IS ''", {USERS: "comment"}),
    Change("ALTER TABLE keyless OWNER TO someone", {"TABLE app.keyless": "owner"}),
    Change(
        "ALTER TABLE keyless SET SCHEMA other",
        {"TABLE app.keyless": GONE, "TABLE other.keyless": NEW},
        {"app.keyless": (), "other.keyless": ()},
    ),
    Change("ALTER TABLE keyless RENAME TO kl", {"TABLE app.keyless": GONE, "TABLE app.kl": NEW}, {"app.keyless": (), "app.kl": ()}),
    Change("ALTER TABLE users ALTER id SET GENERATED ALWAYS", {USERS: "column id identity"}),
    Change("ALTER TABLE users ALTER twice DROP EXPRESSION", {USERS: "column twice generated"}),
    Change("ALTER TABLE keyless SET UNLOGGED", {"TABLE app.keyless": "persistence"}),
    Change("ALTER TABLE posts SET (fillfactor = 80)", {POSTS: "options"}),
    Change("ALTER TABLE posts SET (toast.autovacuum_enabled = off)", {POSTS: "options"}),
    Change("ALTER TABLE posts REPLICA IDENTITY FULL", {POSTS: "replica_identity"}),
    Change("ALTER TABLE posts ENABLE ROW LEVEL SECURITY", {POSTS: "row_security"}),
    Change("ALTER TABLE posts FORCE ROW LEVEL SECURITY", {POSTS: "row_security"}),
    Change("ALTER TABLE typed NOT OF", {"TABLE app.typed": "column a, column b, of_type"}),
    Change(
        "ALTER TABLE child NO INHERIT parent",
        {
            "TABLE app.child": "column bare, column id not_null, column id type, column note type, inherits",
            "CHECK CONSTRAINT app.note_check on child": NEW,
        },
    ),
    Change("ALTER TABLE child ALTER note SET DEFAULT 'c'", {"TABLE app.child": "column note default"}),
    Change("ALTER TABLE child ALTER note SET NOT NULL", {"TABLE app.child": "column note not_null"}),
    Change("ALTER TABLE child ALTER bare SET DEFAULT 3", {"TABLE app.child": "column bare default"}),
    Change("ALTER TABLE child ALTER bare SET NOT NULL", {"TABLE app.child": "column bare not_null"}),
    Change("COMMENT ON COLUMN child.note IS 'n'", {"TABLE app.child": "column note comment"}),
    Change("ALTER TABLE parts ALTER v SET DEFAULT 'w'", {f"TABLE app.{t}": "column v default" for t in ("parts", "part_low", "part_high")}),
    Change("ALTER TABLE part_low ALTER v DROP DEFAULT", {"TABLE app.part_low": "column v default"}),
    Change(
        "ALTER TABLE parts DETACH PARTITION part_high; ALTER TABLE parts ATTACH PARTITION part_high FOR VALUES FROM (10) TO (21)",
        {"TABLE app.part_high": "partition_bound"},
    ),
    Change(
        "ALTER TABLE parts DETACH PARTITION part_high",
        {
            "TABLE app.part_high": "partition_bound, partition_of",
            "INDEX app.part_high_v_idx on part_high": "attached_to",
        },
    ),
    Change(
        "ALTER TABLE keyless DROP a; ALTER TABLE keyless ADD a integer",
        {"TABLE app.keyless": "column order"},
        {
            "app.keyless": (
                "only_left a=1,b=same:",
                "only_left a=1,b=same:",
                "only_left a=1,b=same:",
                "only_left a=2,b=None:",
                "only_right a=None,b=None:",
                "only_right a=None,b=same:",
                "only_right a=None,b=same:",
                "only_right a=None,b=same:",
            )
        },
    ),
    Change("DROP TABLE typed", {"TABLE app.typed": GONE}, {"app.typed": ()}),
    Change('CREATE TABLE "Dotted.name" ()', {"TABLE app.Dotted.name": NEW}, {'app."Dotted.name"': ()}),
    # constraints
    Change("ALTER TABLE users DROP CONSTRAINT email_key", {"CONSTRAINT app.email_key on users": GONE}),
    Change("COMMENT ON CONSTRAINT email_key ON users IS 'k'", {"CONSTRAINT app.email_key on users": "comment"}),
    Change(
        "ALTER TABLE users DROP CONSTRAINT email_key, ADD CONSTRAINT email_key UNIQUE (email, name)",
        {"CONSTRAINT app.email_key on users": "definition"},
    ),
    Change(
        "ALTER TABLE posts DROP CONSTRAINT apart, ADD CONSTRAINT apart EXCLUDE USING gist (during WITH &&) WHERE (id > 0)",
        {"CONSTRAINT app.apart on posts": "definition"},
    ),
    Change("ALTER INDEX users_pkey SET (fillfactor = 60)", {"CONSTRAINT app.users_pkey on users": "options"}),
    Change(
        "ALTER TABLE posts CLUSTER ON posts_pkey",
        {"CONSTRAINT app.posts_pkey on posts": "clustered", "INDEX app.posts_body on posts": "clustered"},
    ),
    Change(
        "ALTER TABLE users RENAME CONSTRAINT age_check TO age_chk",
        {"CHECK CONSTRAINT app.age_check on users": GONE, "CHECK CONSTRAINT app.age_chk on users": NEW},
    ),
    Change(
        "ALTER TABLE users DROP CONSTRAINT age_check, ADD CONSTRAINT age_check CHECK (age >= 0)",
        {"CHECK CONSTRAINT app.age_check on users": "definition"},
    ),
    Change(
        "ALTER TABLE users DROP CONSTRAINT age_check, ADD CONSTRAINT age_check CHECK (age > 0) NOT VALID",
        {"CHECK CONSTRAINT app.age_check on users": "definition"},
    ),
    Change("COMMENT ON CONSTRAINT age_check ON users IS 'c'", {"CHECK CONSTRAINT app.age_check on users": "comment"}),
    Change("ALTER TABLE posts DROP CONSTRAINT author_fkey", {"FK CONSTRAINT app.author_fkey on posts": GONE}),
    Change(
        "ALTER TABLE posts DROP CONSTRAINT author_fkey, ADD CONSTRAINT author_fkey FOREIGN KEY (author) REFERENCES users",
        {"FK CONSTRAINT app.author_fkey on posts": "definition"},
    ),
    Change("ALTER TABLE posts ALTER CONSTRAINT author_fkey DEFERRABLE", {"FK CONSTRAINT app.author_fkey on posts": "definition"}),
    Change("COMMENT ON CONSTRAINT author_fkey ON posts IS 'f'", {"FK CONSTRAINT app.author_fkey on posts": "comment"}),
    # indexes
    Change("DROP INDEX posts_author", {"INDEX app.posts_author on posts": GONE}),
    Change("CREATE INDEX added ON posts (body)", {"INDEX app.added on posts": NEW}),
    Change(
        "DROP INDEX posts_author; CREATE INDEX posts_author ON posts (author) WHERE body IS NULL",
        {"INDEX app.posts_author on posts": "definition"},
    ),
    Change("ALTER INDEX posts_cover SET (fillfactor = 71)", {"INDEX app.posts_cover on posts": "definition"}),
    Change("COMMENT ON INDEX kept_id IS 'i'", {"INDEX app.kept_id on kept": "comment"}),
    # triggers, rules
    Change("ALTER TABLE posts DISABLE TRIGGER touched", {"TRIGGER app.touched on posts": "enabled"}),
    Change("ALTER TABLE posts ENABLE ALWAYS TRIGGER touched", {"TRIGGER app.touched on posts": "enabled"}),
    Change("ALTER TABLE part_low DISABLE TRIGGER counted", {"TRIGGER app.counted on part_low": NEW}),
    Change(
        "CREATE OR REPLACE TRIGGER touched BEFORE UPDATE OF body ON posts FOR EACH ROW EXECUTE FUNCTION touch()",
        {"TRIGGER app.touched on posts": "definition"},
    ),
    Change("COMMENT ON TRIGGER touched ON posts IS NULL", {"TRIGGER app.touched on posts": "comment"}),
    Change("DROP TRIGGER touched ON posts", {"TRIGGER app.touched on posts": GONE}),
    Change("ALTER TABLE two_keys DISABLE RULE quiet", {"RULE app.quiet on two_keys": "enabled"}),
    Change(
        "CREATE OR REPLACE RULE quiet AS ON DELETE TO two_keys WHERE (OLD.a > 1) DO INSTEAD NOTHING",
        {"RULE app.quiet on two_keys": "definition"},
    ),
    Change("COMMENT ON RULE quiet ON two_keys IS 'r'", {"RULE app.quiet on two_keys": "comment"}),
    # routines
    Change(
        "CREATE OR REPLACE FUNCTION one(n integer DEFAULT 1) RETURNS integer LANGUAGE sql AS 'SELECT n + 2'",
        {"FUNCTION app.one(n integer)": "body"},
    ),
    Change(
        "CREATE OR REPLACE FUNCTION one(n integer DEFAULT 3) RETURNS integer LANGUAGE sql AS 'SELECT n + 1'",
        {"FUNCTION app.one(n integer)": "arguments"},
    ),
    Change(
        "CREATE OR REPLACE FUNCTION atomic() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 2; END", {"FUNCTION app.atomic()": "body"}
    ),
    Change("ALTER FUNCTION one IMMUTABLE", {"FUNCTION app.one(n integer)": "volatility"}),
    Change("ALTER FUNCTION one STRICT", {"FUNCTION app.one(n integer)": "strict"}),
    Change("ALTER FUNCTION one SECURITY DEFINER", {"FUNCTION app.one(n integer)": "security_definer"}),
    Change("ALTER FUNCTION one LEAKPROOF", {"FUNCTION app.one(n integer)": "leakproof"}),
    Change("ALTER FUNCTION one PARALLEL SAFE", {"FUNCTION app.one(n integer)": "parallel"}),
    Change("ALTER FUNCTION one COST 101", {"FUNCTION app.one(n integer)": "cost"}),
    Change("ALTER FUNCTION many ROWS 7", {"FUNCTION app.many()": "rows"}),
    Change("ALTER FUNCTION many SET work_mem = '2MB'", {"FUNCTION app.many()": "config"}),
    Change("ALTER FUNCTION many OWNER TO someone", {"FUNCTION app.many()": "owner"}),
    Change("ALTER FUNCTION one RENAME TO uno", {"FUNCTION app.one(n integer)": GONE, "FUNCTION app.uno(n integer)": NEW}),
    Change("COMMENT ON FUNCTION one IS 'f'", {"FUNCTION app.one(n integer)": "comment"}),
    Change("CREATE FUNCTION one(n text) RETURNS integer LANGUAGE sql AS 'SELECT 1'", {"FUNCTION app.one(n text)": NEW}),
    Change("ALTER PROCEDURE proc SECURITY DEFINER", {"PROCEDURE app.proc(INOUT a integer)": "security_definer"}),
    Change(
        "CREATE OR REPLACE PROCEDURE proc(INOUT a integer) LANGUAGE plpgsql AS 'BEGIN a := 2; END'",
        {"PROCEDURE app.proc(INOUT a integer)": "body"},
    ),
    # sequences
    Change("ALTER SEQUENCE loose INCREMENT 2", {"SEQUENCE app.loose": "increment"}),
    Change("ALTER SEQUENCE loose START 6", {"SEQUENCE app.loose": "start"}),
    Change("ALTER SEQUENCE loose MINVALUE -1", {"SEQUENCE app.loose": "minimum"}),
    Change("ALTER SEQUENCE loose MAXVALUE 99", {"SEQUENCE app.loose": "maximum"}),
    Change("ALTER SEQUENCE loose CACHE 2", {"SEQUENCE app.loose": "cache"}),
    Change("ALTER SEQUENCE loose CYCLE", {"SEQUENCE app.loose": "cycle"}),
    Change("ALTER SEQUENCE loose AS integer", {"SEQUENCE app.loose": "data_type"}),
    Change("ALTER SEQUENCE loose SET UNLOGGED", {"SEQUENCE app.loose": "persistence"}),
    Change("ALTER SEQUENCE loose OWNER TO someone", {"SEQUENCE app.loose": "owner"}),
    Change("ALTER SEQUENCE loose OWNED BY posts.id", {"SEQUENCE app.loose": "owned_by"}),
    Change("ALTER SEQUENCE owned OWNED BY NONE", {"SEQUENCE app.owned": "owned_by"}),
    Change("ALTER SEQUENCE users_id_seq INCREMENT 5", {"SEQUENCE app.users_id_seq": "increment"}),
    Change("SELECT nextval('loose')", {"SEQUENCE app.loose": "last_value"}),
    Change("SELECT setval('loose', 41, false)", {"SEQUENCE app.loose": "is_called"}),
    # views
    Change("CREATE OR REPLACE VIEW seen AS SELECT id, email FROM users WHERE age > 2", {"VIEW app.seen": "definition"}),
    Change("ALTER VIEW seen SET (security_barrier)", {"VIEW app.seen": "options"}),
    Change("ALTER VIEW seen SET (check_option = local)", {"VIEW app.seen": "check_option"}),
    Change("COMMENT ON COLUMN seen.email IS 'Seen'", {"VIEW app.seen": "column email comment"}),
    Change("ALTER VIEW seen OWNER TO someone", {"VIEW app.seen": "owner"}),
    Change("ALTER MATERIALIZED VIEW kept SET (fillfactor = 50)", {"MATERIALIZED VIEW app.kept": "options"}),
    Change("DROP MATERIALIZED VIEW kept", {"MATERIALIZED VIEW app.kept": GONE, "INDEX app.kept_id on kept": GONE}),
    # rows
    _rows("UPDATE users SET name = 'N7' WHERE id = 7", "app.users", "changed id=7: name"),
    _rows("UPDATE users SET doc = '{\"a\": 2}' WHERE id = 8", "app.users", "changed id=8: doc"),
    _rows("UPDATE users SET at = at + '1 microsecond' WHERE id = 9", "app.users", "changed id=9: at"),
    _rows("DELETE FROM users WHERE id = 50", "app.users", "only_left id=50:"),
    _rows("INSERT INTO users (id, email) VALUES (99, 'e')", "app.users", "only_right id=99:"),
    _rows("UPDATE users SET id = 500 WHERE id = 50", "app.users", "only_left id=50:", "only_right id=500:"),
    _rows("UPDATE posts SET body = '' WHERE id = 1", "app.posts", "changed id=1: body"),
    _rows("UPDATE posts SET body = NULL WHERE id = 2", "app.posts", "changed id=2: body"),
    _rows("UPDATE posts SET body = body || ' ' WHERE id = 20", "app.posts", "changed id=20: body"),
    _rows("UPDATE posts SET body = E'\\\\N' WHERE id = 1", "app.posts", "changed id=1: body"),
    _rows("TRUNCATE two_keys", "app.two_keys", *(f"only_left b=k{n},a={n}:" for n in range(1, 10))),
    _rows("UPDATE two_keys SET c = 'd' WHERE a = 3", "app.two_keys", "changed b=k3,a=3: c"),
    _rows("INSERT INTO keyless VALUES (1, 'same')", "app.keyless", "only_right a=1,b=same:"),
    _rows(
        "DELETE FROM keyless WHERE ctid IN (SELECT ctid FROM keyless WHERE a = 1 LIMIT 2)", "app.keyless", *["only_left a=1,b=same:"] * 2
    ),
    _rows("UPDATE keyless SET b = '' WHERE a = 2", "app.keyless", "only_left a=2,b=None:", "only_right a=2,b=:"),
    _rows("UPDATE parts SET v = 'w' WHERE id = 11", "app.part_high", "only_left id=11,v=v:", "only_right id=11,v=w:"),
    _rows("INSERT INTO child VALUES (1, 'n', 2, 'm')", "app.child", "only_right id=1,note=n,bare=2,more=m:"),
)


@pytest.fixture(scope="module")
def base(server: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """The server, with the database that is dumped."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE someone")
        connection.execute(f"CREATE DATABASE {BASE} TEMPLATE template0".encode())
        with psycopg.connect(server.url(BASE), autocommit=True) as made:
            made.execute((Path(__file__).parent / "mutations.sql").read_bytes())
        yield server
        for name in (COPY, BASE):
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        connection.execute("DROP ROLE someone")


@pytest.fixture(scope="module")
def dumps(base: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> list[Dump]:
    """The base in each format."""
    folder = tmp_path_factory.mktemp("mutations")
    for form in ("plain", "custom"):
        argv = [str(base.bin_folder / "pg_dump"), f"--format={form}", "-d", base.url(BASE), "-f", str(folder / form)]
        subprocess.run(argv, check=True, capture_output=True)
    return [read_dump(folder / form) for form in ("plain", "custom")]


def copy_with(server: EmbeddedServer, change: str) -> None:
    """Make a copy of the base with *change* made to it."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {COPY} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {COPY} TEMPLATE {BASE} STRATEGY file_copy".encode())
    with psycopg.connect(server.url(COPY), autocommit=True) as connection:
        connection.execute("SET search_path = app, public")
        connection.execute(change.encode())


def objects_of(found: Difference) -> dict[str, str]:
    return {str(d.key): ", ".join(sorted(c.attribute for c in d.changes)) or d.status for d in found.object_differences}


def rows_of(found: Difference) -> dict[str, tuple[str, ...]]:
    # a table that is on one side only lists no rows; "equivalent" is a table whose other columns are the same
    tables = (t for t in found.table_differences if t.status != "equivalent")
    return {str(t.name): () if t.status in (GONE, NEW) else tuple(sorted(map(_row, found.row_result(t.name).listed))) for t in tables}


def _row(row: RowDifference) -> str:
    key = ",".join(f"{name}={value}" for name, value in row.key.items())
    return f"{row.status} {key}: {', '.join(c.attribute for c in row.columns)}".rstrip()


def mirrored(d: ObjectDifference) -> tuple[object, ...]:
    other = {GONE: NEW, NEW: GONE}
    return (d.key, other.get(d.status, d.status), {(c.attribute, c.right, c.left) for c in d.changes})


def plain(d: ObjectDifference) -> tuple[object, ...]:
    return (d.key, d.status, {(c.attribute, c.left, c.right) for c in d.changes})


def misjudged(found: Difference, back: Difference, change: Change) -> str:
    """What is wrong with the judgement of *change*; "" when nothing is."""
    if (objects := objects_of(found)) != change.objects:
        return f"objects {objects}, not {change.objects}"
    expected = {table: tuple(sorted(rows)) for table, rows in change.rows.items()}
    if (rows := rows_of(found)) != expected:
        return f"rows {rows}, not {expected}"
    if list(map(mirrored, found.object_differences)) != list(map(plain, back.object_differences)):
        return f"the other way round: {objects_of(back)}"
    if any(c.left == c.right for d in found.object_differences for c in d.changes):
        return f"says the same of both sides: {found.object_differences}"
    return "" if (found.verdict, back.verdict) == ("different", "different") else f"verdicts {found.verdict}, {back.verdict}"


def test_the_copy_of_a_database_is_the_same(dumps: list[Dump], base: EmbeddedServer) -> None:
    copy_with(base, "SELECT 1")
    for dump in dumps:
        with snapshot(base.url(COPY)) as live:
            found = diff(dump, live)
            assert (found.verdict, objects_of(found), rows_of(found), found.unmodelled) == ("same", {}, {}, ())
            assert found.compared > 50


def test_every_change_is_named_and_nothing_else(dumps: list[Dump], base: EmbeddedServer, score: Score) -> None:
    wrong: dict[str, str] = {}
    for change in CHANGES:
        copy_with(base, change.sql)
        with snapshot(base.url(COPY)) as live:
            for dump in dumps:
                if why := misjudged(diff(dump, live), diff(live, dump), change):
                    wrong.setdefault(change.sql, f"{dump.label}: {why}")
    score.add(len(CHANGES) - len(wrong), len(CHANGES))
    assert not wrong, "\n".join(f"{change}\n    {why}" for change, why in wrong.items())
