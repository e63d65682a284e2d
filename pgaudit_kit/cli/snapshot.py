"""`pgaudit snapshot`: write down what a live database holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgaudit_kit.cli.output import Json, print_json
from pgaudit_kit.records.large_objects import tables_alone


def snapshot(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="postgresql://…, env:NAME, dotenv:PATH[#KEY] or service:NAME.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; its name should end in .json.")],
    schema_only: Annotated[bool, typer.Option("--schema-only", help="Write down the objects, read no rows.")] = False,
    json: Json = False,
) -> None:
    """Write down what a live database holds.

    That is its objects, row counts and fingerprints, all of one moment; pgaudit diff app.json TARGET tells later what changed.
    Nothing is changed or locked. The file holds no rows, and only you may read it.

    Example: pgaudit snapshot env:DATABASE_URL -o app.json
    """
    from pgaudit_kit.operations.save_snapshot import save_snapshot

    manifest = save_snapshot(target, output, schema_only=schema_only)
    objects, tables = len(manifest.inventory.objects), len(tables_alone(manifest.table_data))
    if json:
        print_json({"path": str(output), "source": manifest.label, "objects": objects, "tables": tables})
    else:
        print(f"{output}: {objects:,} objects, {tables:,} tables of {manifest.label}")
