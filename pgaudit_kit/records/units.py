"""Spans of time, sizes, shares and counts as people write them."""

from __future__ import annotations

import re
from datetime import timedelta

from pgaudit_kit.errors import UsageError

_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_BYTES: dict[str, int] = {
    "": 1,
    **{unit + "B": 1000**n for n, unit in enumerate(("", "k", "M", "G", "T"))},
    **{unit + "iB": 1024**n for n, unit in enumerate(("", "K", "M", "G", "T"))},
}


def as_span(text: str, *, named: str) -> timedelta:
    """Return *text* (`90s`, `30min`, `36h`, `14d`, `8w`) as a span of time. Raises UsageError that says it was given as *named*."""
    match = re.fullmatch(r"(\d{1,6})\s*(s|min|h|d|w)", text.strip())
    if not match:
        raise UsageError(f"{text!r} is no span of time", resource=named, remedy="Give hours, days or weeks: 36h, 14d, 8w; or 90s, 30min.")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def as_bytes(text: str, *, named: str) -> int:
    """Return *text* (`500MB`, `2TiB`, `1000000`) as a number of bytes. Raises UsageError."""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)\s*([kKMGT]?i?B|)", text.strip())
    unit = _BYTES.get(match[2]) if match else None
    if not match or unit is None:
        raise UsageError(f"{text!r} is no size", resource=named, remedy="Give a number with MB, GB, TB, MiB, GiB or TiB.")
    return int(float(match[1]) * unit)


def shown_span(seconds: float) -> str:
    """A span of time for people, in the largest unit of which there is at least one: `3.5 d`, `36 min`, `12 s`."""
    for unit in ("d", "h", "min"):
        if abs(seconds) >= _SECONDS[unit]:
            return f"{seconds / _SECONDS[unit]:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.1f}".removesuffix(".0") + " s"


def many(count: int, thing: str, things: str = "") -> str:
    """*count* of a thing, in words: `1 row`, `2,000 rows`; *things* is a plural that has more than an s."""
    return f"1 {thing}" if count == 1 else f"{count:,} {things or f'{thing}s'}"
