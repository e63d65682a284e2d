"""PostgreSQL's interval: months, days and microseconds, which do not add up to one another."""

from __future__ import annotations

import re
from dataclasses import dataclass

_INTERVAL = re.compile(
    r"(?:(?P<years>[+-]?\d+) years?)?\s*(?:(?P<months>[+-]?\d+) mon(?:th)?s?)?\s*(?:(?P<days>[+-]?\d+) days?)?\s*"
    r"(?:(?P<sign>[+-]?)(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d)(?:\.(?P<fraction>\d{1,6}))?)?\Z"
)
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """An interval as the server stores it (src/include/datatype/timestamp.h): a month is not 30 days, a day is not 24 hours.

    `str()` prints it as PostgreSQL does with IntervalStyle `postgres`, which pg_dump sets. The order of intervals is by months
    first, then days: not that of the server, which takes 30 days for a month.
    """

    months: int = 0
    days: int = 0
    microseconds: int = 0

    def __str__(self) -> str:
        """As src/backend/utils/adt/datetime.c, EncodeInterval: a sign is printed where the part before was negative."""
        parts: list[str] = []
        before = False
        years = abs(self.months) // 12 * (1 if self.months >= 0 else -1)
        for value, unit in ((years, "year"), (self.months - 12 * years, "mon"), (self.days, "day")):
            if value:
                parts.append(f"{'+' if before and value > 0 else ''}{value} {unit}{'' if value == 1 else 's'}")
                before = value < 0
        if self.microseconds or not parts:
            seconds, fraction = divmod(abs(self.microseconds), _SECOND)
            sign = "-" if self.microseconds < 0 else "+" if before else ""
            decimals = f".{fraction:06d}".rstrip("0") if fraction else ""
            parts.append(f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{decimals}")
        return " ".join(parts)


def read_interval(text: str) -> Interval | None:
    """Return the interval that *text* is in IntervalStyle `postgres`; None for `infinity` (17 and later) and all else."""
    match = _INTERVAL.match(text)
    if not match or not text:
        return None
    part = {name: int(value) for name, value in match.groupdict(default="0").items() if name not in ("sign", "fraction")}
    clock = ((part["hours"] * 60 + part["minutes"]) * 60 + part["seconds"]) * _SECOND + int((match["fraction"] or "").ljust(6, "0"))
    return Interval(part["years"] * 12 + part["months"], part["days"], -clock if match["sign"] == "-" else clock)
