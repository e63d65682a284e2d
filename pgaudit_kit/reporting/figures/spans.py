"""Moments → columns of equal spans: the finest spans of which few enough cover them all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pgaudit_kit.reporting.strips import COLUMNS
from pgaudit_kit.rows.pg_values import MICROSECONDS_PER_DAY, instant_text, microseconds_of

_MINUTE: Final = 60_000_000
_CLOCK: Final = {
    "a minute": _MINUTE, "5 minutes": 5 * _MINUTE, "15 minutes": 15 * _MINUTE, "an hour": 60 * _MINUTE, "3 hours": 180 * _MINUTE,
    "6 hours": 360 * _MINUTE, "a day": MICROSECONDS_PER_DAY, "7 days": 7 * MICROSECONDS_PER_DAY,
}  # fmt: skip
_CALENDAR: Final = {"a month": 1, "3 months": 3, "a year": 12, "5 years": 60, "25 years": 300, "a century": 1_200, "1,000 years": 12_000}
_FROM: Final = {"minute": "a minute", "hour": "an hour", "day": "a day", "month": "a month", "year": "a year"}  # finer ones are not known


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans called *word* (`a day`): what number each moment given has, from 0 on, how many there are, and how both ends are written."""

    word: str
    places: tuple[int, ...]
    count: int
    ends: tuple[str, str]


def spans_of(moments: Sequence[str], unit: str) -> Spans:
    """Put *moments*, the beginnings of a *unit* each as PostgreSQL prints them, into spans; at least one is given."""
    micros = [microseconds_of(moment) or 0 for moment in moments]
    words = [*_CLOCK, *_CALENDAR]
    for word in words[words.index(_FROM.get(unit, "a minute")) :]:
        places = [_place(at, word) for at in micros]
        count = max(places) - min(places) + 1
        if count <= COLUMNS or word == words[-1]:
            break
    first = min(places)
    zone = " UTC" if any(re.search(r":\d\d[+-]\d\d", moment) for moment in moments) else ""
    ends = tuple(_said(at, word) + (zone if word in _CLOCK and "day" not in word else "") for at in (min(micros), max(micros)))
    return Spans(word, tuple(place - first for place in places), count, (ends[0], ends[1]))


def _place(micros: int, word: str) -> int:
    if word in _CLOCK:
        return micros // _CLOCK[word]
    return _months(micros) // _CALENDAR[word]


def _months(micros: int) -> int:
    """Months since the year 0."""
    text = instant_text(micros, with_time=False)
    year, month = (int(part) for part in text.split(" ")[0].split("-")[:2])
    return (1 - year if text.endswith("BC") else year) * 12 + month - 1


def _said(micros: int, word: str) -> str:
    if word in _CLOCK:
        return instant_text(micros, with_time="day" not in word).removesuffix(":00")
    date, _, era = instant_text(micros, with_time=False).partition(" ")
    return f"{date.rsplit('-', 1 if 'month' in word else 2)[0]} {era}".strip()
