"""Single values as people write them: numbers with their thousands, moments to the second, spans of time in their units."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

_NOT_SMALL: Final = 1000  # four digits of a larger number would be a power of ten
TEXT_SHOWN: Final = 500  # characters of one cell; a document in a jsonb column can have megabytes


def is_bool(value: object) -> bool:
    """Whether *value* is a truth value, of Python or of an array's type."""
    return isinstance(value, bool) or str(getattr(value, "dtype", "")) == "bool"


def is_missing(value: object) -> bool:
    """None, NaN, NaT and pandas' NA: NaN is not equal to itself, and NA's answer to that has no truth value."""
    if value is None:
        return True
    try:
        return bool(value != value)  # noqa: PLR0124 -- only a missing value differs from itself
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def plain(value: object) -> str:
    """Return *value* as people write it; a text of more than TEXT_SHOWN characters is cut, and its length said."""
    if is_bool(value):
        return "yes" if value else "no"
    if isinstance(value, (int, float)) or hasattr(value, "dtype"):
        return _number(value)
    if isinstance(value, dt.timedelta):
        return _span(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(plain(v) for v in value)
    said = ", ".join(f"{k}: {plain(v)}" for k, v in value.items()) if isinstance(value, Mapping) else str(value)
    return said if len(said) <= TEXT_SHOWN else f"{said[:TEXT_SHOWN]}… ({len(said):,} characters)"


def _span(value: dt.timedelta) -> str:
    """A span of time in its units, exactly: it may be a value of a table."""
    micros = abs(value // dt.timedelta(microseconds=1))
    minutes, rest = divmod(micros, 60_000_000)
    counts = ((minutes // 1_440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    seconds = f"{rest / 1_000_000:.6f}".rstrip("0").rstrip(".")
    parts = [f"{count:,} {unit}" for count, unit in counts if count] + ([f"{seconds} s"] if rest or not minutes else [])
    return ("-" if value < dt.timedelta(0) else "") + " ".join(parts)


def _number(value: Any) -> str:
    try:
        return f"{value:,}" if value == int(value) else f"{value:,.4g}" if abs(value) < _NOT_SMALL else f"{value:,.2f}"
    except (TypeError, ValueError, OverflowError):  # an array, infinity
        return str(value)
