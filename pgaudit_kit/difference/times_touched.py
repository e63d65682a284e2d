"""When rows were touched, by the column that tells it best: the earliest and latest value over all rows that differ, and how many when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pgaudit_kit.difference.column_types import column_type
from pgaudit_kit.difference.times_counted import TimesCounted
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.loss import TimesTouched
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.pg_values import MICROSECONDS_PER_DAY, microseconds_of

_TIME = re.compile(r"date|timestamp(\(\d\))? with(out)? time zone")
_OF_ROWS = re.compile(r"updat|modif|chang|edit|touch|creat|insert|add", re.IGNORECASE)  # when a row came or changed, not when a bill is due


def time_columns(inventory: Inventory, table: TableName, columns: Iterable[str]) -> tuple[str, ...]:
    """Return those of *columns* that are dates or timestamps."""
    return tuple(c for c in columns if _TIME.fullmatch(column_type(inventory, table, c) or ""))


class TimesSeen:
    """The earliest and latest values of *columns*, of lines that hold *present*, and how many when; nothing else of the lines is kept."""

    def __init__(self, columns: Sequence[str], present: Sequence[str]) -> None:
        self._places = [(column, list(present).index(column)) for column in columns]
        self._seen: dict[str, dict[bytes, tuple[bytes, bytes]]] = {column: {} for column in columns}
        self._counted = {column: TimesCounted() for column in columns}

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that are looked at."""
        return tuple(self._seen)

    def see(self, line: bytes, side: int = 0) -> None:
        """Take in one COPY line of the left (0) or the right (1) side."""
        fields = line.split(b"\t")
        for column, place in self._places:
            value = fields[place]
            # of one zone and era the text sorts as the time does, so that only the ends are read; the year has four digits or more
            sign = max(value.rfind(b"+"), value.rfind(b"-", 11))
            dash, end = value.find(b"-"), value[sign:] if sign > 0 else value[-3:] if value.endswith(b" BC") else b""
            self._counted[column].add(value, dash, end, side)
            like = b"%d%s" % (dash, end)
            least, most = self._seen[column].get(like, (value, value))
            if value <= least or value >= most:
                self._seen[column][like] = (min(value, least), max(value, most))

    def best(self, now: str | None) -> TimesTouched | None:
        """The column that tells best when rows were touched, with its values; None where no column has any.

        Of the columns whose values are not beyond *now*, those named for changes or creation come first, then that whose values are
        latest.
        """
        limit = microseconds_of((now or "").replace("T", " ")[:19])
        found = [(column, *ends) for column, values in self._seen.items() if (ends := _ends(values.values()))]
        if not found:
            return None

        def fitness(candidate: tuple[str, tuple[int, str], tuple[int, str]]) -> tuple[bool, bool, int]:
            column, _, (last, _) = candidate
            return limit is None or last <= limit + MICROSECONDS_PER_DAY, bool(_OF_ROWS.search(column)), last

        column, (_, first), (_, last) = max(found, key=fitness)
        counted = self._counted[column]
        return TimesTouched(column, first, last, counted.unit, counted.counts())


def _ends(values: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[int, str], tuple[int, str]] | None:
    """The earliest and the latest of *values*, with their text; None when none is a time (NULL and infinity are not)."""
    told = list(_times(value for pair in values for value in pair))
    return (min(told), max(told)) if told else None


def _times(values: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    for value in values:
        text = value.decode("ascii", "replace")
        micros = microseconds_of(text)
        if micros is not None:
            yield micros, text
