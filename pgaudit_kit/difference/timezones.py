"""timestamptz prints in the session's TimeZone, which pg_dump neither sets nor records (PGDUMP_FORMATS.md 6.4).

So before text is compared, a live session takes over the zone of the other side: the recorded one when there
is a manifest, else one under which the server prints the dump's own values back unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol, runtime_checkable

from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import lines_of

_ZONED_TYPE = re.compile(r"timestamp(\(\d\))? with time zone|tstz")
_ZONED_VALUE = re.compile(rb"\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d(?::\d\d(?::\d\d)?)?(?: BC)?")
_LINES_READ = 20_000
_VALUES_KEPT = 400


@runtime_checkable
class LiveSession(Protocol):
    """What a live source can do that a file cannot."""

    def use_timezone(self, name: str) -> None:
        """Print timestamptz values in this zone from now on."""

    def timezone_that_prints(self, values: Iterable[str]) -> str | None:
        """The name of a zone under which the server prints each of *values* back unchanged; None when there is none."""


def align_timezones(left: Source, right: Source) -> frozenset[TableName]:
    """Make both sources print timestamptz alike; return the tables for which that could not be done."""
    lives = [s for s in (left, right) if isinstance(s, LiveSession)]
    if len(lives) == 2:  # noqa: PLR2004  both sides
        for live in lives:
            live.use_timezone("UTC")
        return frozenset()
    if not lives:
        return frozenset()
    other = right if lives[0] is left else left
    recorded = other.provenance.settings.get("TimeZone")
    if recorded:
        lives[0].use_timezone(recorded)
        return frozenset()
    zoned = zoned_columns(other.inventory)
    values = _sample(other, zoned)
    zone = lives[0].timezone_that_prints(values) if values else None
    if zone:
        lives[0].use_timezone(zone)
    return frozenset(zoned) if values and not zone else frozenset()


def zoned_columns(inventory: Inventory) -> dict[TableName, tuple[str, ...]]:
    """The columns whose text depends on the session's TimeZone, by table."""
    found = {}
    for table in inventory.of_kind("TABLE"):
        columns = tuple(c.name for c in table.columns if _ZONED_TYPE.search(c.attributes.get("type") or ""))
        if columns:
            found[TableName(table.key.schema or "", table.key.name)] = columns
    return found


def _sample(source: Source, zoned: dict[TableName, tuple[str, ...]]) -> list[str]:
    """Values of *source* that tell zones apart: the first of every month and offset seen."""
    kept: dict[bytes, str] = {}
    for name, columns in zoned.items():
        try:
            for value in _values(source, name, columns):
                if len(kept) < _VALUES_KEPT:
                    kept.setdefault(value[:7] + value[19:][-6:], value.decode("ascii"))
        except PgAuditError:
            continue  # its rows cannot be read; comparing them will say so
    return list(kept.values())


def _values(source: Source, name: TableName, columns: tuple[str, ...]) -> Iterator[bytes]:
    data = source.table_data.get(name)
    if data is None or data.not_readable:
        return
    held = [c for c in columns if c in data.columns]
    if held:
        for line in islice(lines_of(source.row_blocks(name, held)), _LINES_READ):
            yield from _ZONED_VALUE.findall(line)
