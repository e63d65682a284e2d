"""What the text of a source shows of the settings that it was printed with: values that tell, and what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from pgaudit_kit.dumps.ddl.needless_quotes import without_needless_quotes
from pgaudit_kit.errors import PgAuditError
from pgaudit_kit.records.objects import DatabaseObject
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import NULL, decode_field, lines_of
from pgaudit_kit.rows.zoned_text import ZONED_VALUE

Columns = Mapping[TableName, tuple[str, ...]]

_ZONED_CONSTANT = re.compile(r"with time zone|tstz")
_REST = rb"(?:-\d\d)? \d\d:\d\d:\d\d(?:\.\d+)?"
_OFFSET = rb"([+-]\d\d(?::\d\d){0,2}(?: BC)?)"
_NO_MORE = rb"(?!:\d| BC)"  # +05 is no part of +05:30
_MONTH_AND_OFFSET = re.compile(rb"(\d{4,}-\d\d)" + _REST + _OFFSET)
_DAY_AND_OFFSET = re.compile(rb"(\d{4,}-\d\d-\d\d)" + _REST + _OFFSET)
_CONSTANT = re.compile(r"'((?:[^']|'')*)'::(?:money|bytea)")
_DEFINITIONS = frozenset({"default", "generated", "definition", "partition_bound", "using", "check", "where"})
# In an array, the quotes have backslashes; doubled ones are part of a name
_NAME = re.compile(r'(?<!")(?<!"\\)"([a-z_][a-z0-9_]*)\\*"(?!\\*")')
_DIGITS = re.compile(r"[-()\d.,'\s\u202f\xa0]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_LINES_READ = 20_000
_BYTES_READ = 1 << 24
_MONTHS_KEPT = 400
_DAYS_KEPT = 20_000
_OF_COLUMN = 100
_LONG = 10_000


class Printed:
    """The values of *columns* in *source*. What cannot be read tells nothing: comparing it will say so."""

    def __init__(self, source: Source, columns: Columns, *, rows: bool = True, whole: bool = False) -> None:
        """*rows*: look at the first rows of each table; *whole*: at all of them."""
        self._source = source
        self._columns = columns
        self._rows_too = rows
        self._whole = whole

    def zoned_values(self) -> list[str]:
        """Values of timestamptz that tell zones apart: the first of every month (of all rows: every day) and offset seen.

        Of millions of values, block by block: only a month and offset that were not seen yet cost more than a search.
        """
        pattern, most = (_DAY_AND_OFFSET, _DAYS_KEPT) if self._whole else (_MONTH_AND_OFFSET, _MONTHS_KEPT)
        kept: dict[tuple[bytes, bytes], str] = {}
        for name, columns in self._held():
            for block in self._blocks(name, columns):
                for begin, offset in {*pattern.findall(block)} - kept.keys():
                    found = re.search(re.escape(begin) + _REST + re.escape(offset) + _NO_MORE, block)
                    if found and len(kept) < most:
                        kept[begin, offset] = found[0].decode("ascii")
        return list(kept.values())

    def zoned_constants(self) -> list[str]:
        """The constants of timestamptz in definitions."""
        found: dict[str, None] = {}
        for item in self._source.inventory.objects:
            for name, text in _definitions(item):
                if name == "partition_bound" or _ZONED_CONSTANT.search(text):
                    found |= {m[0].decode(): None for m in ZONED_VALUE.finditer(text.encode("utf-8", "surrogateescape"))}
        return list(found)

    def defaults(self) -> dict[tuple[TableName, str], list[str]]:
        """The constants that are defaults of columns of money or bytes."""
        found: dict[tuple[TableName, str], list[str]] = {}
        for table in self._source.inventory.of_kind("TABLE"):
            name = TableName(table.key.schema or "", table.key.name)
            for column in table.columns if name in self._columns else ():
                if constant := _CONSTANT.fullmatch(column.attributes.get("default") or ""):
                    found[name, column.name] = [constant[1].replace("''", "'")]
        return found

    def by_column(self) -> dict[tuple[TableName, str], list[str]]:
        """The first values of each column that are not NULL, none very long where there are others."""
        found: dict[tuple[TableName, str], list[str]] = {}
        for name, columns in self._held():
            kept: dict[str, dict[str, None]] = {column: {} for column in columns}
            for fields in self._rows(name, columns):
                for column, field in zip(columns, fields, strict=True):
                    _keep(kept[column], field)
                if all(len(values) >= _OF_COLUMN for values in kept.values()):
                    break
            found |= {(name, column): list(values) for column, values in kept.items() if values}
        return found

    def values(self) -> Iterator[str]:
        """All values of `by_column`."""
        for values in self.by_column().values():
            yield from values

    def _held(self) -> Iterator[tuple[TableName, tuple[str, ...]]]:
        """The tables and those of the columns that the source has rows of."""
        for name, columns in self._columns.items() if self._rows_too else ():
            data = self._source.table_data.get(name)
            held = tuple(c for c in columns if data and c in data.columns)
            if data and held and not data.not_readable:
                yield name, held

    def _rows(self, name: TableName, columns: tuple[str, ...]) -> Iterator[list[bytes]]:
        for line in lines_of(self._blocks(name, columns)):
            yield line.split(b"\t")

    def _blocks(self, name: TableName, columns: tuple[str, ...]) -> Iterator[bytes]:
        """The rows of all, or of the first ones."""
        lines = size = 0
        with suppress(PgAuditError):
            for block in self._source.row_blocks(name, columns):
                yield block
                lines += block.count(b"\n")
                size += len(block)
                if not self._whole and (lines >= _LINES_READ or size >= _BYTES_READ):
                    return


def _keep(kept: dict[str, None], field: bytes) -> None:
    """Add a value that is worth to be printed again."""
    if field == NULL or len(kept) >= _OF_COLUMN or (kept and len(field) > _LONG):
        return
    value = decode_field(field) or ""
    if not _SURROGATES.search(value):  # bytes of no encoding: no server can be asked about them
        kept[value] = None


def _definitions(item: DatabaseObject) -> Iterator[tuple[str, str]]:
    for attributes in (item.attributes, *(column.attributes for column in item.columns)):
        yield from ((name, text) for name, text in attributes.items() if text and name.rpartition(" ")[2] in _DEFINITIONS)


def forms_of_bytea(printed: Printed) -> frozenset[str]:
    r"""`hex`, `escape`: hex has `\x` in front of every value, in escape a backslash is doubled or stands before digits."""
    return frozenset("hex" if r"\x" in value else "escape" for value in printed.values() if holds_bytes(value))


def holds_bytes(value: str) -> bool:
    """Whether a value tells a form: in the brackets of an empty array or composite there is none; no bytes at all are nothing in escape."""
    return not value or bool(value.strip("{}(),[]"))


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
