"""`pgaudit query`: SQL over the rows of a dump."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from functools import singledispatch
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgaudit_kit.cli.output import SHOWN, Json, print_json, print_table, visible
from pgaudit_kit.errors import UsageError

if TYPE_CHECKING:
    from pgaudit_kit.sql.query_result import QueryResult

_NEEDS_QUOTES = frozenset(',"\r\n')
_NUMBERS = ("INT", "DECIMAL", "FLOAT", "DOUBLE")


def query(
    dump: Annotated[
        str,
        typer.Argument(metavar="DUMP", help="A dump, as for `pgaudit inspect`; one database of a script of pg_dumpall is FILE#DATABASE."),
    ],
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT, in DuckDB's SQL, which is close to PostgreSQL's.")],
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a line of names: NULL is empty, an empty text is quoted.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=0, help="The first rows of the result only.")] = None,
) -> None:
    r"""Ask a dump with SQL.

    Only the tables that the query names are read. Columns with a value that DuckDB's type cannot hold are text; a note names them.
    --json prints {"columns": [{"name", "type"}], "rows": [[…]]}, types as DuckDB calls them. Integers are numbers, and so are floats,
    but for "NaN" and "Infinity"; decimals are strings with all their digits, times ISO 8601, bytes as \x and hexadecimal digits.

    Example: pgaudit query backups/app.dump "SELECT count(*) FROM users"
    """
    from pgaudit_kit.audits.sources import open_dump
    from pgaudit_kit.sql.named_sources import UNNAMED
    from pgaudit_kit.sql.query import run_query, stream_query

    if json and csv:
        raise UsageError("--json and --csv are two formats", remedy="Ask for one of them.")
    if not json:
        parts = stream_query({UNNAMED: open_dump(dump).row_source}, sql, limit=limit, progress=False if csv else None)
        with closing(parts):  # its temporary files go also when the reader leaves
            (_print_csv if csv else _print_table)(parts)
        return
    result = run_query({UNNAMED: open_dump(dump).row_source}, sql, limit=limit, progress=False)
    _print_notes(result)
    columns = [{"name": name, "type": kind} for name, kind in zip(result.names, result.types, strict=True)]
    print_json({"columns": columns, "rows": [[plain(value) for value in row] for row in result.rows()]})


@singledispatch
def plain(value: Any) -> Any:
    """Return *value* as JSON can say it exactly; None, booleans, integers and text as they are."""
    return value if value is None or isinstance(value, bool | int | str) else str(value)


@plain.register
def _(value: float) -> float | str:
    return value if math.isfinite(value) else "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"


@plain.register
def _(value: bytes) -> str:
    return f"\\x{value.hex()}"


@plain.register
def _(value: Decimal) -> str:
    return f"{value:f}"


@plain.register
def _(value: datetime) -> str:
    return value.isoformat(sep=" ").removesuffix(":00") if value.tzinfo else value.isoformat(sep=" ")  # all are UTC: +00


@plain.register
def _(value: list) -> list[Any]:  # type: ignore[type-arg]  # what is registered must be a class
    return [plain(item) for item in value]


@plain.register
def _(value: dict) -> dict[str, Any]:  # type: ignore[type-arg]  # the same
    return {str(name): plain(item) for name, item in value.items()}


def _text(value: Any) -> str:
    """A value that is not NULL, for a cell: nested ones as JSON."""
    import json

    said = plain(value)
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)


def _print_notes(result: QueryResult) -> None:
    for note in result.notes:
        print(visible(f"note: {note}"), file=sys.stderr)


def _print_csv(parts: Iterator[QueryResult]) -> None:
    first = next(parts)
    _print_notes(first)
    print(_csv_line(first.names))
    for part in parts:
        for row in part.rows():
            print(_csv_line(None if value is None else _text(value) for value in row))


def _csv_line(cells: Iterable[str | None]) -> str:
    return ",".join("" if cell is None else _quoted(cell) for cell in cells)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if not cell or _NEEDS_QUOTES & set(cell) else cell


def _print_table(parts: Iterator[QueryResult]) -> None:
    """NULL, an empty text and the word NULL must not look the same."""
    first = next(parts)
    _print_notes(first)
    rows: list[list[str]] = []
    total = 0
    for part in parts:
        total += part.table.num_rows
        rows += [
            ["NULL" if value is None else "''" if value == "" else f"'{value}'" if value == "NULL" else _text(value) for value in row]
            for row in (part.rows() if len(rows) <= SHOWN else ())
        ]
    numbers = [name for name, kind in zip(first.names, first.types, strict=True) if any(word in kind for word in _NUMBERS)]
    print_table("", first.names, rows, right=numbers, total=total)
    if total <= SHOWN:
        print(f"{total:,} row{'' if total == 1 else 's'}")
