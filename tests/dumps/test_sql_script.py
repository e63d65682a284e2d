"""Splitting scripts: nothing is lost, whatever the script and however it arrives; and each rule of psql's lexer by itself."""

from __future__ import annotations

import io
from typing import assert_never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.dumps.scripts.script_pieces import Between, CopyData, Foreign, MetaCommand, Piece, Statement
from pgaudit_kit.dumps.scripts.sql_script import LONG_INSERT, ScriptSplitter
from pgaudit_kit.errors import DamagedDump


class Trickle:
    """A stream that gives a few bytes at a time, so that every piece is torn at every place."""

    def __init__(self, text: bytes, size: int) -> None:
        self._stream = io.BytesIO(text)
        self._size = size

    def read(self, _size: int) -> bytes:
        return self._stream.read(self._size)

    def readinto(self, view: memoryview) -> int:
        return self._stream.readinto(view[: self._size])


def split(text: bytes, size: int = 1 << 20) -> list[Piece]:
    return list(ScriptSplitter(Trickle(text, size)))


def merged(pieces: list[Piece]) -> list[Piece]:
    """Runs of comments and white space may come in any division."""
    found: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, Between) and found and isinstance(found[-1], Between):
            found[-1] = Between(found[-1].text + piece.text, found[-1].offset, found[-1].line)
        else:
            found.append(piece)
    return found


def text_of(piece: Piece, script: bytes) -> bytes:
    match piece:
        case CopyData():
            return script[piece.offset : piece.end]
        case Between() | MetaCommand() | Foreign() | Statement():
            return piece.text
        case _:
            assert_never(piece)


def statements(text: bytes) -> list[bytes]:
    return [piece.text for piece in split(text) if isinstance(piece, Statement)]


FRAGMENTS = st.sampled_from(
    [
        *(
            b"'",
            b"''",
            b'"',
            b"E'",
            b"e'",
            b"\\",
            b"\\.",
            b"\\.\n",
            b"\n\\.\n",
            b"\n",
            b"\r\n",
            b";",
            b";\n",
            b"(",
            b")",
            b"--",
            b"/*",
            b"*/",
            b"$$",
            b"$_$",
        ),
        *(
            b"$1",
            b"$",
            b"a$b",
            b"-",
            b"/",
            b" ",
            b"\t",
            b"x",
            b"CASE",
            b"END",
            b"BEGIN ATOMIC\n",
            b"CREATE FUNCTION f() ",
            b"INSERT INTO t VALUES ",
        ),
        *(
            b"COPY t (a, b) FROM stdin;\n",
            b"COPY t FROM stdin;",
            b"\\connect x\n",
            b"SET standard_conforming_strings = off;\n",
            b"-- Name: a; Type: B",
        ),
        *("é".encode(), b"\xff", b"\0"),
    ]
)
SCRIPTS = st.lists(FRAGMENTS | st.binary(max_size=4), max_size=40).map(b"".join)


@given(SCRIPTS)
def test_the_pieces_are_the_script_with_right_offsets_and_lines(script: bytes) -> None:
    at = 0
    for piece in split(script):
        assert piece.offset == at
        assert piece.line == script.count(b"\n", 0, at) + 1
        text = text_of(piece, script)
        assert script[at : at + len(text)] == text
        assert text or isinstance(piece, CopyData)
        at += len(text)
    assert at == len(script)


@given(SCRIPTS, st.integers(1, 9))
def test_the_pieces_do_not_depend_on_how_the_script_arrives(script: bytes, size: int) -> None:
    assert merged(split(script, size)) == merged(split(script))


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


TEXTS = st.text(st.sampled_from("a;'\"\\$()-/*\n. E_é") | st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
NAMES = TEXTS.map(lambda text: '"' + (text or "x").replace('"', '""') + '"')
TOKENS = st.one_of(
    TEXTS.map(literal),
    TEXTS.map(lambda text: " E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"),
    NAMES,
    TEXTS.filter(lambda text: "$" not in text).map(lambda text: f" $$ {text} $$"),
    TEXTS.map(lambda text: f" $_X$ {text.replace('$', '')} $$ ' $_X$"),
    TEXTS.map(lambda text: f"( {literal(text)}; {literal(text)})"),
    TEXTS.map(lambda text: " --" + text.replace("\n", " ") + "\n"),
    TEXTS.map(lambda text: " /* " + text.replace("*", "").replace("/", "") + " /* ; */ ' */ "),
    st.sampled_from([" a$b$c", " 1 - -1", " a/b", " $1", " x'ff'", " B'1'", " U&'a'"]),
)
STATEMENTS = st.lists(TOKENS, min_size=1, max_size=8).map(lambda tokens: "ALTER " + "".join(tokens) + ";")


@given(st.lists(STATEMENTS, max_size=6), st.sampled_from(["\n", "\n\n-- a comment; with ' in it\n", " "]))
def test_statements_come_out_as_they_went_in(wanted: list[str], between: str) -> None:
    assert statements(between.join(wanted).encode()) == [text.encode() for text in wanted]


@pytest.mark.parametrize(
    "statement",
    [
        b"SELECT 'a;b', 'it''s;', 'c:\\';",
        b"SELECT E'a\\';b', e'\\\\', E'''';",
        b"SELECT nameE'\\';",  # not an escape string: the word goes on
        b'CREATE TABLE "a;b -- c" ("x\'y" integer DEFAULT 1, "q""r;" text);',
        b"SELECT $$ ; ' $_$ $$, $_$ ; $$ ' $_$;",
        b"SELECT a$b$ FROM c$b$;",
        b"SELECT $1 + $2;",
        b"CREATE RULE r AS ON INSERT TO t DO (INSERT INTO u VALUES (1);\n DELETE FROM v;\n);",
        b"CREATE FUNCTION f() LANGUAGE sql\n    BEGIN ATOMIC\n SELECT 1;\n SELECT CASE WHEN a THEN CASE b WHEN 1 THEN 2 END END;\nEND;",
        b'CREATE OR REPLACE PROCEDURE p(begin integer, "end" integer) LANGUAGE sql BEGIN ATOMIC SELECT t.begin FROM t; END;',
        b"CREATE FUNCTION f(a text DEFAULT 'BEGIN ATOMIC') RETURNS int LANGUAGE sql RETURN 1;",
        b"CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS $$ BEGIN ATOMIC; $$;",
        b"SELECT 1 -- ; not the end\n + 2;",
        b"SELECT 1 /* ; /* nested ; */ ; */ + 2;",
        b"COMMENT ON TABLE t IS 'x\n\\.\n--\n-- Name: evil; Type: TABLE; Schema: s; Owner: o\n--\n\\connect evil\n';",
        b"CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$COPY t FROM stdin;\n1\n\\.\n$$;",
        "SELECT '漢字;' AS \"表;\";".encode(),
        b"INSERT INTO t VALUES (1, 'a;b)', ';''', E'\\';'), (2, '', '', '');",
        b"INSERT INTO \"t(;\" (\"a)\") OVERRIDING SYSTEM VALUE VALUES (-1, 'x -- y', '\\x00');",
    ],
)
def test_a_statement_ends_at_its_own_semicolon(statement: bytes) -> None:
    script = b"SELECT 0;\n" + statement + b"\nSELECT 9;\n"
    assert statements(script) == [b"SELECT 0;", statement, b"SELECT 9;"]
    for size in (1, 2, 3, 5):
        assert merged(split(script, size)) == merged(split(script))


def test_a_backslash_escapes_everywhere_when_the_script_says_so() -> None:
    script = (
        b"SET standard_conforming_strings = off;\nSELECT 'it\\'s; one';\nSET standard_conforming_strings = on;\nSELECT 'c:\\';\nSELECT 1;\n"
    )
    assert statements(script)[1::2] == [b"SELECT 'it\\'s; one';", b"SELECT 'c:\\';"]
    assert statements(script)[-1] == b"SELECT 1;"


def test_rows_begin_on_the_next_line_and_end_at_the_mark() -> None:
    script = b"COPY t (a, b) FROM stdin;\n1\tx\n\n\\\\.\n\\.x\n2\ty\n\\.\n\n\nSELECT 1;\n"
    copy, rows, _, select, _ = split(script)
    assert isinstance(copy, Statement)
    assert copy.text == b"COPY t (a, b) FROM stdin;\n"
    assert rows == CopyData(26, 2, rows=5, tabs=2, size_bytes=17, end=46)
    assert select == Statement(b"SELECT 1;", 48, 10)


def test_a_table_without_rows_has_none() -> None:
    _, rows, *_ = split(b"COPY t  FROM stdin;\n\\.\n")
    assert rows == CopyData(20, 2, rows=0, tabs=0, size_bytes=0, end=23)


def test_rows_with_two_byte_line_ends_are_recognised() -> None:
    _, rows, *_ = split(b"COPY t (a) FROM stdin;\r\n1\r\n2\r\n\\.\r\n\r\n")
    assert rows == CopyData(24, 2, rows=2, tabs=0, size_bytes=6, end=34, crlf=True)


def test_a_copy_of_something_else_has_no_rows_behind_it() -> None:
    pieces = split(b"COPY t FROM '/tmp/x';\nSELECT 1;\nCOPY (SELECT ' FROM stdin;') TO stdout;\nSELECT 2;\n")
    assert not [p for p in pieces if isinstance(p, CopyData)]


@pytest.mark.parametrize("cut", range(27, 40))
def test_rows_that_are_cut_short_say_so_and_count_whole_lines(cut: int) -> None:
    script = b"COPY t (a, b) FROM stdin;\n11\tx\n22\tyy\n\\.\n"
    rows = split(script[:cut])[-1]
    assert isinstance(rows, CopyData)
    whole = script[26:cut].count(b"\n")
    if script[:cut].endswith(b"\n\\."):
        assert rows.ends  # a mark needs no line end at the end of the file
    else:
        assert not rows.ends
        assert (rows.rows, rows.size_bytes) == (whole, script.rfind(b"\n", 0, cut) + 1 - 26)


def test_rows_longer_than_any_window_are_counted_exactly_wherever_the_border_falls() -> None:
    lines = [b"%d\t%s\n" % (i, b"x" * (i % 211)) for i in range(40_000)]
    lines[7] = b"C:\\\\.\\\\temp\ty\n"  # the two bytes of the mark, where it is none
    rows = b"".join(lines)
    for padding in range(6):
        script = b"-" * 2 + b" " * padding + b"\nCOPY t (a, b) FROM stdin;\n" + rows + b"\\.\nSELECT 1;\n"
        found = split(script)[2]
        assert isinstance(found, CopyData)
        assert (found.rows, found.tabs, found.size_bytes, found.ends) == (40_000, 40_000, len(rows), True)


def test_the_end_mark_is_found_at_every_border_of_the_window() -> None:
    for before in range((1 << 20) - 40, (1 << 20) + 4):
        body = b"y" * (before - 24) + b"\n"
        pieces = split(b"COPY t (a) FROM stdin;\n" + body + b"\\.\nSELECT 1;")
        rows = pieces[1]
        assert isinstance(rows, CopyData)
        assert (rows.rows, rows.size_bytes, rows.ends) == (1, len(body), True)
        assert isinstance(pieces[2], Statement)


def test_psql_commands_are_found_between_and_inside_statements_but_not_in_text() -> None:
    script = b"\\restrict abc\nSELECT 1 \\gexec\n + '\\! rm';\n\\connect \"x\"\nSELECT $$\n\\! no\n$$;\n"
    pieces = split(script)
    assert [p.text for p in pieces if isinstance(p, MetaCommand)] == [b"\\restrict abc\n", b'\\connect "x"\n']
    inside = [c for p in pieces if isinstance(p, Statement) for c in p.commands]
    assert inside == [MetaCommand(b"\\gexec", 23, 2)]


def test_a_very_long_insert_comes_in_parts_cut_after_a_row() -> None:
    rows = b",\n\t".join(b"(%d, 'x;)(''\\')" % i for i in range(LONG_INSERT // 8))
    script = b"INSERT INTO t VALUES\n\t" + rows + b";\nSELECT 1;\n"
    parts = [p for p in split(script) if isinstance(p, Statement)]
    assert b"".join(p.text for p in parts[:-1]) + b"\nSELECT 1;\n" == script
    assert [p.begins for p in parts] == [True, *[False] * (len(parts) - 2), True]
    assert [p.ends for p in parts] == [*[False] * (len(parts) - 2), True, True]
    assert len(parts) > 2
    assert max(len(p.text) for p in parts) < 2 * LONG_INSERT


def test_a_statement_that_never_ends_is_given_as_unended() -> None:
    for text in (
        b"SELECT 'x",
        b'SELECT "x',
        b"SELECT $a$ x $b$",
        b"SELECT (1;",
        b"SELECT 1",
        b"SELECT 1 /* ;",
        b"CREATE FUNCTION f() BEGIN ATOMIC SELECT 1;",
    ):
        (piece,) = split(text)
        assert isinstance(piece, Statement)
        assert (piece.text, piece.ends) == (text, False)


def test_a_statement_without_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgaudit_kit.dumps.scripts.sql_script.LONGEST_STATEMENT", 1 << 22)
    with pytest.raises(DamagedDump, match="does not end within 4 MiB") as caught:
        split(b"SELECT 1;\nSELECT '" + b"x" * (1 << 24))
    assert (caught.value.line, caught.value.offset) == (2, 10)
