"""`pgaudit`: the commands, and what happens to an error on the way out."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import traceback
from typing import Annotated, NoReturn

import typer

from pgaudit_kit.cli import (
    backup,
    demo,
    diff,
    export,
    extract,
    inspect,
    list_backups,
    migrations,
    prune,
    query,
    rehearse,
    report,
    rescue,
    restore,
    snapshot,
    verify,
)
from pgaudit_kit.cli.encodings import speak_any_encoding
from pgaudit_kit.cli.encryption_options import take_identity
from pgaudit_kit.cli.every_command import add_command
from pgaudit_kit.cli.output import visible
from pgaudit_kit.cli.wrong_usage import Commands
from pgaudit_kit.errors import DEBUG, PgAuditError, hide_secrets

NOT_CHECKED = 3
INTERRUPTED = 130
READER_LEFT = 141  # what a shell says of a program that SIGPIPE ended: `pgaudit … | head` says nothing about the backup

app = typer.Typer(
    name="pgaudit",
    cls=Commands,
    help="Is this PostgreSQL backup whole, does it restore to the very same rows, and what did we lose?",
    epilog="Exit codes: 0 passed or same · 1 failed or different · 2 wrong usage · 3 something could not be checked · 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # as markup, the brackets of dotenv:PATH[#KEY] would be eaten
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
for command in (
    demo.demo,
    backup.backup,
    verify.verify,
    diff.diff,
    inspect.inspect,
    query.query,
    migrations.migrations,
    extract.extract,
    export.export,
    rescue.rescue,
    rehearse.rehearse,
    restore.restore,
    restore.rollback,
    snapshot.snapshot,
    list_backups.list,
    prune.prune,
    report.report,
):
    add_command(app, command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from pgaudit_kit import __version__

        print(f"pgaudit {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")] = False,
    identity: Annotated[
        str | None,
        typer.Option("--identity", metavar="FILE", help="The secret key of age for what is encrypted; works anywhere on the line."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; works anywhere on the line.")] = False,
) -> None:
    """Options that stand before the command."""


def main() -> None:
    """Run `pgaudit`; an error becomes one line on standard error and its exit code, one that was not foreseen too."""
    debug = bool(os.environ.get(DEBUG)) or "--debug" in sys.argv[1:]
    sys.unraisablehook = _interrupt_again
    speak_any_encoding()
    try:
        app(args=take_identity([a for a in sys.argv[1:] if a != "--debug"]), prog_name="pgaudit")
    except PgAuditError as error:
        _end(str(error), error.exit_code, debug=debug)
    except SystemExit as ended:
        _tell_end(ended)
    except Exception as error:  # noqa: BLE001  # Python would exit with 1, which here means that a backup failed
        kind = f"{type(error).__name__}: {error}".strip(": ")
        _end(f"an error that was not foreseen: {kind}. --debug shows where it happened; please report it.", NOT_CHECKED, debug=debug)


def _end(sentence: str, code: int, *, debug: bool) -> NoReturn:
    if debug:
        print(hide_secrets(traceback.format_exc()), file=sys.stderr, end="")
    print(f"pgaudit: {visible(hide_secrets(' '.join(sentence.split())))}", file=sys.stderr)
    sys.exit(code)


def _tell_end(ended: SystemExit) -> NoReturn:
    """Typer and rich turn Ctrl-C and a reader that has left into exit codes without a word."""
    if ended.code == INTERRUPTED:
        print(f"pgaudit: interrupted; {_standing(ended)}", file=sys.stderr)
    if isinstance(ended.__context__, BrokenPipeError):
        sys.exit(READER_LEFT)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what Python flushes at its end must go somewhere
        sys.exit(READER_LEFT)
    raise ended


def _standing(error: BaseException | None) -> str:
    """How things stand after Ctrl-C: what the operation that it stopped has noted, or what holds for all of them."""
    while error is not None:
        if notes := getattr(error, "__notes__", None):
            return visible(hide_secrets(" ".join(notes)))
        error = error.__context__
    return "whatever was being written under a temporary name does not count"


def _interrupt_again(ignored: sys.UnraisableHookArgs) -> None:
    """A Ctrl-C that came while Python collected garbage was raised where nothing can catch it: send it once more, a moment later."""
    if not issubclass(ignored.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(ignored)
        return
    threading.Timer(0.05, _interrupt_main_thread).start()


def _interrupt_main_thread() -> None:
    main_thread = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main_thread is not None:
        signal.pthread_kill(main_thread, signal.SIGINT)  # this also wakes it from waiting
    else:
        _thread.interrupt_main()
