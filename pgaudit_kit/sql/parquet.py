"""The result of a query as a Parquet file, row group by row group.

Types are those of the result: decimals exact, instants in UTC, enums as dictionaries, lists as lists; intervals and what Arrow does not
carry are text. Parquet has no infinite dates, no 24:00:00 and no integer of more than 38 digits: a column with such a value is text.
"""

from __future__ import annotations

from typing import IO, Any

import pyarrow.parquet

from pgaudit_kit.rows.copy_arrow import pa, pc
from pgaudit_kit.rows.pg_values import MICROSECONDS_PER_DAY
from pgaudit_kit.rows.sql_columns import distinct_names
from pgaudit_kit.sql.query import Asked

pq: Any = pyarrow.parquet
_ROWS_PER_GROUP = 50_000
_INT32, _INT64 = (1 << 31) - 1, (1 << 63) - 1  # DuckDB's infinity, see rows.sql_columns
_MOST = 10**38 - 1


class _NotInParquet(Exception):
    """Parquet has no such value as one of these columns (indexes) holds. Never leaves the module."""

    def __init__(self, columns: frozenset[int]) -> None:
        self.columns = columns
        super().__init__(f"columns {sorted(columns)}")


def write_parquet(asked: Asked, file: IO[bytes]) -> tuple[int, tuple[str, ...]]:
    """Write the result of *asked* to *file*; return how many rows there are, and notes on columns that are text because of a value."""
    as_text: frozenset[int] = frozenset()
    while True:
        file.seek(0)
        file.truncate()
        try:
            rows, names = _write(asked, file, as_text)
        except _NotInParquet as error:
            as_text |= error.columns
            continue
        texts = ", ".join(names[index] for index in sorted(as_text))
        note = f"Parquet has no infinite dates, no 24:00:00 and no integers above 38 digits, so these columns are text: {texts}."
        return rows, (*asked.notes, *([note] if texts else ()))


def _write(asked: Asked, file: IO[bytes], as_text: frozenset[int]) -> tuple[int, list[str]]:
    parts = asked.parts(rows=_ROWS_PER_GROUP, as_text=as_text)
    first = next(parts)
    names = distinct_names(first.names)  # in Parquet a name is there once
    rows = 0
    with pq.ParquetWriter(file, first.table.rename_columns(names).schema, compression="zstd") as writer:
        for part in parts:
            if odd := frozenset(i for i, column in enumerate(part.table.columns) if any(map(_is_odd, column.chunks))):
                raise _NotInParquet(odd)
            writer.write_table(part.table.rename_columns(names))
            rows += part.table.num_rows
    return rows, names


def _is_odd(array: Any) -> bool:
    kind = array.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _is_odd(array.flatten())
    if pa.types.is_struct(kind):
        return any(map(_is_odd, array.flatten()))
    if pa.types.is_date32(kind):
        return _reaches(array.cast(pa.int32()), _INT32)
    if pa.types.is_timestamp(kind):
        return _reaches(array.cast(pa.int64()), _INT64)
    if pa.types.is_time64(kind):
        return _reaches(array.cast(pa.int64()), MICROSECONDS_PER_DAY)
    return pa.types.is_decimal128(kind) and kind.scale == 0 and _reaches(array, _MOST + 1)


def _reaches(array: Any, limit: int) -> bool:
    found = pc.min_max(array).as_py()
    return found["min"] is not None and max(abs(found["min"]), abs(found["max"])) >= limit
