"""timestamptz and bytea print as TimeZone and bytea_output say, which pg_dump neither sets nor records (PGDUMP_FORMATS.md 6.4).

So before text is compared, a live session takes over both from the other side: the recorded ones when there is a
manifest; else the zone under which the server prints the dump's own values back unchanged, and the form that its bytea has.
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
_BYTEA_TYPE = re.compile(r"bytea(\[\])?\Z")
# a whole field, or an element of an array: not NULL, not empty
_BYTEA_VALUE = re.compile(rb'(?:(?<=[\t{,"])|^)(?!\\N(?:\t|$))[^\t{},"]+')
_LINES_READ = 20_000
_VALUES_KEPT = 400


@runtime_checkable
class LiveSession(Protocol):
    """What a live source can do that a file cannot."""

    def use_timezone(self, name: str) -> None:
        """Print timestamptz values in this zone from now on."""

    def use_bytea_output(self, form: str) -> None:
        """Print bytea values in this form (`hex`, `escape`) from now on."""

    def timezone_that_prints(self, values: Iterable[str]) -> str | None:
        """The name of a zone under which the server prints each of *values* back unchanged; None when there is none."""


def align_sessions(left: Source, right: Source) -> frozenset[TableName]:
    """Make both sources print timestamptz and bytea alike; return the tables for which that could not be done."""
    lives = [s for s in (left, right) if isinstance(s, LiveSession)]
    if len(lives) == 2:  # noqa: PLR2004  both sides
        for live in lives:
            live.use_timezone("UTC")
            live.use_bytea_output("hex")
        return frozenset()
    if not lives:
        return frozenset()
    other = right if lives[0] is left else left
    if form := other.provenance.settings.get("bytea_output") or _bytea_form(other):
        lives[0].use_bytea_output(form)
    recorded = other.provenance.settings.get("TimeZone")
    if recorded:
        lives[0].use_timezone(recorded)
        return frozenset()
    zoned = columns_of_type(other.inventory, _ZONED_TYPE)
    values = _sample(other, zoned)
    zone = lives[0].timezone_that_prints(values) if values else None
    if zone:
        lives[0].use_timezone(zone)
    return frozenset(zoned) if values and not zone else frozenset()


def columns_of_type(inventory: Inventory, pattern: re.Pattern[str]) -> dict[TableName, tuple[str, ...]]:
    """The columns whose type matches *pattern*, by table."""
    found = {}
    for table in inventory.of_kind("TABLE"):
        columns = tuple(c.name for c in table.columns if pattern.search(c.attributes.get("type") or ""))
        if columns:
            found[TableName(table.key.schema or "", table.key.name)] = columns
    return found


def _bytea_form(source: Source) -> str | None:
    """`hex` or `escape`, as the first bytea value of *source* that tells them apart is printed; None without one.

    COPY doubles the backslash of hex; escape prints one only before a byte that it does not print as it is.
    """
    for name, columns in columns_of_type(source.inventory, _BYTEA_TYPE).items():
        try:
            for value in _values(source, name, columns, _BYTEA_VALUE):
                return "hex" if value.startswith(b"\\\\x") else "escape"
        except PgAuditError:
            continue  # its rows cannot be read; comparing them will say so
    return None


def _sample(source: Source, zoned: dict[TableName, tuple[str, ...]]) -> list[str]:
    """Values of *source* that tell zones apart: the first of every month and offset seen."""
    kept: dict[bytes, str] = {}
    for name, columns in zoned.items():
        try:
            for value in _values(source, name, columns, _ZONED_VALUE):
                if len(kept) < _VALUES_KEPT:
                    kept.setdefault(value[:7] + value[19:][-6:], value.decode("ascii"))
        except PgAuditError:
            continue  # its rows cannot be read; comparing them will say so
    return list(kept.values())


def _values(source: Source, name: TableName, columns: tuple[str, ...], pattern: re.Pattern[bytes]) -> Iterator[bytes]:
    data = source.table_data.get(name)
    if data is None or data.not_readable:
        return
    held = [c for c in columns if c in data.columns]
    if held:
        for line in islice(lines_of(source.row_blocks(name, held)), _LINES_READ):
            yield from pattern.findall(line)
