"""`pgaudit`: the commands, and what happens to an error on the way out."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pgaudit_kit.cli import backup, demo, diff, inspect, report, restore, snapshot, verify
from pgaudit_kit.errors import PgAuditError, hide_secrets

INTERRUPTED = 130

app = typer.Typer(
    name="pgaudit",
    help="Is this PostgreSQL backup whole, does it restore to the very same rows, and what did we lose?",
    epilog="Exit codes: 0 passed or same · 1 failed or different · 2 wrong usage · 3 something could not be checked · 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    demo.demo,
    backup.backup,
    verify.verify,
    diff.diff,
    inspect.inspect,
    restore.restore,
    restore.rollback,
    snapshot.snapshot,
    report.report,
):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from pgaudit_kit import __version__

        print(f"pgaudit {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; works anywhere on the line.")] = False,
) -> None:
    """Options that stand before the command."""


def main() -> None:
    """Run `pgaudit`; an error of ours becomes one line on standard error and its exit code."""
    debug = bool(os.environ.get("PGAUDIT_DEBUG")) or "--debug" in sys.argv[1:]
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    try:
        app(args=arguments, prog_name="pgaudit")
    except PgAuditError as error:
        if debug:
            raise
        print(f"pgaudit: {hide_secrets(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("pgaudit: interrupted; whatever was being written under a temporary name does not count", file=sys.stderr)
        sys.exit(INTERRUPTED)
