"""SQL over a dump: DuckDB runs one SELECT on the tables that it names.

Those tables are read from the dump, typed as `rows.sql_columns` says, into a database in a folder for temporary files, which is removed
at the end, also after Ctrl-C. Neither rows nor intermediate results are bound by memory: they spill to that folder. Names are DuckDB's:
upper and lower case are the same. Where a dump has names that differ in nothing else (tables "Users" and users, columns "Id" and id),
each gets a number behind it (Users_1, users_2), so that no name can mean two things. Unqualified tables are those of schema public, or of
the one other schema that has them. A partitioned table has the rows of all its partitions, a parent of inheritance those of its
children, as in PostgreSQL; generated columns are in no dump. SQL can reach nothing but these tables: no file, no network, no setting.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pgaudit_kit.dumps.query.column_types import types_of
from pgaudit_kit.dumps.query.duckdb_errors import duckdb_sql
from pgaudit_kit.dumps.query.progress import Progress
from pgaudit_kit.dumps.query.query_tables import QueryTable, QueryTables
from pgaudit_kit.dumps.query.row_filter import harden
from pgaudit_kit.dumps.query.typed_table import TypedTable
from pgaudit_kit.dumps.table_columns import columns_of
from pgaudit_kit.errors import RowsNotAvailable, UsageError
from pgaudit_kit.rows.copy_arrow import Batch, CannotConvert, CopyColumn, pa
from pgaudit_kit.rows.frame_columns import chunk_values, from_arrow, make_frame, object_array
from pgaudit_kit.rows.interval import read_interval
from pgaudit_kit.rows.sql_columns import NotNative, SqlColumn, as_text, distinct_names, quote_name, quote_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pandas import DataFrame

    from pgaudit_kit.dumps.dump import Dump

MEMORY_LIMIT = "1GB"
_ROWS_PER_PART = 10_000
_T = TypeVar("_T")
_PATIENCE_SECONDS = 0.5  # Windows notices Ctrl-C only between two waits
_DATABASE = "rows of a dump"  # no schema should have this name, for DuckDB would not know which one is meant
_BATCH = "batch of pgaudit"
_INTERVAL, _HUGEINT = "interval", "HUGEINT"
# Results that Arrow carries exactly. All other types (bit strings, times with zone, numbers above 38 digits, unions …) are made text.
_EXACT = {"boolean", "tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint", "hugeint"}
_EXACT |= {"float", "double", "decimal", "varchar", "blob", "uuid", "enum"}
_EXACT |= {"date", "time", "timestamp", "timestamp_us", "timestamp_tz", "timestamp with time zone", "null", "sqlnull", '"null"'}
_NESTED = {"list", "array", "struct"}


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The result of a query. `types` are DuckDB's names of them; `table` is a pyarrow.Table, in which intervals are text.

    `notes`: sentences on what is otherwise than the types of the dump let expect.
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


def run_query(dump: Dump, sql: str, *, limit: int | None = None, progress: bool | None = None) -> QueryResult:
    """Run *sql* over *dump*; see `Dump.query`. Raises UsageError, RowsNotAvailable, DamagedDump."""
    with _asked(dump, sql, limit=limit, progress=progress) as asked:
        return asked.whole()


def stream_query(dump: Dump, sql: str, *, limit: int | None = None, progress: bool | None = None) -> Generator[QueryResult, None, None]:
    """Run *sql* over *dump* as `run_query` does, and yield the result in parts, at least one: memory does not grow with it."""
    with _asked(dump, sql, limit=limit, progress=progress) as asked:
        yield from asked.parts()


@contextmanager
def _asked(dump: Dump, sql: str, *, limit: int | None, progress: bool | None) -> Iterator[_Asked]:
    """The question, when the rows that it is about are in DuckDB."""
    if limit is not None and limit < 0:
        raise UsageError(f"limit is {limit}", resource=dump.label, remedy="Give the number of rows of the result, 0 or more.")
    with _database() as connection:
        tables, path = QueryTables(dump.inventory, dump.table_names, dump.label).used_by(sql, connection)
        loaded = [_Load(connection, dump, table) for table in tables]
        with duckdb_sql(dump.label):
            for load in loaded:
                load.run(progress=progress)
        found = [quote_name(schema) for schema in path if schema in {table.sql_schema for table in tables}]
        if found:
            connection.execute("SET search_path = ?", [",".join(found)])
        harden(connection)
        notes = tuple(load.note for load in loaded if load.note)
        hints = (load.hint for load in loaded if load.hint)
        remedy = " ".join(["It is DuckDB's SQL, which is close to PostgreSQL's.", *hints, *notes])
        with duckdb_sql(dump.label, remedy):
            yield _Asked(connection, sql, limit, notes)


@contextmanager
def _database() -> Iterator[DuckDBPyConnection]:
    """An empty database on disk, which is gone afterwards. It spills to its own folder."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="pgaudit-query-", ignore_cleanup_errors=True) as folder:
        connection = duckdb.connect(str(Path(folder) / f"{_DATABASE}.duckdb"))
        try:
            for name, value in {
                "memory_limit": MEMORY_LIMIT,
                "temp_directory": folder,
                "TimeZone": "UTC",
                "enable_progress_bar": "false",
            }.items():
                connection.execute(f"SET {name} = {quote_text(value)}")
            yield connection
        finally:
            connection.close()


class _Load:
    """One table on its way into DuckDB. `hint` says what its columns are called that differ only in case; "" when there are none."""

    def __init__(self, connection: DuckDBPyConnection, dump: Dump, table: QueryTable) -> None:
        self._connection = connection
        self._table = table
        self._members = [dump.typed_table(name) for name in table.members]
        columns: tuple[str, ...] | None = self._members[0].columns
        if table.members != (table.name,):
            columns = columns_of(dump.inventory, table.name, generated=False)
        self._names = columns or ()
        self._check(dump)
        names = distinct_names(self._names)
        types = types_of(dump.inventory, table.name, self._names)
        self._columns = [SqlColumn(CopyColumn(0, pg_type), name) for pg_type, name in zip(types, names, strict=True)]
        renamed = [f"{quote_name(name)} is {new}" for name, new in zip(self._names, names, strict=True) if name != new]
        self.hint = f"Of {table.name}, {', '.join(renamed)}." if renamed else ""

    @property
    def note(self) -> str:
        """Which columns are text because of a value, and what that means; "" when there are none."""
        texts = ", ".join(quote_name(column.name) for column in self._columns if not column.native)
        why = "a value is none that DuckDB's type can hold (NaN, too many digits, a list of lists …)"
        return f"In {self._table.name}, {why}, so these columns are text here, and sort and compare as text: {texts}." if texts else ""

    def run(self, *, progress: bool | None) -> None:
        """Read the rows into DuckDB."""
        numerics = [column for column in self._columns if column.copy.type.kind == "numeric"]
        for member in self._placed() if numerics else ():
            member.survey(numerics)
        place = f"{quote_name(self._table.sql_schema)}.{quote_name(self._table.sql_name)}"
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote_name(self._table.sql_schema)}")
        while True:
            columns = ", ".join(f"{quote_name(column.name)} {column.type}" for column in self._columns)
            self._connection.execute(f"CREATE OR REPLACE TABLE {place} ({columns})")
            try:
                with Progress(str(self._table.name), wanted=progress) as bar:
                    for member in self._placed():
                        for batch in member.batches([column.copy for column in self._columns]):
                            self._insert(place, batch)
                            bar.add(batch.rows)
            except (CannotConvert, NotNative):  # it is noted which columns must be read otherwise
                continue
            return

    def _check(self, dump: Dump) -> None:
        for member in self._members:
            if missing := [name for name in self._names if name not in member.columns]:
                message = f"the rows of {member.name}, which are rows of {self._table.name}, have no column {missing[0]!r} in this dump"
                raise RowsNotAvailable(message, resource=dump.label, table=str(self._table.name), remedy=f"Query {member.name} itself.")
        if not self._names:
            remedy = "dump.tables has the number of its rows."
            raise UsageError(f"{self._table.name} has no columns, which DuckDB does not allow", resource=dump.label, remedy=remedy)

    def _placed(self) -> Iterator[TypedTable]:
        """The tables to read, one after another, while the columns know where they are in the lines of that table."""
        for member in self._members:
            for column, name in zip(self._columns, self._names, strict=True):
                column.copy.position = member.columns.index(name)
            yield member

    def _insert(self, place: str, batch: Batch) -> None:
        arrays = [column.arrow(array) for column, array in zip(self._columns, batch.columns, strict=True)]
        if refused := [index for index, array in enumerate(arrays) if array is None]:
            for index in refused:
                as_text(self._columns[index])
            raise NotNative(refused)
        self._connection.register(_BATCH, pa.table(arrays, names=[column.name for column in self._columns]))
        expressions = ", ".join(column.expression for column in self._columns)
        self._connection.execute(f"INSERT INTO {place} SELECT {expressions} FROM {quote_name(_BATCH)}")  # noqa: S608  # all names are quoted
        self._connection.unregister(_BATCH)


def _interruptible(connection: DuckDBPyConnection, run: Callable[[], _T]) -> _T:
    """Return what *run* does in a thread of its own: in the main one, DuckDB may take minutes to notice Ctrl-C."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        running = pool.submit(run)
        try:
            while not wait([running], timeout=_PATIENCE_SECONDS).done:
                pass
        except BaseException:
            connection.interrupt()
            raise
        return running.result()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A statement over tables that are there."""

    connection: DuckDBPyConnection
    sql: str
    limit: int | None
    notes: tuple[str, ...]

    def whole(self) -> QueryResult:
        """The result at once."""

        def run() -> QueryResult:
            relation, types = self._relation()
            table = relation.to_arrow_table()
            return QueryResult(tuple(table.column_names), types, table, self.notes)

        return _interruptible(self.connection, run)

    def parts(self) -> Iterator[QueryResult]:
        """The result as DuckDB makes it; the first part is empty, so that its columns are known."""

        def start() -> tuple[Any, tuple[str, ...]]:
            relation, types = self._relation()
            read = relation.to_arrow_reader if hasattr(relation, "to_arrow_reader") else relation.fetch_arrow_reader  # its name until 1.5
            return read(_ROWS_PER_PART), types

        reader, types = _interruptible(self.connection, start)
        names = tuple(reader.schema.names)
        yield QueryResult(names, types, reader.schema.empty_table(), self.notes)
        while (batch := _interruptible(self.connection, lambda: next(reader, None))) is not None:
            yield QueryResult(names, types, pa.Table.from_batches([batch]), self.notes)

    def _relation(self) -> tuple[Any, tuple[str, ...]]:
        relation = self.connection.sql(self.sql)
        if self.limit is not None:
            relation = relation.limit(self.limit)
        types = tuple(str(kind) for kind in relation.types)
        exact = [_is_exact(kind) for kind in relation.types]
        if not all(exact):
            names = [quote_name(name) for name in relation.columns]
            relation = relation.project(
                ", ".join(f"#{i}" if kept else f"CAST(#{i} AS VARCHAR) AS {names[i - 1]}" for i, kept in enumerate(exact, start=1))
            )
        return relation, types


def _is_exact(kind: Any) -> bool:
    if kind.id in _NESTED:
        return all(_is_exact(child) for _, child in kind.children if not isinstance(child, int))
    return kind.id in _EXACT
