"""`pgaudit demo`: the whole path on a throwaway server: back up, break, find out, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Where the sample app and its backups go.")] = Path("pgaudit-demo"),
    reports: Annotated[Path, typer.Option("--reports", help="Where the HTML reports go.")] = Path("reports"),
) -> None:
    """Back up a sample database, break it, find out exactly what broke, restore it, and write four HTML reports. Needs no PostgreSQL."""
    from pgaudit_kit.demo.run import run_demo
    from pgaudit_kit.reporting.notebooks import run_report

    result = run_demo(folder=folder, reports=reports, say=print, run_report=run_report)
    raise typer.Exit(result.exit_code)
