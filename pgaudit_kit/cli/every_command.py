"""What every command has besides its own options: `--quiet`, `--output`, completion by what an argument stands for, a word for each value.

Commands are given to `add_command` and need say nothing of it: an option that a command has of its own goes before the common one,
and what is completed is told by the word that its help shows (DUMP, TARGET, TABLE, NAME).
"""

from __future__ import annotations

import inspect
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from pgaudit_kit.cli.completion import OF_ARGUMENTS, OF_OPTIONS
from pgaudit_kit.cli.output import speaking
from pgaudit_kit.cli.wrong_usage import TakesSql
from pgaudit_kit.errors import UsageError

QUIET_HELP = "Print nothing when all is well, and no bar; else one line on standard error. Answers (inspect, list, query) stay."
OUTPUT_HELP = "Write what would be printed to this file, in one step; - is standard output."
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help=QUIET_HELP)]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help=OUTPUT_HELP)]
_ANSWERS = frozenset({"inspect", "list", "query"})  # what they print is what was asked for, also when it is to be quiet
_TAKES_SQL = frozenset({"query"})
_PRINTS_NO_RESULT = frozenset({"demo"})


def add_command(app: typer.Typer, function: Callable[..., None]) -> None:
    """Make *function* a command of *app*, with the options that every command has."""
    signature = inspect.signature(function)
    hints = get_type_hints(function, include_extras=True)
    name = function.__name__
    common = {"output": (Output, None), "quiet": (Quiet, False)}
    if name in _PRINTS_NO_RESULT:
        del common["output"]
    added = {option: its for option, its in common.items() if option not in signature.parameters}

    @wraps(function)
    def command(**given: Any) -> None:
        quiet = given.pop("quiet") if "quiet" in added else False
        output = given.pop("output") if "output" in added else None
        silent = quiet and (name not in _ANSWERS or bool(given.get("parquet")))  # that answer is in the file
        with _watched(quiet=quiet), speaking(quiet=silent), written(output, whole=bool(given.get("json"))):
            function(**given)

    for hint in hints.values():
        _complete(hint)
        _name_value(hint)
    own = [p.replace(annotation=hints[p.name]) for p in signature.parameters.values()]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    more = [inspect.Parameter(option, kind, default=default, annotation=hint) for option, (hint, default) in added.items()]
    command.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]  # what typer reads
    command.__annotations__ = {**hints, **{option: hint for option, (hint, _) in added.items()}}
    app.command(cls=TakesSql if name in _TAKES_SQL else None)(command)


def _complete(hint: Any) -> None:
    """Give an argument or option the completion of what it stands for."""
    if get_origin(hint) is not Annotated:
        return
    for info in get_args(hint)[1:]:
        if not isinstance(info, typer.models.ParameterInfo) or info.autocompletion:
            continue
        if isinstance(info, typer.models.ArgumentInfo):
            info.autocompletion = OF_ARGUMENTS.get(info.metavar or "")
        else:
            # typer takes the first word for the default, until it has seen that it stands in an annotation
            words = [word for word in (info.default, *(info.param_decls or ())) if isinstance(word, str)]
            info.autocompletion = next((OF_OPTIONS[word] for word in words if word in OF_OPTIONS), None)


def _name_value(hint: Any) -> None:
    """Call the value of an option by a word, where it has none, instead of by its type in Python."""
    if get_origin(hint) is not Annotated:
        return
    kind, *infos = get_args(hint)
    for info in infos:
        if isinstance(info, typer.models.OptionInfo) and info.metavar is None and kind is not bool:
            kinds = {kind, *get_args(kind)}
            info.metavar = "N" if kinds & {int, float} else "PATH" if Path in kinds else "TEXT"


@contextmanager
def _watched(*, quiet: bool) -> Iterator[None]:
    """Without a bar when it is to be quiet; kernels and processes that we start inherit it."""
    from pgaudit_kit.display.progress import UNWATCHED

    before = os.environ.get(UNWATCHED)
    if quiet:
        os.environ[UNWATCHED] = "1"
    try:
        yield
    finally:
        if quiet and before is None:
            del os.environ[UNWATCHED]


@contextmanager
def written(path: Path | None, *, whole: bool) -> Iterator[None]:
    """What the block prints goes to *path*, which is there when the block has come to its result.

    An error leaves no file, for the half of an answer is none; unless what it printed is *whole*: JSON that tells the error.
    Raises UsageError, OperationError.
    """
    if path is None or str(path) == "-":
        yield
        return
    from pgaudit_kit.operations.extracts.output_file import output_file

    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", resource=str(path), remedy="Make it, or choose another place.")
    ended: BaseException | None = None
    with output_file(path, overwrite=True) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", write_through=True)
        try:
            with redirect_stdout(text):
                yield
        except typer.Exit as end:
            ended = end
        except Exception as error:  # whatever it is, what was printed of it is flushed first, and then it goes on its way
            if not (whole and file.seekable() and file.tell()):
                raise
            ended = error
        finally:
            text.flush()
            text.detach()
    if ended is not None:
        raise ended
