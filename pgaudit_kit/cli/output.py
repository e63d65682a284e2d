"""What the commands print: JSON for programs, tables and one verdict line for people."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgaudit_kit.cli.encodings import json_is_ascii

if TYPE_CHECKING:
    from rich.console import Console

    from pgaudit_kit.records.verdict import Check

Json = Annotated[bool, typer.Option("--json", help="Print JSON with stable keys instead of tables.")]

_MARKS = {
    "passed": ("✓", "green"),
    "same": ("=", "green"),
    "warned": ("!", "yellow"),
    "not_checked": ("?", "yellow"),
    "failed": ("✗", "red"),
    "different": ("≠", "red"),
}
SHOWN = 50
LINES_SHOWN = 24  # of one changed text
PIPED_COLUMNS = 200
_NAME_WIDTH = 32
_MANY_COLUMNS = 6
_FOLDED = 24  # what is narrower cannot be read
_WELL = frozenset({"passed", "same"})
_quiet: ContextVar[bool] = ContextVar("quiet", default=False)
HOW_TO_SEE_ALL = "--all shows all"
# What a database holds must not move the cursor or recolour the terminal of whoever looks at it.
# Nor may two names look the same that differ in a character nobody sees (display.html says which).
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def print_json(plain: Mapping[str, Any]) -> None:
    """Print *plain* as JSON; values that JSON does not know become text."""
    print(json.dumps(plain, ensure_ascii=json_is_ascii(), indent=1, default=str))


@contextmanager
def speaking(*, quiet: bool) -> Iterator[None]:
    """When *quiet*, the block prints nothing for people but a verdict that is not well, on standard error; data and errors as always."""
    before = _quiet.set(quiet)
    try:
        yield
    finally:
        _quiet.reset(before)


def say(text: object) -> None:
    """Print *text*, which is for people, as it is; nothing when it is to be quiet. Data go through `print`."""
    if not _quiet.get():
        print(text, flush=True)


def console() -> Console:
    """A console that colours only a terminal and obeys NO_COLOR; what goes to a file or a pipe is not folded at 80 columns."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, width=None if _has_a_width() else PIPED_COLUMNS, quiet=_quiet.get())


def _has_a_width() -> bool:
    """Whether somebody looks at the output on a terminal, or says how wide it is to be."""
    return sys.stdout.isatty() or "COLUMNS" in os.environ


def mark_of(verdict: str) -> str:
    """The sign of a verdict."""
    return _MARKS[verdict][0]


def print_verdict(verdict: str, sentence: str, next_steps: Iterable[str] = ()) -> None:
    """Print the verdict line, and what to do next."""
    mark, colour = _MARKS[verdict]
    if _quiet.get():
        if verdict not in _WELL:
            lines = [f"pgaudit: {verdict.replace('_', ' ')}: {sentence}", *(f"  → {step}" for step in next_steps)]
            print(visible("\n".join(lines)), file=sys.stderr)
        return
    out = console()
    out.print(f"[bold {colour}]{mark} {verdict.replace('_', ' ')}[/] ", end="")
    out.print(visible(sentence), markup=False)
    for step in next_steps:
        out.print(f"  → {visible(step)}", markup=False)


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    right: Sequence[str] = (),
    total: int | None = None,
    shown: int | None = SHOWN,
    how: str = "--json lists all",
) -> None:
    """Print the first *shown* of *rows* (the first of *total*) as a table, and how many more there are; nothing when there are none.

    *how* says how to see the others; *shown* None: all.
    """
    from rich.markup import escape
    from rich.table import Table

    if not rows:
        return
    out = console()
    shown_rows = [[_cell(value) for value in row] for row in rows[:shown]]
    more = (len(rows) if total is None else total) - (len(rows) if shown is None else shown)
    if len(columns) >= _MANY_COLUMNS and _has_a_width() and _least_width(columns, shown_rows) > out.width:
        _print_records(out, title, columns, shown_rows)
        print_more(more, how)
        return
    table = Table(title=escape(visible(title)), title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    cells = [[escape(cell) for cell in row] for row in shown_rows]
    for place, column in enumerate(columns):
        longest = max(len(row[place]) for row in cells)
        is_name = place == 0 or (place == 1 and not columns[0])  # on a narrow terminal a reason is folded before a name is
        width = min(longest, _NAME_WIDTH) if is_name else None
        table.add_column(escape(visible(column)), justify="right" if column in right else "left", overflow="fold", min_width=width)
    for row in cells:
        table.add_row(*row)
    out.print(table)
    print_more(more, how)
    out.print()


def _least_width(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    """How wide a terminal must be for a table that can be read: which folds the longest of its columns, and no other."""
    *others, longest = sorted(
        max(len(line) for cell in column for line in cell.splitlines() or [""]) for column in zip(columns, *cells, strict=True)
    )
    return sum(others) + min(longest, _FOLDED) + 2 * len(others)


def _print_records(out: Console, title: str, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    """Print each row as lines of its own, where a table of them would have columns too narrow to read."""
    names = [" ".join(visible(column).split()) for column in columns]
    margin = max(map(len, names))
    if title:
        out.print(visible(title), markup=False, style="bold")
    for row in cells:
        for name, cell in zip(names, row, strict=True):
            if cell:
                out.print(f"{name:<{margin}}  {cell}", markup=False)
        out.print()


def print_more(number: int, how: str) -> None:
    """Say that *number* more are not shown, and *how* to see them; nothing when there are none."""
    if number > 0:
        console().print(f"… and {number:,} more; {how}", style="dim")


def print_checks(checks: Sequence[Check]) -> None:
    """Print one line per check."""
    rows = [(_MARKS[c.outcome][0], c.id, c.found, f"{c.compared:,}") for c in checks]
    print_table("Checks", ["", "check", "found", "compared"], rows, right=["compared"])


def remedies(checks: Iterable[Check]) -> list[str]:
    """What to do next about the *checks* that did not pass, each once."""
    return list(dict.fromkeys(c.remedy for c in checks if c.outcome != "passed" and c.remedy))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return visible(str(value))


def visible(text: str) -> str:
    """Return *text* with its control characters, newlines aside, written as escapes."""
    return _CONTROL.sub(lambda m: m[0].encode("unicode_escape").decode("ascii"), text)
