"""The text that PostgreSQL prints for one value → a Python value.

What Python's type cannot hold stays the text that PostgreSQL printed: `infinity`, dates outside the years 1 to 9999, `24:00:00`.
Nothing here raises: text that is no value of its type, which only a broken dump has, stays as it is too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, TypeAlias

from pgaudit_kit.rows.interval import Interval, read_interval
from pgaudit_kit.rows.pg_types import PgType

Reader: TypeAlias = Callable[[str], Any]

_ESCAPED_BYTE = re.compile(rb"\\(?:\\|([0-3][0-7][0-7]))")
_BOUNDS = re.compile(r"(?:\[[+-]?\d+:[+-]?\d+\])+=")
_LOWER_BOUND = re.compile(r"\[([+-]?\d+):")
_INSTANT = re.compile(
    r"(?P<year>\d{4,7})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"(?: (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6}))?"
    r"(?:(?P<sign>[+-])(?P<zone>\d\d(?::\d\d){0,2}))?)?(?P<era> BC)?\Z"
)
_DAY_ZERO = 719_468  # days from 0000-03-01 to 1970-01-01
MICROSECONDS_PER_DAY = 86_400_000_000


class ShiftedList(list[Any]):
    """The value of an array whose subscripts do not all begin at 1: a list like any other, and `lower_bounds`, one per dimension."""

    lower_bounds: tuple[int, ...] = ()


def reader_of(pg_type: PgType) -> Reader:
    """Return the function that reads one value of *pg_type*."""
    if pg_type.kind == "array" and pg_type.element:
        return partial(read_array, read_element=reader_of(pg_type.element), delimiter=pg_type.delimiter)
    return _READERS.get(pg_type.kind, str)


def read_bool(text: str) -> bool | str:
    """`t` and `f`."""
    return {"t": True, "f": False}.get(text, text)


def _number(convert: Callable[[str], Any], text: str) -> Any:
    try:
        return convert(text)
    except (ValueError, InvalidOperation):
        return text


def read_date(text: str) -> date | str:
    """A date of the years 1 to 9999."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def read_time(text: str) -> time | str:
    """A time of day, with its zone if it has one. Python 3.14 takes 24:00:00 for midnight, which it is not."""
    try:
        return text if text.startswith("24") else time.fromisoformat(text)
    except ValueError:
        return text


def read_timestamp(text: str) -> datetime | str:
    """A date and time of the years 1 to 9999, without zone."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def read_timestamptz(text: str) -> datetime | str:
    """An instant of the years 1 to 9999, in UTC."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return text


def read_interval_or_text(text: str) -> Interval | str:
    """An interval that is not infinite."""
    return read_interval(text) or text


def read_bytea(text: str) -> bytes | str:
    r"""Bytes: `\x…`, or the format `escape`, in which every backslash is doubled or begins an octal number."""
    try:
        if text.startswith("\\x"):
            return bytes.fromhex(text[2:])
    except ValueError:
        return text
    return _ESCAPED_BYTE.sub(lambda m: bytes([int(m[1], 8)]) if m[1] else b"\\", text.encode("utf-8", "surrogateescape"))


def read_array(text: str, *, read_element: Reader, delimiter: str = ",") -> list[Any] | str:
    """An array: nested lists, None for NULL; a ShiftedList when it prints its bounds (arrayfuncs.c, array_out)."""
    bounds = _BOUNDS.match(text)
    body = text[bounds.end() :] if bounds else text
    if not body.startswith("{") or not body.endswith("}"):
        return text
    if '"' in body or "\\" in body or body.count("{") + body.count("}") != 2:  # noqa: PLR2004  # one pair: one dimension
        read = _read_nested(body, read_element, delimiter)
        if read is None:
            return text
        found = read
    else:
        inner = body[1:-1]
        found = [None if item == "NULL" else read_element(item) for item in inner.split(delimiter)] if inner else []
    if not bounds:
        return found
    shifted = ShiftedList(found)
    shifted.lower_bounds = tuple(map(int, _LOWER_BOUND.findall(bounds[0])))
    return shifted


def _read_nested(body: str, read_element: Reader, delimiter: str) -> list[Any] | None:
    """Read an array with quotes or several dimensions; None when it is none."""
    token = _tokens(delimiter)
    root: list[Any] = []
    stack = [root]
    at = 0
    while at < len(body):
        match = token.match(body, at)
        if not match:
            return None
        at = match.end()
        quoted, bare, mark = match.groups()
        if mark == "{":
            inner: list[Any] = []
            stack[-1].append(inner)
            stack.append(inner)
        elif mark == "}":
            stack.pop()
            if not stack:
                return None
        elif quoted is not None:
            stack[-1].append(read_element(re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)))
        elif bare is not None:
            stack[-1].append(None if bare == "NULL" else read_element(re.sub(r"\\(.)", r"\1", bare, flags=re.DOTALL)))
    return root[0] if len(stack) == len(root) == 1 else None


def _tokens(delimiter: str) -> re.Pattern[str]:
    return re.compile(rf'"((?:[^"\\]|\\.)*)"|((?:[^"\\{{}}{delimiter}]|\\.)+)|([{{}}{delimiter}])', re.DOTALL)


def microseconds_of(text: str) -> int | None:
    """Microseconds from 1970-01-01 (UTC, if *text* has a zone) of any date or timestamp that PostgreSQL prints; None for all else.

    The calendar is the proleptic Gregorian one, with a year 1 BC = 0, as in src/backend/utils/adt/datetime.c, date2j.
    """
    match = _INSTANT.match(text)
    if not match:
        return None
    year = int(match["year"])
    days = _days_from_civil(1 - year if match["era"] else year, int(match["month"]), int(match["day"]))
    micros = days * MICROSECONDS_PER_DAY
    if match["hour"]:
        micros += ((int(match["hour"]) * 60 + int(match["minute"])) * 60 + int(match["second"])) * 1_000_000
        micros += int((match["fraction"] or "").ljust(6, "0"))
    if match["zone"]:
        seconds = sum(int(part) * unit for part, unit in zip(match["zone"].split(":"), (3600, 60, 1), strict=False))
        micros -= seconds * 1_000_000 * (1 if match["sign"] == "+" else -1)
    return micros


def _days_from_civil(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01. Years begin in March, so that the leap day is their last."""
    year -= month <= 2  # noqa: PLR2004  # January and February belong to the year before
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + of_year - _DAY_ZERO


def instant_text(micros: int, *, with_time: bool, zone: str = "") -> str:
    """Return the date or timestamp that is *micros* after 1970-01-01, as PostgreSQL prints it."""
    days, clock = divmod(micros, MICROSECONDS_PER_DAY)
    year, month, day = _civil_from_days(days)
    era = "" if year > 0 else " BC"
    text = f"{year if year > 0 else 1 - year:04d}-{month:02d}-{day:02d}"
    if not with_time:
        return text + era
    seconds, fraction = divmod(clock, 1_000_000)
    decimals = f".{fraction:06d}".rstrip("0") if fraction else ""
    return f"{text} {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{decimals}{zone}{era}"


def _civil_from_days(days: int) -> tuple[int, int, int]:
    era, of_era = divmod(days + _DAY_ZERO, 146_097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9  # noqa: PLR2004  # March is month 0
    return era * 400 + year_of_era + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1  # noqa: PLR2004


_READERS: dict[str, Reader] = {
    **dict.fromkeys(("int2", "int4", "int8", "uint8"), partial(_number, int)),
    **dict.fromkeys(("float4", "float8"), partial(_number, float)),
    **dict.fromkeys(("numeric", "decimal"), partial(_number, Decimal)),
    "bool": read_bool,
    "date": read_date,
    "time": read_time,
    "timetz": read_time,
    "timestamp": read_timestamp,
    "timestamptz": read_timestamptz,
    "interval": read_interval_or_text,
    "bytea": read_bytea,
}
