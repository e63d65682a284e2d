"""What the text of a source shows of the settings that it was printed with: values that tell, and what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from pgaudit_kit.difference.instants import ZONED_VALUE
from pgaudit_kit.dumps.ddl.needless_quotes import without_needless_quotes
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import NULL, decode_field, lines_of

Columns = Mapping[TableName, tuple[str, ...]]

_ZONED_CONSTANT = re.compile(r"with time zone|tstz")
_DEFINITIONS = frozenset({"default", "generated", "definition", "partition_bound", "using", "check", "where"})
_NAME = re.compile(r'"([a-z_][a-z0-9_]*)\\*"')  # in an array, the quotes have backslashes
_DIGITS = re.compile(r"[-()\d.,'\s\u202f\xa0]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_LINES_READ = 20_000
_VALUES_KEPT = 400
_VALUES_KEPT_OF_ALL = 20_000
_OF_COLUMN = 100
_LONG = 10_000


class Printed:
    """The values of *columns* in *source*. What cannot be read tells nothing: comparing it will say so."""

    def __init__(self, source: Source, columns: Columns, *, whole: bool = False) -> None:
        """*whole*: look at all rows, and not at the first ones of each table."""
        self._source = source
        self._columns = columns
        self._whole = whole

    def zoned_values(self) -> list[str]:
        """Values of timestamptz that tell zones apart: the first of every month (of all rows: every day) and offset seen."""
        kept: dict[tuple[bytes, ...], str] = {}
        most = _VALUES_KEPT_OF_ALL if self._whole else _VALUES_KEPT
        for _, _, field in self._fields():
            for match in ZONED_VALUE.finditer(field):
                if len(kept) >= most:
                    return list(kept.values())
                year, month, day, *_, sign, hours, minutes, seconds, bc = match.groups(b"")
                key = (year, month, day if self._whole else b"", sign, hours, minutes, seconds, bc)
                kept.setdefault(key, match[0].decode("ascii"))
        return list(kept.values())

    def zoned_constants(self) -> list[str]:
        """The constants of timestamptz in definitions."""
        found: dict[str, None] = {}
        for item in self._source.inventory.objects:
            for name, text in _definitions(item):
                if name == "partition_bound" or _ZONED_CONSTANT.search(text):
                    found |= {m[0].decode(): None for m in ZONED_VALUE.finditer(text.encode("utf-8", "surrogateescape"))}
        return list(found)

    def by_column(self) -> dict[tuple[TableName, str], list[str]]:
        """The first values of each column that are not NULL, none very long where there are others."""
        found: dict[tuple[TableName, str], dict[str, None]] = {}
        for table, column, field in self._fields():
            kept = found.setdefault((table, column), {})
            if field == NULL or len(kept) >= _OF_COLUMN or (kept and len(field) > _LONG):
                continue
            value = decode_field(field) or ""
            if not _SURROGATES.search(value):  # bytes of no encoding: no server can be asked about them
                kept[value] = None
        return {place: list(kept) for place, kept in found.items() if kept}

    def values(self) -> Iterator[str]:
        """All values of `by_column`."""
        for values in self.by_column().values():
            yield from values

    def _fields(self) -> Iterator[tuple[TableName, str, bytes]]:
        for name, columns in self._columns.items():
            data = self._source.table_data.get(name)
            held = [c for c in columns if data and c in data.columns]
            if not data or data.not_readable or not held:
                continue
            try:
                for line in islice(lines_of(self._source.row_blocks(name, held)), None if self._whole else _LINES_READ):
                    for column, field in zip(held, line.split(b"\t"), strict=True):
                        yield name, column, field
            except PgAuditError:
                continue


def _definitions(item: DatabaseObject) -> Iterator[tuple[str, str]]:
    for attributes in (item.attributes, *(column.attributes for column in item.columns)):
        yield from ((name, text) for name, text in attributes.items() if text and name.rpartition(" ")[2] in _DEFINITIONS)


def forms_of_bytea(printed: Printed) -> frozenset[str]:
    r"""`hex`, `escape`: hex has `\x` in front of every value, in escape a backslash is doubled or stands before digits."""
    return frozenset("hex" if r"\x" in value else "escape" for value in printed.values() if value.strip('{}(),"[]'))


def forms_of_money(printed: Printed) -> frozenset[str]:
    """The signs of currencies that stand before (`$ `) or behind (` €`) the digits."""
    found = set()
    for value in printed.values():
        sign = _DIGITS.sub("", value.strip('{}(),"'))
        found.add(f"{sign} " if value.strip('{}(),"-').startswith(sign) else f" {sign}")
    return frozenset(found)


def is_quoted(printed: Printed) -> bool:
    """Whether names are quoted that do not have to be."""
    names = (f'"{match[1]}"' for value in printed.values() if '"' in value for match in _NAME.finditer(value))
    return any(without_needless_quotes(name) != name for name in names)
