"""`pgaudit extract`: one table, or some of its rows, out of a dump."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgaudit_kit.cli.output import Json, print_json, print_verdict, say, visible
from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.units import many

if TYPE_CHECKING:
    from pgaudit_kit.operations.extracts.extract import Extract

_OUT = Path("-")


def extract(
    dump: Annotated[
        str, typer.Argument(metavar="DUMP", help="A dump; one database of a script of pg_dumpall is FILE#DATABASE, - is standard input.")
    ],
    table: Annotated[str, typer.Argument(metavar="TABLE", help='schema.table, or a name that is there once; "Quoted" as in SQL.')],
    where: Annotated[str | None, typer.Option("--where", metavar="SQL", help="Only rows for which this is true, in DuckDB's SQL.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="CSV, as PostgreSQL writes it; - is standard output.")] = None,
    parquet: Annotated[Path | None, typer.Option("--parquet", metavar="FILE", help="A Parquet file with types.")] = None,
    sql: Annotated[Path | None, typer.Option("--sql", metavar="FILE", help="A script for psql; - is standard output.")] = None,
    inserts: Annotated[bool, typer.Option("--inserts", help="INSERT statements in that script, instead of COPY.")] = False,
    into: Annotated[str | None, typer.Option("--into", metavar="TARGET", help="A new table of a live database.")] = None,
    name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="The new table, of --into or --sql. Default with --into: TABLE_from_dump.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="The file may be there already.")] = False,
    json: Json = False,
) -> None:
    """Take one table, or some of its rows, out of a dump.

    Rows are the dump's own text, byte for byte; a partitioned table has those of its partitions. --into makes a new table under a name
    that is free, fills it, reads it back and compares it with the dump, all in one transaction. It has the columns of the dump with their
    types, NOT NULL, identity and defaults but for those of sequences; no keys, checks, indexes or triggers.

    Example: pgaudit extract backups/app.dump users --where "id < 1000" --csv users.csv

    Example: pgaudit extract backups/app.dump users --into env:DATABASE_URL --as public.users_of_monday
    """
    from pgaudit_kit.operations.extracts.extract import extract as take_out

    to_output = _OUT in {csv, sql}
    if json and to_output:
        raise UsageError("rows on standard output are no JSON", remedy="Name a file, or leave --json out.")
    if parquet == _OUT:
        raise UsageError("a Parquet file cannot be written to standard output", remedy="Name a file.")
    taken = take_out(
        dump,
        table,
        where=where,
        csv=_place(csv),
        parquet=parquet,
        sql=_place(sql),
        into=into,
        name=name,
        inserts=inserts,
        overwrite=overwrite,
        progress=False if json or to_output else None,
    )
    for note in taken.notes:
        print(visible(f"note: {note}"), file=sys.stderr)
    if json:
        print_json(_plain(taken))
    elif not to_output:
        _tell(taken, some=where is not None)


def _place(path: Path | None) -> Any:
    return sys.stdout.buffer if path == _OUT else path


def _plain(taken: Extract) -> dict[str, Any]:
    plain: dict[str, Any] = {"table": str(taken.table), "rows": taken.rows}
    if taken.fingerprint:
        plain["fingerprint"] = str(taken.fingerprint)
    if taken.into is None:
        return {**plain, "path": str(taken.path), "notes": list(taken.notes)}
    return {"verdict": "passed", **plain, "into": str(taken.into), "target": taken.target, "notes": list(taken.notes)}


def _tell(taken: Extract, *, some: bool) -> None:
    rows = f"{many(taken.rows, 'row')} of {taken.table}"
    if taken.into is None:
        say(visible(f"{taken.path}: {rows}"))
        return
    those = "those of the dump" if not some else "those of the rows that were chosen"
    print_verdict("passed", f"{rows} are in the new table {taken.into} of {taken.target}: count and fingerprint are {those}.")
