"""A command line that is not understood is told as every other error is: one line, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from pgaudit_kit.errors import UsageError

# typer has click within or beside it, by its version; this is the class of either that all wrong usage has
_WRONG_USAGE: Any = typer.BadParameter.__base__
_COMMENT = re.compile(r"--(?![A-Za-z]|\Z)|--[^=\s]*\s")  # no option has a blank in its name
_ONLY_HELP = "NoArgsIsHelpError"  # no error of anybody: the program alone shows its help


class Commands(TyperGroup):
    """The commands, which tell wrong usage in our words."""

    def make_context(self, *given: Any, **more: Any) -> Any:
        """Read what stands before the command."""
        with _in_our_words():
            return super().make_context(*given, **more)

    def invoke(self, ctx: Any) -> Any:
        """Find the command, read what stands behind it, and run it."""
        with _in_our_words():
            return super().invoke(ctx)


class TakesSql(TyperCommand):
    """A command that takes SQL, which may begin with a comment."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words of the command; a comment of SQL has a blank before it, so that it is not taken for an option."""
        return super().parse_args(ctx, [f" {word}" if _COMMENT.match(word) else word for word in args])


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Raises UsageError for what typer refuses."""
    try:
        yield
    except _WRONG_USAGE as refused:
        if type(refused).__name__ == _ONLY_HELP:
            raise
        path = refused.ctx.command_path if refused.ctx else "pgaudit"
        said, _, guess = refused.format_message().partition(". ")
        remedy = f"{guess} {path} --help says what it takes.".strip()
        raise UsageError(said[:1].lower() + said[1:].rstrip("."), remedy=remedy) from refused
