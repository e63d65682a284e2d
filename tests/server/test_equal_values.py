"""Values that are equal and printed otherwise have one text, others have not: the server's own `=` says which are."""

from __future__ import annotations

from itertools import product

import psycopg
import pytest

from pgaudit_kit.difference.keys import key_of
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import lines_of
from tests.server.live import LiveDatabase

T = TableName("public", "t")
TYPES = """
CREATE DOMAIN own AS numeric; CREATE TYPE pair AS (a numeric, b text, c interval[]); CREATE TYPE nested AS (p pair, n own[]);
CREATE TYPE spans AS RANGE (subtype = interval); CREATE TYPE plain AS (a int, b text); CREATE EXTENSION citext;
"""
VALUES = {
    "numeric": ["0", "0.00", "1.0", "1.00", "10", "100", "-1.50", "-1.5", "NaN"],
    "numeric(9,2)[]": ["{1.0,2}", "{1.00,2.0}", "{2,1}", "{}", "{NULL}", "{{1,2}}", "{{1},{2}}", "[0:1]={1,2}", "{10,2}"],
    "own[]": ["{1.0}", "{1.00}", "{10}"],
    "float8[]": ["{0,1}", "{-0,1}", "{NaN,1}", "{1,0}"],
    "interval": ["1 mon", "30 days", "29 days 24:00:00", "1 year", "12 mons", "-1 days +24:00:00", "0", "1 mon -30 days", "1 us"],
    "interval[]": ['{"1 mon"}', '{"30 days"}', '{"30 days",NULL}', '{"31 days"}'],
    "jsonb": [
        '{"a": 1.0}', '{"a": 1}', '{"a": "1.0"}', '{"a": "1"}', '["1.0\\\\", 1.0]', '["1.0\\\\", 1]', '"\\"1.0"', '"\\"1"', "1.50", "1.5",
    ],
    "jsonb[]": ['{"{\\"a\\": 1.0}"}', '{"{\\"a\\": 1.00}"}', '{"{\\"a\\": 10}"}'],
    "numrange": ["[1.0,2)", "[1.00,2.0)", "(1.0,2)", "[1,)", "[1.0,)", "(,1.0]", "(,1]", "empty", "(,)"],
    "nummultirange": ["{[1.0,2),[3,4)}", "{[1.00,2),[3.0,4)}", "{[1,2)}", "{}"],
    "spans": ['["1 mon",)', '["30 days",)', '["31 days",)', '["1 mon","2 mons")', '["1 mon","60 days")'],
    "pair": [
        "(1.0,x,)", "(1.00,x,)", '(1,"x,",)', '(1.0,"x,",)', "(,x,)", '(,"",)', "(,,)",
        '(1,"a ""b\\\\","{""1 mon""}")', '(1.0,"a ""b\\\\","{""30 days""}")',
    ],
    "nested": ['("(1.0,{x,)",{1})', '("(1.00,{x,)",{1.0})', '("(1.00,{x,)","{1.0,2}")', '("(1.0,x[,)",)', '("(1,x[,)",)', "(,)"],
    "pair[]": ['{"(1.0,x,)"}', '{"(1.00,x,)"}', '{"(1,y,)"}', "{NULL}"],
    "plain": ["(1,x)", "(1,X)", "(1,)"],
    "citext": ["Ab", "aB", "ab ", "straße"],
    "citext[]": ["{Ab}", "{aB}", "{b}"],
    "character(4)": ["a", "a ", " a", ""],
    "text": ["a", "A", "1.0", "1"],
    "timetz": ["12:00:00+01", "11:00:00+00"],
}  # fmt: skip
UNIQUE_TEXTS = ("plain", "text", "timetz")
BLIND = {
    "und-u-ks-level2": ["a", "A", "ä", "Ä", "a\u0308", "ß", "ss", "SS", "b", "①", "1", "\u03c2", "\u03c3", "\u03a3"],
    "und-u-ks-level1": ["a", "A", "ä", "Ä", "a\u0308", "e", "É", "ß", "SS", "ss"],
    "und": ["a", "A", "ä", "a\u0308", "Ä"],
}


def equal_pairs(database: LiveDatabase, kind: str, values: list[str]) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Which of *values* are equal for the server, and which for us; by their numbers."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE t (n int, k {kind}, PRIMARY KEY (k, n))".encode())
        for number, value in enumerate(values):
            connection.execute("INSERT INTO t VALUES (%s, %s)", [number, value])
        theirs = {(int(a), int(b)) for a, b in connection.execute("SELECT a.n, b.n FROM t a, t b WHERE a.k = b.k").fetchall()}
    with database.snapshot() as taken:
        key = key_of(taken.inventory, T)
        assert key is not None
        rows = [line.split(b"\t") for line in lines_of(taken.row_blocks(T, key.columns))]
    texts = {int(number): key.alike([value, number])[0] if key.kinds else value for value, number in rows}
    return theirs, {(a, b) for a, b in product(texts, texts) if texts[a] == texts[b]}


@pytest.mark.parametrize("kind", VALUES)
def test_values_are_alike_just_when_the_server_calls_them_equal(database_18: LiveDatabase, kind: str) -> None:
    database_18.run(TYPES)
    theirs, ours = equal_pairs(database_18, kind, VALUES[kind])
    assert ours == theirs
    assert len(theirs) > len(VALUES[kind]) or kind in UNIQUE_TEXTS


@pytest.mark.parametrize("locale", BLIND)
def test_texts_are_alike_just_when_their_collation_calls_them_equal(server_15: EmbeddedServer, locale: str) -> None:
    LiveDatabase(server_15, "postgres").run(
        "DROP DATABASE IF EXISTS blind_keys", "CREATE DATABASE blind_keys TEMPLATE template0 ENCODING 'UTF8'"
    )
    database = LiveDatabase(server_15, "blind_keys")
    database.run(f"CREATE COLLATION blind (provider = icu, locale = '{locale}', deterministic = false)")
    theirs, ours = equal_pairs(database, "text COLLATE blind", BLIND[locale])
    assert ours == theirs
    assert len(theirs) > len(BLIND[locale])
