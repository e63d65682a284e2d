"""`pgaudit export`: a dump in another form."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgaudit_kit.cli.output import Json, print_json, say, visible
from pgaudit_kit.errors import UsageError

if TYPE_CHECKING:
    from pgaudit_kit.operations.extracts.export import Exported

_LETTERS = {"c": "custom", "d": "directory", "p": "plain"}


def export(
    dump: Annotated[
        str, typer.Argument(metavar="DUMP", help="An archive (custom, directory, tar) or an incremental backup; - is standard input.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="PATH", help="The file to write; a folder for -Fd; - is standard output, not of -Fd.")
    ],
    dump_format: Annotated[
        str, typer.Option("-F", "--format", metavar="FORMAT", help="custom (c), directory (d) or plain (p), as of pg_dump.")
    ] = "custom",
    compress: Annotated[
        str | None,
        typer.Option(
            "--compress",
            "-Z",
            help="none, gzip, lz4 or zstd, with a level if you like: zstd:9. Default: gzip for archives, none for scripts.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="The file may be there already.")] = False,
    json: Json = False,
) -> None:
    """Write an archive or incremental backup as an ordinary dump.

    Entries, names, SQL and rows stay byte for byte what they are. lz4 and zstd inside of archives came with PostgreSQL 16.

    Example: pgaudit export backups/app-20260131T030405Z.inc -Fc -o app.dump

    Example: pgaudit export app.dump -Fp -Z zstd -o app.sql.zst

    Example: pgaudit export backups/app-20260131T030405Z.inc -Fp -o - | psql app_copy
    """
    from pgaudit_kit.operations.extracts.export import export as write

    form: Any = _LETTERS.get(dump_format, dump_format)  # it refuses other words
    to_output = str(output) == "-"
    if to_output and json:
        raise UsageError("a dump on standard output is no JSON", remedy="Name a file, or leave --json out.")
    written = write(dump, sys.stdout.buffer if to_output else output, format=form, compression=compress, overwrite=overwrite)
    if json:
        print_json(asdict(written))
    elif not to_output:
        _tell(written)


def _tell(written: Exported) -> None:
    by = f", by {written.program}" if written.program else ""
    say(visible(f"{written.path}: {written.format}, compression {written.compression}, {written.size_bytes:,} bytes{by}"))
