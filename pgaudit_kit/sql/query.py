"""SQL over the rows of sources: DuckDB runs one SELECT on the tables that it names.

Those tables are read from their source, of their columns those that the SQL can mean, typed as `rows.sql_columns` says, into databases in a
folder for temporary files, which is removed at the end, also after Ctrl-C. Neither rows nor intermediate results are bound by memory: they
spill to that folder.

One source without a name has its tables as `users` or `public.users`. Sources with names are catalogs: `dump.public.users`, or
`dump.users`; when there is only one, its name may be left out. Unqualified tables are those of schema public, or of the one other schema
that has them. Names are DuckDB's: upper and lower case are the same. Where a source has names that differ in nothing else (tables "Users"
and users, columns "Id" and id), each gets a number behind it (Users_1, users_2), so that no name can mean two things. A partitioned table
has the rows of all its partitions, a parent of inheritance those of its children, as in PostgreSQL; generated columns are not there. SQL
can reach nothing but these tables: no file, no network, no setting.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_arrow import pa
from pgaudit_kit.rows.sql_columns import quote_name, quote_text
from pgaudit_kit.sql.duckdb_errors import duckdb_sql
from pgaudit_kit.sql.loading import Load, load_all
from pgaudit_kit.sql.named_sources import UNNAMED, NamedSources, UsedTable
from pgaudit_kit.sql.query_result import QueryResult, is_exact
from pgaudit_kit.sql.query_tables import PUBLIC
from pgaudit_kit.sql.row_filter import harden
from pgaudit_kit.sql.row_source import RowSource
from pgaudit_kit.sql.statement import read_statement

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_LIMIT = "1GB"
ROWS_PER_PART = 10_000
_T = TypeVar("_T")
_PATIENCE_SECONDS = 0.5  # Windows notices Ctrl-C only between two waits
_DEFAULT_SCHEMA = "main"  # of every catalog of DuckDB

Prepare = Callable[[Mapping[str, Sequence[TableName]]], Sequence[str]]


def run_query(sources: Mapping[str, RowSource], sql: str, *, limit: int | None = None, progress: bool | None = None) -> QueryResult:
    """Return the whole result of *sql*; see `ask`."""
    with ask(sources, sql, limit=limit, progress=progress) as asked:
        return asked.whole()


@contextmanager
def ask(
    given: Mapping[str, RowSource], sql: str, *, limit: int | None = None, progress: bool | None = None, prepare: Prepare | None = None
) -> Iterator[Asked]:
    """Give the question that *sql* asks of *given* sources, by name, when the rows that it is about are in DuckDB.

    A single source may be called UNNAMED. *limit*: the first rows of the result. *progress*: a bar (display.progress). *prepare* is called
    with the tables that *sql* names, by source, before any is read, and returns notes. Raises UsageError, RowsNotAvailable, DamagedDump,
    QueryFailed.
    """
    sources = NamedSources(given)
    if limit is not None and limit < 0:
        raise UsageError(f"limit is {limit}", resource=sources.label, remedy="Give the number of rows of the result, 0 or more.")
    with _database(sources) as connection:
        statement = read_statement(sql, connection, sources.label)
        used = sources.used_by(statement)
        notes = list(prepare({name: [u.table.name for u in used if u.source == name] for name in sources})) if prepare else []
        loads = [_load(connection, sources, u, statement.columns) for u in {(u.source, u.table): u for u in used}.values()]
        with duckdb_sql(sources.label):
            load_all(loads, progress=progress)
        _let_bare_names_be_found(connection, sources, used)
        harden(connection)
        notes += [load.note for load in loads if load.note]
        hints = (load.hint for load in loads if load.hint)
        remedy = " ".join(["It is DuckDB's SQL, which is close to PostgreSQL's.", *hints, *notes])
        with duckdb_sql(sources.label, remedy):
            yield Asked(connection, sql, limit, tuple(notes))


@contextmanager
def _database(sources: NamedSources) -> Iterator[DuckDBPyConnection]:
    """An empty database on disk, with one more for each source that has a name; gone afterwards. It spills to its own folder."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="pgaudit-query-", ignore_cleanup_errors=True) as folder:
        connection = duckdb.connect(str(Path(folder) / f"{UNNAMED}.duckdb"))
        try:
            for name, value in {
                "memory_limit": MEMORY_LIMIT,
                "temp_directory": folder,
                "TimeZone": "UTC",
            }.items():
                connection.execute(f"SET {name} = {quote_text(value)}")
            _without_bar(connection)
            for number, name in enumerate(sources):
                if name != UNNAMED:
                    connection.execute(f"ATTACH {quote_text(str(Path(folder) / f'{number}.duckdb'))} AS {quote_name(name)}")
            yield connection
        finally:
            connection.close()


def _without_bar(connection: DuckDBPyConnection) -> None:
    """In a notebook without ipywidgets DuckDB has no bar, and refuses to be told so."""
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() != (False,):
        connection.execute("SET enable_progress_bar = false")


def _load(connection: DuckDBPyConnection, sources: NamedSources, used: UsedTable, columns: frozenset[str] | None) -> Load:
    table = used.table
    label = str(table.name) if used.source == UNNAMED else f"{used.source}.{table.name}"
    place = (used.source, table.sql_schema, table.sql_name)
    return Load(connection, sources.sources[used.source].table(table.name), place, label, columns)


def _let_bare_names_be_found(connection: DuckDBPyConnection, sources: NamedSources, used: Sequence[UsedTable]) -> None:
    """Let DuckDB find `users`, and `dump.users`, which it takes for a table of the schema main in the catalog dump."""
    bare = [u for u in used if u.bare]
    if list(sources) != [UNNAMED]:
        with duckdb_sql(sources.label, "Name the schemas of the tables too: dump.public.users."):
            for u in bare:
                if u.table.sql_schema != _DEFAULT_SCHEMA:
                    view = f"{quote_name(u.source)}.{_DEFAULT_SCHEMA}.{quote_name(u.table.sql_name)}"
                    table = ".".join(map(quote_name, (u.source, u.table.sql_schema, u.table.sql_name)))
                    connection.execute(f"CREATE VIEW {view} AS FROM {table}")
    if len(sources.sources) == 1:
        (source,) = sources
        schemas = sorted({u.table.sql_schema for u in bare} | {_DEFAULT_SCHEMA}, key=lambda schema: schema != PUBLIC)
        connection.execute("SET search_path = ?", [",".join(f"{quote_name(source)}.{quote_name(schema)}" for schema in schemas)])


def _interruptible(connection: DuckDBPyConnection, run: Callable[[], _T]) -> _T:
    """Return what *run* does in a thread of its own: in the main one, DuckDB may take minutes to notice Ctrl-C."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        running = pool.submit(run)
        try:
            while not wait([running], timeout=_PATIENCE_SECONDS).done:
                pass
        except BaseException:  # Ctrl-C too: leaving the pool waits for the query, which may take minutes
            connection.interrupt()
            raise
        return running.result()


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement over tables that are there. `notes`: what is otherwise than the types of the sources let expect."""

    connection: DuckDBPyConnection
    sql: str
    limit: int | None
    notes: tuple[str, ...]

    def whole(self) -> QueryResult:
        """The result at once."""

        def run() -> QueryResult:
            relation, types = self._relation(frozenset())
            table = relation.to_arrow_table()
            return QueryResult(tuple(table.column_names), types, table, self.notes)

        return _interruptible(self.connection, run)

    def parts(self, *, rows: int = ROWS_PER_PART, as_text: frozenset[int] = frozenset()) -> Generator[QueryResult, None, None]:
        """The result as DuckDB makes it, *rows* at a time: memory does not grow with it. The first part is empty, with its columns.

        *as_text*: the columns (indexes) that are to be text.
        """

        def start() -> tuple[Any, tuple[str, ...]]:
            relation, types = self._relation(as_text)
            read = relation.to_arrow_reader if hasattr(relation, "to_arrow_reader") else relation.fetch_arrow_reader  # its name until 1.5
            return read(rows), types

        reader, types = _interruptible(self.connection, start)
        names = tuple(reader.schema.names)
        yield QueryResult(names, types, reader.schema.empty_table(), self.notes)
        while (batch := _interruptible(self.connection, lambda: next(reader, None))) is not None:
            yield QueryResult(names, types, pa.Table.from_batches([batch]), self.notes)

    def _relation(self, as_text: frozenset[int]) -> tuple[Any, tuple[str, ...]]:
        relation = self.connection.sql(self.sql)
        if self.limit is not None:
            relation = relation.limit(self.limit)
        types = tuple(str(kind) for kind in relation.types)
        exact = [is_exact(kind) and index not in as_text for index, kind in enumerate(relation.types)]
        if not all(exact):
            names = [quote_name(name) for name in relation.columns]
            relation = relation.project(
                ", ".join(f"#{i}" if kept else f"CAST(#{i} AS VARCHAR) AS {names[i - 1]}" for i, kept in enumerate(exact, start=1))
            )
        return relation, types
