"""Statements are split and read token by token by the rules of the server's own lexer."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.dumps.ddl.tokens import Cursor, Name, NotUnderstood, decode_string, quote_string, split_statements, unquote

NAMES = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=30)
_PIECES = """a "B" ' " $$ $a$ ; ( ) [ ] , . -- /* */ \\ E' CREATE TABLE ALTER ONLY NOT NULL DEFAULT CONSTRAINT CHECK BEGIN ATOMIC
    CASE END 12 - :: é AS ON"""
SQL = st.lists(st.sampled_from([*_PIECES.split(), "\n"])).map(" ".join)


@pytest.mark.parametrize(
    ("sql", "statements"),
    [
        ("SELECT 1;\nSELECT 2;\n\n", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';', \";\", E'\\';', $$;$$, $a$;$$;$a$;", ["SELECT ';', \";\", E'\\';', $$;$$, $a$;$$;$a$"]),
        ("SELECT 'a''; b', \"c\"\"; d\"; x", ["SELECT 'a''; b', \"c\"\"; d\"", "x"]),
        ("-- a; comment\nSELECT 1 -- another; one\n; SELECT /* a; third */ 2", ["SELECT 1 -- another; one", "SELECT /* a; third */ 2"]),
        ("SELECT a$b$; SELECT c$b$", ["SELECT a$b$", "SELECT c$b$"]),
        ("SELECT $1; SELECT $2", ["SELECT $1", "SELECT $2"]),
        ("CREATE RULE r DO ( DELETE FROM a;\n SELECT 1;\n);\nX;", ["CREATE RULE r DO ( DELETE FROM a;\n SELECT 1;\n)", "X"]),
        ("BEGIN ATOMIC\n A;\n CASE WHEN x THEN 'END;' END;\nEND;\nX", ["BEGIN ATOMIC\n A;\n CASE WHEN x THEN 'END;' END;\nEND", "X"]),
        ("BEGIN;\nCOMMIT;", ["BEGIN", "COMMIT"]),
        ("\\restrict abc;\n\nSELECT 1;\n\\unrestrict abc\n", ["SELECT 1"]),
        ("\n\n-- nothing here\n", []),
        (";;\n;", []),
        ("", []),
        ("SELECT 'never closed; SELECT 2;", ["SELECT 'never closed", "SELECT 2"]),
    ],
)  # fmt: skip
def test_a_semicolon_ends_a_statement_only_where_the_server_says_so(sql: str, statements: list[str]) -> None:
    assert split_statements(sql) == statements


def test_nonstandard_strings_become_standard_ones() -> None:
    sql = r"""COMMENT ON TABLE "a\b" IS 'it\'s; a\\b'; SELECT E'\\', $$\\$$, 'x'"""
    assert split_statements(sql, escapes=True) == [r"""COMMENT ON TABLE "a\b" IS 'it''s; a\b'""", r"SELECT E'\\', $$\\$$, 'x'"]


@given(st.lists(st.sampled_from(["SELECT 1", "SELECT ';'", 'SELECT ";"', "SELECT $$;$$", "SELECT (a; b)"]), max_size=5))
def test_splitting_what_was_joined_gives_it_back(statements: list[str]) -> None:
    assert split_statements("".join(f"{sql};\n\n" for sql in statements)) == statements


@given(SQL, st.booleans())
def test_splitting_and_reading_never_fail_and_lose_no_text(sql: str, escapes: bool) -> None:
    for statement in split_statements(sql, escapes=escapes):
        cursor = Cursor(statement)
        kept = ""
        while not cursor.at_end:
            token = cursor.advance()
            assert statement[token.start : token.end] == token.text
            kept += token.text
        assert set(kept) <= set(statement)


@given(NAMES)
def test_a_quoted_identifier_reads_back(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    cursor = Cursor(f"{quoted}.{quoted} rest")
    assert cursor.name() == Name(name, name, f"{quoted}.{quoted}")
    assert cursor.rest() == "rest"


@given(st.text())
def test_a_string_literal_reads_back(value: str) -> None:
    assert decode_string(quote_string(value)) == value
    assert Cursor(f" {quote_string(value)} x").string() == value


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("'it''s'", "it's"),
        (r"E'a\n\t\\\'\x41\101\u00e9'", "a\n\t\\'AAé"),
        ("$$a'$b$$", "a'$b"),
        ("$x$ $$ $x$", " $$ "),
        ("$$$$", ""),
        (r"'\n'", r"\n"),
    ],
)
def test_a_literal_is_decoded_as_it_is_quoted(literal: str, value: str) -> None:
    assert decode_string(literal) == value


def test_bare_names_fold_only_their_ascii_letters() -> None:
    assert [unquote(name) for name in ("Abc", "ÄbC", '"Abc"', '"a""b"')] == ["abc", "Äbc", "Abc", 'a"b']


def test_keywords_are_bare_words_only() -> None:
    cursor = Cursor('"ONLY" only.x')
    assert not cursor.take("ONLY")
    cursor.advance()
    assert not cursor.take("ONLY", "Y")
    assert cursor.take("ONLY")
    with pytest.raises(NotUnderstood):
        cursor.expect("X")


def test_text_ends_at_a_word_a_comma_or_a_parenthesis_outside_nested_ones() -> None:
    cursor = Cursor("timestamp(3) with time zone DEFAULT now(), b numeric(10, 2)[] NOT NULL) tail")
    assert cursor.text_until("DEFAULT", "NOT", "WITH") == "timestamp(3) with time zone"
    assert cursor.take("DEFAULT")
    assert cursor.text_until("NOT") == "now()"
    assert cursor.take_text(",")
    assert cursor.identifier() == "b"
    assert cursor.text_until("DEFAULT", "NOT") == "numeric(10, 2)[]"
    cursor.expect("NOT", "NULL")
    assert cursor.text_until() == ""
    assert cursor.take_text(")")
    assert Cursor("x.default DEFAULT 1").text_until("DEFAULT") == "x.default"


@given(SQL)
def test_every_way_to_read_ends_or_says_that_it_did_not_understand(sql: str) -> None:
    for read in (
        Cursor.name,
        Cursor.group,
        Cursor.string,
        Cursor.parts,
        Cursor.text_until,
        Cursor.expression,
        Cursor.identifier,
        Cursor.rest,
    ):
        with contextlib.suppress(NotUnderstood):
            read(Cursor(sql))
