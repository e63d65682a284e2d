"""Runs of INSERT rows taken many at a time: the same counts, rows and damage as row by row, whatever is in them and wherever they end."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.dumps.scripts import insert_runs, sql_script
from pgaudit_kit.dumps.scripts.insert_runs import RunLearner
from pgaudit_kit.dumps.scripts.script_pieces import CopyData, Statement
from pgaudit_kit.dumps.scripts.sql_script import ScriptSplitter
from pgaudit_kit.errors import PgAuditError

HEADER = "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = '{}';\n"
TABLES = 'CREATE TABLE public.t (\n    a text,\n    b text,\n    c text\n);\nCREATE TABLE public."u ()" (\n    a text\n);\n'
FOOTER = "\n\n--\n-- PostgreSQL database dump complete\n--\n\n"

TEXTS = st.text(st.sampled_from("',;()\\\n\t\r\b\v\0 -/*$\"ab1éソ"), max_size=6) | st.sampled_from(
    [
        "",
        "''",
        "'); \nINSERT INTO public.t VALUES ('",
        ");\nINSERT INTO public.t VALUES (",
        "),\n\t(",
        "NULL",
        ", ",
        "DEFAULT, ",
        "B",
        "--",
    ]
)
LITERALS = TEXTS.map(lambda text: "'" + text.replace("'", "''") + "'")
PLAIN_VALUES = LITERALS | st.sampled_from(["NULL", "true", "false", "0", "-1.50", "1e+20", "B'0101'", "B''", "''"])
ODD_VALUES = st.sampled_from(["E'a\\'b'", "null", " 1", "now()", "$1", "DEFAULT", "'a' 'b'", "1 -- x", "X'ff'"])
HEADS = st.sampled_from(
    ["public.t VALUES ", "public.t (a, b, c) VALUES ", "public.t (a, b, c) OVERRIDING SYSTEM VALUE VALUES ", 'public."u ()" VALUES ']
)


@st.composite
def inserts(draw: st.DrawFn) -> str:
    """INSERT statements of one table, mostly as pg_dump writes them."""
    head = draw(HEADS)
    width = 1 if "u ()" in head else 3
    values = st.one_of(*[PLAIN_VALUES] * 12, ODD_VALUES) if draw(st.booleans()) else PLAIN_VALUES
    default_at = draw(st.none() | st.integers(0, width - 1)) if draw(st.booleans()) else None
    rows = draw(st.lists(st.lists(values, min_size=width, max_size=width), min_size=1, max_size=8))
    texts = [f"({', '.join('DEFAULT' if i == default_at else value for i, value in enumerate(row))})" for row in rows]
    end = draw(st.sampled_from([";\n", ";\n", " ON CONFLICT DO NOTHING;\n", ";", " RETURNING a;\n"]))
    if draw(st.booleans()):
        return "".join(f"INSERT INTO {head}{text}{end}" for text in texts)
    size = draw(st.integers(1, 4))
    several = [",\n\t".join(texts[i : i + size]) for i in range(0, len(texts), size)]
    return "".join(f"INSERT INTO {head.rstrip()}\n\t{rows}{end}" for rows in several)


SCRIPTS = st.lists(inserts(), min_size=1, max_size=4)


@contextmanager
def taken_by_hand() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunLearner, "see", lambda *_args, **_options: None)
        yield


@contextmanager
def learned_soon(run_bytes: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(insert_runs, "_ROWS_TO_LEARN_FROM", 1)
        patch.setattr(insert_runs, "RUN_BYTES", run_bytes)
        patch.setattr(sql_script, "RUN_BYTES", run_bytes)
        yield


def all_of(path: Path) -> object:
    """What a dump says of its rows, and the rows."""
    dump = read_dump(path)

    def rows(name: object) -> bytes | str:
        try:
            return b"".join(dump.row_blocks(name))  # type: ignore[arg-type]
        except PgAuditError as error:
            return error.message

    return dump.table_data, [(d.what, d.table) for d in dump.damage], [rows(name) for name in dump.table_data]


@settings(max_examples=400)
@given(SCRIPTS, st.integers(60, 400), st.sampled_from(["UTF8", "SJIS"]), st.none() | st.integers(0, 3000))
def test_runs_give_what_single_statements_give(
    tmp_path_factory: pytest.TempPathFactory, statements: list[str], run_bytes: int, encoding: str, cut: int | None
) -> None:
    script = HEADER.format(encoding) + TABLES + "".join(statements) + FOOTER
    path = tmp_path_factory.getbasetemp() / "inserts.sql"
    path.write_bytes(script.encode("cp932" if encoding == "SJIS" else "utf-8", "replace")[:cut])
    if cut is not None and cut < len(HEADER):
        return
    with taken_by_hand():
        expected = all_of(path)
    with learned_soon(run_bytes):
        assert all_of(path) == expected


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, 7))


@given(SCRIPTS, st.integers(60, 400))
def test_no_byte_is_lost_or_read_twice(statements: list[str], run_bytes: int) -> None:
    script = "".join(statements).encode()
    with learned_soon(run_bytes):
        for stream in (io.BytesIO(script), Trickle(script)):
            pieces = list(ScriptSplitter(stream))
            texts = [b"" if isinstance(piece, CopyData) else piece.text for piece in pieces]
            assert b"".join(texts) == script
            assert [piece.offset for piece in pieces] == [0, *accumulate(map(len, texts))][:-1]


def shaped(script: str) -> list[int]:
    return [piece.rows for piece in ScriptSplitter(io.BytesIO(script.encode())) if isinstance(piece, Statement) and piece.shape]


@pytest.mark.parametrize("rows_per_insert", [1, 50])
@pytest.mark.parametrize("end", ["", " ON CONFLICT DO NOTHING"])
def test_nearly_all_rows_as_pg_dump_writes_them_are_taken_in_runs(rows_per_insert: int, end: str) -> None:
    rows = [f"({i}, 'it''s; {i}', NULL, B'01', DEFAULT)" for i in range(20_000)]
    groups = [rows[i : i + rows_per_insert] for i in range(0, len(rows), rows_per_insert)]
    head = "INSERT INTO public.t VALUES " if rows_per_insert == 1 else "INSERT INTO public.t VALUES\n\t"
    script = "".join(head + ",\n\t".join(group) + end + ";\n" for group in groups)
    assert sum(shaped(script)) > 19_900
    assert len(shaped(script)) < 20


def test_a_table_of_many_columns_is_taken_in_runs() -> None:
    row = "INSERT INTO public.wide VALUES (" + ", ".join(["'x'", "1", "NULL"] * 500) + ");\n"
    assert sum(shaped(row * 100)) > 80


def test_rows_that_may_be_two_things_are_not_taken_in_runs() -> None:
    odd = ["E'\\''", "now()", "1 -- ", "$$x$$", "'a'::text", "(1)", "+1", "'\0'"]
    for value in odd:
        script = "".join(f"INSERT INTO public.t VALUES ({value}\n);\n" for _ in range(40))
        assert shaped(script) == []


Write = Callable[[bytes], Path]


def test_a_byte_that_is_not_of_the_encoding_is_found_in_a_long_run_too(written: Write) -> None:
    good = [f"INSERT INTO public.t VALUES ('{i}', 'x', 'y');\n".encode() for i in range(3000)]
    script = HEADER.format("SJIS").encode() + TABLES.encode() + b"".join(good)
    place = script.find(b"'2900'") + 1
    dump = read_dump(written(script[:place] + b"\x81\x20" + script[place:] + FOOTER.encode()))
    (damage,) = dump.damage
    assert (damage.offset, damage.line) == (place, script.count(b"\n", 0, place) + 1)


def test_a_script_cut_behind_a_row_names_the_place_of_that_statement(written: Write) -> None:
    script = HEADER.format("UTF8") + TABLES + "INSERT INTO public.t VALUES ('1', 'x', 'y');\n" * 3000
    dump = read_dump(written(script[:-2].encode()))
    place = script.rfind("INSERT")
    assert [d.offset for d in dump.damage if d.what == "the last statement does not end"] == [place]
