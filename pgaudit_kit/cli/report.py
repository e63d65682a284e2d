"""`pgaudit report`: run a notebook with parameters and write its HTML report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pgaudit_kit.cli.output import Json, print_json, print_verdict, say
from pgaudit_kit.errors import ParameterError


def report(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="backup, explore, incident, migrations, rehearse, restore or verify; or a notebook of your own (.ipynb)."
        ),
    ],
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="KEY=VALUE", help="A parameter; may be repeated.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("-f", "--file", metavar="YAML", help="A file of parameters (name: value); -p goes before it.")
    ] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="The folder for the report.")] = "reports",
    json: Json = False,
) -> None:
    """Run a notebook and write a self-contained HTML report.

    The folder's index.html lists all reports in it, with a small history of each database.

    Example: pgaudit report verify -p dump=backups/app.dump
    """
    from pgaudit_kit.reporting.notebooks import run_report

    given = {**(_from_file(file) if file else {}), **dict(_split(p) for p in parameter or ())}
    result = run_report(name, parameters=given, output_folder=output)
    if json:
        files = {"html": str(result.html_path), "notebook": str(result.notebook_path)}
        said = {"verdict": result.verdict, "sentence": result.sentence, "next": list(result.next_steps), "error": result.error}
        print_json({"report": result.name, **said, **files})
    else:
        print_verdict(result.verdict, result.sentence)
        say(result.html_path)
    raise typer.Exit(result.exit_code)


def _split(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise ParameterError(f"parameter {key} has no value", resource=key, remedy="Write -p key=value.")
    return key, value


def _from_file(path: Path) -> dict[str, Any]:
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        found = yaml.safe_load(text)
        read = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise ParameterError(f"cannot read {path}: {error.strerror}", resource=str(path), remedy="Check the path.") from error
    except (yaml.YAMLError, UnicodeDecodeError):
        found = read = None  # its message would quote the file, and what stands there by mistake may be a secret
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise ParameterError(
            f"{path} is no list of parameters", resource=str(path), remedy="Write a line for each, such as dump: backups/app.dump"
        )
    names = [key.value for key, _ in read.value] if read else []
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ParameterError(f"{path} gives {', '.join(twice)} more than once", resource=str(path), remedy="Keep one line of each.")
    return found
