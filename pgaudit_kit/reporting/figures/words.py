"""What all figures need: a frame's records, counts that may be unknown, and how numbers are said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.reporting.drawing import shorten

Frame = Any  # a pandas DataFrame, or an iterable of mappings
Record = Mapping[str, Any]

NAMED: Final = 6


def records_of(frame: Frame) -> list[Record]:
    """The records of a frame."""
    return list(frame.to_dict("records")) if hasattr(frame, "to_dict") else list(frame)


def records_as_text(frame: Frame) -> Iterable[Record]:
    """The records with pandas' NA as None: NA cannot be put into a set of things to tell apart."""
    return ({k: v if isinstance(v, str) else None for k, v in r.items()} for r in records_of(frame))


def table_name(record: Record) -> str:
    """The name of the table that *record* is about, as SQL writes it."""
    schema, name = record.get("schema"), record.get("name")
    return str(TableName(schema, str(name))) if isinstance(schema, str) else str(name)


def whole(value: Any) -> int | None:
    """The count, or None for None, NaN and pandas' NA."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def or_0(value: int | None) -> int:
    """The count, 0 where it is not known."""
    return value or 0


def sum_text(values: Iterable[int | None]) -> str:
    """The sum of what is known of *values*."""
    known = [v for v in values if v is not None]
    return f"{sum(known):,}" if known else "an unknown number of"


def look_at(names: Sequence[str]) -> str:
    """A sentence that names the first of *names*."""
    if not names:
        return ""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f" Look at {', '.join(shorten(n) for n in names[:NAMED])}{more}."


def bytes_text(count: int) -> str:
    """A size in the unit that fits it."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:  # noqa: PLR2004 -- SI units
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def seconds_text(value: float) -> str:
    """A time in minutes and seconds."""
    minutes, seconds = divmod(value, 60)
    return f"{minutes:,.0f} min {seconds:.0f} s" if minutes else f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004
