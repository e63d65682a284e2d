"""The comments of a script: names are not quoted in them, so some lines can be read in more than one way."""

from __future__ import annotations

import pytest

from pgaudit_kit.dumps.scripts.header_comment import NO_LINE_END, EntryLine, FrameLine, lines_that_matter
from pgaudit_kit.records.toc import TocEntry


def entry(line: str, sql: str = "") -> TocEntry:
    (found,) = lines_that_matter(f"\n\n--\n{line}\n--\n\n")
    assert isinstance(found, EntryLine)
    return found.reading(sql)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-- Name: t; Type: TABLE; Schema: app; Owner: me", TocEntry("TABLE", "t", "app", "me")),
        (
            "-- Name: t; Type: TABLE; Schema: app; Owner: me; Tablespace: fast disk",
            TocEntry("TABLE", "t", "app", "me", tablespace="fast disk"),
        ),
        ("-- Name: t; Type: TABLE; Schema: app; Owner: me; Tablespace: ", TocEntry("TABLE", "t", "app", "me")),
        ("-- Data for Name: t; Type: TABLE DATA; Schema: app; Owner: -", TocEntry("TABLE DATA", "t", "app", has_data=True)),
        ("-- Statistics for Name: t; Type: STATISTICS DATA; Schema: app; Owner: -", TocEntry("STATISTICS DATA", "t", "app")),
        ("-- Name: plpgsql; Type: EXTENSION; Schema: -; Owner: ", TocEntry("EXTENSION", "plpgsql")),
        ("-- Name: f(integer, text); Type: FUNCTION; Schema: app; Owner: me", TocEntry("FUNCTION", "f(integer, text)", "app", "me")),
        ("-- Name: 16999..20003; Type: BLOB METADATA; Schema: -; Owner: me", TocEntry("BLOB METADATA", "16999..20003", None, "me")),
        ("-- Name: pg_largeobject; Type: pg_largeobject; Schema: -; Owner: me", TocEntry("pg_largeobject", "pg_largeobject", None, "me")),
    ],
)
def test_a_line_says_what_it_is_about(line: str, expected: TocEntry) -> None:
    assert entry(line) == expected


def test_a_table_named_like_a_comment_keeps_its_name() -> None:
    name = "x; Type: VIEW; Schema: evil; Owner: me"
    found = entry(f"-- Name: {name}; Type: TABLE; Schema: public; Owner: u", f'CREATE TABLE public."{name}" (')
    assert found == TocEntry("TABLE", name, "public", "u")


@pytest.mark.parametrize(("prefix", "desc"), [("Data for ", "TABLE DATA"), ("Statistics for ", "STATISTICS DATA")])
def test_what_comes_with_a_table_named_like_a_comment_is_of_that_table(prefix: str, desc: str) -> None:
    name = "x; Type: VIEW; Schema: evil; Owner: me"
    found = entry(f"-- {prefix}Name: {name}; Type: {desc}; Schema: public; Owner: u", "SELECT * FROM pg_catalog.pg_restore_relation_stats(")
    assert (found.desc, found.tag, found.schema, found.owner) == (desc, name, "public", "u")


CREATE_IN_ODD = 'CREATE TABLE "a; Owner: b".t ('


def test_an_owner_or_schema_named_like_a_comment_is_told_apart_by_the_statement() -> None:
    owner = "r; Type: VIEW; Schema: y; Owner: z"
    assert entry(f"-- Name: t; Type: TABLE; Schema: public; Owner: {owner}", "CREATE TABLE public.t (") == TocEntry(
        "TABLE", "t", "public", owner
    )
    assert entry("-- Name: t; Type: TABLE; Schema: a; Owner: b; Owner: c", CREATE_IN_ODD) == TocEntry("TABLE", "t", "a; Owner: b", "c")


def test_the_frame_and_its_facts_are_seen_and_nothing_else() -> None:
    text = (
        "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 9.6.6\n-- Dumped by pg_dump version 10.1 (Debian)\n\n"
        "-- Started on 2026-01-31 12:00:00 UTC\n\n-- a remark\n--  Name: no\n-- PostgreSQL database dump complete\n"
    )
    assert list(lines_that_matter(text)) == [
        FrameLine("header"),
        FrameLine("server_version", "9.6.6"),
        FrameLine("pg_dump_version", "10.1 (Debian)"),
        FrameLine("started", "2026-01-31 12:00:00 UTC"),
        FrameLine("footer"),
    ]


def test_verbose_numbers_belong_to_the_next_entry_only() -> None:
    text = "--\n-- TOC entry 217 (class 1259 OID 16398)\n-- Dependencies: 5 6\n-- Name: a; Type: TABLE; Schema: s; Owner: o\n--\n"
    first, second = (
        line.reading() for line in lines_that_matter(text + "-- Name: b; Type: TABLE; Schema: s; Owner: o\n") if isinstance(line, EntryLine)
    )
    assert (first.dump_id, first.dependencies) == (217, (5, 6))
    assert (second.dump_id, second.dependencies) == (None, ())


def test_a_line_without_its_end_may_be_the_beginning_of_another() -> None:
    assert list(lines_that_matter("--\n-- PostgreSQL database dump")) == [FrameLine("header", NO_LINE_END)]
    assert list(lines_that_matter("--\n-- PostgreSQL database dump\n")) == [FrameLine("header")]
