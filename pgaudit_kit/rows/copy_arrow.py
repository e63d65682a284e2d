r"""COPY text → Arrow columns, at the speed of pyarrow's CSV reader.

COPY text without its escapes is CSV with TAB between fields, no quotes, `\N` for NULL. So numbers, booleans, dates and timestamps are
converted where they stand; of text, only the cells that hold a backslash are looked at again. A column is read at one *level*:

- `DIRECT`: as the Arrow type of its PostgreSQL type (text, for types that have none);
- `AS_TEXT`: as text, because some value does not fit that type (`infinity`, a year above 9999, NaN in a declared numeric …);
- `AS_BYTES`: as bytes, because some value is no UTF-8 (SQL_ASCII).

A value that does not fit its column's level raises CannotConvert; the caller raises the level and reads again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow.compute
import pyarrow.csv

from pgaudit_kit.rows.copy_text import NULL, unescape
from pgaudit_kit.rows.pg_types import PgType

# Its functions are made at run time, and it ships no types: what stubs of other people say differs from one to the next.
pa: Any = pyarrow
pc: Any = pyarrow.compute
csv: Any = pyarrow.csv
DIRECT, AS_TEXT, AS_BYTES = range(3)
Column: TypeAlias = Any  # pyarrow.ChunkedArray

GROUP_BYTES = 4 << 20  # of COPY text parsed at once: far above the cost of a call, and small beside what the columns take
_CSV_BLOCK = 1 << 20
_NEWLINE, _BACKSLASH = b"\n\\"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ARROW_TYPES = {
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "uint8": pa.uint64(),
    "bool": pa.bool_(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
}
_TEXT, _BYTES = pa.large_string(), pa.large_binary()
# What Python's date and datetime hold: 0001-01-01 to 9999-12-31, in days and microseconds from 1970-01-01
DAYS_OF_PYTHON = (-719_162, 2_932_896)
MICROSECONDS_OF_PYTHON = (-62_135_596_800_000_000, 253_402_300_799_999_999)
# Protected by a NUL, which no text in PostgreSQL can hold, an escaped backslash is not taken for the beginning of another escape.
_ESCAPES = ((r"\n", "\n"), (r"\t", "\t"), (r"\r", "\r"), (r"\b", "\b"), (r"\f", "\f"), (r"\v", "\v"))


class CannotConvert(Exception):
    """Values of these columns (indexes) do not fit the level that they are read at. Never leaves the package."""

    def __init__(self, columns: Iterable[int]) -> None:
        self.columns = tuple(columns)
        super().__init__(f"columns {self.columns}")


class BrokenRows(Exception):
    """COPY text that is none: the sentence says why. Never leaves the package."""


@dataclass(slots=True)
class CopyColumn:
    """A column to read: its field in the COPY lines, its type, and the level that it is read at."""

    position: int
    type: PgType
    level: int = DIRECT

    @property
    def arrow_type(self) -> Any:
        """The Arrow type that it is read as."""
        if self.level != DIRECT:
            return _TEXT if self.level == AS_TEXT else _BYTES
        return arrow_type(self.type) or _TEXT


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows: how many, and one chunked Arrow array per column. A pyarrow.Table without columns would not know its rows."""

    rows: int
    columns: tuple[Column, ...]

    def slice(self, start: int, stop: int | None = None) -> Batch:
        """The rows from *start* up to *stop*."""
        end = min(self.rows, self.rows if stop is None else stop)
        return Batch(max(0, end - start), tuple(column.slice(start, end - start) for column in self.columns))

    def take(self, indexes: Any) -> Batch:
        """The rows of these *indexes*."""
        return Batch(len(indexes), tuple(column.take(indexes) for column in self.columns))


def arrow_type(pg_type: PgType) -> Any:
    """Return the Arrow type that values of *pg_type* are read as where they stand, None when they are read as text."""
    if pg_type.kind == "decimal":
        return pa.decimal128(pg_type.precision, pg_type.scale)
    return _ARROW_TYPES.get(pg_type.kind)


class CopyParser:
    """Parses COPY lines of *width* fields into *columns*."""

    def __init__(self, width: int, columns: Sequence[CopyColumn]) -> None:
        self._width = width
        self._columns = columns
        self._csv_block = _CSV_BLOCK

    def batches(self, blocks: Iterable[bytes], *, group_bytes: int = GROUP_BYTES) -> Iterator[Batch]:
        """Yield the rows of *blocks* (whole lines). Raises CannotConvert, BrokenRows."""
        return (batch for _, batch in self.groups(blocks, group_bytes=group_bytes))

    def groups(self, blocks: Iterable[bytes], *, group_bytes: int = GROUP_BYTES) -> Iterator[tuple[bytes, Batch]]:
        """Yield *blocks*, some at a time, with their rows. Raises CannotConvert, BrokenRows."""
        held: list[bytes] = []
        size = 0
        for block in blocks:
            held.append(block)
            size += len(block)
            if size >= group_bytes:
                data = b"".join(held)
                yield data, self._parse(data)
                held, size = [], 0
        if size:
            data = b"".join(held)
            yield data, self._parse(data)

    def _parse(self, data: bytes) -> Batch:
        rows = int(np.count_nonzero(np.frombuffer(data, np.uint8) == _NEWLINE))
        if not self._columns:
            return Batch(rows, ())
        if b"\r" in data:  # no server writes one that is not escaped; to a reader of CSV it ends a line, or is part of its end
            self._check_shape(data)
            return self._parse_in_python(data, rows)
        if data.startswith(_BYTE_ORDER_MARK):  # the CSV reader takes one away
            data = _BYTE_ORDER_MARK + data
        table = self._read(data, range(len(self._columns)))
        if table is None:
            self._check_shape(data)
            raise CannotConvert([i for i in range(len(self._columns)) if self._read(data, [i]) is None])
        if table.num_rows != rows:
            raise BrokenRows(f"{rows:,} lines hold {table.num_rows:,} rows")
        return Batch(rows, self._finished(table.columns, odd=b"\0" in data))

    def _read(self, data: bytes, indexes: Iterable[int]) -> Any:
        """Return the columns *indexes* as a table; None when it cannot be had. A line longer than a block of CSV makes blocks longer."""
        names = [str(i) for i in range(self._width)]
        wanted = {str(self._columns[i].position): self._columns[i].arrow_type for i in indexes}
        convert = csv.ConvertOptions(
            column_types=wanted,
            include_columns=list(wanted),
            null_values=[NULL.decode()],
            strings_can_be_null=True,
            true_values=["t"],
            false_values=["f"],
        )
        parse = csv.ParseOptions(delimiter="\t", quote_char=False, escape_char=False, ignore_empty_lines=False)
        while True:
            read = csv.ReadOptions(column_names=names, block_size=self._csv_block)
            try:
                return csv.read_csv(pa.BufferReader(data), read_options=read, parse_options=parse, convert_options=convert)
            except pa.ArrowInvalid:
                if self._csv_block > len(data) or not _has_line_of(data, self._csv_block):
                    return None
                self._csv_block = len(data) + 1

    def _check_shape(self, data: bytes) -> None:
        """Raise BrokenRows for a row that has more or fewer fields than there are columns."""
        tabs = self._width - 1
        for number, line in enumerate(data[:-1].split(b"\n"), start=1):
            if (found := line.count(b"\t")) != tabs:
                raise BrokenRows(f"a row has {found + 1} fields instead of {self._width} (row {number:,} from there)")

    def _parse_in_python(self, data: bytes, rows: int) -> Batch:
        """Only for text that no server wrote."""
        lines = [line.split(b"\t") for line in data[:-1].split(b"\n")]
        columns = []
        for index, column in enumerate(self._columns):
            array = pa.array([None if (field := line[column.position]) == NULL else field for line in lines], _BYTES)
            try:
                columns.append(pa.chunked_array([array if column.level == AS_BYTES else array.cast(_TEXT).cast(column.arrow_type)]))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise CannotConvert([index]) from error
        return Batch(rows, self._finished(columns, odd=True))

    def _finished(self, columns: Sequence[Column], *, odd: bool) -> tuple[Column, ...]:
        """Return *columns* unescaped and within the range of their level."""
        finished = []
        beyond = []
        for index, array in enumerate(columns):
            if array.type in (_TEXT, _BYTES):
                finished.append(_unescaped(array, odd=odd))
                continue
            finished.append(array)
            if not within_python(array):
                beyond.append(index)
        if beyond:
            raise CannotConvert(beyond)
        return tuple(finished)


def within_python(array: Column) -> bool:
    """Whether all dates and timestamps of *array* are of the years 1 to 9999; True for other types."""
    if pa.types.is_timestamp(array.type):
        low, high = MICROSECONDS_OF_PYTHON
        numbers = array.cast(pa.timestamp("us", array.type.tz)).cast(pa.int64())
    elif pa.types.is_date32(array.type):
        low, high = DAYS_OF_PYTHON
        numbers = array.cast(pa.int32())
    else:
        return True
    found = pc.min_max(numbers).as_py()
    return found["min"] is None or (low <= found["min"] and found["max"] <= high)


def _has_line_of(data: bytes, size: int) -> bool:
    """Whether a line of *data* may be too long for blocks of CSV of *size* bytes."""
    start = 0
    while (end := data.rfind(b"\n", start, start + size // 2)) >= 0:
        start = end + 1
    return start < len(data)


def _unescaped(column: Column, *, odd: bool) -> Column:
    """Return *column* with the escapes of COPY resolved. *odd*: it may hold what no server writes, so one cell after another."""
    chunks = [_unescaped_chunk(chunk, odd=odd) for chunk in column.chunks]
    if len({chunk.type for chunk in chunks}) > 1:  # an escape made bytes that are no UTF-8
        chunks = [chunk.cast(_BYTES) for chunk in chunks]
    return pa.chunked_array(chunks, None if chunks else column.type)


def _unescaped_chunk(array: Any, *, odd: bool) -> Any:
    rows = _rows_with_backslash(array)
    if not len(rows):
        return array
    cells = array.take(pa.array(rows))
    resolved = pc.replace_substring(cells, "\\\\", "\0")
    for escape, character in _ESCAPES:
        resolved = pc.replace_substring(resolved, escape, character)
    if odd or len(_rows_with_backslash(resolved)):  # octal and hexadecimal escapes, which only people write
        resolved = pa.array([unescape(cell) for cell in cells.cast(_BYTES).to_pylist()], _BYTES)
        try:
            resolved = resolved.cast(array.type)
        except pa.ArrowInvalid:
            array = array.cast(_BYTES)
    else:
        resolved = pc.replace_substring(resolved, "\0", "\\")
    marked = np.zeros(len(array), bool)
    marked[rows] = True
    return pc.replace_with_mask(array, pa.array(marked), resolved)


def _rows_with_backslash(array: Any) -> Any:
    """Return the indexes of the cells that hold a backslash: numpy looks through the text of all of them at once."""
    _, places, text = array.buffers()
    if text is None:
        return np.empty(0, np.int64)
    starts = np.frombuffer(places, np.int64)[array.offset : array.offset + len(array) + 1]
    found = np.flatnonzero(np.frombuffer(text, np.uint8)[starts[0] : starts[-1]] == _BACKSLASH)
    return np.unique(np.searchsorted(starts, found + starts[0], side="right") - 1)
