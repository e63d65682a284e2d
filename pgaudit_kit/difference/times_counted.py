"""How many rows were touched when, in bounded memory: times are cut to minutes, to coarser units when there are too many of them."""

from __future__ import annotations

from typing import ClassVar, Final

from pgaudit_kit.records.loss import TouchedSince
from pgaudit_kit.rows.pg_values import microseconds_of

# unit, how many characters of it stand behind the year, and what makes the cut text a time again
_UNITS: Final = (("minute", 12, b":00"), ("hour", 9, b":00:00"), ("day", 6, b""), ("month", 3, b"-01"), ("year", 0, b"-01-01"))
_YEAR: Final = 4  # digits at least; what has its first dash before is no time (-infinity)


class TimesCounted:
    """Counts of the values of one column, by side. All are cut alike, so that one count does not stand for more time than another."""

    MOST: ClassVar[int] = 4096

    def __init__(self) -> None:
        self._level = 0
        self._counts: dict[tuple[bytes, bytes], list[int]] = {}

    @property
    def unit(self) -> str:
        """The span that one count is about."""
        return _UNITS[self._level][0]

    def add(self, value: bytes, dash: int, end: bytes, side: int) -> None:
        """Count *value*, whose first dash is at *dash* and which ends with *end*, a zone or an era. What is no time is not counted."""
        if dash < _YEAR:
            return
        cut = value[: dash + _UNITS[self._level][1]]
        if cut.endswith(b" BC"):  # a date with its era may be shorter than the cut
            cut = cut[:-3]
        self._counts.setdefault((cut, end), [0, 0])[side] += 1
        while len(self._counts) > self.MOST and self._level < len(_UNITS) - 1:
            self._coarsen()

    def _coarsen(self) -> None:
        self._level += 1
        behind = _UNITS[self._level][1]
        counts: dict[tuple[bytes, bytes], list[int]] = {}
        for (cut, end), (left, right) in self._counts.items():
            held = counts.setdefault((cut[: cut.find(b"-") + behind], end), [0, 0])
            held[0] += left
            held[1] += right
        self._counts = counts

    def counts(self) -> tuple[TouchedSince, ...]:
        """The counts in the order of time."""
        told = [TouchedSince(self._text(cut, end), *sides) for (cut, end), sides in self._counts.items()]
        timed = [(at, one) for one in told if (at := microseconds_of(one.since)) is not None]
        return tuple(one for _, one in sorted(timed, key=lambda pair: (pair[0], pair[1].since)))

    def _text(self, cut: bytes, end: bytes) -> str:
        """The beginning of the span, as PostgreSQL prints it."""
        unit, behind, rest = _UNITS[self._level]
        if len(cut) < cut.find(b"-") + behind:
            rest = b""  # a column of dates has no time, however fine the unit is
        if end[:1] in b"+-" and end and unit in ("day", "month", "year"):
            rest += b" 00:00:00"  # only a time has a zone
        return (cut + rest + end).decode("ascii", "replace")
