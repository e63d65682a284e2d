"""A database with a table for every built-in type of its server: the type, arrays of it, a domain over it, a composite with it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from psycopg import sql

# Values at the ends of each type, and what text formats get wrong. Of a type that is not listed here, the first of ANYTHING that it takes.
VALUES: dict[str, tuple[str, ...]] = {
    "bool": ("t", "f"),
    "int2": ("32767", "-32768"),
    "int4": ("2147483647", "-2147483648"),
    "int8": ("9223372036854775807", "-9223372036854775808"),
    "float4": ("NaN", "Infinity", "-Infinity", "-0", "1.1", "3.4028235e38", "1e-45", "16777216", "0.1"),
    "float8": (
        "NaN",
        "Infinity",
        "-Infinity",
        "-0",
        "0.1",
        "1e-323",
        "5e-324",
        "1.7976931348623157e308",
        "1e22",
        "123456789012345.67",
        "1e15",
    ),
    "numeric": ("NaN", "0", "-0.00", "1e-300", "1.50", "9" * 200 + ".5", "1e130"),
    "money": ("1234.56", "-0.01", "92233720368547758.07", "-92233720368547758.08", "0"),
    "text": (
        "",
        r"\N",
        r"\.",
        "\\",
        "a\tb\nc\rd",
        "\x01\x07\x08\x0b\x0c\x1b\x7f",
        "é🐘\u2028\ufeff",
        "NULL",
        "null",
        '{a,"b"}',
        "'",
        '"',
        "x'); --",
        " ",
    ),
    "varchar": ("", r"\.", "a\nb", " x "),
    "bpchar": ("", "a  ", r"\N", "é"),
    "char": ("", "a", "\\", "'", "\t"),
    "name": ("", "n", "a b", '"q"', "\\"),
    "bytea": (r"\x", r"\x00ff5c0a27", r"\x5c2e", r"\x" + "00" * 300),
    "json": ('{"a":  [1, null, "\\u0041\\n\\\\"], "a": 2}', "null", '"\\t"', " [] "),
    "jsonb": ('{"a": [1.10, null, "\\n\\\\\\"", 1e400]}', "null", '"é"', "{}"),
    "jsonpath": ("$", '$.a[*] ? (@ > 1 && @ like_regex "^\\\\d+$")', "lax $.**{2 to last}"),
    "xml": ('<a b="1">x &amp; \\ </a>', "text", "<a>\n\t</a>", '<?xml version="1.0" encoding="UTF-8"?><é/>'),
    "date": (
        "infinity",
        "-infinity",
        "4713-01-01 BC",
        "0001-12-31 BC",
        "0001-01-01",
        "9999-12-31",
        "10000-01-01",
        "5874897-12-31",
        "2024-02-29",
    ),
    "time": ("00:00:00", "24:00:00", "23:59:59.999999", "12:00:00.1"),
    "timetz": ("00:00:00+15:59:59", "24:00:00-15:59:59", "12:00:00.5+05:45", "12:00:00-00"),
    "timestamp": (
        "infinity",
        "-infinity",
        "4713-01-01 00:00:00 BC",
        "294276-12-31 23:59:59.999999",
        "2024-01-01 00:00:00.000001",
        "10000-01-01 00:00:00",
    ),
    "timestamptz": (
        "infinity",
        "-infinity",
        "4713-01-02 00:00:00+00 BC",
        "294276-12-30 23:59:59.999999+00",
        "1890-06-01 00:00:00+00",
        "2024-07-01 00:00:00.5+09",
    ),
    "interval": (
        "0",
        "178000000 years",
        "-178000000 years",
        "1 year -2 mons +3 days -04:05:06.789",
        "-00:00:00.000001",
        "2147483647 days",
        "-1 mons +1 day",
    ),
    "uuid": ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    "bit": ("0", "1"),
    "varbit": ("", "0" * 65, "1011"),
    "point": ("(1,2)", "(-0,NaN)", "(1e300,Infinity)", "(0.1,1e-323)"),
    "line": ("{1,2,3}", "{-0.1,1e300,0}"),
    "lseg": ("[(1,2),(3,4)]", "[(0,0),(-0,1e-300)]"),
    "box": ("(3,4),(1,2)", "(0,0),(-0,-0)"),
    "path": ("((0,0),(1,1))", "[(0,0),(0.1,NaN)]"),
    "polygon": ("((0,0),(1,1),(1,0))", "((0.1,-0))"),
    "circle": ("<(1,2),3>", "<(0,0),Infinity>"),
    "inet": ("10.0.0.1/8", "::1", "::ffff:1.2.3.4/128", "0.0.0.0/0"),
    "cidr": ("10.0.0.0/8", "::/0", "fe80::/10"),
    "macaddr": ("08:00:2b:01:02:03", "ff:ff:ff:ff:ff:ff"),
    "macaddr8": ("08:00:2b:01:02:03:04:05",),
    "tsvector": ("", "a:1 'b c':2A,3B 'it''s' '\\\\':4"),
    "tsquery": ("", "'fat' & ( 'cat':*AB | !'it''s' ) <-> '\\\\'"),
    "pg_lsn": ("0/0", "FFFFFFFF/FFFFFFFF"),
    "pg_snapshot": ("10:20:10,14,15",),
    "txid_snapshot": ("10:20:10,14,15",),
    "xid": ("0", "4294967295"),
    "xid8": ("0", "18446744073709551615"),
    "cid": ("0", "4294967295"),
    "oid": ("0", "4294967295"),
    "tid": ("(0,1)", "(4294967295,65535)"),
    "int2vector": ("", "1 -2 3"),
    "oidvector": ("", "1 4294967295"),
    "refcursor": ("", 'a "c"'),
    "aclitem": ("postgres=r/postgres", "=arwdDxt/postgres"),
    "gtsvector": (),
    "regproc": ("now", "0", "-"),
    "regprocedure": ("now()", 'app."Odd"(integer,text[])', "0"),
    "regoper": ("||/", "0"),
    "regoperator": ("+(integer,integer)", "-(none,integer)", "0"),
    "regclass": ("pg_class", 'app."Odd ""table"', "4294967295", "-"),
    "regtype": ("integer", "timestamp with time zone", 'app."Odd type"', 'app."Odd type"[]', '"char"', "-"),
    "regrole": ("postgres", "4294967295"),
    "regnamespace": ("pg_catalog", "app"),
    "regconfig": ("english", "4294967295"),
    "regdictionary": ("simple", "4294967295"),
    "regcollation": ('"C"', "4294967295"),
}
# From 14 on
LATER = {"numeric": ("Infinity", "-Infinity")}
ANYTHING = ("0", "1", "{}", "empty", "a", "pg_class", "(0,1)", "1 2")
# Their input functions refuse everything (pg_ndistinct_in, brin_bloom_summary_in …): only the server makes such values; a gtsvector is in
# indexes alone
NEVER_READ = frozenset(
    {
        "pg_node_tree",
        "pg_ndistinct",
        "pg_dependencies",
        "pg_mcv_list",
        "pg_brin_bloom_summary",
        "pg_brin_minmax_multi_summary",
        "pg_ddl_command",
        "gtsvector",
    }
)
# An array of these is not what ARRAY[] makes
VECTORS = frozenset({"int2vector", "oidvector"})
RANGES = {
    "int4range": ("empty", "[1,10)", "(,)", "[2147483647,)"),
    "int8range": ("empty", "[-9223372036854775808,5)"),
    "numrange": ("[1.50,NaN]", "(,1e-30)", "empty"),
    "daterange": ("[infinity,]", "[2024-01-01,10000-01-01)", "empty"),
    "tsrange": ('["2024-01-01 00:00:00",infinity)', "(,)"),
    "tstzrange": ('["2024-07-01 00:00:00+00","2024-12-31 23:59:59.5+00")', '(,"4713-01-02 00:00:00+00 BC"]'),
}
BUILT_IN = """
    SELECT t.typname, format_type(t.oid, NULL) FROM pg_type t
    WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype IN ('b', 'r', 'm') AND t.typelem = 0 AND t.typisdefined
       OR t.typname IN ('point', 'lseg', 'box', 'line', 'name', 'int2vector', 'oidvector')
    ORDER BY 1
"""
# What a user makes: each holds the next ones
OWN = r"""
CREATE SCHEMA app;
CREATE TABLE app."Odd ""table" (a int);
CREATE TYPE app."Odd type" AS (a int, "b c" text, d text[]);
CREATE TYPE app.mood AS ENUM ('', 'it''s', 'a,b', 'tab	x', '"q"', '\', '(');
CREATE DOMAIN app.odd AS app."Odd type"; CREATE DOMAIN app.odds AS app.odd[]; CREATE DOMAIN app.moods AS app.mood[] CHECK (VALUE <> '{}');
CREATE TYPE app.nested AS (o app."Odd type", os app.odds, m app.moods, n numeric);
CREATE TYPE app.texts AS RANGE (subtype = text, collation = "C");
CREATE FUNCTION app."Odd"(int, text[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE app.own (id int, m app.mood, ms app.mood[], o app."Odd type", os app.odds, n app.nested, ns app.nested[],
    r app.texts, rs app.texts[], t app."Odd ""table");
INSERT INTO app.own VALUES
    (1, '', enum_range(NULL::app.mood), ROW(NULL, NULL, NULL), NULL, NULL, NULL, 'empty', '{}', NULL),
    (2, '\', '{}', ROW(1, '', '{}'), ARRAY[ROW(1, E'a "b"\\c\td\n', '{"x y",NULL,"NULL"}')::app.odd, NULL],
        ROW(ROW(1, '(,)', '{}'), ARRAY[ROW(2, 'q"', ARRAY['\'])::app.odd], '{"a,b","\\"}', 'NaN'),
        ARRAY[NULL, ROW(NULL, NULL, NULL, 1.50)::app.nested], app.texts('a b', 'c")\d'),
        ARRAY[app.texts('', 'b'), app.texts(NULL, '"')], ROW(7));
INSERT INTO app.own (id) VALUES (3);
"""


def make_every_type(connection: psycopg.Connection, major: int) -> dict[str, int]:
    """Fill the database of *connection*. Return the number of values by type."""
    connection.execute(OWN.encode())
    found = {}
    for name, type_name in connection.execute(BUILT_IN.encode()).fetchall():
        values = list(_accepted(connection, name, type_name, major))
        found[name] = len(values)
        if values:
            _table(connection, name, type_name, values)
    return found


def _accepted(connection: psycopg.Connection, name: str, type_name: str, major: int) -> Iterator[str]:
    """The values that are to be there; of a type that nobody listed, the first that it takes."""
    if name in NEVER_READ:
        return
    listed = VALUES.get(name) or RANGES.get(name)
    if listed is None and name.endswith("multirange"):
        listed = tuple(f"{{{value}}}" for value in RANGES[name.replace("multirange", "range")])
    if listed is not None:
        yield from (*listed, *(LATER.get(name, ()) if major >= 14 else ()))
        return
    for candidate in ANYTHING:
        try:
            connection.execute(f"SELECT %s::{type_name}".encode(), [candidate])
        except psycopg.Error:
            continue
        yield candidate
        return


def _table(connection: psycopg.Connection, name: str, type_name: str, values: list[str]) -> None:
    """Rows with each value, alone, in a domain, in a composite; then arrays of them all, of two dimensions, and with NULL."""
    names = {part: sql.Identifier(f"{part}{name}") for part in ("t_", "d_", "c_", "e_")}
    made = {**names, "type": sql.SQL(type_name)}
    connection.execute(sql.SQL("CREATE DOMAIN app.{d_} AS {type}").format(**made))
    connection.execute(sql.SQL("CREATE TYPE app.{c_} AS (a {type}, b {type}[], d app.{d_})").format(**made))
    connection.execute(
        sql.SQL("CREATE TABLE app.{t_} (id serial, v {type}, d app.{d_}, c app.{c_}, vs {type}[], cs app.{c_}[])").format(**made)
    )
    row = "ROW(%(v)s::{type}, ARRAY[%(v)s::{type}, NULL], %(v)s::{type})::app.{c_}" if name not in VECTORS else "NULL"
    one = sql.SQL(f"INSERT INTO app.{{t_}} (v, d, c) VALUES (%(v)s::{{type}}, %(v)s::{{type}}, {row})")
    for value in values:
        connection.execute(one.format(**made), {"v": value})
    if name in VECTORS:
        return
    many = sql.SQL("INSERT INTO app.{t_} (vs, cs) SELECT array_agg(v ORDER BY id), array_agg(c ORDER BY id) FROM app.{t_}")
    connection.execute(many.format(**made))
    last = sql.SQL("INSERT INTO app.{t_} (vs) VALUES ('{{}}'), (ARRAY[ARRAY[NULL::{type}, %(v)s::{type}], ARRAY[%(v)s::{type}, NULL]])")
    connection.execute(last.format(**made), {"v": values[0]})
