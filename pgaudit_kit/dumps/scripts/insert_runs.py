r"""Runs of INSERT rows that are all alike, taken many at a time: a dump with --inserts has millions, and each costs Python time.

A run is found by one regular expression made from the rows before it: the very same words around the values, as many values,
DEFAULT at the same places, and only values that pg_dump writes. So nothing is guessed: what does not fit is left to InsertReader,
row by row. The expression's parts cannot match in two ways (possessive quantifiers, alternatives that begin differently), so a row
ends in one place only, whatever its literals hold.

Converting works on a whole run at once. Split at each quote, its text is in turn outside and inside of literals; where '' stands in
a literal, the part outside is empty, as it never is between two literals.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace
from itertools import groupby

from pgaudit_kit.dumps.scripts.insert_rows import InsertReader, NotCopyable

# So many bytes are taken at once: what is made of them fits the second-level cache.
RUN_BYTES = 1 << 18
# Rows that are read one by one before an expression is made, which takes as long as some hundred rows.
_ROWS_TO_LEARN_FROM = 16
# Up to so many values the expression names each by itself, which is a quarter faster than a repetition; a table can have 1,600.
_WRITTEN_OUT = 64

# Not to be one byte is tested at memory speed, not to be one of two is not: zero bytes are looked for beforehand.
_VALUE = rb"(?:'[^']*+(?:''[^']*+)*+'|-?\d++(?:\.\d*+)?+(?:[eE][-+]?\d++)?+|NULL|true|false|B'[01]*+')"
_ENDS = (b";\n", b" ON CONFLICT DO NOTHING;\n")
_NOT_IN_HEAD = frozenset(b"'\0\r")
_NEXT_ROW = b",\n\t"
_WORDS = ((b", DEFAULT", b""), (b"DEFAULT, ", b""), (b", ", b"\t"), (b"NULL", rb"\N"), (b"true", b"t"), (b"false", b"f"))
_CONTROL = ((b"\\", rb"\\"), (b"\b", rb"\b"), (b"\t", rb"\t"), (b"\n", rb"\n"), (b"\v", rb"\v"), (b"\f", rb"\f"), (b"\r", rb"\r"))


@dataclass(frozen=True, slots=True)
class RunShape:
    """What the rows of a run have in common: `head` is all before the first row of an INSERT; the values at `defaults` are DEFAULT."""

    head: bytes
    width: int
    defaults: tuple[int, ...]
    _first: re.Pattern[bytes]
    _next: re.Pattern[bytes]

    @classmethod
    def of(cls, reader: InsertReader) -> RunShape | None:
        """Return the shape of the rows that *reader* has read; None for those that runs cannot have."""
        head, width, defaults = reader.head, reader.width, reader.defaults
        if not head or not width or set(head) & _NOT_IN_HEAD or len(defaults) == width or not reader.standard_strings:
            return None
        kinds = [b"DEFAULT" if position in defaults else _VALUE for position in range(width)]
        if width <= _WRITTEN_OUT:
            row = rb"\(" + b", ".join(kinds) + rb"\)"
        else:
            row = rb"\(" + kinds[0] + b"".join(b"(?:, %b){%d}" % (kind, len(list(same))) for kind, same in groupby(kinds[1:])) + rb"\)"
        first = re.escape(head) + row
        ends = b"|".join(map(re.escape, _ENDS))
        following = b"(?:" + re.escape(_NEXT_ROW) + b"|(?:" + ends + b")" + re.escape(head) + b")" + row
        return cls(head, width, defaults, re.compile(first), re.compile(following + b"|"))

    def with_head(self, head: bytes) -> RunShape:
        """Return the shape of the same rows in another encoding, where *head* is what the head is there."""
        return self if head == self.head else replace(self, head=head)

    def find(self, data: bytes, at: int, *, is_open: bool) -> tuple[int, int]:
        """Return where the run ends that begins at *at*, within RUN_BYTES and behind a row, and how many rows it has; (at, 0) for none.

        *is_open*: what stands before *at* is another row. A row at the very end of *data* is left out: more of it may come.
        """
        rows = 0
        end = at
        limit = min(at + RUN_BYTES, len(data) - 1)
        if (zero := data.find(b"\0", at, limit)) >= 0:
            limit = zero
        if not is_open:
            first = self._first.match(data, at, limit)
            if not first:
                return at, 0
            rows, end = 1, first.end()
        for row in self._next.finditer(data, end, limit):
            if row.end() == end:  # nothing was matched: no such row follows
                break
            rows, end = rows + 1, row.end()
        return end, rows

    def lines(self, run: bytes, *, is_open: bool) -> bytes:
        r"""Return the rows of *run*, which `find` found, as COPY lines, each with its \n."""
        outside, inside = self._converted(run, is_open=is_open)
        between, literals = outside.split(b"\0"), inside.split(b"\0")
        parts = [b""] * (len(between) + len(literals))
        parts[0::2], parts[1::2] = between, literals
        return b"".join(parts)

    def size_of_lines(self, run: bytes, *, is_open: bool) -> int:
        """Return how many bytes `lines` would give."""
        outside, inside = self._converted(run, is_open=is_open)
        return len(outside) - outside.count(b"\0") + len(inside) - inside.count(b"\0")

    def _converted(self, run: bytes, *, is_open: bool) -> tuple[bytes, bytes]:
        """The COPY text outside of literals and inside of them: as many parts each, separated by zero bytes, which no row holds."""
        parts = ((b")" if is_open else b");\n") + run).split(b"'")
        outside, inside = b"\0".join(parts[0::2]), b"\0".join([*parts[1::2], b""])
        for border in (_NEXT_ROW, *(end + self.head for end in _ENDS)):
            outside = outside.replace(b")" + border + b"(", b"\n")
        for word, field in _WORDS[0 if self.defaults else 2 :]:
            outside = outside.replace(word, field)
        for _ in range(2):  # twice, as one zero byte may belong to two pairs
            outside = outside.replace(b"\0\0", b"\0'\0")
        for character, escaped in _CONTROL:
            inside = inside.replace(character, escaped)
        return outside.replace(b"B\0", b"\0")[1:-1] + b"\n", inside


class RunLearner:
    """Watches the INSERT statements of a script until it knows the shape of a run: `shape`, None while it does not."""

    def __init__(self) -> None:
        self.shape: RunShape | None = None
        self._reader = InsertReader()
        self._gives_up = False

    def see(self, statement: bytes, *, begins: bool) -> None:
        """Take in an INSERT, or the next part of a long one, that was read by itself."""
        if begins and not self._reader.begins_alike(statement):
            self._reader, self.shape, self._gives_up = InsertReader(), None, False
        if self.shape or self._gives_up:
            return
        try:
            deque(self._reader.lines(statement), maxlen=0)
        except NotCopyable:
            self._gives_up = True
        else:
            if self._reader.rows >= _ROWS_TO_LEARN_FROM:
                self.shape = RunShape.of(self._reader)
                self._gives_up = not self.shape
