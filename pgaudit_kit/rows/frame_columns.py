r"""Arrow columns → pandas columns.

| PostgreSQL | dtype | NULL |
|---|---|---|
| smallint, integer, bigint (oid, xid, cid: Int64; xid8: UInt64) | Int16, Int32, Int64 | pd.NA |
| boolean | boolean | pd.NA |
| real, double precision | Float32, Float64; NaN is a value, not NULL | pd.NA |
| numeric(p, s), p ≤ 38 | decimal128(p, s)[pyarrow] | pd.NA |
| any other numeric | object of decimal.Decimal | None |
| date, time | date32[day][pyarrow], time64[us][pyarrow] | pd.NA |
| timestamp, timestamptz | datetime64[us], datetime64[us, UTC] | NaT |
| timetz, interval | object of datetime.time with its zone, of rows.interval.Interval | None |
| uuid, json, jsonb and every type not named here | string: the text that PostgreSQL prints | pd.NA |
| bytea | object of bytes | None |
| arrays | object of (nested) lists | None |
| enums | category, ordered as the enum is | NaN |

The dtype follows from the type alone, with these exceptions. A date, time or timestamp column in which a value is `infinity`, of a year
outside 1 to 9999, or `24:00:00`, has dtype object: datetime.date, time and datetime (timestamptz: in UTC), and the text that PostgreSQL
printed for those values. numeric(p, s) with NaN is object of Decimal, a column with values that its type does not have (an enum's label
that the dump does not list) is string. Text that is no UTF-8 (SQL_ASCII) keeps its bytes as surrogates (PEP 383).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pgaudit_kit.rows.copy_arrow import AS_BYTES, DIRECT, Column, CopyColumn, arrow_type, pa, pc, within_python
from pgaudit_kit.rows.pg_values import MICROSECONDS_PER_DAY, instant_text, reader_of

if TYPE_CHECKING:
    from pandas import DataFrame

_DATES = frozenset({"date", "time", "timestamp", "timestamptz"})
_OBJECTS = frozenset({"decimal", "numeric", "timetz", "interval", "bytea", "array"})
_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_map)  # a map is a list of keys and values
_TIMESTAMPS = frozenset({"timestamp[us]", "timestamp[us, tz=UTC]"})
_MASKED = {
    **{f"{sign}int{bits}": f"{prefix}Int{bits}" for sign, prefix in (("", ""), ("u", "U")) for bits in (8, 16, 32, 64)},
    "bool": "boolean",
}


def make_frame(names: Sequence[str], columns: Iterable[Any], *, rows: int, start: int = 0) -> DataFrame:
    """Return a frame of *columns* (pandas arrays or series); names may be there twice. Its index counts the rows from *start*."""
    import pandas as pd

    frame = pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(rows), copy=False)
    frame.index = pd.RangeIndex(start, start + rows)
    try:
        frame.columns = pd.Index(names, dtype=None if names else object)
    except UnicodeEncodeError:  # of a SQL_ASCII database: Arrow cannot hold the surrogates that stand for bytes of no encoding
        frame.columns = pd.Index(names, dtype=object)
    return frame


def pandas_column(column: CopyColumn, chunks: Sequence[Column], *, parse_json: bool = False, as_object: bool = False) -> Any:
    """Return the values of *column*, read at its level, as a pandas array of the dtype above.

    *as_object*: as if it held a value that its dtype cannot. *parse_json*: json as Python objects, with pd.NA for NULL, since
    None is JSON's null; a document that Python's reader refuses stays text.
    """
    kind = column.type.kind
    if column.level == DIRECT and arrow_type(column.type) is not None:
        return from_arrow(joined(chunks, arrow_type(column.type)))
    if kind == "json" and parse_json:
        return object_array([_NA() if text is None else _parsed(text) for text in _texts(chunks)])
    if kind == "enum" and not as_object:
        codes = _codes(column, chunks)
        return text_array(chunks) if codes is None else _categorical(codes, column.type.labels, ordered=True)
    if kind in _OBJECTS or kind in _DATES:
        read = reader_of(column.type)
        values = [None if text is None else read(text) for text in _texts(chunks)]
        if kind in _DATES and not as_object and not any(isinstance(value, str) for value in values):
            return from_arrow(pa.chunked_array([pa.array(values, arrow_type(column.type))]))
        return object_array(values)
    return text_array(chunks)


def joined(columns: Sequence[Column], kind: Any) -> Column:
    """Return *columns*, one behind the other; none at all is an empty column of that *kind*."""
    return pa.chunked_array([chunk for column in columns for chunk in column.chunks], kind)


def needs_object(column: CopyColumn, chunk: Column) -> bool:
    """Whether *chunk* holds a value for which the whole of *column* gets another dtype than its type has."""
    if column.type.kind == "enum":
        return _codes(column, [chunk]) is None
    if column.type.kind not in _DATES or column.level == DIRECT:
        return False
    read = reader_of(column.type)
    return any(isinstance(read(text), str) for text in _texts([chunk]) if text is not None)


def text_array(chunks: Sequence[Column]) -> Any:
    """Text as dtype `string`; what is no UTF-8 with surrogates, which Arrow cannot hold."""
    import pandas as pd

    if any(chunk.type == pa.large_binary() for chunk in chunks):
        return pd.array(_texts(chunks), dtype=pd.StringDtype("python"))
    return _extension(pd.StringDtype("pyarrow"), joined(chunks, pa.large_string()))


def from_arrow(column: Any) -> Any:
    """Return a column of a table (a pyarrow.ChunkedArray) as a pandas array of the dtype above. Nested values are object."""
    import pandas as pd

    kind = column.type
    if masked := _MASKED.get(str(kind)):
        return _extension(pd.api.types.pandas_dtype(masked), column)
    if str(kind) in ("float", "double"):
        return _floats(column)
    if str(kind) in _TIMESTAMPS and within_python(column):
        return _timestamps(column)
    if pa.types.is_decimal(kind) or _is_plain_date_or_time(column):
        return pd.arrays.ArrowExtensionArray(column)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return text_array([column.cast(pa.large_string())])
    return _dictionary(column) if pa.types.is_dictionary(kind) else object_array(chunk_values(column))


def chunk_values(column: Any) -> list[Any]:
    """Return the values of a column of a table as `python_values` does."""
    return [value for chunk in column.chunks for value in python_values(chunk)]


def python_values(array: Column) -> list[Any]:
    """Return the values of an Arrow array, nested ones too, as Python objects; dates beyond Python's as the text that PostgreSQL prints."""
    kind = array.type
    if any(is_nested(kind) for is_nested in _LISTS):
        return [python_values(item.values) if item.is_valid else None for item in array]
    if pa.types.is_struct(kind):
        names = [kind.field(i).name for i in range(kind.num_fields)]
        rows = zip(*(python_values(array.field(i)) for i in range(kind.num_fields)), strict=True)
        return [
            dict(zip(names, row, strict=True)) if valid else None for row, valid in zip(rows, array.is_valid().to_pylist(), strict=True)
        ]
    if pa.types.is_time64(kind) and not _is_plain_date_or_time(array):
        whole_day = pc.equal(array.cast(pa.int64()), MICROSECONDS_PER_DAY).to_pylist()
        return ["24:00:00" if last else value for last, value in zip(whole_day, array.to_pylist(), strict=True)]
    if within_python(array):
        values: list[Any] = array.to_pylist()
        return values
    return [value for i in range(len(array)) for value in _instant(array.slice(i, 1))]


def _instant(array: Column) -> list[Any]:
    """The one value of *array*, a date or timestamp that may be infinite (as DuckDB stores that) or beyond Python's years."""
    if within_python(array):
        values: list[Any] = array.to_pylist()
        return values
    is_date = pa.types.is_date32(array.type)
    number = array.cast(pa.int32() if is_date else pa.int64())[0].as_py()
    if abs(number) == (1 << (31 if is_date else 63)) - 1:
        return ["infinity" if number > 0 else "-infinity"]
    micros = number * MICROSECONDS_PER_DAY if is_date else number
    zone = "+00" if not is_date and array.type.tz else ""
    return [instant_text(micros, with_time=not is_date, zone=zone)]


def _is_plain_date_or_time(column: Any) -> bool:
    if pa.types.is_time64(column.type):
        return (pc.max(column.cast(pa.int64())).as_py() or 0) < MICROSECONDS_PER_DAY
    return pa.types.is_date32(column.type) and within_python(column)


def _timestamps(column: Any) -> Any:
    import pandas as pd

    if column.type.tz:
        return _extension(pd.DatetimeTZDtype("us", "UTC"), column)
    return pd.array(column.to_numpy(), dtype="datetime64[us]")


def _dictionary(column: Any) -> Any:
    encoded = pa.concat_arrays(column.unify_dictionaries().chunks) if column.num_chunks else pa.array([], column.type)
    return _categorical(encoded.indices, encoded.dictionary.to_pylist(), ordered=True)


def _floats(column: Any) -> Any:
    """Made by hand, because pandas 3 takes NaN for NULL when it reads Arrow."""
    import pandas as pd

    missing = column.is_null().to_numpy()
    return pd.arrays.FloatingArray(pc.fill_null(column, 0).to_numpy(), missing)


def _extension(dtype: Any, column: Any) -> Any:
    """What pandas itself calls when it reads Arrow: no values are copied, and NULL and NaN stay apart."""
    return dtype.__from_arrow__(column)


def _texts(chunks: Sequence[Column]) -> list[str | None]:
    found: list[str | None] = []
    for chunk in chunks:
        values = chunk.to_pylist()
        if chunk.type == pa.large_binary():
            values = [None if value is None else value.decode("utf-8", "surrogateescape") for value in values]
        found += values
    return found


def _codes(column: CopyColumn, chunks: Sequence[Column]) -> Any:
    """The positions of an enum's values among its labels; None when a value is none of them."""
    if column.level == AS_BYTES or column.type.has_odd_labels:
        return None
    values = joined(chunks, pa.large_string())
    codes = pc.index_in(values, value_set=pa.array(column.type.labels, pa.large_string()))
    return codes if codes.null_count == values.null_count else None


def _categorical(codes: Any, labels: Sequence[str], *, ordered: bool) -> Any:
    import pandas as pd

    numbers = pc.fill_null(codes.cast(pa.int32()), -1).to_numpy()
    return pd.Categorical.from_codes(numbers, dtype=pd.CategoricalDtype(list(labels), ordered=ordered))


def object_array(values: Sequence[Any]) -> Any:
    """The values as dtype object, whatever they are: pandas neither takes texts for `str` nor lists of equal length for a table."""
    import numpy as np
    import pandas as pd

    array = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):
        array[index] = value
    return pd.Series(array, dtype=object, copy=False)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # nested too deep, or a number of more digits than Python reads
        return text


def _NA() -> Any:  # noqa: N802  # named as pandas names it
    import pandas as pd

    return pd.NA
