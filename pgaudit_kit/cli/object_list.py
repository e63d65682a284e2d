"""The objects that differ, on a terminal: one line each, with what changed below it; of long texts the lines that differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from pgaudit_kit.cli.output import HOW_TO_SEE_ALL, LINES_SHOWN, SHOWN, console, print_more, visible
from pgaudit_kit.display.object_changes import ONLY_A_SECRET, is_long, status_word, without_secrets
from pgaudit_kit.display.text_difference import Piece, different_lines, different_words
from pgaudit_kit.records.difference import Change, ObjectDifference

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_TEXT_SHOWN = 400  # characters of one changed text of one line
_AROUND = 2  # lines of context
_LOOKS = {"missing": ("-", "red"), "extra": ("+", "green"), "changed": ("~", "yellow")}
_COLOURS = {"-": "red", "+": "green", "@": "dim"}


def print_objects(differences: Sequence[ObjectDifference], names: tuple[str, str], *, everything: bool) -> None:
    """Print what differs, then what is only written otherwise; of many and of long texts the first, unless *everything* is wanted."""
    out = console()
    differ = [d for d in differences if d.status != "equivalent"]
    if differ:
        _print_title(out, f"Objects that differ: {len(differ):,}", names)
        for d in islice(differ, None if everything else SHOWN):
            _print_object(out, d, everything=everything)
        print_more(0 if everything else len(differ) - SHOWN, HOW_TO_SEE_ALL)
        out.print()
    equivalent = [d for d in differences if d.status == "equivalent"]
    if equivalent:
        out.print(_text(f"Written otherwise, the same in effect (no difference): {len(equivalent):,}", "bold"))
        for d in islice(equivalent, None if everything else SHOWN):
            out.print(_text(f"≈ {d.key}: {d.reason}"))
        print_more(0 if everything else len(equivalent) - SHOWN, HOW_TO_SEE_ALL)
        out.print()


def _print_title(out: Console, title: str, names: tuple[str, str]) -> None:
    line = _text(title, "bold")
    line.append("   ")
    line.append(visible(f"- {names[0]}"), "red")
    line.append("   ")
    line.append(visible(f"+ {names[1]}"), "green")
    out.print(line)


def _print_object(out: Console, difference: ObjectDifference, *, everything: bool) -> None:
    word = status_word(difference.status)
    sign, colour = _LOOKS[word]
    line = _text(f"{sign} {word:<7} ", colour)
    line.append(visible(str(difference.key)))
    if difference.hint:
        line.append(visible(f"  ({difference.hint})"), "dim")
    out.print(line)
    for change in difference.changes:
        _print_change(out, change, everything=everything)


def _print_change(out: Console, change: Change, *, everything: bool) -> None:
    shown = without_secrets(change)
    if shown.left == shown.right:
        out.print(_text(f"    {change.attribute}: {ONLY_A_SECRET}"))
    elif is_long(shown):
        out.print(_text(f"    {change.attribute}:"))
        _print_lines(out, shown.left or "", shown.right or "", everything=everything)
    else:
        _print_words(out, shown, everything=everything)


def _print_words(out: Console, change: Change, *, everything: bool) -> None:
    left, right = ([Piece("(none)")] if t is None else [Piece("''")] if not t else None for t in (change.left, change.right))
    if left is None and right is None:
        left, right = map(list, different_words(change.left or "", change.right or ""))
    sides = [_side("-", left or [Piece(change.left or "")]), _side("+", right or [Piece(change.right or "")])]
    label = _text(f"    {change.attribute}: ")
    if sum(len(side) for side in (label, *sides)) + 3 <= out.width and not any("\n" in side.plain for side in sides):
        out.print(label.append_text(sides[0]).append(" → ", "dim").append_text(sides[1]))
        return
    out.print(label)
    for sign, side in zip("-+", sides, strict=True):
        if not everything and len(side) > _TEXT_SHOWN:
            side.truncate(_TEXT_SHOWN)
            side.append(f"… (cut; {HOW_TO_SEE_ALL})", "dim")
        for number, line in enumerate(side.split("\n", allow_blank=True)):
            out.print(_text(f"      {sign if number == 0 else ' '} ", _COLOURS[sign]).append_text(line))


def _print_lines(out: Console, left: str, right: str, *, everything: bool) -> None:
    source = different_lines(left, right, around=_AROUND)
    for line in islice(source, None if everything else LINES_SHOWN):
        sign = "" if line.sign == "@" else f"{line.sign} "
        out.print(_text(f"      {sign}", _COLOURS.get(line.sign, "")).append_text(_side(line.sign, line.pieces)))
    if more := sum(1 for _ in source):
        out.print(_text(f"      … and {more:,} more lines; {HOW_TO_SEE_ALL}", "dim"))


def _side(sign: str, pieces: Iterable[Piece]) -> Text:
    """Pieces of one side in its colour, bold and underlined where the other differs; of a terminal's own escapes nothing is left."""
    colour = _COLOURS.get(sign, "")
    text = _text("")
    for piece in pieces:
        if piece.differs:
            text.append(visible(piece.text), f"bold underline {colour}")
        else:
            text.append(visible(piece.text.replace("\t", "    ")), colour)  # where both have it, a tab is indentation
    return text


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text().append(visible(text), style)
