"""`pgaudit backup`: one command from a database to a verified backup."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgaudit_kit.cli.output import Json, print_checks, print_json, print_verdict, remedies, visible
from pgaudit_kit.errors import PgAuditError, TargetError

if TYPE_CHECKING:
    from pgaudit_kit.server.targets import Target


def backup(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TARGET]...", help="What to back up; default: the databases of .env and .env.local in this folder."),
    ] = None,
    store: Annotated[
        str, typer.Option("--store", help="What keeps the backups: a folder, or a URL such as s3://bucket/folder.")
    ] = "backups",
    format: Annotated[str, typer.Option("--format", help="custom or plain.")] = "custom",  # noqa: A002  the word of pg_dump
    json: Json = False,
) -> None:
    """Back up with pg_dump, and verify the file at once.

    What the database holds is recorded in the snapshot that pg_dump reads, and the file gets its name when it agrees. Without a TARGET:
    production from .env and local from .env.local.

    Example: pgaudit backup env:DATABASE_URL
    """
    from pgaudit_kit.operations.backups.backup import backup as back_up
    from pgaudit_kit.records.verdict import EXIT_CODES, Outcome, worst

    results = []
    failures: list[PgAuditError] = []
    for target in _resolve(targets):
        try:
            result = back_up(target, store=store, format=format)
        except PgAuditError as error:
            failures.append(error)
            print(f"pgaudit: {visible(str(error))}", file=sys.stderr)  # the other databases are backed up all the same
            continue
        results.append(result)
        if not json:
            print_checks(result.check_list)
            print_verdict(result.verdict, result.location, remedies(result.check_list))
    verdict = worst([*(r.verdict for r in results), *(Outcome.NOT_CHECKED for _ in failures)])
    if json:
        backups = [r.to_dict() for r in results]
        checks = [check for plain in backups for check in plain["checks"]]
        print_json({"verdict": str(verdict), "checks": checks, "backups": backups, "errors": [str(e) for e in failures]})
    if failures and verdict is Outcome.NOT_CHECKED:
        raise typer.Exit(max(e.exit_code for e in failures))
    raise typer.Exit(EXIT_CODES[verdict])


def _resolve(given: list[str] | None) -> list[Target]:
    from pgaudit_kit.server.targets import find_app_targets, resolve_target

    if given:
        return [resolve_target(text) for text in given]
    found = find_app_targets(Path.cwd())
    if not found:
        raise TargetError(
            "no TARGET given, and neither .env nor .env.local in this folder names a PostgreSQL database",
            resource=str(Path.cwd()),
            remedy="Name one: pgaudit backup postgresql://…, env:NAME or dotenv:PATH.",
        )
    return found
