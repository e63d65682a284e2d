"""SQL over a dump: the answers of the server, from the tables that are named and no others, and no way out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.dumps.reader import StoredRows
from pgaudit_kit.errors import DamagedDump, PgAuditError, RowsNotAvailable, UsageError
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.sql.named_sources import UNNAMED
from pgaudit_kit.sql.query import ask, run_query

SQL = Path(__file__).with_name("typed.sql")
DATABASE = "queried"


@pytest.fixture(scope="module")
def url(server: EmbeddedServer) -> Iterator[str]:
    """The database of typed.sql."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
    with psycopg.connect(server.url(DATABASE), autocommit=True) as connection:
        connection.execute(SQL.read_text(encoding="utf-8").encode())
    yield server.url(DATABASE)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture(scope="module")
def paths(server: EmbeddedServer, url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Its dump, plain and custom."""
    folder = tmp_path_factory.mktemp("queried")
    made = {name: folder / f"{name}.dump" for name in ("plain", "custom")}
    for name, path in made.items():
        subprocess.run([server.bin_folder / "pg_dump", "-F", name[0], "-f", str(path), "-d", url], check=True)
    return made


@pytest.fixture(params=["plain", "custom"])
def dump(request: pytest.FixtureRequest, paths: dict[str, Path]) -> Dump:
    return read_dump(paths[request.param])


def rows(dump: Dump, sql: str) -> list[tuple[Any, ...]]:
    return run_query({UNNAMED: dump.row_source}, sql).rows()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM big",
        "SELECT feeling::text, count(*), sum(price), max(id) FROM big WHERE ok AND id < 12001 GROUP BY 1 ORDER BY 1",
        "SELECT id, price, n, body, who::text FROM public.big WHERE id % 40000 = 1 ORDER BY id",
        "SELECT b.id, u.pair FROM big b JOIN plain_values u USING (id) ORDER BY 1",
        "SELECT count(*) FROM measured",
        "SELECT * FROM odd.measured_2024 WHERE value < 3 ORDER BY day",
        "SELECT id, price FROM parent ORDER BY id",
        "SELECT * FROM child",
        "SELECT * FROM only_here",
        'SELECT "we""ird, name" FROM odd.only_here',
        'SELECT sum("select"), max("a b") FROM "Quo""ted; table"',
        "SELECT positive, very, wide, o, i8, i2 FROM plain_values ORDER BY id",
        "SELECT ints, ints[1], moods[2]::text, day, ts, raw FROM plain_values WHERE id < 3 ORDER BY id",
        "SELECT date_trunc('day', \"at\"), count(*) FROM big WHERE id < 5000 GROUP BY 1 ORDER BY 1",
        "WITH users AS (SELECT 7 AS id) SELECT id FROM users",
        "WITH users AS (SELECT id + 1 AS id FROM odd.users) SELECT id FROM users ORDER BY id",
        "WITH RECURSIVE r AS (SELECT id FROM odd.only_here UNION ALL SELECT id + 1 FROM r WHERE id < 3) SELECT id FROM r ORDER BY id",
        "SELECT (SELECT count(*) FROM typed_table) + count(*) FROM one_text WHERE body = ''",
        'SELECT count(*) FROM "values"',
        "SELECT 1",
    ],
)
def test_the_answer_is_that_of_the_server(dump: Dump, url: str, sql: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET search_path = public, odd")
        expected = connection.execute(sql.encode()).fetchall()
    assert rows(dump, sql) == expected


def test_only_the_tables_that_are_named_are_read(dump: Dump, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    rows_of = dump._reader.rows

    def noted(name: TableName) -> StoredRows:
        read.append(str(name))
        return rows_of(name)

    monkeypatch.setattr(dump._reader, "rows", noted)
    dump.query("WITH big AS (SELECT 1), c AS (SELECT * FROM child) SELECT * FROM big, c WHERE EXISTS (SELECT 1 FROM odd.users) OR true")
    assert set(read) == {"public.child", "odd.users"}
    read.clear()
    dump.query("SELECT 'users', (SELECT 1)")
    assert read == []


def test_infinity_and_other_odd_values_come_back_as_they_were(dump: Dump) -> None:
    with pytest.warns(UserWarning, match=r'In odd.values, .* as text: "ts", "at", "price"'):
        frame = dump.query('SELECT id, day, clock, ts, "at", price, span, note FROM odd.values ORDER BY id')
    whole = dump.read_table("odd.values")
    assert [str(value) for value in frame["ts"][:6]] == [
        str(value) for value in whole["ts"][:6]
    ]  # a year above 294246 is none for DuckDB either
    for name in ("id", "clock", "span"):
        assert frame[name].tolist() == whole[name].tolist(), name
    assert frame["day"].tolist()[:4] == ["infinity", "-infinity", "4713-01-01 BC", "5874897-12-31"]
    assert frame["at"].tolist()[:2] == ["-infinity", "infinity"]
    assert frame["price"].tolist()[:2] == ["NaN", "1.50"]  # NaN is no DECIMAL, so the column is text
    assert frame["note"].tolist() == whole["note"].tolist()


@pytest.mark.filterwarnings("ignore:.*these columns are text here")
def test_types_of_results_are_exact(dump: Dump) -> None:
    frame = dump.query(
        "SELECT sum(i8) AS h, sum(price) AS d, avg(i2) AS f, (SELECT max(span) FROM odd.values) + INTERVAL '-2 months' AS i, "
        "any_value(feeling) AS e, list(id ORDER BY id) AS l, {'a': max(day), 'b': NULL} AS s, bit_or(1)::BIT AS b, true AS t "
        "FROM plain_values WHERE id < 3"
    )
    assert frame["h"].tolist() == [-1]
    assert frame["d"].tolist() == [Decimal("99999999.98")]
    assert str(frame["i"].iloc[0]) == "-2 mons +1 day"
    assert frame["l"].tolist() == [[1, 2]]
    assert frame["s"].iloc[0]["b"] is None
    assert str(frame["e"].dtype) == "category"
    assert str(frame["t"].dtype) == "boolean"
    beyond = dump.query("SELECT 170141183460469231731687303715884105727::HUGEINT AS h, 1e20::UHUGEINT AS u")
    assert int(beyond["h"].iloc[0]) == 2**127 - 1
    assert int(beyond["u"].iloc[0]) == 10**20


def test_names_that_differ_in_case_only_get_numbers_and_are_never_mixed_up(dump: Dump) -> None:
    for ambiguous in ('SELECT * FROM "Users"', "SELECT * FROM public.users"):
        with pytest.raises(UsageError, match=r"public\.Users_1.*public\.users_2|public\.users_1.*public\.Users_2"):
            dump.query(ambiguous)
    answers = {sql_name: list(dump.query(f"SELECT * FROM public.{sql_name}").columns) for sql_name in ("users_1", "users_2")}
    assert sorted(answers.values()) == [["id", "name_1", "Name_2"], ["id", "other"]]
    small = next(sql_name for sql_name, columns in answers.items() if "other" not in columns)
    assert rows(dump, f"SELECT name_1, Name_2 FROM {small} WHERE id = 1") == [("small", "SMALL")]
    with pytest.raises(UsageError, match="Name_2"):
        dump.query(f"SELECT name FROM {small}")
    assert rows(dump, "SELECT count(*) FROM odd.users") == [(0,)]


@pytest.mark.parametrize(
    ("sql", "kind", "words"),
    [
        ("SELECT * FROM seen", RowsNotAvailable, "is a view"),
        ("SELECT * FROM public.counted", RowsNotAvailable, "materialized view"),
        ("SELECT * FROM messured", UsageError, "public.measured"),
        ("SELECT * FROM nowhere.users", UsageError, "no table nowhere.users"),
        ("SELECT nope FROM big", UsageError, '"nope" not found'),
        ("SELEC 1", UsageError, "syntax error"),
        ("", UsageError, "0 statements"),
        ("SELECT 1; SELECT 2", UsageError, "2 statements"),
        ("SHOW TABLES", UsageError, "dump.tables"),
        ("DROP TABLE big", UsageError, "DROP"),
        ("INSERT INTO typed_table VALUES (1)", UsageError, "INSERT"),
        ("COPY big TO '{out}'", UsageError, "COPY"),
        ("ATTACH '{out}'", UsageError, "ATTACH"),
        ("INSTALL httpfs", UsageError, "LOAD"),
        ("SET memory_limit = '10GB'", UsageError, "SET"),
        ("SELECT * FROM read_csv('/etc/passwd')", UsageError, "disabled"),
        ("SELECT * FROM read_text('/etc/passwd')", UsageError, "disabled"),
        ("SELECT * FROM glob('/etc/*')", UsageError, "disabled"),
        ("SELECT * FROM '/etc/passwd'", UsageError, "no table /etc/passwd"),
        ("SELECT * FROM some_frame", UsageError, "no table some_frame"),
        ("SELECT * FROM no_columns", UsageError, "no columns"),
        ("SELECT 1/0::DECIMAL + 'x'::INTEGER", UsageError, "'x'"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_sentence_and_reaches_nothing(
    dump: Dump, tmp_path: Path, sql: str, kind: type[PgAuditError], words: str
) -> None:
    some_frame = pd.DataFrame({"secret": [1]})
    out = tmp_path / "out"
    with pytest.raises(kind) as caught:
        dump.query(sql.format(out=out))
    assert words.lower() in str(caught.value).lower(), str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.remedy
    assert not out.exists()
    assert len(some_frame) == 1


def test_a_damaged_table_is_named_and_the_others_can_be_asked(paths: dict[str, Path], tmp_path: Path) -> None:
    text = paths["plain"].read_bytes()
    at = text.index(b"COPY public.child ")
    end = text.index(b"\n\\.\n", at)
    broken = tmp_path / "broken"
    broken.write_bytes(text[:end] + b"\tx" + text[end:])
    dump = read_dump(broken)
    with pytest.raises(DamagedDump, match=r"public\.child") as caught:
        dump.query("SELECT * FROM child")
    assert caught.value.table == "public.child"
    assert rows(dump, "SELECT count(*) FROM only_here") == [(1,)]


def test_a_result_in_parts_is_the_result_and_leaves_nothing_behind_when_nobody_wants_the_rest(
    dump: Dump, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    sql = "SELECT i.n, o.id FROM odd.values o, range(50000) i(n) ORDER BY 1, 2"
    with ask({UNNAMED: dump.row_source}, sql) as asked:
        first, *parts = asked.parts()
    assert (first.names, first.table.num_rows) == (("n", "id"), 0)
    assert len(parts) > 1
    assert [row for part in parts for row in part.rows()] == run_query({UNNAMED: dump.row_source}, sql).rows()
    with ask({UNNAMED: dump.row_source}, sql) as asked, closing(asked.parts()) as left:
        next(left)
        next(left)
    assert list(tmp_path.iterdir()) == []


def test_limit_is_of_the_result(dump: Dump) -> None:
    assert dump.query("SELECT id FROM big ORDER BY id DESC", limit=2)["id"].tolist() == [120_000, 119_999]
    with pytest.raises(UsageError, match="limit"):
        dump.query("SELECT 1", limit=-1)


def test_nothing_stays_in_the_folder_for_temporary_files(dump: Dump, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run_query({UNNAMED: dump.row_source}, "SELECT count(*) FROM big")
    with pytest.raises(UsageError):
        run_query({UNNAMED: dump.row_source}, "SELECT nope FROM big")
    assert list(tmp_path.iterdir()) == []


def test_a_bar_is_shown_only_where_somebody_looks(dump: Dump, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import ipykernel.kernelapp  # noqa: F401  as running a report does: it makes no notebook of a process

    monkeypatch.setattr("pgaudit_kit.display.progress._SECONDS_OF_PATIENCE", 0)
    dump.query("SELECT count(*) FROM big")
    assert capsys.readouterr() == ("", "")
    dump.query("SELECT count(*) FROM big", progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "public.big" in err


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_ctrl_c_ends_a_long_query_and_removes_its_files(paths: dict[str, Path], tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pgaudit_kit.cli.app import main\n"
        "sys.argv = ['pgaudit', 'query', sys.argv[1], 'SELECT count(*) FROM big a, big b, big c WHERE a.id + b.id = c.id * 2']\nmain()\n"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code, str(paths["plain"])], env={**os.environ, "TMPDIR": str(tmp_path)}, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(2)
    assert running.poll() is None
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert said.startswith("pgaudit: interrupted")
    assert list(tmp_path.iterdir()) == []
