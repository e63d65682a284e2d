"""`pgaudit restore` and `pgaudit rollback`: bring back a backup, or what was there before it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from pgaudit_kit.cli.config_option import DEFAULT_STORE, ConfigOption, configured
from pgaudit_kit.cli.fleeting_stores import refuse_fleeting
from pgaudit_kit.cli.output import Json, print_checks, print_json, print_table, print_verdict, remedies, say, visible
from pgaudit_kit.errors import BadBackup, RestoreFailed, UsageError, hide_secrets
from pgaudit_kit.records.units import many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pgaudit_kit.operations.restores.restored import Replacement, Restore

TARGET_HELP = "postgresql://…, env:NAME, dotenv:PATH[#KEY] or service:NAME; its database is replaced."
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")]
InPlace = Annotated[
    bool, typer.Option("--in-place", help="Inside of the database, in one transaction; for roles that may not create databases.")
]
Replace = Annotated[
    bool, typer.Option("--replace-contents", help="With --in-place: back up what the database holds, then replace all of it.")
]
Store = Annotated[
    str | None, typer.Option("--store", help="With --in-place: what keeps that backup: a folder, or a URL. [default: backups]")
]
Tables = Annotated[list[str] | None, typer.Option("--table", help="Only this table, into a new schema; may be repeated.")]
Schemas = Annotated[list[str] | None, typer.Option("--schema", help="Only the tables of this schema, into a new one; may be repeated.")]
DataOnly = Annotated[bool, typer.Option("--data-only", help="With --table or --schema: no checks, keys and indexes.")]
IntoSchema = Annotated[str | None, typer.Option("--into-schema", help="The name of that new schema; default restored_TIME.")]
Force = Annotated[bool, typer.Option("--force", help="End the sessions of others that are connected to the database.")]


def restore(
    backup: Annotated[str, typer.Argument(metavar="BACKUP", help="Path of a dump; its manifest beside it is used.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help=TARGET_HELP)],
    yes: Yes = False,
    force: Force = False,
    no_owner: Annotated[bool, typer.Option("--no-owner", help="Leave owners and privileges out.")] = False,
    no_tablespaces: Annotated[bool, typer.Option("--no-tablespaces", help="Put everything into the database's own tablespace.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Load over this many connections (custom and directory).")] = 1,
    drop_old: Annotated[bool, typer.Option("--drop-old", help="Drop the database that was replaced; there is no way back then.")] = False,
    keep: Annotated[int | None, typer.Option("--keep", min=0, help="Of the databases kept, keep this many, the newest.")] = None,
    drop_leftovers: Annotated[
        bool, typer.Option("--drop-leftovers", help="Drop databases called NAME__restore_… too that are not known to be ours.")
    ] = False,
    accept_partial: Annotated[
        bool, typer.Option("--accept-partial", help="Replace the whole database although the backup holds only a part of one, or nothing.")
    ] = False,
    in_place: InPlace = False,
    replace_contents: Replace = False,
    store: Store = None,
    table: Tables = None,
    schema: Schemas = None,
    data_only: DataOnly = False,
    into_schema: IntoSchema = None,
    config: ConfigOption = None,
    json: Json = False,
) -> None:
    """Restore beside the live database, prove it, then swap names.

    The database that had the name is kept; pgaudit rollback brings it back. With --in-place, or of --table and --schema alone, no
    database is made.

    Example: pgaudit restore backups/app.dump dotenv:.env.local
    """
    settings = configured(config)
    store = store or settings.store or DEFAULT_STORE
    refuse_fleeting(store)
    if table or schema or data_only or into_schema:
        whole = accept_partial, in_place, replace_contents, force, no_owner, no_tablespaces, jobs != 1, drop_old, keep is not None
        if any((*whole, drop_leftovers)):
            raise UsageError("tables go into a new schema, and replace nothing", remedy="Leave the options of a whole restore out.")
        _restore_part(backup, target, table or (), schema or (), data_only=data_only, into_schema=into_schema, json=json)
    from pgaudit_kit.operations.restores.restore import restore as bring_back
    from pgaudit_kit.records.verdict import EXIT_CODES

    with _failure_as_json(json=json):
        result = bring_back(
            backup,
            target,
            confirm=_confirmation(yes=yes),
            force=force,
            no_owner=no_owner,
            no_tablespaces=no_tablespaces,
            jobs=jobs,
            drop_old=drop_old,
            keep=keep,
            drop_leftovers=drop_leftovers,
            accept_partial=accept_partial,
            in_place=in_place,
            replace_contents=replace_contents,
            store=store,
            config=settings,
        )
    _show(result, target, json=json)
    raise typer.Exit(EXIT_CODES[result.verdict])


def _show(result: Restore, target: str, *, json: bool) -> None:
    """Print what a restore has done, and the way back."""
    if json:
        print_json(result.to_dict())
        return
    print_checks(result.check_list)
    print_verdict(result.verdict, result.state, remedies(result.check_list))
    for sentence in result.notes:
        say(f"  {visible(sentence)}")
    if result.kept:
        say(f"  → pgaudit rollback {hide_secrets(target)} brings the database before it back.")


def _restore_part(
    backup: str, target: str, tables: Sequence[str], schemas: Sequence[str], *, data_only: bool, into_schema: str | None, json: bool
) -> None:
    from pgaudit_kit.operations.restores.partial import restore_part
    from pgaudit_kit.records.verdict import EXIT_CODES

    with _failure_as_json(json=json):
        result = restore_part(backup, target, tables=tables, schemas=schemas, data_only=data_only, into_schema=into_schema)
    if json:
        print_json(result.to_dict())
    else:
        print_checks(result.check_list)
        for name, rows in result.tables:
            say(visible(f"  {name} → {result.into}.{name.name}: {many(rows, 'row')}"))
        for note in result.notes:
            say(visible(f"  {note}"))
        print_verdict(result.verdict, result.state, remedies(result.check_list))
    raise typer.Exit(EXIT_CODES[result.verdict])


def rollback(
    target: Annotated[str, typer.Argument(metavar="TARGET", help=TARGET_HELP)],
    yes: Yes = False,
    force: Force = False,
    to: Annotated[str | None, typer.Option("--to", metavar="NAME", help="The kept database to bring back; default the newest.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="List what restores and rollbacks kept; change nothing.")] = False,
    drop: Annotated[list[str] | None, typer.Option("--drop", metavar="NAME", help="Drop this kept database instead.")] = None,
    json: Json = False,
) -> None:
    """Bring back the database that the last restore replaced.

    The restored one is kept under another name.

    Example: pgaudit rollback dotenv:.env.local
    """
    from pgaudit_kit.operations.restores.rollback import rollback as swap_back

    if list_only:
        _list_kept(target, json=json)
        return
    if drop:
        _drop_kept(target, drop, yes=yes, json=json)
        return
    with _failure_as_json(json=json):
        result = swap_back(target, confirm=_confirmation(yes=yes), to=to, force=force)
    if json:
        print_json({"verdict": "passed", **result.to_dict()})
    else:
        print_verdict("passed", result.state)


def _list_kept(target: str, *, json: bool) -> None:
    from pgaudit_kit.operations.restores.retention import list_kept

    kept = list_kept(target)
    if json:
        print_json({"kept": [one.to_dict() for one in kept]})
        return
    print_table("Kept databases", ["name", "what", "size_bytes"], [(k.name, k.what, k.size_bytes) for k in kept], right=["size_bytes"])
    if not kept:
        say("No restore or rollback of this database kept another one.")


def _drop_kept(target: str, names: list[str], *, yes: bool, json: bool) -> None:
    from pgaudit_kit.audits.result import checks_to_list
    from pgaudit_kit.operations.restores.retention import drop_kept
    from pgaudit_kit.records.verdict import EXIT_CODES

    if not yes:
        raise UsageError(f"{', '.join(names)} would be dropped for good, so nothing was done", remedy="Add --yes when you are sure.")
    check = drop_kept(target, names)
    if json:
        print_json({"verdict": str(check.outcome), "checks": checks_to_list([check])})
    else:
        print_verdict(str(check.outcome), check.found, remedies([check]))
    raise typer.Exit(EXIT_CODES[check.outcome])


@contextmanager
def _failure_as_json(*, json: bool) -> Iterator[None]:
    """With *json* a RestoreFailed is printed as such too, before it becomes a sentence and an exit code."""
    from pgaudit_kit.audits.result import checks_to_list

    try:
        yield
    except RestoreFailed as error:
        if json:
            verdict = "failed" if isinstance(error, BadBackup) else "not_checked"
            print_json({"verdict": verdict, "checks": checks_to_list(error.checks), "party": error.party or None, "errors": [str(error)]})
        raise


def _confirmation(*, yes: bool) -> Callable[[Replacement], bool]:
    """Ask for the name of the database that will be replaced, unless told not to. Raises UsageError at once when nobody can answer."""
    if not yes and not sys.stdin.isatty():
        raise UsageError("nobody is there to confirm, so nothing was done", remedy="Add --yes when a script is sure.")

    def ask(replacement: Replacement) -> bool:
        if yes:
            if replacement.loses:
                print(visible(f"pgaudit:{replacement.lost}"), file=sys.stderr)
            return True
        print(visible(replacement.sentence), file=sys.stderr)
        print(f"Type the name of the database ({replacement.live}) to replace it: ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip() == replacement.live

    return ask
