"""`pgaudit demo`: the whole path on a throwaway server: back up, break, find out, restore."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pgaudit_kit.cli.output import say, visible


def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Where the sample app and its backups go.")] = Path("pgaudit-demo"),
    reports: Annotated[Path, typer.Option("--reports", help="Where the HTML reports go.")] = Path("reports"),
) -> None:
    """Walk the whole path on a sample database; needs no PostgreSQL.

    It is backed up, broken, compared, verified, rehearsed, restored and rolled back, on a throwaway server that a Python package brings
    along. Each of the seven HTML reports is made once.

    Example: pgaudit demo
    """
    from pgaudit_kit.demo.run import run_demo
    from pgaudit_kit.reporting.notebooks import run_report

    result = run_demo(folder=folder, reports=reports, say=say, run_report=run_report)
    for step in result.steps:
        if not step.as_expected:
            print(visible(f"pgaudit: {step.name} is {step.verdict}: {step.sentence}"), file=sys.stderr)
    raise typer.Exit(result.exit_code)
