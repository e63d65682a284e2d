"""Where a statement of a script ends: at its `;` outside of parentheses, and of BEGIN ATOMIC … END in routines."""

from __future__ import annotations

import re

from pgaudit_kit.dumps.scripts.script_pieces import MetaCommand

_OPEN, _CLOSE, _SEMICOLON = b"();"
_BEGIN_ATOMIC = re.compile(rb"\bBEGIN\s+ATOMIC\b", re.IGNORECASE)
_CASE_OR_END = re.compile(rb"\b(?:(CASE)|END)\b", re.IGNORECASE)


class OpenStatement:
    """What is known of a statement while it is read."""

    def __init__(self, *, begins: bool, insert: bool, routine: bool) -> None:
        self.begins = begins
        self.routine = routine
        self.ends = False
        self.cut = False
        self.commands: list[MetaCommand] = []
        self._insert = insert
        self._parentheses = 0
        self._blocks = 0  # BEGIN ATOMIC and CASE that are open

    def see(self, byte: int, *, long: bool) -> None:
        """Take a parenthesis or semicolon; a *long* INSERT may be cut after a row."""
        if byte == _OPEN:
            self._parentheses += 1
        elif byte == _CLOSE:
            self._parentheses = max(self._parentheses - 1, 0)
            self.cut = self._insert and long and not self._parentheses
        elif byte == _SEMICOLON:
            self.ends = not (self._parentheses or self._blocks)

    def read_words(self, text: bytes) -> None:
        """Count the blocks of a routine's SQL body. BEGIN alone is not counted: it is a legal name, and blocks do not nest."""
        at = 0
        if not self._blocks:
            begin = _BEGIN_ATOMIC.search(text)
            if not begin:
                return
            self._blocks = 1
            at = begin.end()
        for word in _CASE_OR_END.finditer(text, at):
            self._blocks += 1 if word[1] else -1
