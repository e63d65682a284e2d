"""`pgaudit snapshot`: write down what a live database holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgaudit_kit.cli.output import Json, print_json, print_table, say
from pgaudit_kit.records.units import many

if TYPE_CHECKING:
    from pgaudit_kit.records.manifest import Manifest


def snapshot(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="postgresql://…, env:NAME, dotenv:PATH[#KEY] or service:NAME.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; its name should end in .json.")],
    schema_only: Annotated[bool, typer.Option("--schema-only", help="Write down the objects, read no rows.")] = False,
    json: Json = False,
) -> None:
    """Write down what a live database holds.

    That is its objects, row counts and fingerprints, all of one moment; pgaudit diff app.json TARGET tells later what changed.
    Nothing is changed or locked. The file holds no rows, and only you may read it.

    What the role may not read is named, and the exit code is then 3.

    Example: pgaudit snapshot env:DATABASE_URL -o app.json
    """
    from pgaudit_kit.operations.extracts.save_snapshot import save_snapshot
    from pgaudit_kit.records.large_objects import tables_alone

    manifest = save_snapshot(target, output, schema_only=schema_only)
    unread = _not_recorded(manifest, schema_only=schema_only)
    objects, tables = len(manifest.inventory.objects), len(tables_alone(manifest.table_data))
    if json:
        print_json({"path": str(output), "source": manifest.label, "objects": objects, "tables": tables, "unread": unread})
    else:
        say(f"{output}: {many(objects, 'object')}, {many(tables, 'table')} of {manifest.label}")
        print_table("Not read", ["what", "reason"], [(u["what"], u["reason"]) for u in unread])
    raise typer.Exit(3 if unread else 0)


def _not_recorded(manifest: Manifest, *, schema_only: bool) -> list[dict[str, str]]:
    """What the role could not read, and so is not in the file."""
    unread = [{"what": str(u), "reason": u.reason} for u in manifest.inventory.unread]
    tables = () if schema_only else (t for t in manifest.table_data.values() if t.not_readable)
    return unread + [{"what": f"rows of {t.name}", "reason": t.not_readable} for t in tables]
