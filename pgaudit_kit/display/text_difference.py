"""Where two texts differ: line by line for those of several lines, and word by word inside of a line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

AROUND = 3  # lines of context
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_COMPARED_BY_WORD = 4_000  # characters; finding what two texts have in common can take the square of their length
_ALIKE = 0.3  # texts that have less in common are shown as two texts, without marks


class Piece(NamedTuple):
    """A part of a text, and whether the other text has something else there."""

    text: str
    differs: bool = False


class Line(NamedTuple):
    """One line of a difference: `-` only left has it, `+` only right, a space both, `@` where the next place begins."""

    sign: str
    pieces: Sequence[Piece]


def different_lines(left: str, right: str, *, around: int = AROUND) -> Iterator[Line]:
    """The lines that differ with some lines *around* each place, in the order of the texts; nothing when they are equal.

    Where as many lines were put as were taken away, each is compared with its counterpart word by word.
    """
    ended = left.endswith("\n") and right.endswith("\n")  # if one lacks the last line end, that is an empty line less
    before, after = (text.split("\n")[: -1 if ended else None] for text in (left, right))
    compared = list(difflib.unified_diff(before, after, n=around, lineterm=""))[2:]  # without the names of the sides
    taken: list[str] = []
    for sign, lines in groupby(compared, key=lambda line: line[0]):
        texts = [line[1:] for line in lines]
        if sign == "-":
            taken = texts
            continue
        yield from _changed(taken, texts if sign == "+" else [])
        taken = []
        if sign != "+":
            yield from (Line(sign, (Piece(f"@{text}" if sign == "@" else text),)) for text in texts)
    yield from _changed(taken, [])


def _changed(taken: Sequence[str], put: Sequence[str]) -> Iterator[Line]:
    if len(taken) == len(put):
        pairs = [different_words(*pair) for pair in zip(taken, put, strict=True)]
        yield from (Line("-", left) for left, _ in pairs)
        yield from (Line("+", right) for _, right in pairs)
        return
    yield from (Line("-", (Piece(text),)) for text in taken)
    yield from (Line("+", (Piece(text),)) for text in put)


def different_words(left: str, right: str) -> tuple[Sequence[Piece], Sequence[Piece]]:
    """Both texts in pieces, those marked that the other has not; without marks when they are long or have little in common."""
    if max(len(left), len(right)) > _COMPARED_BY_WORD:
        return (Piece(left),), (Piece(right),)
    words = _WORDS.findall(left), _WORDS.findall(right)
    matcher = difflib.SequenceMatcher(None, *words, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return (Piece(left),), (Piece(right),)
    pieces: tuple[list[Piece], list[Piece]] = ([], [])
    for tag, from_left, to_left, from_right, to_right in matcher.get_opcodes():
        for side, first, last in ((0, from_left, to_left), (1, from_right, to_right)):
            if first < last:
                pieces[side].append(Piece("".join(words[side][first:last]), differs=tag != "equal"))
    return pieces
