"""`pgaudit rescue`: put back exactly the rows that were lost."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgaudit_kit.cli.output import Json, print_json, print_verdict, visible
from pgaudit_kit.errors import RowsNotAvailable, UsageError, hide_secrets

if TYPE_CHECKING:
    from pgaudit_kit.difference.rescue import Rescue

TARGET_HELP = "The live database: postgresql://…, env:NAME, dotenv:PATH[#KEY] or service:NAME."


def rescue(
    dump: Annotated[str, typer.Argument(metavar="DUMP", help="Path of a dump that still has the rows.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help=TARGET_HELP)],
    tables: Annotated[list[str], typer.Argument(metavar="TABLE", help="Tables whose rows are to come back.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the script there instead of printing it.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Run it, in one transaction, after asking.")] = False,
    revert: Annotated[
        bool, typer.Option("--revert", help="Give rows that changed their old values too, whatever they hold when it runs.")
    ] = False,
    with_parents: Annotated[bool, typer.Option("--with-parents", help="Put lost rows of other tables back that these rows need.")] = False,
    fire_triggers: Annotated[
        bool, typer.Option("--fire-triggers", help="Let the tables' triggers fire; they are disabled otherwise.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
    json: Json = False,
) -> None:
    """Write the SQL that puts lost rows back, or run it.

    These are rows which DUMP has and TARGET has not. It never deletes, changes nothing the second time, and checks at its end that
    the rows are as they were.

    Example: pgaudit rescue backups/app.dump env:DATABASE_URL public.messages -o rescue.sql
    """
    from pgaudit_kit.audits.drift import diff
    from pgaudit_kit.difference.rescue import Rescue
    from pgaudit_kit.difference.rescue_parents import told_left_out

    if apply and output:
        raise UsageError("--apply runs the script and -o writes it", remedy="Choose one.")
    if apply and not yes and not sys.stdin.isatty():
        raise UsageError("nobody is there to confirm, so nothing was done", remedy="Add --yes when a script is sure.")
    if json and not apply and not output:
        raise UsageError("the script itself is no JSON", remedy="Add --apply, or -o FILE.")
    with diff(dump, target, data_only=True) as difference, _named(dump, target):
        made = Rescue(difference, tables, revert=revert, with_parents=with_parents, fire_triggers=fire_triggers)
        for told in (*map(str, made.lost_parents), *told_left_out(made.left_out)):
            print(visible(_with_names(told, dump, target)), file=sys.stderr)
        if apply:
            _apply(made, target, yes=yes, json=json)
        else:
            _write(made, output, json=json)


@contextmanager
def _named(dump: str, target: str) -> Iterator[None]:
    """What an error says to run names the dump and the database that were given."""
    try:
        yield
    except RowsNotAvailable as error:
        error.remedy = _with_names(error.remedy, dump, target)
        raise


def _with_names(text: str, dump: str, target: str) -> str:
    return re.sub(r"\b(DUMP|TARGET)\b", lambda m: shlex.quote(hide_secrets(dump if m[0] == "DUMP" else target)), text)


def _write(made: Rescue, output: Path | None, *, json: bool) -> None:
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.writelines(_bytes(made))
        return
    try:
        file = output.open("xb")
    except FileExistsError as error:
        raise UsageError(f"{output} is there already", resource=str(output), remedy="Choose another name.") from error
    except OSError as error:
        raise UsageError(f"cannot write there: {error.strerror}", resource=str(output), remedy="Choose another place.") from error
    try:
        with file:
            output.chmod(0o600)  # it holds rows
            file.writelines(_bytes(made))
    except BaseException:  # Ctrl-C too: half a script is none
        output.unlink()
        raise
    if json:
        print_json({"script": str(output), **_facts(made)})
    else:
        print_verdict("passed", f"{output} puts the lost rows back: read it, then run it with psql -f, or here with --apply.")


def _bytes(made: Rescue) -> Iterator[bytes]:
    """The script in UTF-8, which it says it is, whatever the terminal speaks; bytes of no encoding (SQL_ASCII) as they were."""
    return (statement.encode("utf-8", "surrogateescape") for statement in made.script())


def _apply(made: Rescue, target: str, *, yes: bool, json: bool) -> None:
    from pgaudit_kit.operations.extracts.rescue import apply_rescue

    live = made.difference.right.label
    if not yes:
        print(
            visible(f"Rows of {', '.join(map(str, made.written))} will be put back into {live}. Type yes to go on: "),
            end="",
            file=sys.stderr,
            flush=True,
        )
        if sys.stdin.readline().strip().lower() != "yes":
            raise UsageError("not confirmed, so nothing was done", resource=live, remedy="Type yes, or add --yes.")
    rows = apply_rescue(target, made.script())
    if json:
        print_json({"verdict": "passed", "rows": rows, **_facts(made)})
    else:
        print_verdict("passed", _done(rows, ", ".join(map(str, made.written)), whole=not made.left_out))


def _done(rows: int, tables: str, *, whole: bool) -> str:
    if not rows:
        return f"no row of {tables} had to come back, and none was changed."
    but = "" if whole else ", but for the columns named above"
    return f"{rows:,} {'row' if rows == 1 else 'rows'} of {tables} {'is' if rows == 1 else 'are'} as before{but}; no other row was changed."


def _facts(made: Rescue) -> dict[str, Any]:
    lost = [{"table": str(p.table), "needed_by": str(p.child), "rows": p.rows, "why": p.why} for p in made.lost_parents]
    left_out = {str(table): list(columns) for table, columns in made.left_out.items()}
    return {"tables": [str(t) for t in made.tables], "lost_parents": lost, **({"left_out": left_out} if left_out else {})}
