"""One table with the types of its columns: as one frame, as frames one after another, filtered by SQL."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pgaudit_kit.errors import DamagedDump, UsageError
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_arrow import AS_BYTES, GROUP_BYTES, Batch, BrokenRows, CannotConvert, CopyColumn, CopyParser
from pgaudit_kit.rows.frame_columns import make_frame, needs_object, pandas_column
from pgaudit_kit.rows.pg_types import PgType
from pgaudit_kit.rows.sql_columns import NotNative, SqlColumn
from pgaudit_kit.sql.column_types import types_of
from pgaudit_kit.sql.row_filter import RowFilter

if TYPE_CHECKING:
    from pandas import DataFrame


class OpenRows(Protocol):
    """The rows of one table, to be read once: the columns of its COPY lines, and blocks of whole lines in UTF-8."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields of a line, in their order."""

    @property
    def blocks(self) -> Iterator[bytes]:
        r"""Each of whole lines, ended by \n."""


@dataclass(frozen=True, slots=True)
class TypedTable:
    """The rows of *name*. `open_rows` gives them from the beginning every time; `columns` are those of its COPY lines."""

    name: TableName
    columns: tuple[str, ...]
    types: tuple[PgType, ...]
    resource: str
    open_rows: Callable[[], OpenRows]

    @classmethod
    def of(cls, name: TableName, inventory: Inventory, resource: str, open_rows: Callable[[TableName], OpenRows]) -> TypedTable:
        """Return the table with what *inventory* knows of its columns. Raises RowsNotAvailable, DamagedDump."""
        columns = open_rows(name).columns
        return cls(name, columns, types_of(inventory, name, columns), resource, lambda: open_rows(name))

    def batches(self, columns: Sequence[CopyColumn], *, group_bytes: int = GROUP_BYTES) -> Generator[Batch, None, None]:
        """Yield the rows of *columns*. Raises as `groups`."""
        with closing(self.groups(columns, group_bytes=group_bytes)) as groups:
            for _, batch in groups:
                yield batch

    def groups(self, columns: Sequence[CopyColumn], *, group_bytes: int = GROUP_BYTES) -> Generator[tuple[bytes, Batch], None, None]:
        """Yield COPY lines, some at a time, with their rows of *columns*.

        Raises CannotConvert after it raised the level of the columns that ask for it, DamagedDump.
        """
        stored = self.open_rows()
        try:
            yield from CopyParser(len(stored.columns), columns).groups(stored.blocks, group_bytes=group_bytes)
        except CannotConvert as cause:
            if not cause.columns or any(columns[i].level == AS_BYTES for i in cause.columns):
                raise self.damaged("its rows are no COPY text") from cause
            for index in cause.columns:
                columns[index].level += 1
            raise
        except BrokenRows as error:
            raise self.damaged(str(error)) from error
        finally:
            if isinstance(stored.blocks, Generator):  # a live server goes on sending until it is told to stop
                stored.blocks.close()

    def survey(self, numerics: Sequence[SqlColumn]) -> None:
        """Read *numerics* to count their digits, without which DuckDB has no exact type for them."""
        while numerics:
            try:
                for batch in self.batches([column.copy for column in numerics]):
                    for column, array in zip(numerics, batch.columns, strict=True):
                        column.survey(array)
            except CannotConvert:
                continue
            return

    def damaged(self, what: str) -> DamagedDump:
        """The error of rows that are none."""
        remedy = "Take these rows from another dump; the other tables of this one can still be read."
        return DamagedDump(f"{self.name} is damaged: {what}", resource=self.resource, remedy=remedy, table=str(self.name))

    def frame(self, columns: Sequence[str] | None, where: str | None, *, limit: int | None, parse_json: bool) -> DataFrame:
        """All rows, or the first *limit* ones, as a frame; see `Dump.read_table`."""
        if limit is not None and limit < 0:
            raise UsageError(f"limit is {limit}", resource=self.resource, remedy="Give the number of rows to read, 0 or more.")
        reading = _Reading(self, self._checked(columns), where)
        while True:
            try:
                taken = list(reading.rows(limit))
                return reading.make(taken, parse_json=parse_json)
            except (CannotConvert, NotNative):  # it is noted which columns must be read otherwise
                continue

    def frames(self, columns: Sequence[str] | None, where: str | None, *, batch_rows: int, parse_json: bool) -> Iterator[DataFrame]:
        """The rows as frames of *batch_rows* rows; see `Dump.iter_rows`. What the dtypes must hold is found out by reading once before."""
        if batch_rows < 1:
            raise UsageError(f"batch_rows is {batch_rows}", resource=self.resource, remedy="Give the number of rows per frame, 1 or more.")
        reading = _Reading(self, self._checked(columns), where)
        return reading.frames(batch_rows, parse_json=parse_json)

    def _checked(self, columns: Sequence[str] | None) -> Sequence[str]:
        if isinstance(columns, str):
            raise UsageError(f"columns is the text {columns!r}", resource=self.resource, remedy="Give a list of names.")
        for column in columns or ():
            if column not in self.columns:
                close = difflib.get_close_matches(column, self.columns) or self.columns
                remedy = f"It has {', '.join(close)}." if close else "It has no columns."
                raise UsageError(f"{self.name} has no rows of column {column!r} in this dump", resource=self.resource, remedy=remedy)
        return self.columns if columns is None else list(columns)

    def copy_column(self, name: str) -> CopyColumn:
        """Return the column of that name, to be read."""
        position = self.columns.index(name)
        return CopyColumn(position, self.types[position])


class _Reading:
    """One read of some columns of a table, filtered, until its levels are settled."""

    def __init__(self, table: TypedTable, names: Sequence[str], where: str | None) -> None:
        self._table = table
        self._names = names
        self._filter = RowFilter(where, table.columns, table.name.name, table.resource) if where is not None else None
        read = list(dict.fromkeys([*names, *(self._filter.columns if self._filter else ())]))
        self._columns = [table.copy_column(name) for name in read]
        self._positions = [read.index(name) for name in names]
        if self._filter:
            self._filter.bind(dict(zip(read, self._columns, strict=True)))
            table.survey(self._filter.numerics)

    def rows(self, limit: int | None = None) -> Iterator[Batch]:
        """Yield the rows that pass the filter. Raises CannotConvert, NotNative: then read again."""
        left = limit
        if left == 0:
            return
        for batch in self._table.batches(self._columns, group_bytes=GROUP_BYTES if limit is None else 1):
            kept = batch.take(self._filter.keep(batch)) if self._filter else batch
            if left is not None:
                kept = kept.slice(0, left)
                left -= kept.rows
            yield kept
            if left == 0:
                return

    def make(self, taken: Sequence[Batch], *, parse_json: bool, start: int = 0, mixed: frozenset[int] = frozenset()) -> DataFrame:
        """Return the frame of *taken*; *mixed*: the columns whose dtype must hold what others of the same table have."""
        columns = [
            pandas_column(self._columns[i], [batch.columns[i] for batch in taken], parse_json=parse_json, as_object=i in mixed)
            for i in self._positions
        ]
        return make_frame(self._names, columns, rows=sum(batch.rows for batch in taken), start=start)

    def frames(self, batch_rows: int, *, parse_json: bool) -> Iterator[DataFrame]:
        """Yield the frames, at least one."""
        mixed = self._settle()
        held: list[Batch] = []
        size = start = 0
        for batch in self.rows():
            at = 0
            while size + batch.rows - at >= batch_rows:
                cut = at + batch_rows - size
                yield self.make([*held, batch.slice(at, cut)], parse_json=parse_json, start=start, mixed=mixed)
                held, size, at, start = [], 0, cut, start + batch_rows
            if at < batch.rows:
                held.append(batch.slice(at))
                size += batch.rows - at
        if size or not start:
            yield self.make(held, parse_json=parse_json, start=start, mixed=mixed)

    def _settle(self) -> frozenset[int]:
        """Read everything once, until nothing raises; return the columns with values that their dtype cannot hold."""
        while True:
            mixed: set[int] = set()
            try:
                for batch in self.rows():
                    mixed |= {i for i in set(self._positions) - mixed if needs_object(self._columns[i], batch.columns[i])}
            except (CannotConvert, NotNative):
                continue
            return frozenset(mixed)
