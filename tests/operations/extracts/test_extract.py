"""One table out of a dump: the bytes that the server would write, a file that is whole or not there, a new table that was proved."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest

import pgaudit_kit as pk
from pgaudit_kit.errors import DamagedDump, PgAuditError, RestoreFailed, RowsNotAvailable, UsageError
from pgaudit_kit.operations.extracts.extract import Extract, extract
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.rows.float_text import with_plain_floats

AS_DUMPED = "SET TimeZone = 'Asia/Tokyo'; SET bytea_output = 'escape'; SET extra_float_digits = 3"


def copied(url: str, query: str) -> bytes:
    """What the server writes of *query*, in the settings of the dump."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(AS_DUMPED)
        with cursor.copy(query.encode()) as copy:
            return b"".join(bytes(block) for block in copy)


def taken(dump: Path, table: str, where: str | None = None) -> tuple[bytes, Extract]:
    """The CSV of *table*."""
    out = io.BytesIO()
    done = extract(dump, table, where=where, csv=out)
    return out.getvalue(), done


@pytest.mark.parametrize("table", ["plain_values", "odd.values", "one_text", "no_columns", "computed", "empty", "parent", "child"])
def test_csv_is_what_the_server_writes(typed_dump: Path, typed_url: str, table: str) -> None:
    name = table if "." in table else f"public.{table}"
    columns = "a, b" if table == "computed" else "*" if table != "no_columns" else ""
    text, done = taken(typed_dump, table)
    assert text == copied(typed_url, f"COPY (SELECT {columns} FROM {name}) TO STDOUT WITH (FORMAT csv, HEADER)")
    assert copied(typed_url, f"COPY (SELECT count(*) FROM {name}) TO STDOUT") == f"{done.rows}\n".encode()


def test_rows_of_a_condition_are_their_own_text(typed_dump: Path, typed_url: str) -> None:
    where = "n > 10 AND feeling = 'sad' AND \"at\" >= TIMESTAMPTZ '2024-01-02 00:00:00+00'"
    text, done = taken(typed_dump, "big", where=where)
    server = "COPY (SELECT * FROM big WHERE n > 10 AND feeling = 'sad' AND \"at\" >= '2024-01-02 00:00:00+00') TO STDOUT CSV HEADER"
    assert text == copied(typed_url, server)
    assert 0 < done.rows < 120_000
    assert taken(typed_dump, "child", where="1 = 1")[1] == taken(typed_dump, "child")[1]
    assert taken(typed_dump, "parent", where="id = 0")[0] == b"id,price\n"


def test_a_partitioned_table_has_the_rows_of_its_partitions(typed_dump: Path) -> None:
    assert sorted(taken(typed_dump, "measured")[0].splitlines()) == [b"2023-05-05,1.5", b"2024-06-06,2.5", b"2024-07-07,NaN", b"day,value"]
    assert taken(typed_dump, "measured_2024")[0].splitlines()[0] == b"value,day"


@pytest.mark.filterwarnings("ignore:.*these columns are text here")
def test_parquet_has_types_and_text_only_where_it_has_no_value(typed_dump: Path, tmp_path: Path) -> None:
    path = tmp_path / "big.parquet"
    done = extract(typed_dump, "big", where="id <= 60000", parquet=path)
    frame = pd.read_parquet(path)
    expected = pk.read_dump(typed_dump).read_table("big", where="id <= 60000")
    assert (done.rows, done.path, done.notes) == (60_000, path, ())
    assert frame["price"].tolist() == expected["price"].tolist()
    assert frame["at"].tolist() == expected["at"].tolist()
    assert frame["feeling"].astype("string").tolist() == expected["feeling"].astype("string").tolist()
    odd = extract(typed_dump, "odd.values", where="id < 3", parquet=tmp_path / "odd.parquet")
    assert odd.notes[-1].startswith("Parquet has no infinite dates")
    frame = pd.read_parquet(tmp_path / "odd.parquet")
    assert frame["day"].tolist() == ["infinity", "-infinity"]
    assert frame["clock"].tolist() == ["24:00:00", "12:00:00"]


def test_a_file_is_whole_or_not_there_and_never_overwritten_unasked(typed_dump: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    extract(typed_dump, "one_text", csv=path)
    before = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="is there already"):
        extract(typed_dump, "big", csv=path)
    assert path.read_bytes() == before
    assert extract(typed_dump, "child", csv=path, overwrite=True).rows == 1
    cut = tmp_path / "cut.dump"
    cut.write_bytes(typed_dump.read_bytes()[:3_000_000])
    with pytest.raises(DamagedDump):
        extract(cut, "big", csv=tmp_path / "cut.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut.dump", "rows.csv"]
    for place in (tmp_path, tmp_path / "no" / "such"):
        with pytest.raises(UsageError):
            extract(typed_dump, "child", csv=place)


@pytest.mark.parametrize("inserts", [False, True])
def test_a_script_makes_the_same_rows(
    typed_dump: Path, typed_url: str, server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path, *, inserts: bool
) -> None:
    url = with_types(make_database)
    script = tmp_path / "rows.sql"
    for table in ("plain_values", "odd.values", "one_text", "computed"):
        extract(typed_dump, table, sql=script, name="odd.copied", inserts=inserts, overwrite=True)
        psql = [server.bin_folder / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url]
        psql += ["-c", "DROP TABLE IF EXISTS odd.copied", "-f", script]
        done = subprocess.run([*map(str, psql)], capture_output=True, text=True, check=True)
        assert "ERROR" not in done.stderr
        columns = " (a, b)" if table == "computed" else ""
        name = table if "." in table else f"public.{table}"
        assert copied(url, f"COPY odd.copied{columns} TO STDOUT") == copied(typed_url, f"COPY {name}{columns} TO STDOUT")


def with_types(make_database: Callable[..., str]) -> str:
    """A database with the types of typed.sql, and none of its tables."""
    url = make_database()
    text = (Path(__file__).parents[2] / "dumps" / "typed.sql").read_text(encoding="utf-8")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(text[: text.index("CREATE TABLE")].encode())
    return url


def test_a_new_table_holds_the_rows_of_the_dump_and_nothing_else_is_touched(
    typed_dump: Path, typed_url: str, make_database: Callable[..., str]
) -> None:
    url = with_types(make_database)
    for table, name in (("plain_values", "public.plain_values_from_dump"), ("odd.values", 'odd."Some Values"'), ("measured", "public.m")):
        given = None if table == "plain_values" else name
        done = extract(typed_dump, table, into=url, name=given)
        assert str(done.into) == name
        source = table if "." in table else f"public.{table}"
        same = "SELECT count(*) FROM {}", "COPY (SELECT * FROM {} AS t ORDER BY t::text) TO STDOUT"
        assert [copied(url, f"COPY ({same[0].format(name)}) TO STDOUT")] == [str(done.rows).encode() + b"\n"]
        assert copied(url, same[1].format(name)) == copied(typed_url, same[1].format(source))
    assert done.target.endswith(url.rpartition("/")[2].partition("?")[0])
    with pytest.raises(UsageError, match="already exists"):
        extract(typed_dump, "plain_values", into=url)


def test_names_in_rows_are_read_and_printed_with_their_schema_whatever_types_the_table_has(
    server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path
) -> None:
    url, path = make_database(), tmp_path / "d"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("""CREATE TABLE t (c "char", cs "char"[], r regclass)""")
        connection.execute("INSERT INTO t VALUES ('x', '{y}', 't')")
    subprocess.run([server.bin_folder / "pg_dump", "-Fc", "-f", str(path), "-d", url], check=True)
    assert extract(path, "t", into=url).rows == 1


APP = """
CREATE SEQUENCE counted;
CREATE TABLE parents (id int PRIMARY KEY);
INSERT INTO parents VALUES (1);
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number int NOT NULL DEFAULT nextval('counted'),
    name text COLLATE "C" DEFAULT 'nobody' NOT NULL,
    parent int REFERENCES parents,
    at timestamptz DEFAULT now(),
    twice int GENERATED ALWAYS AS (number * 2) STORED,
    CHECK (number > 0)
);
INSERT INTO users (name, parent) VALUES ('a', 1), ('b', NULL), ('c', 1);
"""


@pytest.fixture
def app_dump(server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path) -> tuple[Path, str]:
    url = make_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(APP.encode())
    path = tmp_path / "app.dump"
    subprocess.run([server.bin_folder / "pg_dump", "-Fc", "-f", str(path), "-d", url], check=True)
    return path, url


def test_columns_come_with_what_stands_by_itself_and_identities_count_on(app_dump: tuple[Path, str]) -> None:
    dump, url = app_dump
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM users WHERE id = 2")
        done = extract(dump, "users", into=url)
        assert (done.rows, len(done.notes)) == (3, 1)
        assert "nextval" in done.notes[0]
        made = connection.execute(
            "SELECT attname, attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid) FROM pg_attribute "
            "LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
            "WHERE attrelid = 'users_from_dump'::regclass AND attnum > 0 ORDER BY attnum"
        ).fetchall()
        assert made == [
            ("id", True, "a", "", None),
            ("number", True, "", "", None),
            ("name", True, "", "", "'nobody'::text"),
            ("parent", False, "", "", None),
            ("at", False, "", "", "now()"),
            ("twice", False, "", "s", "(number * 2)"),
        ]
        constraints = "SELECT count(*) FROM pg_constraint WHERE conrelid = 'users_from_dump'::regclass AND contype <> 'n'"
        assert connection.execute(constraints).fetchall() == [(0,)]
        added = "INSERT INTO users_from_dump (number, name) VALUES (9, 'd') RETURNING id, twice"
        assert connection.execute(added).fetchall() == [(4, 18)]
        assert connection.execute("SELECT count(*) FROM users").fetchall() == [(2,)]


@pytest.mark.parametrize(
    ("table", "name", "kind", "words"),
    [
        ("big", None, RestoreFailed, r'type "public\.mood" does not exist.*CREATE TYPE public\.mood AS ENUM'),
        ("plain_values", None, RestoreFailed, r"citext.*extensions of the dump are citext, hstore"),
        ("odd.values", None, UsageError, "Create schema odd there"),
        ("one_text", "a.b.c.", UsageError, "not the name of a table"),
        ("one_text", "x" * 64, UsageError, "63 bytes"),
        ("nope", None, RowsNotAvailable, "no rows of nope"),
    ],
)
def test_what_cannot_be_made_is_said_and_leaves_nothing(
    typed_dump: Path, make_database: Callable[..., str], table: str, name: str | None, kind: type[PgAuditError], words: str
) -> None:
    url = make_database()
    with pytest.raises(kind, match=words) as caught:
        extract(typed_dump, table, into=url, name=name)
    assert caught.value.remedy
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace").fetchall() == [(0,)]


def test_rows_that_are_read_back_otherwise_are_not_kept(app_dump: tuple[Path, str]) -> None:
    dump, url = app_dump
    with psycopg.connect(url, autocommit=True) as connection:
        # a server that stores other values than it was given: here a domain's base changed its precision since
        connection.execute("CREATE DOMAIN when_exactly AS timestamptz(0); CREATE TABLE t (w when_exactly); INSERT INTO t VALUES (now())")
    path = dump.with_name("changed.sql")
    path.write_text(
        "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n\n"
        "CREATE TABLE public.t (\n    w public.when_exactly\n);\n\n"
        "COPY public.t (w) FROM stdin;\n2024-01-01 00:00:00.75+00\n\\.\n\n\n--\n-- PostgreSQL database dump complete\n--\n\n",
        encoding="utf-8",
    )
    with pytest.raises(RestoreFailed, match=r"nothing was changed: 1 rows were sent, and read back from public\.t_from_dump they differ"):
        extract(path, "t", into=url)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('t_from_dump')").fetchall() == [(None,)]


def test_a_dump_that_is_damaged_on_the_way_leaves_no_table(typed_dump: Path, tmp_path: Path, make_database: Callable[..., str]) -> None:
    url = with_types(make_database)
    cut = tmp_path / "cut.dump"
    cut.write_bytes(typed_dump.read_bytes()[:3_000_000])
    with pytest.raises(DamagedDump):
        extract(cut, "big", into=url)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('big_from_dump')").fetchall() == [(None,)]


OLD = """--
-- PostgreSQL database dump
--

-- Dumped from database version 11.5
-- Dumped by pg_dump version 11.5

SET client_encoding = 'UTF8';

CREATE TABLE public.f (
    x double precision,
    r real
);

COPY public.f (x, r) FROM stdin;
0.10000000000000001\t0.100000001
\\N\tNaN
\\.


--
-- PostgreSQL database dump complete
--

"""


def test_floats_that_an_old_server_printed_are_proved_as_values(make_database: Callable[..., str], tmp_path: Path) -> None:
    url, path = make_database(), tmp_path / "old.sql"
    path.write_text(OLD, encoding="utf-8")
    done = extract(path, "f", into=url)
    assert (done.rows, len(done.notes)) == (2, 1)
    assert "as values" in done.notes[0]
    path.write_text(OLD.replace("11.5", "17.1"), encoding="utf-8")
    with pytest.raises(RestoreFailed, match="read back"):
        extract(path, "f", into=url, name="g")


def test_floats_of_old_servers_are_the_same_values() -> None:
    types = ["integer", "double precision", "real", "point[]", "text"]
    old = b'1\t0.10000000000000001\t0.100000001\t{"(0.29999999999999999,1e+300)"}\t0.10000000000000001\n2\t\\N\tNaN\t\\N\t\\N\n'
    new = b'1\t0.1\t0.1\t{"(0.3,1e+300)"}\t0.10000000000000001\n2\t\\N\tNaN\t\\N\t\\N\n'
    assert list(with_plain_floats([old], types)) == list(with_plain_floats([new], types))
    assert list(with_plain_floats([old], types)) != list(with_plain_floats([new.replace(b"0.3", b"0.4")], types))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "one place"),
        ({"csv": "a", "sql": "b"}, "one place"),
        ({"csv": "a", "name": "b"}, "new table"),
        ({"csv": "a", "inserts": True}, "form of SQL"),
        ({"csv": "a", "where": "nope = 1"}, '"nope" not found'),
    ],
)
def test_options_that_cannot_be_meant_are_wrong_usage(typed_dump: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        extract(typed_dump, "one_text", **options)
