r"""Tricks that would make psql do something else than run SQL: each is refused with its line, and what pg_dump writes is not."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.dumps.scripts.safe_script import problems_of, safe_pieces
from pgaudit_kit.dumps.scripts.script_pieces import Between, CopyData, Statement
from pgaudit_kit.errors import DamagedDump, UnsupportedDump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

HEAD = "--\n-- PostgreSQL database dump\n--\n\n"
COMMANDS = "a command for psql"
# name: script behind HEAD (line 5 is its first), line, reason
TRICKS: dict[str, tuple[str, int, str]] = {
    "shell": ("\\! touch MARK\n", 5, COMMANDS),
    "indented": ("SELECT 1;\n   \\! touch MARK\n", 6, COMMANDS),
    "behind a statement": ("SELECT 1; \\! touch MARK\n", 5, COMMANDS),
    "inside a statement": ("SELECT 1\n\\! touch MARK\n;\n", 6, "inside of a statement"),
    "no semicolon": ("SELECT 1 \\! touch MARK", 5, COMMANDS),
    "copy from a program": ("CREATE TABLE t (a text);\n\\copy t from program 'touch MARK'\n", 6, COMMANDS),
    "include": ("\\i /tmp/other.sql\n", 5, COMMANDS),
    "include, relative": ("\\ir other.sql\n", 5, COMMANDS),
    "output": ("\\o |touch MARK\nSELECT 1;\n", 5, COMMANDS),
    "write": ("SELECT 1 \\w |touch MARK\n", 5, COMMANDS),
    "g with a pipe": ("SELECT 1 \\g |touch MARK\n", 5, COMMANDS),
    "gexec": ("SELECT 'DROP TABLE users' \\gexec\n", 5, COMMANDS),
    "gset": ("SELECT 1 AS a \\gset\n", 5, COMMANDS),
    "backquotes": ("\\set a `touch MARK`\n", 5, COMMANDS),
    "backquotes of echo": ("\\echo `touch MARK`\n", 5, COMMANDS),
    "connect": ("\\connect live\nDROP TABLE users;\n", 5, COMMANDS),
    "connect behind a token": ("\\restrict a1 \\connect live\n\\unrestrict a1\n", 5, COMMANDS),
    "another token": ("\\restrict a1\n\\unrestrict b2\n\\! touch MARK\n", 6, "belongs to no"),
    "a token of the file's own": ("\\restrict a1\nSELECT 1;\n\\unrestrict a1\n\\! touch MARK\n", 8, COMMANDS),
    "a token twice": ("\\restrict a1\n\\restrict a1\n\\unrestrict a1\n", 6, "second"),
    "a bare unrestrict": ("\\unrestrict\n", 5, COMMANDS),
    "behind rows": ("COPY public.t (a) FROM stdin;\nx\n\\.\n\\! touch MARK\n", 8, COMMANDS),
    "on the line of a COPY": ("COPY public.t (a) FROM stdin; \\! touch MARK\nx\n\\.\n", 5, "does not write"),
    "behind a comment": ("/* \\! is no command here */ \\! touch MARK\n", 5, COMMANDS),
    "a comment that ends early": ("/* /* */ */ \\! touch MARK\n", 5, COMMANDS),
    "behind a dollar quote": ("DO $a$ BEGIN END $a$; \\! touch MARK\n", 5, COMMANDS),
    "a tag inside a name": ("SELECT a$b$ \\! touch MARK $b$;\n", 5, COMMANDS),
    "backslashes that escape": (
        "SET standard_conforming_strings = off;\nSELECT '\\'; \\! touch MARK '';\n;';\n\\! touch MARK\n",
        8,
        COMMANDS,
    ),
    "backslashes that do not": ("SELECT '\\'; \\! touch MARK\n", 5, COMMANDS),
    "crlf": ("SELECT 1;\r\n\\! touch MARK\r\n", 6, COMMANDS),
    "a program of the server": ("COPY public.t FROM PROGRAM 'touch MARK';\n", 5, "file or program"),
    "to a program of the server": ("COPY (SELECT 1) TO PROGRAM 'touch MARK';\n", 5, "file or program"),
    "a file of the server": ("copy public.t FROM '/etc/passwd';\n", 5, "file or program"),
    "rows in another form": ('COPY public.t (a) FROM stdin WITH (FORMAT csv);\n"\n\\.\n"\n\\.\n', 5, "does not write"),
    "the end of the transaction": ("COMMIT AND CHAIN;\n", 5, "own transaction"),
    "its end, otherwise": ("end;\n", 5, "own transaction"),
    "rollback": ("ROLLBACK;\n", 5, "own transaction"),
    "two phases": ("PREPARE TRANSACTION 'x';\n", 5, "own transaction"),
    "a message of another program": ("pg_dump: warning: there are circular foreign keys\n", 5, "no SQL"),
}


def run(script: str | bytes) -> list[object]:
    content = script if isinstance(script, bytes) else script.encode()
    return list(safe_pieces(io.BytesIO(content), resource="app.sql"))


@pytest.mark.parametrize("name", TRICKS)
def test_each_trick_is_refused_with_its_line_and_nothing_behind_it_is_given(name: str) -> None:
    text, line, reason = TRICKS[name]
    script = HEAD + text
    given: list[object] = []
    with pytest.raises(UnsupportedDump, match=reason) as refused:
        given.extend(safe_pieces(io.BytesIO(script.encode()), resource="app.sql"))
    assert refused.value.line == line
    assert all(isinstance(piece, Between | Statement | CopyData) for piece in given)
    assert not any(piece.commands for piece in given if isinstance(piece, Statement))
    problems = problems_of(io.BytesIO(script.encode()), resource="app.sql")
    assert problems[0].startswith(f"line {line}: ")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 \0 '\n\\! touch MARK\n' ;\n",  # to psql the line ends at the zero byte
        "COPY public.t (a) FROM stdin;\na\0b\n\\.\nSELECT '\n\\.\n\\! touch MARK\n';\n",
        "-- a comment\0\n\\! touch MARK\n",
    ],
)
def test_a_zero_byte_is_refused_wherever_it_is(text: str) -> None:
    with pytest.raises(UnsupportedDump, match="zero byte at offset"):
        run(HEAD + text)
    assert "zero byte" in problems_of(io.BytesIO((HEAD + text).encode()), resource="app.sql")[0]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1;\nSELECT",
        "COPY public.t (a) FROM stdin;\nx\n",
        "\\restrict a1\nSELECT 1;\n",
        "INSERT INTO public.t VALUES\n\t(1),\n\t(2)",
    ],
)
def test_a_script_that_is_cut_short_is_no_script(text: str) -> None:
    with pytest.raises((UnsupportedDump, DamagedDump)):
        run(HEAD + text)
    assert problems_of(io.BytesIO((HEAD + text).encode()), resource="app.sql")


def test_what_looks_like_a_command_and_is_data_or_text_passes() -> None:
    script = (
        "\\restrict aB3\n" + HEAD + "SET standard_conforming_strings = on;\n"
        "COPY public.t (a) FROM stdin;\n\\\\! touch MARK\n\\N\nx\\.\n\\.\n"
        "INSERT INTO public.t VALUES ('\\! touch MARK');\nSELECT E'\\'\\! x';\n-- \\! touch MARK\n/* \\! x */ SELECT $$\n\\! x\n$$;\n"
        "COMMENT ON TABLE public.\"\\! x\" IS '\n\\! x\n';\n\\unrestrict aB3\n"
    )
    rows: list[bytes] = []
    pieces = list(safe_pieces(io.BytesIO(script.encode()), resource="app.sql", on_rows=rows.append))
    assert b"".join(rows) == b"\\\\! touch MARK\n\\N\nx\\.\n"
    text = b"".join(piece.text for piece in pieces if not isinstance(piece, CopyData))
    assert b"restrict" not in text
    assert text.count(b"\n") + 4 == script.count("\n")  # a line keeps its number; rows and their end mark are given apart
    assert problems_of(io.BytesIO(script.encode()), resource="app.sql") == []


def test_transactions_around_large_objects_are_left_out() -> None:
    pieces = run("BEGIN;\n\nSELECT pg_catalog.lo_open('1', 131072);\nSELECT pg_catalog.lo_close(0);\nCOMMIT;\n")
    assert all(b"lo_" in piece.text for piece in pieces if isinstance(piece, Statement))
    assert any(isinstance(piece, Between) for piece in pieces)


def test_a_secret_in_a_refused_line_is_not_told() -> None:
    (problem,) = problems_of(io.BytesIO(b"\\connect 'user=app password=hunter2hunter2'\n"), resource="app.sql")
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    "options", [(), ("--inserts",), ("--rows-per-insert=7",), ("--clean", "--if-exists"), ("--disable-triggers", "-a")], ids=str
)
def test_every_script_of_pg_dump_passes(
    options: tuple[str, ...], make_database: Callable[..., str], server: EmbeddedServer, tmp_path: Path
) -> None:
    url = make_database()
    with psycopg.connect(url) as connection:
        connection.execute(
            r"""
            CREATE TABLE t (id int PRIMARY KEY, a text);
            INSERT INTO t SELECT n, '\! touch ' || n || E'\n\\.\n' FROM generate_series(1, 200) n;
            CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $f$ SELECT E'\\! \'x' $f$;
            CREATE FUNCTION g(a int) RETURNS int BEGIN ATOMIC SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END; SELECT 3; END;
            COMMENT ON TABLE t IS '\! touch';
            SELECT lo_from_bytea(0, '\x5c21');
            CREATE TABLE "\! touch" (a int);
            """
        )
    path = tmp_path / "t.sql"
    subprocess.run([server.bin_folder / "pg_dump", *options, "-f", path, "-d", url], check=True)
    with path.open("rb") as script:
        assert problems_of(script, resource="t.sql") == []
