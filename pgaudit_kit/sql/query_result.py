"""What a query answers: exact values, as Arrow, as Python values, as a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgaudit_kit.rows.frame_columns import chunk_values, from_arrow, make_frame, object_array
from pgaudit_kit.rows.interval import read_interval

if TYPE_CHECKING:
    from pandas import DataFrame

_INTERVAL, _HUGEINT = "interval", "HUGEINT"
# Results that Arrow carries exactly. All other types (bit strings, times with zone, numbers above 38 digits, unions …) are made text.
_EXACT = {"boolean", "tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint", "hugeint"}
_EXACT |= {"float", "double", "decimal", "varchar", "blob", "uuid", "enum"}
_EXACT |= {"date", "time", "timestamp", "timestamp_us", "timestamp_tz", "timestamp with time zone", "null", "sqlnull", '"null"'}
_NESTED = {"list", "array", "struct"}


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The result of a query. `types` are DuckDB's names of them; `table` is a pyarrow.Table, in which intervals are text.

    `notes`: sentences on what is otherwise than the types of the source let expect.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    table: Any
    notes: tuple[str, ...] = ()

    def frame(self) -> DataFrame:
        """The result as a frame; dtypes as in `rows.frame_columns`, DATE as `date` and so on, LIST and STRUCT as object."""
        columns = [
            object_array(self._values(i)) if self.types[i].lower() == _INTERVAL else from_arrow(self.table.column(i))
            for i in range(len(self.names))
        ]
        return make_frame(self.names, columns, rows=self.table.num_rows)

    def rows(self) -> list[tuple[Any, ...]]:
        """The result as Python values, None for NULL."""
        return list(zip(*(self._values(i) for i in range(len(self.names))), strict=True))

    def _values(self, index: int) -> list[Any]:
        values = chunk_values(self.table.column(index))
        if self.types[index] == _HUGEINT:  # an integer that Arrow carries as a decimal
            return [None if value is None else int(value) for value in values]
        if self.types[index].lower() != _INTERVAL:
            return values
        return [None if value is None else read_interval(value) or value for value in values]


def is_exact(kind: Any) -> bool:
    """Whether Arrow carries values of *kind*, a type of DuckDB, exactly."""
    if kind.id in _NESTED:
        return all(is_exact(child) for _, child in kind.children if not isinstance(child, int))
    return kind.id in _EXACT
