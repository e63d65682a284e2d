r"""INSERT statements as COPY lines: exact where pg_dump wrote them, refused where only a person could have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.dumps.scripts.insert_rows import InsertReader, InsertTarget, NotCopyable
from pgaudit_kit.errors import RowsNotAvailable
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import decode_line

FRAME = "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n{}\n--\n-- PostgreSQL database dump complete\n--\n\n"


def lines(statement: str, *, standard_strings: bool = True) -> list[bytes]:
    return list(InsertReader(standard_strings=standard_strings).lines(statement.encode()))


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ("1, -5, 1.50, 1e+20, 1e-30, 0", rb"1	-5	1.50	1e+20	1e-30	0"),
        ("NULL, true, false, 'true', 'NaN', '-Infinity'", rb"\N	t	f	true	NaN	-Infinity"),
        ("'', '''', 'a''b', ''''''", b"\t'\ta'b\t''"),
        (r"'\N', '\.', 'c:\temp', '\x00ff'", rb"\\N	\\.	c:\\temp	\\x00ff"),
        ("'tab\there', 'line\nend', 'cr\rff\fvt\vbs\b'", rb"tab\there	line\nend	cr\rff\fvt\vbs\b"),
        ("B'101', B''", b"101\t"),
        ("'a, b', '(c)', ');', '-- no', '/*', '$$', ';'", b"a, b\t(c)\t);\t-- no\t/*\t$$\t;"),
        ("'😀', '漢字'", "😀\t漢字".encode()),
        ("DEFAULT, 1, DEFAULT", b"1"),
    ],
)
def test_each_kind_of_value_becomes_its_copy_field(values: str, line: bytes) -> None:
    assert lines(f"INSERT INTO app.t VALUES ({values});") == [line + b"\n"]


def test_all_forms_of_the_statement_are_read() -> None:
    assert lines("INSERT INTO t VALUES\n\t(1, 'a'),\n\t(2, 'b');") == [b"1\ta\n", b"2\tb\n"]
    assert lines("INSERT INTO t (a, \"b,)\") VALUES (1, 'x');") == [b"1\tx\n"]
    assert lines("INSERT INTO t (a) OVERRIDING SYSTEM VALUE VALUES (1);") == [b"1\n"]
    assert lines("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING;") == [b"1\n"]
    assert lines("INSERT INTO t DEFAULT VALUES;") == [b"\n"]
    assert lines("INSERT INTO t VALUES ('');") == [b"\n"]


def test_backslashes_are_halved_when_strings_are_not_standard() -> None:
    assert lines(r"INSERT INTO t VALUES ('a\\b', '''', '\'');", standard_strings=False) == [b"a\\\\b\t'\t'\n"]
    with pytest.raises(NotCopyable, match="escape"):
        lines(r"INSERT INTO t VALUES ('a\nb');", standard_strings=False)


@pytest.mark.parametrize(
    "values",
    ["now()", "1 + 1", "'a'::text", "E'a'", "X'ff'", "ARRAY[1]", "'a' || 'b'", "(1)", "+5", "0x10", "current_user", "", "1,, 2", "$1"],
)
def test_what_only_a_person_writes_is_refused(values: str) -> None:
    with pytest.raises(NotCopyable):
        lines(f"INSERT INTO t VALUES ({values});")


def test_a_statement_that_is_no_list_of_values_is_refused_and_names_its_table() -> None:
    with pytest.raises(NotCopyable) as caught:
        lines("INSERT INTO app.t (a) SELECT 1;")
    assert caught.value.target == InsertTarget("app", "t", ("a",))
    for statement in ("INSERT INTO t VALUES (1) RETURNING a;", "INSERT INTO t VALUES (1), (2, 3);", "INSERT INTO t VALUES (1), (DEFAULT);"):
        with pytest.raises(NotCopyable):
            lines(statement)


VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from("'\\\t\n\r(),;"), max_size=20)


@given(st.lists(st.lists(st.none() | VALUES, min_size=2, max_size=2), min_size=1, max_size=5), st.booleans())
def test_any_text_survives(rows: list[list[str | None]], standard_strings: bool) -> None:
    def written(value: str | None) -> str:
        if value is None:
            return "NULL"
        return "'" + (value if standard_strings else value.replace("\\", "\\\\")).replace("'", "''") + "'"

    statement = "INSERT INTO t VALUES\n\t" + ",\n\t".join(f"({', '.join(map(written, row))})" for row in rows) + ";"
    found = lines(statement, standard_strings=standard_strings)
    assert [list(decode_line(line[:-1])) for line in found] == rows


Write = Callable[[bytes], Path]


def rows_of(path: Path, schema: str, table: str) -> bytes:
    return b"".join(read_dump(path).row_blocks(TableName(schema, table)))


def test_rows_that_a_framework_appended_belong_to_the_table_that_the_search_path_finds(written: Write) -> None:
    script = FRAME.format("CREATE TABLE public.schema_migrations (\n    version character varying NOT NULL\n);\n")
    script += "SET search_path TO \"$user\", public;\n\nINSERT INTO \"schema_migrations\" (version) VALUES\n('2'),\n('1');\n\n"
    path = written(script.encode())
    assert rows_of(path, "public", "schema_migrations") == b"2\n1\n"
    elsewhere = script.replace('TO "$user", public', "TO app, public")
    assert rows_of(written(elsewhere.encode()), "public", "schema_migrations") == b"2\n1\n"


def test_rows_of_one_table_in_several_places_come_together(written: Write) -> None:
    body = "CREATE TABLE public.t (\n    a integer\n);\nCREATE TABLE public.u (\n    b integer\n);\n"
    body += "INSERT INTO public.t (a) VALUES (1);\nINSERT INTO public.u (b) VALUES (7);\nINSERT INTO public.t (a) VALUES (2);\n"
    path = written(FRAME.format(body).encode())
    assert rows_of(path, "public", "t") == b"1\n2\n"
    assert rows_of(path, "public", "u") == b"7\n"


def test_an_insert_from_a_query_makes_its_table_unreadable_and_the_dump_stays_whole(written: Write) -> None:
    body = "CREATE TABLE public.t (\n    a integer\n);\nINSERT INTO public.t (a) VALUES (1);\nINSERT INTO public.t (a) SELECT 2;\n"
    dump = read_dump(written(FRAME.format(body).encode()))
    data = dump.table_data[TableName("public", "t")]
    assert (data.rows, dump.damage) == (None, ())
    with pytest.raises(RowsNotAvailable, match="no list of values"):
        dump.row_blocks(data.name)


def test_columns_that_do_not_fit_make_a_table_unreadable(written: Write) -> None:
    body = "CREATE TABLE public.t (\n    a integer\n);\nINSERT INTO public.t VALUES (1, 2);\n"
    dump = read_dump(written(FRAME.format(body).encode()))
    assert "do not fit" in dump.table_data[TableName("public", "t")].not_readable


def test_inserts_of_a_table_that_is_not_in_the_dump_need_their_column_list(written: Write) -> None:
    body = "INSERT INTO public.t VALUES (1, 2);\nINSERT INTO public.u (a) VALUES (1);\n"
    dump = read_dump(written(FRAME.format(body).encode()))
    assert dump.table_data[TableName("public", "t")].rows is None
    assert dump.table_data[TableName("public", "u")].rows == 1
