r"""Arrow columns → columns that DuckDB computes with: exact, or text.

Types are PostgreSQL's own where DuckDB has them; its dates and timestamps know infinity and years before Christ. numeric without a declared
precision becomes DECIMAL(38, s) when all values of the table fit, arrays become lists when all have one dimension. timetz, ranges,
composites and all other types are text, as is a column with a value that DuckDB's type cannot hold (NaN in a numeric, an infinite
interval, a year above 294246); timestamps with time zone in it are printed in UTC. Bytes that are no UTF-8 are written as `\xNN`. Two
things to know of DuckDB: an enum compares with a text as text, not by its order, and a text compared with a number (`note = 10`) is
rounded to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pgaudit_kit.rows.copy_arrow import AS_TEXT, DIRECT, Column, CopyColumn, arrow_type, pa, pc
from pgaudit_kit.rows.interval import read_interval
from pgaudit_kit.rows.pg_types import PgType
from pgaudit_kit.rows.pg_values import MICROSECONDS_PER_DAY, ShiftedList, microseconds_of, read_bytea, reader_of
from pgaudit_kit.rows.zoned_text import in_utc

_TYPES = {
    "int2": "SMALLINT",
    "int4": "INTEGER",
    "int8": "BIGINT",
    "uint8": "UBIGINT",
    "bool": "BOOLEAN",
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "interval": "INTERVAL",
    "uuid": "UUID",
    "bytea": "BLOB",
}
_TEXT = "VARCHAR"
_DIGITS = 38
_DATES = frozenset({"date", "time", "timestamp", "timestamptz"})
_INT32, _INT64 = (1 << 31) - 1, (1 << 63) - 1
_LONGEST_CLOCK = 1_000_000_000 * 3_600_000_000  # microseconds: DuckDB before 1.4 reads hours of nine digits only
_CAST = frozenset({"numeric", "uuid", "enum", "interval"})  # from their text, by DuckDB
_IN_LISTS = frozenset({"int2", "int4", "int8", "uint8", "bool", "float4", "float8", "date", "timestamp", "timestamptz", "decimal"})
# DuckDB keeps the two ends of its integers for infinity (src/include/duckdb/common/types/timestamp.hpp)
_INFINITE = {"infinity": 1, "-infinity": -1}


class NotNative(Exception):
    """DuckDB's type cannot hold a value of these columns (indexes): they must be text. Never leaves the package."""

    def __init__(self, columns: Sequence[int]) -> None:
        self.columns = tuple(columns)
        super().__init__(f"columns {self.columns}")


@dataclass(slots=True)
class SqlColumn:
    """A column for DuckDB: how it is read, its name there, whether it has a type of its own there or is text.

    `digits` and `scale` are those of a numeric without declared precision: the most before and behind the point that were seen.
    """

    copy: CopyColumn
    name: str
    native: bool = True
    digits: int = 0
    scale: int = 0

    @property
    def type(self) -> str:
        """Its type in DuckDB."""
        pg_type = self.copy.type
        if not self.native:
            return _TEXT
        if pg_type.kind == "enum":
            return f"ENUM({', '.join(map(quote_text, pg_type.labels))})" if pg_type.labels and not pg_type.has_odd_labels else _TEXT
        if pg_type.kind == "numeric":
            return f"DECIMAL({_DIGITS}, {self.scale})"
        if pg_type.kind == "array" and pg_type.element:
            return f"{_element_type(pg_type.element)}[]"
        return _scalar_type(pg_type)

    @property
    def expression(self) -> str:
        """The SQL that makes it of the column of that name in what `arrow` gives."""
        name = quote_name(self.name)
        return f"CAST({name} AS {self.type}) AS {name}" if self.native and self.copy.type.kind in _CAST else name

    def survey(self, array: Column) -> None:
        """Note how many digits the numbers of *array* have; must see all of a numeric column before `type` is asked for."""
        if not self.native or not len(array):
            return
        if array.type != pa.large_string() or pc.any(pc.match_substring_regex(array, "[^-0-9.]")).as_py():
            self.native = False  # NaN, Infinity
            return
        point = pc.find_substring(array, ".")
        length = pc.utf8_length(array)
        whole = pc.subtract(pc.if_else(pc.less(point, 0), length, point), pc.starts_with(array, "-").cast(pa.int32()))
        decimals = pc.if_else(pc.less(point, 0), 0, pc.subtract(pc.subtract(length, point), 1))
        self.digits = max(self.digits, pc.max(whole).as_py() or 0)
        self.scale = max(self.scale, pc.max(decimals).as_py() or 0)
        self.native = self.digits + self.scale <= _DIGITS

    def arrow(self, array: Column) -> Any:
        """Return *array* as DuckDB takes it; None when its type cannot hold a value."""
        kind = self.copy.type.kind
        is_text = _scalar_type(self.copy.type) == _TEXT and kind not in {"numeric", "enum", "array"}
        if not self.native or is_text or self.copy.type.has_odd_labels:
            return _in_utc(_text(array)) if self.copy.type.zoned else _text(array)
        if self.copy.level == DIRECT and arrow_type(self.copy.type) is not None:
            return array
        if array.type == pa.large_binary():
            return None
        if kind == "enum" and not pc.all(pc.is_in(array.drop_null(), value_set=pa.array(self.copy.type.labels, array.type))).as_py():
            return None if len(array.drop_null()) else array
        if kind == "uuid" and pc.any(pc.invert(pc.match_substring_regex(array, "^[0-9a-f-]{36}$"))).as_py():
            return None
        return array if kind in _CAST - {"interval"} else _converted(self.copy.type, array.to_pylist())


def distinct_names(names: Sequence[str]) -> list[str]:
    r"""Return *names* as DuckDB can have them: bytes that are no UTF-8 become `\xNN`, those that differ in case only get a number."""
    names = [name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for name in names]
    folded = [name.lower() for name in names]
    taken = set(folded)
    found = []
    for position, name in enumerate(names):
        new = name
        if folded.count(folded[position]) > 1:
            number = folded[: position + 1].count(folded[position])
            while (new := f"{name}_{number}").lower() in taken:
                number += 1
            taken.add(new.lower())
        found.append(new)
    return found


def quote_name(name: str) -> str:
    """Return *name* as an identifier of DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Return *text* as a string of DuckDB."""
    return "'" + text.replace("'", "''") + "'"


def _scalar_type(pg_type: PgType) -> str:
    if pg_type.kind == "decimal":
        return f"DECIMAL({pg_type.precision}, {pg_type.scale})"
    return _TYPES.get(pg_type.kind, _TEXT)


def _element_type(pg_type: PgType) -> str:
    return _scalar_type(pg_type) if pg_type.kind in _IN_LISTS else _TEXT


def _text(array: Column) -> Any:
    if array.type != pa.large_binary():
        return array
    return pa.array([None if v is None else v.decode("utf-8", "backslashreplace") for v in array.to_pylist()], pa.large_string())


def _in_utc(array: Any) -> Any:
    """Texts of two sources, which may have printed them under other zones, can be compared and joined then."""
    values = array.to_pylist()
    return pa.array([None if v is None else in_utc(v.encode()).decode() for v in values], pa.large_string())


def _converted(pg_type: PgType, texts: Sequence[str | None]) -> Any:
    """Return the values of *texts* as Arrow, None when one does not fit."""
    if pg_type.kind == "bytea":
        values = [None if text is None else read_bytea(text) for text in texts]
        return None if any(isinstance(value, str) for value in values) else pa.array(values, pa.large_binary())
    if pg_type.kind == "interval":
        return _intervals(texts)
    if pg_type.kind == "array" and pg_type.element:
        return _lists(pg_type, texts)
    return _instants(pg_type, texts) if pg_type.kind in _DATES else None


def _instants(pg_type: PgType, texts: Sequence[str | None]) -> Any:
    unit, limit = (MICROSECONDS_PER_DAY, _INT32) if pg_type.kind == "date" else (1, _INT64)
    numbers: list[int | None] = []
    for text in texts:
        if text is None or text in _INFINITE:
            numbers.append(None if text is None else _INFINITE[text] * limit)
            continue
        found = _clock(text) if pg_type.kind == "time" else microseconds_of(text)
        if found is None or abs(found // unit) >= limit:
            return None
        numbers.append(found // unit)
    integers = pa.array(numbers, pa.int32() if pg_type.kind == "date" else pa.int64())
    return integers.cast(pa.date32()) if pg_type.kind == "date" else integers.view(arrow_type(pg_type))


def _clock(text: str) -> int | None:
    """Microseconds since midnight."""
    since_epoch = microseconds_of(f"1970-01-01 {text}")
    return since_epoch if since_epoch is None or 0 <= since_epoch <= MICROSECONDS_PER_DAY else None


def _intervals(texts: Sequence[str | None]) -> Any:
    """As DuckDB reads them: without plus signs. Arrow's own type would end at 292 years of hours, since it counts nanoseconds."""
    for text in texts:
        found = None if text is None else read_interval(text)
        if text is not None and (found is None or abs(found.microseconds) >= _LONGEST_CLOCK):
            return None
    return pa.array([None if text is None else text.replace("+", "") for text in texts], pa.large_string())


def _lists(pg_type: PgType, texts: Sequence[str | None]) -> Any:
    element = pg_type.element or PgType("text")
    if element.kind not in _IN_LISTS:
        element = PgType("text")
    read = reader_of(PgType("array", element=element, delimiter=pg_type.delimiter))
    values = [None if text is None else read(text) for text in texts]
    if any(isinstance(value, ShiftedList) or (value and isinstance(value, list) and isinstance(value[0], list)) for value in values):
        return None
    try:
        return pa.array(values, pa.list_(arrow_type(element) or pa.large_string()))
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, OverflowError):  # infinity in an array of dates
        return None


def make_alike(columns: Sequence[SqlColumn]) -> list[int]:
    """Give *columns* of one kind one type, text when one of them is; return the indexes of those that it changed."""
    before = [(column.native, column.scale) for column in columns]
    digits, scale = max(column.digits for column in columns), max(column.scale for column in columns)
    native = all(column.native for column in columns) and digits + scale <= _DIGITS
    for column in columns:
        column.digits, column.scale = digits, scale
        if column.native and not native:
            as_text(column)
    return [index for index, column in enumerate(columns) if (column.native, column.scale) != before[index]]


def as_text(column: SqlColumn) -> None:
    """Read *column* as text from now on."""
    column.native = False
    column.copy.level = max(column.copy.level, AS_TEXT)
