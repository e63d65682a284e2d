"""Types by their names, and values by the text that PostgreSQL prints."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.rows.interval import Interval, read_interval
from pgaudit_kit.rows.pg_types import PgType, built_in_type
from pgaudit_kit.rows.pg_values import ShiftedList, instant_text, microseconds_of, read_array, read_bytea
from pgaudit_kit.rows.sql_columns import distinct_names

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # it stands for itself


@given(st.integers(-(2**31) + 1, 2**31 - 1), st.integers(-(2**31) + 1, 2**31 - 1), st.integers(-(2**63), 2**63 - 1))
def test_an_interval_printed_and_read_is_the_same(months: int, days: int, microseconds: int) -> None:
    interval = Interval(months, days, microseconds)
    assert read_interval(str(interval)) == interval


@pytest.mark.parametrize(
    "text",
    [
        "00:00:00",
        "1 day",
        "-1 days",
        "1 mon -1 days",
        "-1 years -2 mons +3 days -04:05:06.7",
        "-1 days +00:00:00.000001",
        "1 year 01:00:00",
    ],
)
def test_intervals_are_printed_as_postgresql_does(text: str) -> None:
    assert str(read_interval(text)) == text


@pytest.mark.parametrize("text", ["", "infinity", "-infinity", "1 fortnight", "@ 1 day", "P1D"])
def test_what_is_no_interval_in_the_style_of_pg_dump(text: str) -> None:
    assert read_interval(text) is None


@given(st.datetimes())
def test_microseconds_are_counted_as_python_counts_them(moment: datetime) -> None:
    text = moment.isoformat(sep=" ")
    micros = (moment - EPOCH) // timedelta(microseconds=1)
    assert microseconds_of(text) == micros
    assert microseconds_of(instant_text(micros, with_time=True)) == micros


@given(st.integers(-210_895_056_000_000_000, 9_224_318_015_999_999_999))
def test_any_timestamp_of_postgresql_printed_and_read_is_the_same(micros: int) -> None:
    assert microseconds_of(instant_text(micros, with_time=True, zone="+00")) == micros


def test_years_before_christ() -> None:
    assert microseconds_of("0001-12-31 BC") == ((date(1, 1, 1) - date(1970, 1, 1)).days - 1) * 86_400_000_000
    assert instant_text(microseconds_of("4713-01-01 00:00:00.5 BC") or 0, with_time=True) == "4713-01-01 00:00:00.5 BC"
    assert microseconds_of("2024-01-01 00:00:00+00:19:32") == (microseconds_of("2023-12-31 23:40:28") or 0)
    assert microseconds_of("infinity") is None


elements = st.none() | st.text(st.characters(exclude_characters="\0"))


def printed(value: object) -> str:
    """As src/backend/utils/adt/arrayfuncs.c, array_out, when everything is quoted."""
    if isinstance(value, list):
        return "{" + ",".join(map(printed, value)) + "}"
    return "NULL" if value is None else '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(st.lists(elements) | st.lists(st.lists(elements, min_size=2, max_size=2), min_size=1) | st.just([[["a", None]], [["", "NULL"]]]))
def test_an_array_printed_and_read_is_the_same(value: list[object]) -> None:
    assert read_array(printed(value), read_element=str) == value


def test_arrays_without_quotes_and_with_bounds() -> None:
    assert read_array("{1,NULL,3}", read_element=int) == [1, None, 3]
    shifted = read_array("[0:1][5:5]={{1},{2}}", read_element=int)
    assert isinstance(shifted, ShiftedList)
    assert (shifted, shifted.lower_bounds) == ([[1], [2]], (0, 5))
    assert read_array("{(1,1),(0,0);(2,2),(1,1)}", read_element=str, delimiter=";") == ["(1,1),(0,0)", "(2,2),(1,1)"]


@pytest.mark.parametrize("text", ["", "{", "}", "{a", "{{a}", "{a}}", "a,b", "{}{}", '{"a}'])
def test_what_is_no_array_stays_text(text: str) -> None:
    assert read_array(text, read_element=str) == text


@given(st.binary())
def test_bytes_in_both_formats(value: bytes) -> None:
    assert read_bytea("\\x" + value.hex()) == value
    escaped = "".join("\\\\" if b == ord("\\") else chr(b) if 32 <= b < 127 else f"\\{b:03o}" for b in value)
    assert read_bytea(escaped) == value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("integer", PgType("int4")),
        ("character varying(20)", PgType("text")),
        ("timestamp(3) with time zone", PgType("timestamptz", zoned=True)),
        ("time(6) without time zone", PgType("time")),
        ("interval day to second(3)", PgType("interval")),
        ("interval(3)", PgType("interval")),
        ("numeric(10,2)", PgType("decimal", precision=10, scale=2)),
        ("numeric(38)", PgType("decimal", precision=38)),
        ("numeric", PgType("numeric")),
        ("numeric(39,2)", PgType("numeric")),
        ("numeric(3,-2)", PgType("numeric")),
        ("numeric(2,5)", PgType("numeric")),
        ("double precision", PgType("float8")),
        ("mood", None),
    ],
)
def test_types_by_the_names_that_format_type_prints(name: str, expected: PgType | None) -> None:
    assert built_in_type(name) == expected


@given(st.lists(st.sampled_from(["a", "A", "a_1", "A_1", "a_2", "b", ""])))
def test_names_differ_in_more_than_case_and_change_only_where_they_must(names: list[str]) -> None:
    distinct = distinct_names(names)
    folded = [name.lower() for name in names]
    assert len({name.lower() for name in distinct}) == len(names)
    assert [new for new, old in zip(distinct, names, strict=True) if folded.count(old.lower()) == 1] == [
        n for n in names if folded.count(n.lower()) == 1
    ]
