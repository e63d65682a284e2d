"""`pgaudit report`: run a notebook with parameters and write its HTML report."""

from __future__ import annotations

from typing import Annotated

import typer

from pgaudit_kit.cli.output import Json, print_json, print_verdict
from pgaudit_kit.errors import ParameterError


def report(
    name: Annotated[str, typer.Argument(metavar="NAME", help="backup, incident, verify or restore.")],
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="KEY=VALUE", help="A parameter; may be repeated.")
    ] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="The folder for the report.")] = "reports",
    json: Json = False,
) -> None:
    """Run a notebook and write a self-contained HTML report.

    Example: pgaudit report verify -p dump=backups/app.dump
    """
    from pgaudit_kit.reporting.notebooks import run_report

    result = run_report(name, parameters=dict(_split(p) for p in parameter or ()), output_folder=output)
    if json:
        files = {"html": str(result.html_path), "notebook": str(result.notebook_path)}
        said = {"verdict": result.verdict, "sentence": result.sentence, "next": list(result.next_steps), "error": result.error}
        print_json({"report": result.name, **said, **files})
    else:
        print_verdict(result.verdict, result.sentence)
        print(result.html_path)
    raise typer.Exit(result.exit_code)


def _split(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise ParameterError(f"parameter {key} has no value", resource=key, remedy="Write -p key=value.")
    return key, value
