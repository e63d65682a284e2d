"""`pgaudit query`: SQL over the rows of dumps and live databases."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgaudit_kit.cli.encodings import print_in_utf8
from pgaudit_kit.cli.output import SHOWN, Json, print_json, print_table, say, visible
from pgaudit_kit.cli.values import csv_line, plain, text_of
from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.units import many

if TYPE_CHECKING:
    from pgaudit_kit.sql.query_result import QueryResult

# as DuckDB takes it; what looks so and is there is a file
_NAMED = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<source>.+)\Z", re.DOTALL)
_WIDEST_TYPE = 24  # as long as TIMESTAMP WITH TIME ZONE
_NUMBERS = ("INT", "DECIMAL", "FLOAT", "DOUBLE")


def query(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE… SQL",
            help="A dump or a live database, or several as NAME=SOURCE; last, one SELECT in DuckDB's SQL, which is close to PostgreSQL's.",
        ),
    ],
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a line of names: NULL is empty, an empty text is quoted.")] = False,
    parquet: Annotated[Path | None, typer.Option("--parquet", metavar="FILE", help="Write a Parquet file with types.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="The file may be there already.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=0, help="The first rows of the result only.")] = None,
) -> None:
    r"""Ask dumps and live databases with SQL.

    A source is a dump, as for `pgaudit inspect`, or postgresql://…, env:NAME, dotenv:PATH[#KEY], service:NAME. Several get names, and their
    tables are name.schema.table, or name.table for those of schema public.

    Only the tables that the query names are read. Columns with a value that DuckDB's type cannot hold are text; a note names them.
    --json prints {"columns": [{"name", "type"}], "rows": [[…]]}, types as DuckDB calls them. Integers are numbers, and so are floats,
    but for "NaN" and "Infinity"; decimals are strings with all their digits, times ISO 8601, bytes as \x and hexadecimal digits.

    Example: pgaudit query backups/app.dump "SELECT count(*) FROM users"

    Example: pgaudit query dump=app.dump live=env:DATABASE_URL "SELECT id FROM dump.users EXCEPT SELECT id FROM live.users"
    """
    sources, sql = _read_words(words)
    if (json and csv) or (parquet and csv):
        raise UsageError("--json, --csv and --parquet are formats", remedy="Ask for one of them.")
    if overwrite and not parquet:
        raise UsageError("--overwrite is about the file of --parquet", remedy="Add --parquet FILE.")
    if parquet:
        _save(sources, sql, parquet, limit=limit, overwrite=overwrite, json=json)
        return
    from pgaudit_kit.audits.query import open_query

    with open_query(sources, sql, limit=limit, progress=False if csv or json else None) as asked:
        for note in asked.notes:
            _print_note(note)
        if json:
            _print_json(asked.whole())
            return
        with closing(asked.parts()) as parts:  # it ends the query when the reader leaves
            (_print_csv if csv else _print_table)(parts)


def _read_words(words: Sequence[str]) -> tuple[dict[str, str], str]:
    """The sources by name, and the SQL."""
    from pgaudit_kit.sql.named_sources import UNNAMED

    *given, sql = words
    if not given:
        raise UsageError("a source and SQL are needed", remedy='As in: pgaudit query app.dump "SELECT count(*) FROM users".')
    if len(given) == 1 and (not _NAMED.match(given[0]) or Path(given[0]).exists()):
        return {UNNAMED: given[0]}, sql
    sources: dict[str, str] = {}
    for word in given:
        named = _NAMED.match(word)
        if not named:
            remedy = 'Write NAME=SOURCE for each of several sources, and the SQL in quotes: dump=FILE live=TARGET "SELECT …".'
            raise UsageError(f"{visible(word)!r} is no NAME=SOURCE", remedy=remedy)
        if named["name"] in sources:
            raise UsageError(f"two sources are called {named['name']}", remedy="Choose another name.")
        sources[named["name"]] = named["source"]
    return sources, sql


def _save(sources: Mapping[str, str], sql: str, path: Path, *, limit: int | None, overwrite: bool, json: bool) -> None:
    from pgaudit_kit.operations.extracts.save_query import save_query

    saved = save_query(sources, sql, path, limit=limit, overwrite=overwrite, progress=False if json else None)
    for note in saved.notes:
        _print_note(note)
    if json:
        print_json({"path": str(saved.path), "rows": saved.rows})
    else:
        say(visible(f"{saved.path}: {many(saved.rows, 'row')}"))


def _print_json(result: QueryResult) -> None:
    columns = [{"name": name, "type": kind} for name, kind in zip(result.names, result.types, strict=True)]
    print_json({"columns": columns, "rows": [[plain(value) for value in row] for row in result.rows()]})


def _print_note(note: str) -> None:
    print(visible(f"note: {note}"), file=sys.stderr)


def _print_csv(parts: Iterator[QueryResult]) -> None:
    first = next(parts)
    print_in_utf8()
    print(csv_line(first.names))
    for part in parts:
        for row in part.rows():
            print(csv_line(None if value is None else text_of(value) for value in row))


def _print_table(parts: Iterator[QueryResult]) -> None:
    """NULL, an empty text and the word NULL must not look the same."""
    first = next(parts)
    rows: list[list[str]] = []
    total = 0
    for part in parts:
        total += part.table.num_rows
        rows += [
            ["NULL" if value is None else "''" if value == "" else f"'{value}'" if value == "NULL" else text_of(value) for value in row]
            for row in (part.rows() if len(rows) <= SHOWN else ())
        ]
    numbers = [name for name, kind in zip(first.names, first.types, strict=True) if any(word in kind for word in _NUMBERS)]
    heads = [f"{name}\n{_short(kind)}" for name, kind in zip(first.names, first.types, strict=True)]
    print_table("", heads, rows, right=[head for head, name in zip(heads, first.names, strict=True) if name in numbers], total=total)
    if total <= SHOWN:
        print(many(total, "row"))


def _short(kind: str) -> str:
    """A type in the head of a table, where there is no room for the labels of an enum."""
    return kind if len(kind) <= _WIDEST_TYPE else f"{kind.partition('(')[0]}(…)"
