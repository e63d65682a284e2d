"""The options that say which backups are kept, as `list` and `prune` take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.units import as_bytes, as_span

if TYPE_CHECKING:
    from datetime import timedelta, tzinfo

    from pgaudit_kit.operations.store.retention import Retention
    from pgaudit_kit.records.config import Config

Last = Annotated[int, typer.Option("--keep-last", min=0, help="Keep the newest N backups.")]
Hourly = Annotated[int, typer.Option("--keep-hourly", min=0, help="Of the last N hours with a backup, the newest of each.")]
Daily = Annotated[int, typer.Option("--keep-daily", min=0, help="The same for days.")]
Weekly = Annotated[int, typer.Option("--keep-weekly", min=0, help="The same for ISO weeks.")]
Monthly = Annotated[int, typer.Option("--keep-monthly", min=0, help="The same for months.")]
Yearly = Annotated[int, typer.Option("--keep-yearly", min=0, help="The same for years.")]
Within = Annotated[str | None, typer.Option("--keep-within", help="Keep all that are no older: 36h, 14d, 8w.")]
MaxTotal = Annotated[str | None, typer.Option("--max-total-size", help="Of all those keep the newest that fit: 500MB, 50GB, 2TiB.")]
Zone = Annotated[str, typer.Option("--timezone", help="The zone whose hours, days, weeks … count, such as Europe/Berlin.")]


def retention(
    counts: tuple[int, int, int, int, int, int], *, within: str | None, max_total_size: str | None, settings: Config
) -> Retention:
    """Return the rules of the options, *counts* from last to yearly; when none is given those of the *settings*. Raises UsageError."""
    from pgaudit_kit.operations.store.retention import Retention

    span = None if within is None else as_span(within, named="--keep-within")
    size = None if max_total_size is None else as_bytes(max_total_size, named="--max-total-size")
    given = Retention(*counts, within=span, max_total_size_bytes=size)
    rules: dict[str, Any] = dict(settings.keep)
    return Retention(**rules) if given.are_none else given


def as_grace(text: str) -> timedelta:
    """Return *text* (`0h`, `24h`, `7d`) as a span of time. Raises UsageError."""
    return as_span(text, named="--grace")


def as_zone(name: str) -> tzinfo:
    """Return the time zone called *name*. Raises UsageError."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:  # what the database of zones does not have is a KeyError
        raise UsageError(f"{name!r} is no time zone", resource="--timezone", remedy="Give one such as UTC or Europe/Berlin.") from error
