"""`pgaudit verify`: is this backup whole?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pgaudit_kit.cli.config_option import DEFAULT_STORE, ConfigOption, configured
from pgaudit_kit.cli.list_backups import print_strays
from pgaudit_kit.cli.output import Json, mark_of, print_checks, print_json, print_verdict, say, visible
from pgaudit_kit.errors import UsageError

if TYPE_CHECKING:
    from pgaudit_kit.operations.store.verify_all import VerifiedBackup


def verify(
    dump: Annotated[
        str | None, typer.Argument(metavar="DUMP", help="A dump: a path, a URL, - for standard input; or a live database, by itself.")
    ] = None,
    target: Annotated[str | None, typer.Argument(metavar="TARGET", help="A live database that must be the very same.")] = None,
    manifest: Annotated[str | None, typer.Option("--manifest", help="Its manifest; default: the one beside the dump.")] = None,
    require: Annotated[list[str] | None, typer.Option("--require", help="A table that must be there; may be repeated.")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="Every backup in the store, each by its digest.")] = False,
    store: Annotated[
        str | None, typer.Option("--store", help="With --all: a folder, or a URL such as s3://bucket/folder. [default: backups]")
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="With --all: ask of each all that is asked of a single one.")] = False,
    rpo: Annotated[str | None, typer.Option("--rpo", help="How old it may be: 24h, 7d.")] = None,
    rto: Annotated[str | None, typer.Option("--rto", help="How long its last rehearsal may have taken: 30min, 2h.")] = None,
    prisma_schema: Annotated[
        Path | None, typer.Option("--prisma-schema", help="A schema.prisma whose models must have their tables.")
    ] = None,
    explain: Annotated[str | None, typer.Option("--explain", metavar="ID", help="Say what a check proves and what not, and end.")] = None,
    config: ConfigOption = None,
    json: Json = False,
) -> None:
    """Is this backup whole, and does it hold what it should?

    The file and every row in it are read, and held against what the database held when the backup was made.

    Example: pgaudit verify backups/app.dump --require users --require messages

    Example: pgaudit verify --all --store backups

    Example: pgaudit verify --explain rows.fingerprint
    """
    if explain:
        _explain(explain, json=json)
    settings = configured(config, rpo=rpo, rto=rto, prisma_schema=prisma_schema)
    if all_of_them:
        if dump or manifest or require or rpo or rto or prisma_schema:
            raise UsageError("--all verifies a store", resource="--all", remedy="Of the options leave all out but --store and --deep.")
        _verify_all(store or settings.store or DEFAULT_STORE, deep=deep, json=json)
    if dump is None or deep:
        remedy = "Name a dump, or give --all for every backup in a store."
        raise UsageError("--deep is for --all" if deep else "no DUMP given", resource="verify", remedy=remedy)
    from pgaudit_kit.audits.verify import verify as ask
    from pgaudit_kit.audits.verify_live import is_live
    from pgaudit_kit.records.verdict import EXIT_CODES

    if (rpo or rto) and is_live(dump):
        what = "--rpo" if rpo else "--rto"
        raise UsageError(f"{what} is asked of a backup", resource=what, remedy="Name a dump, or leave it out.")
    result = ask(dump, target, manifest=manifest, require=require or (), config=settings)
    if json:
        print_json(result.to_dict())
    else:
        print_checks(result.check_list)
        print_verdict(result.verdict, result.sentence, result.next_steps)
    raise typer.Exit(EXIT_CODES[result.verdict])


def _explain(check_id: str, *, json: bool) -> NoReturn:
    from dataclasses import asdict

    from pgaudit_kit.records.questions.registry import explain

    question = explain(check_id)
    if json:
        print_json(asdict(question))
    else:
        print(question)
    raise typer.Exit


def _verify_all(store: str, *, deep: bool, json: bool) -> NoReturn:
    from pgaudit_kit.operations.store.verify_all import verify_all
    from pgaudit_kit.records.verdict import EXIT_CODES

    done = verify_all(store, deep=deep, progress=None if json else _print_line)
    if json:
        print_json(done.to_dict())
    else:
        print_strays(done.strays)
        print_verdict(done.verdict, done.sentence, done.next_steps)
    raise typer.Exit(EXIT_CODES[done.verdict])


def _print_line(done: VerifiedBackup) -> None:
    note = f"; {done.note}" if done.note else ""
    say(visible(f"{mark_of(done.verdict)}  {done.backup.dump_file}  {done.found}{note}"))
