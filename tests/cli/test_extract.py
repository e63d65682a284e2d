"""`pgaudit extract`: rows to a file, to standard output, into a database; what went where, in words and in JSON."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
DUMP = """--
-- PostgreSQL database dump
--

SET client_encoding = 'UTF8';

CREATE TABLE public.users (
    id integer NOT NULL,
    name text
);

COPY public.users (id, name) FROM stdin;
1\tann
2\t\\N
3\ta,"b"\\tc
\\.


--
-- PostgreSQL database dump complete
--

"""


def test_rows_go_to_a_file_or_to_standard_output(pgaudit: Run, dump: str, tmp_path: Path) -> None:
    assert pgaudit("extract", dump, "users", "--csv", "-").stdout == 'id,name\n1,ann\n2,\n3,"a,""b""\tc"\n'
    told = pgaudit("extract", dump, "public.users", "--where", "id > 1", "--csv", "out.csv", folder=tmp_path)
    assert (told.returncode, told.stdout, told.stderr) == (0, "out.csv: 2 rows of public.users\n", "")
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == 'id,name\n2,\n3,"a,""b""\tc"\n'
    said = pgaudit("extract", dump, "users", "--parquet", "out.parquet", "--json", folder=tmp_path)
    assert json.loads(said.stdout) == {"table": "public.users", "rows": 3, "path": "out.parquet", "notes": []}
    script = pgaudit("extract", dump, "users", "--sql", "-", "--inserts", "--where", "id = 3").stdout
    assert "  ('3', 'a,\"b\"\tc');\nCOMMIT;\n" in script


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["users"], 2, "--csv"),
        (["users", "--csv", "-", "--json"], 2, "JSON"),
        (["users", "--parquet", "-"], 2, "standard output"),
        (["users", "--csv", "-", "--as", "x"], 2, "--as"),
        (["nobody", "--csv", "-"], 3, "public.users"),
        (["users", "--csv", "-", "--where", "nope"], 2, "nope"),
        (["users", "--csv", "app.sql"], 2, "--overwrite"),
        (["users", "--into", "env:NO_SUCH_VARIABLE"], 2, "NO_SUCH_VARIABLE"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_its_exit_code(pgaudit: Run, dump: str, arguments: list[str], code: int, word: str) -> None:
    done = pgaudit("extract", dump, *arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), done.stderr
    assert word in done.stderr
    assert done.stdout == ""


def test_a_new_table_is_told_of_without_the_password_of_its_database(pgaudit: Run, dump: str, make_database: Callable[..., str]) -> None:
    url = make_database()
    secret = url.replace("postgres@", "postgres:s3cret@", 1)
    assert secret != url
    done = pgaudit("extract", dump, "users", "--into", secret)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 rows of public.users are in the new table public.users_from_dump of" in done.stdout
    assert "s3cret" not in done.stdout
    again = pgaudit("extract", dump, "users", "--into", "env:LIVE", LIVE=secret)
    assert again.returncode == 2
    assert "already exists" in again.stderr
    assert "s3cret" not in again.stderr
    options = ("--into", "env:LIVE", "--as", "public.kept", "--where", "id < 3", "--json")
    plain = json.loads(pgaudit("extract", dump, "users", *options, LIVE=url).stdout)
    assert (plain["verdict"], plain["rows"], plain["into"], len(plain["fingerprint"])) == ("passed", 2, "public.kept", 32)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT * FROM kept ORDER BY id").fetchall() == [(1, "ann"), (2, None)]
