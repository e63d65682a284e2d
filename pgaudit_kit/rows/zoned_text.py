"""timestamptz text by the instant that it names: printed again in UTC, whatever zone it was printed under."""

from __future__ import annotations

import re

# As timestamptz_out prints it with DateStyle ISO, also inside of arrays, ranges and composites
ZONED_VALUE = re.compile(rb"(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(\.\d+)?([+-])(\d\d)(?::(\d\d)(?::(\d\d))?)?( BC)?")
_DAY_SECONDS = 86_400


def in_utc(text: bytes) -> bytes:
    """Return *text* with each timestamptz in it printed as UTC prints it."""
    return ZONED_VALUE.sub(_value_in_utc, text)


def _value_in_utc(match: re.Match[bytes]) -> bytes:
    year, month, day, hour, minute, second, fraction, sign, *offset, bc = match.groups()
    hours, minutes, seconds = (int(part or 0) for part in offset)
    shift = (hours * 3600 + minutes * 60 + seconds) * (1 if sign == b"-" else -1)
    clock = int(hour) * 3600 + int(minute) * 60 + int(second) + shift
    number = _day_number(1 - int(year) if bc else int(year), int(month), int(day)) + clock // _DAY_SECONDS
    y, m, d = _civil_day(number)
    clock %= _DAY_SECONDS
    printed = b"%04d-%02d-%02d %02d:%02d:%02d" % (y if y > 0 else 1 - y, m, d, clock // 3600, clock // 60 % 60, clock % 60)
    return printed + (fraction or b"") + b"+00" + (b" BC" if y <= 0 else b"")


def _day_number(year: int, month: int, day: int) -> int:
    """Days since 0000-03-01 of the Gregorian calendar, year 0 being 1 BC (datetime.c, date2j, counts alike); in Python // rounds down."""
    year -= month <= 2  # noqa: PLR2004  # a year that begins in March ends with its leap day
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 1


def _civil_day(number: int) -> tuple[int, int, int]:
    era, day = divmod(number, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    return era * 400 + year + (month >= 10), (month + 2) % 12 + 1, day - (153 * month + 2) // 5 + 1  # noqa: PLR2004
