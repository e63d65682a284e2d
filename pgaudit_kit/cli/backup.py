"""`pgaudit backup`: one command from a database to a verified backup."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgaudit_kit.cli.config_option import DEFAULT_STORE, ConfigOption, configured
from pgaudit_kit.cli.encryption_options import EncryptTo
from pgaudit_kit.cli.fleeting_stores import refuse_fleeting
from pgaudit_kit.cli.output import Json, print_checks, print_json, print_verdict, remedies, visible
from pgaudit_kit.errors import BackupFailed, PgAuditError, TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pgaudit_kit.operations.backups.backup import Backup
    from pgaudit_kit.server.targets import Target

_PART = "Only a part"


def backup(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="TARGET", help="What to back up; default: each database that an .env file of this folder names."),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option("--store", help="What keeps the backups: a folder, or a URL such as s3://bucket/folder. [default: backups]"),
    ] = None,
    format: Annotated[  # noqa: A002  the word of pg_dump
        str | None, typer.Option("--format", help="custom (default), directory, plain or tar.")
    ] = None,
    incremental: Annotated[
        bool, typer.Option("--incremental", help="Keep only what the store has not yet; each is whole by itself, none needs another.")
    ] = False,
    full_read: Annotated[
        bool, typer.Option("--full-read", help="Of an incremental one: read every table, also those that have not changed.")
    ] = False,
    compress: Annotated[
        str | None, typer.Option("--compress", "-Z", help="none, gzip, lz4 or zstd, with a level if you like: zstd:9. Default: pg_dump's.")
    ] = None,
    encrypt_to: EncryptTo = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="How many tables to dump at a time; needs --format directory.")] = 1,
    full: Annotated[bool, typer.Option("--full", help="With owners and privileges; without, it can be restored anywhere.")] = False,
    globals: Annotated[bool, typer.Option("--globals", help="Roles and tablespaces, too, in a script beside it.")] = False,  # noqa: A002  the word of pg_dumpall
    role_passwords: Annotated[bool, typer.Option("--role-passwords", help="With the hashes of the roles' passwords.")] = False,
    label: Annotated[
        str | None, typer.Option("--label", help="A word for its name; default: production, local … of the .env file.")
    ] = None,
    lock_timeout: Annotated[
        float, typer.Option("--lock-timeout", help="Seconds to wait for a table that somebody has locked; 0: for ever.")
    ] = 300,
    table: Annotated[
        list[str] | None,
        typer.Option("--table", "-t", help="Only tables of this pattern (name, schema.name, schema.*).", rich_help_panel=_PART),
    ] = None,
    exclude_table: Annotated[
        list[str] | None, typer.Option("--exclude-table", "-T", help="Without tables of this pattern.", rich_help_panel=_PART)
    ] = None,
    schema: Annotated[list[str] | None, typer.Option("--schema", "-n", help="Only schemas of this pattern.", rich_help_panel=_PART)] = None,
    exclude_schema: Annotated[
        list[str] | None, typer.Option("--exclude-schema", "-N", help="Without schemas of this pattern.", rich_help_panel=_PART)
    ] = None,
    exclude_table_data: Annotated[
        list[str] | None, typer.Option("--exclude-table-data", help="Without the rows of tables of this pattern.", rich_help_panel=_PART)
    ] = None,
    schema_only: Annotated[bool, typer.Option("--schema-only", "-s", help="Definitions, no rows.", rich_help_panel=_PART)] = False,
    config: ConfigOption = None,
    json: Json = False,
) -> None:
    """Back up with pg_dump, and verify the file at once.

    What the database holds is recorded in the snapshot that pg_dump reads, and the file gets its name when it agrees. Without a TARGET:
    production from .env, local from .env.local, staging from .env.staging and so on, each database once.

    Example: pgaudit backup env:DATABASE_URL
    """
    from pgaudit_kit.operations.backups.backup import backup as back_up
    from pgaudit_kit.operations.backups.part import Part

    part = Part(
        tables=tuple(table or ()),
        exclude_tables=tuple(exclude_table or ()),
        schemas=tuple(schema or ()),
        exclude_schemas=tuple(exclude_schema or ()),
        exclude_table_data=tuple(exclude_table_data or ()),
        schema_only=schema_only,
    )
    settings = configured(config)
    store = store or settings.store or DEFAULT_STORE
    refuse_fleeting(store)
    one = partial(
        back_up,
        store=store,
        format=format,
        compression=compress,
        jobs=jobs,
        full=full,
        part=part,
        globals=globals or role_passwords,
        role_passwords=role_passwords,
        label=label,
        lock_timeout=lock_timeout or None,
        incremental=incremental,
        encrypt_to=encrypt_to or (),
        full_read=full_read,
        config=settings,
    )
    raise typer.Exit(_each(*_resolve(targets), one, json=json))


def _each(targets: Sequence[Target], refused: Sequence[TargetError], one: Callable[[Target], Backup], *, json: bool) -> int:
    """Back up *targets*, each by *one*; say of each what came of it, also why others were *refused*; return the exit code."""
    made: list[Backup] = []
    failures: list[PgAuditError] = [*refused]
    for error in refused:
        print(f"pgaudit: {visible(str(error))}", file=sys.stderr)
    for target in targets:
        try:
            result = one(target)
        except PgAuditError as error:
            failures.append(error)
            print(f"pgaudit: {visible(str(error))}", file=sys.stderr)  # the other databases are backed up all the same
            continue
        made.append(result)
        if not json:
            print_checks(result.check_list)
            print_verdict(result.verdict, result.location, remedies(result.check_list))
    return _tell(made, failures, json=json)


def _tell(made: Sequence[Backup], failures: Sequence[PgAuditError], *, json: bool) -> int:
    """Print the JSON, and return the exit code: that of the worst outcome, and of what could not be done."""
    from pgaudit_kit.audits.result import checks_to_list
    from pgaudit_kit.records.verdict import EXIT_CODES, Outcome, worst

    verdict = worst([*(m.verdict for m in made), *(Outcome.NOT_CHECKED for _ in failures)])
    if json:
        backups = [m.to_dict() for m in made]
        refused = [c for e in failures if isinstance(e, BackupFailed) for c in checks_to_list(e.checks)]
        checks = [*(check for plain in backups for check in plain["checks"]), *refused]
        print_json({"verdict": str(verdict), "checks": checks, "backups": backups, "errors": [str(e) for e in failures]})
    if failures and verdict is Outcome.NOT_CHECKED:
        return max(e.exit_code for e in failures)
    return EXIT_CODES[verdict]


def _resolve(given: list[str] | None) -> tuple[list[Target], list[TargetError]]:
    """The databases to back up, each once, and why an env file names none that could be."""
    from pgaudit_kit.server.targets import find_app_targets, resolve_target, targets_under_other_keys

    if given:
        targets = [resolve_target(text) for text in given]
        return list({target.place: target for target in reversed(targets)}.values())[::-1], []
    refused: list[TargetError] = []
    found = find_app_targets(Path.cwd(), refused=refused)
    if not found and not refused:
        what = "no TARGET given, and no .env file in this folder names a PostgreSQL database"
        under = " or ".join(targets_under_other_keys(Path.cwd()))
        raise TargetError(
            f"{what} under DATABASE_URL" if under else what,
            resource=str(Path.cwd()),
            remedy=f"Name one: pgaudit backup {under or 'postgresql://…, env:NAME or dotenv:PATH'}.",
        )
    return found, refused
