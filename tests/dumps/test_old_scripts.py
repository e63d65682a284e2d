"""Scripts of releases that no server is at hand for, in the very form that their pg_dump wrote (its source, and PGDUMP_FORMATS.md)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.records.table_data import TableName

Write = Callable[[bytes], Path]
HEADER = "--\n-- PostgreSQL database dump\n--\n\n"
FOOTER = "--\n-- PostgreSQL database dump complete\n--\n\n"
PREAMBLE_8_4 = (
    "SET statement_timeout = 0;\nSET client_encoding = 'UTF8';\nSET standard_conforming_strings = off;\n"
    "SET check_function_bodies = false;\nSET client_min_messages = warning;\nSET escape_string_warning = off;\n\n"
)
PREAMBLE_9_3 = (
    "SET statement_timeout = 0;\nSET lock_timeout = 0;\nSET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n"
    "SET check_function_bodies = false;\nSET client_min_messages = warning;\n\n"
)
VERSIONS_11 = "-- Dumped from database version 11.3\n-- Dumped by pg_dump version 11.3\n\n"
PREAMBLE_11 = (
    "SET statement_timeout = 0;\nSET lock_timeout = 0;\nSET idle_in_transaction_session_timeout = 0;\nSET client_encoding = 'UTF8';\n"
    "SET standard_conforming_strings = on;\nSELECT pg_catalog.set_config('search_path', '', false);\nSET check_function_bodies = false;\n"
    "SET xmloption = content;\nSET client_min_messages = warning;\nSET row_security = off;\n\n"
)


def entry(name: str, kind: str, schema: str = "public", owner: str = "bob", *, data: bool = False, tablespace: str | None = None) -> str:
    prefix = "Data for " if data else ""
    suffix = "" if tablespace is None else f"; Tablespace: {tablespace}"
    return f"--\n-- {prefix}Name: {name}; Type: {kind}; Schema: {schema}; Owner: {owner}{suffix}\n--\n\n"


def read(written: Write, script: str) -> Dump:
    dump = read_dump(written(script.encode()))
    assert (dump.damage, dump.provenance.complete) == ((), True)
    return dump


def rows(dump: Dump, schema: str, name: str) -> bytes:
    return b"".join(dump.row_blocks(TableName(schema, name)))


def kinds(dump: Dump) -> set[tuple[str, str | None, str]]:
    return {(key.kind, key.schema, key.name) for key in dump.inventory.by_key}


def script_of_8_4(copy: str) -> str:
    return (
        HEADER
        + "-- Started on 2010-01-31 12:00:00 CET\n\n"
        + PREAMBLE_8_4
        + entry("app", "SCHEMA", "-")
        + "CREATE SCHEMA app;\n\n\nALTER SCHEMA app OWNER TO bob;\n\n"
        + entry("plpgsql", "PROCEDURAL LANGUAGE", "-", "postgres")
        + "CREATE PROCEDURAL LANGUAGE plpgsql;\n\n\nALTER PROCEDURAL LANGUAGE plpgsql OWNER TO postgres;\n\n"
        + "SET search_path = app, pg_catalog;\n\n"
        + entry("f(text)", "FUNCTION", "app")
        + "CREATE FUNCTION f(a text) RETURNS text\n    LANGUAGE sql\n    AS $$SELECT 'it\\\\'||$1||E'\\';'$$;\n\n\n"
        + "ALTER FUNCTION app.f(a text) OWNER TO bob;\n\nSET default_tablespace = '';\n\nSET default_with_oids = true;\n\n"
        + entry("t", "TABLE", "app", tablespace="")
        + "CREATE TABLE t (\n    id integer NOT NULL,\n    body text DEFAULT 'it\\\\s; \\'x'::text\n);\n\n\n"
        + "ALTER TABLE app.t OWNER TO bob;\n\n"
        + entry("t_id_seq", "SEQUENCE", "app")
        + "CREATE SEQUENCE t_id_seq\n    START WITH 1\n    INCREMENT BY 1\n    NO MAXVALUE\n    NO MINVALUE\n    CACHE 1;\n\n\n"
        + "ALTER TABLE app.t_id_seq OWNER TO bob;\n\n"
        + entry("t_id_seq", "SEQUENCE OWNED BY", "app")
        + "ALTER SEQUENCE t_id_seq OWNED BY t.id;\n\n\n"
        + entry("t_id_seq", "SEQUENCE SET", "app")
        + "SELECT pg_catalog.setval('t_id_seq', 2, true);\n\n\n"
        + entry("id", "DEFAULT", "app")
        + "ALTER TABLE t ALTER COLUMN id SET DEFAULT nextval('t_id_seq'::regclass);\n\n\n"
        + entry("t", "TABLE DATA", "app", data=True)
        + copy
        + entry("t_pkey", "CONSTRAINT", "app", tablespace="")
        + "ALTER TABLE ONLY t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (id);\n\n\n"
        + entry("public", "ACL", "-", "postgres")
        + "REVOKE ALL ON SCHEMA public FROM PUBLIC;\nREVOKE ALL ON SCHEMA public FROM postgres;\n"
        + "GRANT ALL ON SCHEMA public TO postgres;\nGRANT ALL ON SCHEMA public TO PUBLIC;\n\n\n"
        + "-- Completed on 2010-01-31 12:00:01 CET\n\n"
        + FOOTER
    )


COPY_8_4 = "COPY t (id, body) FROM stdin;\n1\tit\\\\s\n2\t\\N\n\\.\n\n\n"
INSERTS_8_4 = "INSERT INTO t VALUES (1, 'it\\\\s');\nINSERT INTO t VALUES (2, NULL);\n\n\n"


@pytest.mark.parametrize("data", [COPY_8_4, INSERTS_8_4])
def test_a_script_of_8_4_whose_names_follow_the_search_path_and_whose_strings_have_escapes(written: Write, data: str) -> None:
    dump = read(written, script_of_8_4(data))
    assert rows(dump, "app", "t") == b"1\tit\\\\s\n2\t\\N\n"
    assert dump.tables.to_dict("list")["name"] == ["t"]
    assert {("SCHEMA", None, "app"), ("TABLE", "app", "t"), ("SEQUENCE", "app", "t_id_seq"), ("FUNCTION", "app", "f(a text)")} <= kinds(
        dump
    )
    table = next(o for o in dump.inventory.objects if o.key.kind == "TABLE")
    assert [dict(c.attributes).get("default") for c in table.columns] == ["nextval('app.t_id_seq'::regclass)", "'it\\s; ''x'::text"]
    assert dump.provenance.created_at == "2010-01-31 12:00:00 CET"
    assert [e.tablespace for e in dump.toc_entries if e.desc == "TABLE"] == [None]


def test_rows_with_oids_have_one_field_more(written: Write) -> None:
    dump = read(written, script_of_8_4("COPY t (id, body) WITH OIDS FROM stdin;\n16639\t1\tx\n\\.\n\n\n"))
    data = dump.table_data[TableName("app", "t")]
    assert (data.columns, data.rows, rows(dump, "app", "t")) == (("oid", "id", "body"), 1, b"16639\t1\tx\n")


def test_a_view_of_9_2_that_is_written_as_a_table_with_a_rule_is_a_view(written: Write) -> None:
    script = (
        HEADER
        + PREAMBLE_9_3
        + "SET search_path = public, pg_catalog;\n\nSET default_tablespace = '';\n\nSET default_with_oids = false;\n\n"
        + entry("t", "TABLE", tablespace="")
        + "CREATE TABLE t (\n    id integer NOT NULL,\n    n integer\n);\n\n\nALTER TABLE public.t OWNER TO bob;\n\n"
        + entry("vg", "TABLE", tablespace="")
        + "CREATE TABLE vg (\n    id integer,\n    n bigint\n);\n\n\nALTER TABLE public.vg OWNER TO bob;\n\n"
        + entry("t", "TABLE DATA", data=True)
        + "COPY t (id, n) FROM stdin;\n1\t5\n\\.\n\n\n"
        + entry("t_pkey", "CONSTRAINT", tablespace="")
        + "ALTER TABLE ONLY t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (id);\n\n\n"
        + entry("_RETURN", "RULE")
        + 'CREATE RULE "_RETURN" AS ON SELECT TO vg DO INSTEAD SELECT t.id, count(t.n) AS n FROM t GROUP BY t.id;\n\n\n'
        + FOOTER
    )
    dump = read(written, script)
    assert ("VIEW", "public", "vg") in kinds(dump)
    assert ("TABLE", "public", "vg") not in kinds(dump)
    assert [str(name) for name in dump.table_data] == ["public.t"]


def test_partitions_of_11_and_data_that_go_through_the_root(written: Write) -> None:
    script = (
        HEADER
        + VERSIONS_11
        + PREAMBLE_11
        + entry("DATABASE app", "COMMENT", "-")
        + "COMMENT ON DATABASE app IS 'up to 10 without -C, too';\n\n\n"
        + entry("p", "TABLE")
        + "CREATE TABLE public.p (\n    k integer,\n    v text\n)\nPARTITION BY HASH (k);\n\n\nALTER TABLE public.p OWNER TO bob;\n\n"
        + "SET default_tablespace = '';\n\nSET default_with_oids = false;\n\n"
        + entry("p_0", "TABLE")
        + "CREATE TABLE public.p_0 PARTITION OF public.p\nFOR VALUES WITH (modulus 2, remainder 0);\n\n\n"
        + entry("p_1", "TABLE")
        + "CREATE TABLE public.p_1 PARTITION OF public.p\nFOR VALUES WITH (modulus 2, remainder 1);\n\n\n"
        + entry("p_0", "TABLE DATA", data=True)
        + "-- load via partition root public.p\nCOPY public.p (k, v) FROM stdin;\n2\tb\n\\.\n\n\n"
        + entry("p_1", "TABLE DATA", data=True)
        + "-- load via partition root public.p\nCOPY public.p (k, v) FROM stdin;\n1\ta\n3\tc\n\\.\n\n\n"
        + FOOTER
    )
    dump = read(written, script)
    assert {str(name): data.rows for name, data in dump.table_data.items()} == {"public.p_0": 1, "public.p_1": 2}
    assert rows(dump, "public", "p_1") == b"1\ta\n3\tc\n"
    inserts = script.replace("COPY public.p (k, v) FROM stdin;\n2\tb\n\\.\n", "INSERT INTO public.p VALUES (2, 'b');\n")
    inserts = inserts.replace(
        "COPY public.p (k, v) FROM stdin;\n1\ta\n3\tc\n\\.\n",
        "INSERT INTO public.p VALUES (1, 'a');\nINSERT INTO public.p VALUES (3, 'c');\n",
    )
    assert rows(read(written, inserts), "public", "p_1") == b"1\ta\n3\tc\n"
    assert (dump.provenance.server_version, dump.provenance.pg_dump_version) == ("11.3", "11.3")


def test_a_script_of_9_6_with_triggers_disabled_and_session_authorization(written: Write) -> None:
    script = (
        HEADER
        + "-- Dumped from database version 9.6.24\n-- Dumped by pg_dump version 9.6.24\n\n"
        + PREAMBLE_9_3
        + "SET search_path = public, pg_catalog;\n\n"
        + entry("t", "TABLE DATA", data=True)
        + "SET SESSION AUTHORIZATION DEFAULT;\n\nALTER TABLE public.t DISABLE TRIGGER ALL;\n\nSET SESSION AUTHORIZATION 'bob';\n\n"
        + "COPY t (id) FROM stdin;\n1\n\\.\n\n\n"
        + "SET SESSION AUTHORIZATION DEFAULT;\n\nALTER TABLE public.t ENABLE TRIGGER ALL;\n\nSET SESSION AUTHORIZATION 'bob';\n\n"
        + entry("u", "TABLE DATA", data=True)
        + "SET SESSION AUTHORIZATION DEFAULT;\n\nALTER TABLE public.u DISABLE TRIGGER ALL;\n\nSET SESSION AUTHORIZATION 'bob';\n\n"
        + "INSERT INTO u (a) VALUES (1);\nINSERT INTO u (a) VALUES (2);\n\n\n"
        + "SET SESSION AUTHORIZATION DEFAULT;\n\nALTER TABLE public.u ENABLE TRIGGER ALL;\n\n"
        + FOOTER
    )
    dump = read(written, script)
    assert {str(name): data.rows for name, data in dump.table_data.items()} == {"public.t": 1, "public.u": 2}
    assert kinds(dump) == set()


def test_names_with_line_ends_that_old_minors_did_not_take_out_of_comments(written: Write) -> None:
    """Up to 9.0.6 and 9.1.2 a line end in a name ended the comment's line, so that psql ran the rest of it."""
    script = HEADER + PREAMBLE_9_3 + "--\n-- Name: we\nird; Type: TABLE; Schema: public; Owner: bob\n--\n\n"
    script += 'CREATE TABLE public."we\nird" (\n    a integer\n);\n\n\n' + FOOTER
    dump = read_dump(written(script.encode()))
    assert dump.damage[0].what == "text that is no SQL: ird"
    assert dump.damage[0].line == script.count("\n", 0, script.index("ird; Type")) + 1
