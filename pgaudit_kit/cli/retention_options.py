"""The options that say which backups are kept, as `list` and `prune` take them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from pgaudit_kit.errors import UsageError

if TYPE_CHECKING:
    from datetime import tzinfo

    from pgaudit_kit.operations.store.retention import Retention

_HOURS = {"h": 1, "d": 24, "w": 7 * 24}
_BYTES: dict[str, int] = {
    "": 1,
    **{unit + "B": 1000**n for n, unit in enumerate(("", "k", "M", "G", "T"))},
    **{unit + "iB": 1024**n for n, unit in enumerate(("", "K", "M", "G", "T"))},
}

Last = Annotated[int, typer.Option("--keep-last", min=0, help="Keep the newest N backups.")]
Hourly = Annotated[int, typer.Option("--keep-hourly", min=0, help="Of the last N hours with a backup, the newest of each.")]
Daily = Annotated[int, typer.Option("--keep-daily", min=0, help="The same for days.")]
Weekly = Annotated[int, typer.Option("--keep-weekly", min=0, help="The same for ISO weeks.")]
Monthly = Annotated[int, typer.Option("--keep-monthly", min=0, help="The same for months.")]
Yearly = Annotated[int, typer.Option("--keep-yearly", min=0, help="The same for years.")]
Within = Annotated[str | None, typer.Option("--keep-within", help="Keep all that are no older: 36h, 14d, 8w.")]
MaxTotal = Annotated[str | None, typer.Option("--max-total-size", help="Of all those keep the newest that fit: 500MB, 50GB, 2TiB.")]
Zone = Annotated[str, typer.Option("--timezone", help="The zone whose hours, days, weeks … count, such as Europe/Berlin.")]


def retention(counts: tuple[int, int, int, int, int, int], *, within: str | None, max_total_size: str | None) -> Retention:
    """Return the rules of the options; *counts* from last to yearly. Raises UsageError."""
    from pgaudit_kit.operations.store.retention import Retention

    return Retention(*counts, within=as_span(within), max_total_size_bytes=as_bytes(max_total_size))


def as_span(text: str | None, *, option: str = "--keep-within") -> timedelta | None:
    """Return *text* (`36h`, `14d`, `8w`) as a span of time; None of None. Raises UsageError."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,6})([hdw])", text.strip())
    if not match:
        raise UsageError(f"{text!r} is no span of time", resource=option, remedy="Give hours, days or weeks: 36h, 14d, 8w.")
    return timedelta(hours=int(match[1]) * _HOURS[match[2]])


def as_grace(text: str) -> timedelta:
    """Return *text* (`0h`, `24h`, `7d`) as a span of time. Raises UsageError."""
    return as_span(text, option="--grace") or timedelta(0)


def as_bytes(text: str | None) -> int | None:
    """Return *text* (`500MB`, `2TiB`, `1000000`) as a number of bytes; None of None. Raises UsageError."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)\s*([kKMGT]?i?B|)", text.strip())
    unit = _BYTES.get(match[2]) if match else None
    if not match or unit is None:
        raise UsageError(f"{text!r} is no size", resource="--max-total-size", remedy="Give a number with MB, GB, TB, MiB, GiB or TiB.")
    return int(float(match[1]) * unit)


def as_zone(name: str) -> tzinfo:
    """Return the time zone called *name*. Raises UsageError."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:  # what the database of zones does not have is a KeyError
        raise UsageError(f"{name!r} is no time zone", resource="--timezone", remedy="Give one such as UTC or Europe/Berlin.") from error
