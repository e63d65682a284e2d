"""SQL over what a person names, several things at once: `pk.query`, `pgaudit query`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from pgaudit_kit.audits.sources import open_source
from pgaudit_kit.difference.sessions import TIME_ZONE, LiveSession, align_sessions
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.sql.part_of_source import PartOfSource
from pgaudit_kit.sql.query import Asked, ask
from pgaudit_kit.sql.row_source import RowSource

if TYPE_CHECKING:
    from pandas import DataFrame


def query(sql: str, *, limit: int | None = None, progress: bool | None = None, **sources: Any) -> DataFrame:
    """Return the result of one SELECT, in DuckDB's SQL, over the tables of *sources*, each under the name that it is given by.

        pk.query(
            "SELECT d.* FROM dump.public.users d LEFT JOIN live.public.users l USING (id) WHERE l.id IS NULL",
            dump="backups/app.dump",
            live="env:DATABASE_URL",
        )

    A source is all that `diff` takes: a dump, its path or URL, a target, a Snapshot. Its tables are `dump.public.users`, or `dump.users`
    for that of schema public; of a single source `users` will do. Only the tables that *sql* names are read: those of a live database in
    one READ ONLY snapshot, with the settings that the dump was printed with, so that equal values are equal. *limit*: the first rows of the
    result. *progress*: a bar on standard error; None: on a terminal and in a notebook. Warns (UserWarning) of columns that are text because
    DuckDB's type cannot hold one of their values. Raises UsageError (SQL that cannot be run, a table that is not there),
    RowsNotAvailable, DamagedDump, and the errors of read_dump and snapshot.
    """
    with open_query(sources, sql, limit=limit, progress=progress) as asked:
        result = asked.whole()
    for note in result.notes:
        warnings.warn(note, stacklevel=2)
    return result.frame()


@contextmanager
def open_query(given: Mapping[str, Any], sql: str, *, limit: int | None = None, progress: bool | None = None) -> Iterator[Asked]:
    """Give the question that *sql* asks of *given*, sources by name; see `query` and `sql.query.ask`. What was opened for it is closed."""
    with ExitStack() as opened:
        sources = {name: opened.enter_context(open_source(source)) for name, source in given.items()}
        rows = {name: RowSource.of(source) for name, source in sources.items()}

        def prepare(used: Mapping[str, Sequence[TableName]]) -> list[str]:
            return _align(sources, {name: PartOfSource(rows[name], names) for name, names in used.items() if names})

        yield opened.enter_context(ask(rows, sql, limit=limit, progress=progress, prepare=prepare))


def _align(sources: Mapping[str, Source], used: Mapping[str, PartOfSource]) -> list[str]:
    """Let live sources print what stays text, ranges of timestamps and arrays of bytea, as the others do; return notes where none can."""
    lives = [(name, sources[name]) for name in used if isinstance(sources[name], LiveSession)]
    files = [part for name, part in used.items() if not isinstance(sources[name], LiveSession)]
    if files:
        unlike = {table: live for _, live in lives for table in align_sessions(files[0], live).doubtful.get(TIME_ZONE, ())}
        return [
            f"No time zone of {live.label} prints timestamps of {table} as {files[0].label} does: ranges of them, which are text, differ."
            for table, live in unlike.items()
            if files[0].has_ranges(table)
        ]
    for _, live in lives[1:]:
        align_sessions(lives[0][1], live)
    return []
