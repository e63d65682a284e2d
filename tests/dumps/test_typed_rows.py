"""A typed frame holds what the server has: value for value, and printed again it is the text that the server prints."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, RowsNotAvailable, UsageError
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.rows.interval import Interval
from pgaudit_kit.rows.pg_values import ShiftedList, microseconds_of

MISSING = np.nan  # what a category has for NULL; the NaN of a float column is another object
SQL = Path(__file__).with_name("typed.sql")
DTYPES = {
    **dict.fromkeys(("id", "serial"), "Int32"),
    **dict.fromkeys(("i8", "o", "x"), "Int64"),
    **dict.fromkeys(("n", "wider", "odd_scale", "clock_tz", "span", "span_ym", "raw"), "object"),
    **dict.fromkeys(("ints", "texts", "matrix", "shifted", "days", "stamps", "prices", "moods", "dom_moods"), "object"),
    **dict.fromkeys(("boxes", "bytes", "spans", "pairs"), "object"),
    **dict.fromkeys(("positive", "very"), "decimal128(10, 3)[pyarrow]"),
    **dict.fromkeys(("ts", "ts3"), "datetime64[us]"),
    **dict.fromkeys(("at", "at0"), "datetime64[us, UTC]"),
    **dict.fromkeys(("feeling", "quoted"), "category"),
    "i2": "Int16",
    "x8": "UInt64",
    "ok": "boolean",
    "f4": "Float32",
    "f8": "Float64",
    "price": "decimal128(10, 2)[pyarrow]",
    "wide": "decimal128(38, 10)[pyarrow]",
    "day": "date32[day][pyarrow]",
    "clock": "time64[us][pyarrow]",
}


class TypedDatabase:
    """The database of typed.sql on one server, and its dumps."""

    def __init__(self, server: EmbeddedServer, folder: Path, settings: dict[str, str]) -> None:
        self.name = f"typed {len(settings)}"
        self.url = server.url(self.name)
        self._bin, self._folder = server.bin_folder, folder
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{self.name}" TEMPLATE template0')
            for setting, value in settings.items():
                connection.execute(f"ALTER DATABASE \"{self.name}\" SET {setting} = '{value}'")
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(SQL.read_text(encoding="utf-8").encode())

    def dump(self, *options: str) -> Dump:
        path = self._folder / f"{self.name}{''.join(options)}.dump"
        if not path.exists():
            subprocess.run([self._bin / "pg_dump", *options, "-f", str(path), "-d", self.url], check=True)
        return read_dump(path)

    def texts(self, table: str, columns: list[str]) -> list[dict[str, str | None]]:
        """What the output functions of the server print, with time in UTC."""
        cells = ", ".join(f'CASE WHEN "{c}" IS NOT NULL OR "{c}"::text IS NOT NULL THEN format(\'%s\', "{c}") END' for c in columns)
        with psycopg.connect(self.url) as connection:
            connection.execute("SET TimeZone = 'UTC'; SET bytea_output = hex")
            return [dict(zip(columns, row, strict=True)) for row in connection.execute(f"SELECT {cells} FROM ONLY {table} ORDER BY 1")]

    def values(self, table: str, columns: list[str]) -> list[dict[str, Any]]:
        """What psycopg makes of them."""
        names = ", ".join(f'"{c}"' for c in columns)
        with psycopg.connect(self.url) as connection:
            connection.execute("SET TimeZone = 'UTC'; SET bytea_output = hex")
            return [dict(zip(columns, row, strict=True)) for row in connection.execute(f"SELECT {names} FROM ONLY {table} ORDER BY 1")]


@pytest.fixture(scope="module", params=[(15, False), (18, False), (18, True)], ids=["15", "18", "18 in Amsterdam, bytea escaped"])
def typed(
    request: pytest.FixtureRequest, server_of: Callable[[int], EmbeddedServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TypedDatabase]:
    major, unusual = request.param
    settings = {"TimeZone": "Europe/Amsterdam", "bytea_output": "escape"} if unusual else {}
    server = server_of(major)
    database = TypedDatabase(server, tmp_path_factory.mktemp("typed"), settings)
    yield database
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{database.name}" WITH (FORCE)')


FORMATS = [("-Fp",), ("-Fc",), ("-Fp", "--inserts")]


def is_null(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value is MISSING


def printed(value: Any) -> str:
    """The value as PostgreSQL prints it."""
    if isinstance(value, bool | np.bool_):
        return "t" if value else "f"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, datetime):
        text = value.replace(tzinfo=None).isoformat(sep=" ")
        return (text.rstrip("0") if "." in text else text) + ("+00" if value.tzinfo else "")
    if isinstance(value, time):
        text = value.replace(tzinfo=None).isoformat()
        zone = value.strftime("%z")
        suffix = zone[:3] + (f":{zone[3:5]}" if zone[3:5] not in ("", "00") or zone[5:7] else "") + (f":{zone[5:7]}" if zone[5:7] else "")
        return (text.rstrip("0") if "." in text else text) + suffix
    return str(value)


@pytest.mark.parametrize("options", FORMATS, ids="".join)
def test_every_value_of_every_type_printed_again_is_what_the_server_prints(typed: TypedDatabase, options: tuple[str, ...]) -> None:
    frame = typed.dump(*options).read_table("plain_values")
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {name: DTYPES.get(str(name), "string") for name in frame.columns}
    zoned = {"rt", "stamps"}  # text with the zone that the dump was made in; compared by the next test as far as psycopg can
    rows = typed.texts("plain_values", list(frame.columns))
    assert len(rows) == len(frame) == 7
    compared = 0
    for position, row in enumerate(rows):
        for name, text in row.items():
            value = frame[name].iloc[position]
            if text is None:
                assert is_null(value), (name, position, value)
            elif name in ("f4", "f8"):
                expected = np.float32(text) if name == "f4" else float(text)
                assert not is_null(value)
                assert (math.isnan(value) and math.isnan(expected)) or (
                    value == expected and math.copysign(1, value) == math.copysign(1, expected)
                )
            elif not isinstance(value, list) and name not in zoned:
                assert printed(value) == text, (name, position)
                compared += 1
    assert compared > 150


def test_values_are_those_that_psycopg_gives(typed: TypedDatabase) -> None:
    frame = typed.dump("-Fc").read_table("plain_values", parse_json=True)
    columns = [
        "id",
        "i2",
        "i8",
        "n",
        "price",
        "wide",
        "wider",
        "ok",
        "body",
        "day",
        "clock",
        "clock_tz",
        "ts",
        "at",
        "js",
        "jb",
        "raw",
        "ints",
        "texts",
        "matrix",
        "shifted",
        "days",
        "stamps",
        "prices",
        "bytes",
    ]
    for position, row in enumerate(typed.values("plain_values", columns)):
        for name, expected in row.items():
            value = frame[name].iloc[position]
            if expected is None and name in ("js", "jb") and value is None:
                assert row["id"] == 2  # JSON's null, which psycopg does not tell from NULL
            elif expected is None:
                assert is_null(value), (name, position)
            elif isinstance(expected, Decimal) and expected.is_nan():
                assert value.is_nan()
            else:
                assert value == expected, (name, position)
    (who,) = {row["who"] for row in typed.values("plain_values", ["id", "who"]) if row["id"] == 1}
    assert uuid.UUID(frame["who"].iloc[0]) == who


def test_lists_keep_their_dimensions_nulls_and_lower_bounds(typed: TypedDatabase) -> None:
    first = typed.dump("-Fp").read_table("plain_values").iloc[0]
    assert first["matrix"] == [[1, 2], [3, None]]
    assert first["texts"] == ["a", None, "", "NULL", "b c", '"q"', "\\", ",", "{}", "tab\there\nline"]
    assert (first["shifted"], first["shifted"].lower_bounds) == ([7, 8], (0,))
    assert type(first["ints"]) is list
    assert first["days"] == [date(2024, 1, 1), date(1, 1, 1)]
    assert first["stamps"] == [datetime(2024, 1, 1, tzinfo=UTC)]
    assert first["moods"] == ["sad", "happy, {very}"]
    assert first["dom_moods"] == ["it's ok"]
    assert first["boxes"] == ["(1,1),(0,0)", "(2,2),(1,1)"]
    assert first["bytes"] == [b"\x00\xff", b""]
    assert first["spans"] == [Interval(days=1), Interval(months=-1)]
    assert first["pairs"] == ['(1,"x,y")']
    fifth = typed.dump("-Fp").read_table("plain_values").iloc[4]["texts"]
    assert isinstance(fifth, ShiftedList)
    assert (fifth, fifth.lower_bounds) == ([["x"]], (2, 0))


def test_enums_are_categories_in_the_order_of_the_type(typed: TypedDatabase) -> None:
    frame = typed.dump("-Fc").read_table("plain_values")
    assert list(frame["feeling"].cat.categories) == ["sad", "it's ok", "happy, {very}", "tab\tbed"]
    assert frame["feeling"].cat.ordered
    assert list(frame["quoted"].cat.categories) == ["b", "a"]
    assert frame["feeling"].max() == "tab\tbed"


@pytest.mark.parametrize("options", FORMATS, ids="".join)
def test_what_python_cannot_hold_stays_text_and_nothing_else_does(typed: TypedDatabase, options: tuple[str, ...]) -> None:
    frame = typed.dump(*options).read_table("odd.values")
    assert [str(dtype) for dtype in frame.dtypes] == ["Int32", *["object"] * 8, "string"]
    assert frame["day"].tolist() == ["infinity", "-infinity", "4713-01-01 BC", "5874897-12-31", date(2024, 1, 1), "10000-01-01", None]
    assert frame["clock"].tolist() == ["24:00:00", time(12), time(0, 0, 0, 1), None, None, None, None]
    assert frame["clock_tz"].iloc[0] == "24:00:00+02"
    assert printed(frame["clock_tz"].iloc[2]) == "00:00:00+15:59:59"
    assert frame["ts"].tolist()[4] == datetime(2024, 1, 1, 12)  # noqa: DTZ001  # it has no zone
    assert [text for text in frame["ts"] if isinstance(text, str)] == [
        "infinity",
        "-infinity",
        "4713-01-01 00:00:00 BC",
        "294276-12-31 23:59:59.999999",
        "10000-01-01 00:00:00",
    ]
    assert frame["at"].tolist()[4:] in (
        [datetime(2024, 1, 1, 12, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)],
        [datetime(2024, 1, 1, 12, tzinfo=UTC), "10000-01-01 00:59:59+01", datetime(1, 1, 1, tzinfo=UTC)],  # as Amsterdam prints it
    )
    instants = [microseconds_of(text) for text in frame["at"] if isinstance(text, str)]
    expected = [microseconds_of(row["at"] or "") for row in typed.texts("odd.values", ["id", "at"])]
    assert instants[:4] == expected[:4]
    assert frame["price"].iloc[0].is_nan()
    assert frame["price"].tolist()[1:] == [Decimal("1.50"), None, Decimal("-1.00"), Decimal("0.00"), Decimal("0.00"), None]
    assert str(frame["price"].iloc[1]) == "1.50"
    assert frame["days"].tolist()[0] == ["infinity", date(2024, 1, 1)]
    assert frame["note"].tolist() == ["infinity", "", pd.NA, "x", "y", "y", pd.NA]


def test_all_frames_of_a_stream_have_the_dtypes_of_the_whole(typed: TypedDatabase) -> None:
    """The last row is infinite, and its price is NaN."""
    dump = typed.dump("-Fc")
    whole = dump.read_table("ends_odd")
    assert str(whole["at"].dtype) == str(whole["price"].dtype) == "object"
    frames = list(dump.iter_rows("ends_odd", batch_rows=12_000))
    assert [len(frame) for frame in frames] == [12_000, 12_000, 6_001]
    assert all(frame.dtypes.equals(whole.dtypes) for frame in frames)
    pd.testing.assert_frame_equal(pd.concat(frames), whole)
    finite = list(dump.iter_rows("ends_odd", where="id <= 30000", batch_rows=12_000))
    assert [str(frame["at"].dtype) for frame in finite] == ["datetime64[us, UTC]"] * 3
    assert str(finite[0]["who"].dtype) == "string"


def test_columns_limit_and_where_give_these_rows_alone(typed: TypedDatabase) -> None:
    dump = typed.dump("-Fp")
    frame = dump.read_table("big", columns=["price", "id"], where="feeling = 'sad' AND n IS NULL", limit=3)
    assert list(frame.columns) == ["price", "id"]
    with psycopg.connect(typed.url) as connection:
        expected = connection.execute("SELECT price, id FROM big WHERE feeling = 'sad' AND n IS NULL ORDER BY id LIMIT 3").fetchall()
    assert [tuple(row) for row in frame.itertuples(index=False)] == expected
    assert dump.read_table("big", limit=2)["id"].tolist() == [1, 2]
    nothing = dump.read_table("big", limit=0)
    assert (len(nothing), str(nothing["id"].dtype), str(nothing["feeling"].dtype)) == (0, "Int64", "category")


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("price = 99999999.99", [1]),
        ("\"at\" > timestamptz '2024-01-01'", [1, 2, 5]),
        ("ts < timestamp '0002-01-01'", [2]),
        ("feeling = 'it''s ok'", [1]),
        ("who = 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'", [2]),
        ("len(ints) = 3", [1]),
        ("raw = '\\x5C\\x5C'::BLOB", [5]),
        ("body IS NULL", [3]),
        ("vc = '\\N'", [4]),
        ("plain_values.id = 6 OR isnan(f8)", [5, 6]),
        ("js->>'a' IS NOT NULL", [1]),
    ],
)
def test_a_condition_is_evaluated_on_typed_values(typed: TypedDatabase, where: str, ids: list[int]) -> None:
    assert typed.dump("-Fc").read_table("plain_values", ["id"], where)["id"].tolist() == ids


def test_infinity_counts_in_conditions_and_comes_out_unharmed(typed: TypedDatabase) -> None:
    dump = typed.dump("-Fp")
    assert dump.read_table("odd.values", where="\"at\" = 'infinity' OR ts = '-infinity'")["day"].tolist() == ["-infinity"]
    assert dump.read_table("odd.values", ["id"], "day < date '0001-01-01'")["id"].tolist() == [2, 3]
    assert dump.read_table("odd.values", ["id"], "clock >= time '12:00'")["id"].tolist() == [1, 2]
    assert dump.read_table("odd.values", ["id"], "span < interval '0 days'")["id"].tolist() == [4]
    assert dump.read_table("plain_values", ["id"], "f8 > 1e300 AND f4 IS NOT NULL")["id"].tolist() == [5, 6]  # NaN is above all others
    assert dump.read_table('"Quo""ted; table"', where='"select" > 1.1')["select"].tolist() == [Decimal("22.005")]


@pytest.mark.parametrize(
    "where",
    ["nope > 5", "id >", "id = 1; DROP TABLE x", "id = (SELECT max(id) FROM users)", "id IN (SELECT 1 FROM read_text('/etc/passwd'))", ""],
)
def test_a_condition_that_makes_no_sense_is_wrong_usage_also_of_an_empty_table(typed: TypedDatabase, where: str) -> None:
    for table in ("public.users", "odd.users"):
        with pytest.raises(UsageError, match="where"):
            typed.dump("-Fp").read_table(table, where=where)


def test_columns_that_differ_in_case_only_are_never_mixed_up(typed: TypedDatabase) -> None:
    dump = typed.dump("-Fp")
    assert dump.read_table("public.users")["Name"].tolist() == ["SMALL", "TWO"]
    with pytest.raises(UsageError, match="Name_2"):
        dump.read_table("public.users", where="name = 'small'")
    assert dump.read_table("public.users", where="Name_2 = 'TWO'")["name"].tolist() == ["two"]


def test_unknown_columns_are_named_with_those_that_are_close(typed: TypedDatabase) -> None:
    dump = typed.dump("-Fp")
    with pytest.raises(UsageError, match="price"):
        dump.read_table("big", columns=["prise"])
    with pytest.raises(UsageError, match="twice"):
        dump.read_table("computed", columns=["twice"])
    with pytest.raises(UsageError, match="limit"):
        dump.read_table("big", limit=-1)
    with pytest.raises(UsageError, match="batch_rows"):
        dump.iter_rows("big", batch_rows=0)
    with pytest.raises(UsageError, match="list of names"):
        dump.read_table("big", columns="id")
    with pytest.raises(RowsNotAvailable):
        dump.read_table("seen")


def test_columns_of_parents_row_types_and_domains_have_types(typed: TypedDatabase) -> None:
    dump = typed.dump("-Fc")
    child = dump.read_table("child")
    assert [str(dtype) for dtype in child.dtypes] == ["Int32", "decimal128(5, 1)[pyarrow]", "category", "datetime64[us, UTC]"]
    assert [str(dtype) for dtype in dump.read_table("typed_table").dtypes] == ["Int32", "string"]
    assert list(dump.read_table("computed").columns) == ["a", "b"]


def test_tables_without_rows_or_columns(typed: TypedDatabase) -> None:
    for options in FORMATS:
        dump = typed.dump(*options)
        empty = dump.read_table("empty")
        assert [str(dtype) for dtype in empty.dtypes] == ["Int32", "datetime64[us, UTC]", "category", "object", "object"]
        assert [len(frame) for frame in dump.iter_rows("empty")] == [0]
        assert dump.read_table("no_columns").shape == (2, 0)
        assert [frame.shape for frame in dump.iter_rows("no_columns", batch_rows=1)] == [(1, 0), (1, 0)]
        assert dump.read_table("one_text")["body"].tolist() == ["", "x", pd.NA, "", "\\N", "\ufeff", ""]
        assert dump.read_table("public.users", columns=[]).shape == (2, 0)


def test_rows_alone_do_not_say_types_so_everything_is_text(typed: TypedDatabase) -> None:
    frame = typed.dump("-Fp", "-a").read_table("plain_values")
    assert {str(dtype) for dtype in frame.dtypes} == {"string"}
    assert frame["ints"].iloc[0] == "{1,NULL,-3}"


def test_json_is_parsed_on_request(typed: TypedDatabase) -> None:
    frame = typed.dump("-Fc").read_table("plain_values", ["js", "jb"], parse_json=True)
    assert frame["js"].tolist()[0] == {"a": [1, None, "A\n"]}
    assert frame["js"].tolist()[1] is None
    assert frame["js"].tolist()[2] is pd.NA
    assert json.loads(typed.dump("-Fc").read_table("plain_values")["js"].iloc[0]) == frame["js"].iloc[0]


HEAD = """--
-- PostgreSQL database dump
--

SET client_encoding = '{encoding}';

CREATE TABLE public.t ({columns});

COPY public.t ({names}) FROM stdin;
"""
FOOT = b"\\.\n\n\n--\n-- PostgreSQL database dump complete\n--\n\n"


def script(path: Path, rows: bytes, columns: str = "a integer, b text", encoding: str = "UTF8") -> Dump:
    names = ", ".join(column.split()[0] for column in columns.split(", "))
    path.write_bytes(HEAD.format(encoding=encoding, columns=columns, names=names).encode() + rows + FOOT)
    return read_dump(path)


def test_bytes_that_are_no_utf_8_survive_as_surrogates(tmp_path: Path) -> None:
    dump = script(tmp_path / "dump", b"1\tcaf\xe9\\n\n2\tna\xc3\xafve\n3\t\\N\n4\t\xff\\\\\n", encoding="SQL_ASCII")
    frame = dump.read_table("t")
    assert frame["b"].tolist() == ["caf\udce9\n", "naïve", pd.NA, "\udcff\\"]
    assert str(frame["b"].dtype) == "string"
    assert dump.read_table("t", where="b LIKE '%ve'")["a"].tolist() == [2]
    assert dump.query("SELECT b FROM t WHERE a <> 2 ORDER BY a")["b"].tolist() == ["caf\\xe9\n", pd.NA, "\\xff\\"]


def test_a_column_whose_name_is_no_utf_8_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    script(path, b"1\tx\n", columns="a integer, gr_sse text", encoding="SQL_ASCII")
    path.write_bytes(path.read_bytes().replace(b"gr_sse", b"gr\xf6sse"))
    dump = read_dump(path)
    assert dump.read_table("t").columns.tolist() == ["a", "gr\udcf6sse"]
    assert dump.columns["name"].tolist() == ["a", "gr\udcf6sse"]


def test_escapes_that_only_people_write_are_understood(tmp_path: Path) -> None:
    frame = script(tmp_path / "dump", b"1\t\\x41\\101\\q\\\\x41\n2\tr\rr\n3\t\\303\\251\n4\t\\xff\n").read_table("t")
    assert frame["b"].tolist() == ["AAq\\x41", "r\rr", "é", "\udcff"]


def test_a_row_longer_than_any_block(tmp_path: Path) -> None:
    long = b"x" * 20_000_000
    frame = script(tmp_path / "dump", b"1\ta\n2\t" + long + b"\n3\tb\\tc\n").read_table("t")
    assert frame["a"].tolist() == [1, 2, 3]
    assert len(frame["b"].iloc[1]) == 20_000_000
    assert frame["b"].iloc[2] == "b\tc"


def test_a_value_that_is_none_of_its_type_makes_the_column_text(tmp_path: Path) -> None:
    dump = script(tmp_path / "dump", b"1\tx\nnone\ty\n\\N\tz\n")
    assert dump.read_table("t")["a"].tolist() == ["1", "none", pd.NA]
    with pytest.warns(UserWarning, match="these columns are text"):
        assert dump.query("SELECT max(a) FROM t").iloc[0, 0] == "none"


def test_rows_of_the_wrong_shape_are_damage_with_the_table_named(tmp_path: Path) -> None:
    dump = script(tmp_path / "dump", b"1\tx\n2\n3\ty\tz\n4\tx\n")  # as many tabs as there should be: only the rows show it
    for read in (lambda: dump.read_table("t"), lambda: list(dump.iter_rows("t")), lambda: dump.query("SELECT * FROM t")):
        with pytest.raises(DamagedDump, match=r"public\.t") as caught:
            read()
        assert caught.value.table == "public.t"


def test_types_of_old_dumps_are_found_without_their_schema(tmp_path: Path) -> None:
    columns = """
    m mood,
    n money_ish,
    ns numeric(10,2)[],
    "char" "char",
    v character varying(20)[],
    ts timestamp(3) with time zone,
    o pg_catalog.int4
"""
    text = (
        "SET search_path = app, pg_catalog;\nCREATE TYPE mood AS ENUM (\n    'a',\n    'b'\n);\nCREATE DOMAIN money_ish AS numeric(8,2);\n"
        f'CREATE TABLE t ({columns});\nCOPY t (m, n, ns, "char", v, ts, o) FROM stdin;\n'
        "b\t1.50\t{1.5,2}\tx\t{a}\t2024-01-01 00:00:00+00\t7\n\\.\n"
    )
    path = tmp_path / "old"
    path.write_text(f"--\n-- PostgreSQL database dump\n--\n\n{text}\n--\n-- PostgreSQL database dump complete\n--\n")
    frame = read_dump(path).read_table("t")
    assert [str(dtype) for dtype in frame.dtypes] == [
        *("category", "decimal128(8, 2)[pyarrow]", "object", "string", "object", "datetime64[us, UTC]", "Int32")
    ]
    assert frame["ns"].iloc[0] == [Decimal("1.5"), Decimal(2)]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows tells no peak of memory this way")
def test_streamed_rows_do_not_add_up_in_memory(tmp_path: Path) -> None:
    rows = b"".join(b"%d\t%s\n" % (i, b"some text that is neither long nor short" * 3) for i in range(1_000_000))
    script(tmp_path / "dump", rows)
    code = (
        "import resource, sys\nfrom pgaudit_kit.dumps.read_dump import read_dump\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == 'darwin' else 10)\n"
        "dump = read_dump(sys.argv[1])\nnext(iter(dump.iter_rows('t', batch_rows=10_000, where='a < 20_000')))\nbefore = peak()\n"
        "n = sum(len(f) for f in dump.iter_rows('t', batch_rows=10_000))\nprint(n, peak() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "dump")], check=True, capture_output=True, text=True)
    count, mebibytes = map(int, done.stdout.split())
    assert count == 1_000_000
    assert mebibytes < 60, f"{mebibytes} MiB for a table of {len(rows) >> 20} MiB"
