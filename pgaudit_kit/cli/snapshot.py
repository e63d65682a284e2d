"""`pgaudit snapshot`: write down what a live database holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def snapshot(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="postgresql://…, env:NAME, dotenv:PATH[#KEY] or service:NAME.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; its name should end in .json.")],
) -> None:
    """Save the objects, row counts and fingerprints of a database; `pgaudit diff app.json TARGET` tells later what changed.

    Example: pgaudit snapshot env:DATABASE_URL -o app.json
    """
    from pgaudit_kit.operations.save_snapshot import save_snapshot

    manifest = save_snapshot(target, output)
    print(f"{output}: {len(manifest.inventory.objects)} objects, {len(manifest.table_data)} tables of {manifest.label}")
