"""`pgaudit query`: exact values in JSON and CSV, a table for people, exit codes as everywhere."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
DUMP = """--
-- PostgreSQL database dump
--

SET client_encoding = 'UTF8';

CREATE TABLE public.t (
    id bigint,
    price numeric(20,10),
    d double precision,
    note text,
    raw bytea,
    at timestamp with time zone,
    tags text[],
    span interval
);

CREATE VIEW public.v AS
 SELECT 1;

COPY public.t (id, price, d, note, raw, at, tags, span) FROM stdin;
9223372036854775807\t1234567890.0123456789\t0.1\tcomma, "quote"\\nline\t\\\\x00ff\t2024-01-01 12:00:00.5+00\t{a,NULL}\t1 mon -1 days
2\t\\N\tNaN\t\t\\N\tinfinity\t\\N\t\\N
3\t0.0000000000\t-Infinity\t\\N\t\\N\t\\N\t{}\t\\N
4\t\\N\t\\N\tNULL\\t\\\\\x1b[31m\t\\N\t\\N\t\\N\t\\N
\\.


--
-- PostgreSQL database dump complete
--

"""


def test_json_has_names_types_and_exact_values(pgaudit: Run, dump: str) -> None:
    done = pgaudit("query", dump, "SELECT *, id::HUGEINT * 10 AS h, id > 2 AS ok FROM t ORDER BY id DESC", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert list(answer) == ["columns", "rows"]
    assert [column["name"] for column in answer["columns"]] == ["id", "price", "d", "note", "raw", "at", "tags", "span", "h", "ok"]
    types = [
        "BIGINT",
        "DECIMAL(20,10)",
        "DOUBLE",
        "VARCHAR",
        "BLOB",
        "TIMESTAMP WITH TIME ZONE",
        "VARCHAR[]",
        "INTERVAL",
        "HUGEINT",
        "BOOLEAN",
    ]
    assert [column["type"] for column in answer["columns"]] == types
    first = [9223372036854775807, "1234567890.0123456789", 0.1, 'comma, "quote"\nline', "\\x00ff", "2024-01-01 12:00:00.500000+00"]
    assert answer["rows"][0] == [*first, ["a", None], "1 mon -1 days", 92233720368547758070, True]
    assert answer["rows"][2][:6] == [3, "0.0000000000", "-Infinity", None, None, None]
    assert answer["rows"][3][:6] == [2, None, "NaN", "", None, "infinity"]


def test_csv_tells_null_from_empty(pgaudit: Run, dump: str) -> None:
    done = pgaudit("query", dump, "SELECT id, price, note, tags FROM t ORDER BY id", "--csv", "--limit", "2")
    assert done.stdout.splitlines() == ["id,price,note,tags", '2,,"",', "3,0.0000000000,,[]"]
    quoted = pgaudit("query", dump, "SELECT note, 1 AS one FROM t WHERE id > 100", "--csv").stdout
    assert list(csv.reader(io.StringIO(quoted))) == [["note", "one"], ['comma, "quote"\nline', "1"]]


def test_people_see_a_table_in_which_nothing_moves_the_cursor(pgaudit: Run, dump: str) -> None:
    done = pgaudit("query", dump, "SELECT id, note, price FROM t WHERE id < 100 ORDER BY id")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert any(line.split() == ["2", "''", "NULL"] for line in lines)
    assert any(line.split() == ["3", "NULL", "0.0000000000"] for line in lines)
    assert lines[1].split() == ["BIGINT", "VARCHAR", "DECIMAL(20,10)"]
    assert "\x1b" not in done.stdout
    assert "\\x1b[31m" in done.stdout
    assert lines[-1] == "3 rows"
    assert pgaudit("query", dump, "SELECT 1 WHERE false").stdout.splitlines()[-1] == "0 rows"
    many = pgaudit("query", dump, "SELECT * FROM range(60)").stdout
    assert "10 more" in many


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["SELECT * FROM nope"], 2, "public.t"),
        (["SELEC"], 2, "syntax error"),
        (["SELECT * FROM read_text('/etc/passwd')"], 2, "disabled"),
        (["DELETE FROM t"], 2, "only be read"),
        (["SELECT 1", "--json", "--csv"], 2, "--csv"),
        (["SELECT 1", "--overwrite"], 2, "--parquet"),
        (["SELECT", "1"], 2, "in quotes"),
        (["SELECT * FROM v"], 3, "is a view"),
    ],
)
def test_what_cannot_be_answered_is_one_line_and_its_exit_code(pgaudit: Run, dump: str, arguments: list[str], code: int, word: str) -> None:
    done = pgaudit("query", dump, *arguments)
    assert done.returncode == code, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert word in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "sql",
    ["-- how many\nSELECT count(*) AS n FROM t", "--how many\nSELECT count(*) AS n FROM t", "--\nSELECT 4 AS n", "---x=1\nSELECT 4 AS n"],
)
def test_sql_may_begin_with_a_comment(pgaudit: Run, dump: str, sql: str) -> None:
    for words in (("--csv", sql), (sql, "--csv"), (sql, "--csv", "--limit=1")):
        done = pgaudit("query", dump, *words)
        assert (done.returncode, done.stdout, done.stderr) == (0, "n\n4\n", "")


def test_an_option_that_is_not_there_is_no_comment(pgaudit: Run, dump: str) -> None:
    for words in (("SELECT 1", "--nope"), ("SELECT 1", "--nope=a b")):
        done = pgaudit("query", dump, *words)
        assert done.returncode == 2
        assert words[-1].partition("=")[0] in done.stderr
    assert pgaudit("query", dump, "-- nothing but a comment").returncode == 2


def test_a_damaged_table_is_not_checked(pgaudit: Run, dump: str) -> None:
    path = Path(dump)
    path.write_text(DUMP[: DUMP.index("4\t\\N")], encoding="utf-8")
    done = pgaudit("query", dump, "SELECT * FROM t")
    assert done.returncode == 3
    assert "public.t" in done.stderr


def test_options_that_make_no_sense_are_wrong_usage(pgaudit: Run, dump: str) -> None:
    assert pgaudit("query", dump, "SELECT 1", "--limit", "-1").returncode == 2
    assert pgaudit("query", "no/such.dump", "SELECT 1").returncode == 2


def test_columns_that_had_to_become_text_are_named_beside_the_answer(pgaudit: Run, tmp_path: Path) -> None:
    path = tmp_path / "nan.sql"
    path.write_text(DUMP.replace("0.0000000000", "NaN"), encoding="utf-8")
    for option in ((), ("--json",), ("--csv",)):
        done = pgaudit("query", str(path), "SELECT max(price) FROM t", *option)
        assert done.returncode == 0
        assert done.stderr.startswith("note: In public.t, ")
        assert done.stderr.endswith('as text: "price".\n')
    assert json.loads(pgaudit("query", str(path), "SELECT max(price) AS m FROM t", "--json").stdout)["rows"] == [["NaN"]]


def test_a_large_result_is_never_held(pgaudit: Run, dump: str) -> None:
    done = pgaudit("query", dump, "SELECT n FROM t, range(300000) r(n)")
    assert "… and 1,199," in done.stdout
    assert pgaudit("query", dump, "SELECT n FROM t, range(20000) r(n)", "--csv").stdout.count("\n") == 80_001


def test_a_query_that_takes_seconds_prints_nothing_but_its_answer(pgaudit: Run, dump: str) -> None:
    slow = "SELECT max(a.range * b.range % 7) AS m FROM range(25000) a, range(25000) b"
    assert pgaudit("query", dump, slow, "--csv").stdout == "m\n6\n"


def test_parquet_is_a_new_file_with_the_rows_and_types(pgaudit: Run, dump: str, tmp_path: Path) -> None:
    path = tmp_path / "answer.parquet"
    done = pgaudit("query", dump, "SELECT id, price, d, tags, id AS id FROM t WHERE id < 100 ORDER BY id", "--parquet", str(path))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}: 3 rows\n", "")
    table = pyarrow.parquet.read_table(path)
    assert table.column_names == ["id_1", "price", "d", "tags", "id_2"]
    assert [str(kind) for kind in table.schema.types[:3]] == ["int64", "decimal128(20, 10)", "double"]
    assert table.column(3).to_pylist() == [None, [], None]
    before = path.read_bytes()
    refused = pgaudit("query", dump, "SELECT 1 AS one", "--parquet", str(path))
    assert (refused.returncode, path.read_bytes()) == (2, before)
    assert "--overwrite" in refused.stderr
    again = pgaudit("query", dump, 'SELECT "at" FROM t', "--parquet", str(path), "--overwrite", "--json")
    assert json.loads(again.stdout) == {"path": str(path), "rows": 4}
    assert "Parquet has no infinite dates" in again.stderr
    assert pyarrow.parquet.read_table(path).column(0).to_pylist()[:2] == ["2024-01-01 12:00:00.5+00", "infinity"]
    assert [file.name for file in tmp_path.iterdir() if "partial" in file.name] == []


def test_several_sources_are_named_on_the_command_line(pgaudit: Run, dump: str, tmp_path: Path) -> None:
    later = tmp_path / "later=1.sql"
    later.write_text(DUMP.replace("3\t0.0000000000\t-Infinity\t\\N\t\\N\t\\N\t{}\t\\N\n", ""), encoding="utf-8")
    lost = "SELECT id FROM before.t EXCEPT SELECT id FROM after.public.t"
    done = pgaudit("query", f"before={dump}", f"after={later}", lost, "--csv")
    assert (done.returncode, done.stdout) == (0, "id\n3\n"), done.stderr
    assert pgaudit("query", str(later), "SELECT count(*) AS n FROM t", "--csv").stdout == "n\n3\n"
    for words in ((f"before={dump}", str(later), lost), (f"a={dump}", f"a={later}", lost), (dump,)):
        wrong = pgaudit("query", *words)
        assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1), wrong.stderr


def test_names_and_labels_of_no_encoding_can_be_asked(pgaudit: Run, tmp_path: Path) -> None:
    path = tmp_path / "latin.sql"
    head = DUMP[: DUMP.index("CREATE TABLE")].replace("UTF8", "SQL_ASCII")
    table = 'CREATE TABLE public.t (\n    "n\xe9me" text,\n    m public.m\n);\n\n'
    rows = 'COPY public.t ("n\xe9me", m) FROM stdin;\na\xe9b\t\xe9\n\\.\n\n\n'
    end = "--\n-- PostgreSQL database dump complete\n--\n\n"
    path.write_bytes(f"{head}CREATE TYPE public.m AS ENUM (\n    '\xe9'\n);\n\n{table}{rows}{end}".encode("latin-1"))
    done = pgaudit("query", str(path), r'SELECT "n\xe9me", m FROM t', "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == [[r"a\xe9b", r"\xe9"]]
    assert pgaudit("extract", str(path), "t", "--csv", str(tmp_path / "t.csv")).returncode == 0
    assert (tmp_path / "t.csv").read_bytes() == b"n\xe9me,m\na\xe9b,\xe9\n"
