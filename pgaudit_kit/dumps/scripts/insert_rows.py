r"""INSERT statements of a dump made with --inserts, as COPY lines.

pg_dump writes each value so that its text can be told apart exactly (pg_dump.c, dumpTableData_insert): numbers bare, bit
strings as B'…', booleans as true and false, all else as a quoted string with the text that COPY would give too.
Anything else, which only a person writes, is not guessed at: it raises NotCopyable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pgaudit_kit.records.identifiers import read_name, read_names_in_parentheses

_INTO = re.compile(r"\s*INSERT\s+INTO\s+", re.IGNORECASE | re.ASCII)
_HEAD_BYTES = 1 << 16  # a name and 1,600 columns, the most a table can have, of 63 characters stay well below
_VALUES = re.compile(r"\s*(?:OVERRIDING\s+(?:SYSTEM|USER)\s+VALUE\s+)?(VALUES\s*(?=\()|DEFAULT\s+VALUES)", re.IGNORECASE | re.ASCII)
_TUPLE = {
    True: re.compile(rb"\s*,?\s*\(([^'()]*(?:'[^']*'[^'()]*)*)\)"),
    False: re.compile(rb"\s*,?\s*\(([^'()]*(?:'[^'\\]*(?:\\.[^'\\]*)*'[^'()]*)*)\)", re.DOTALL),
}
_VALUE = {
    True: re.compile(rb"\s*((?:B?'[^']*')(?:'[^']*')*|[^',]+?)\s*(,|\Z)"),
    False: re.compile(rb"\s*(B?'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'(?!')|[^',]+?)\s*(,|\Z)", re.DOTALL),
}
_END = re.compile(rb"\s*(?:ON\s+CONFLICT\s+DO\s+NOTHING\s*)?;\s*\Z", re.IGNORECASE)
_NUMBER = re.compile(rb"-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?\Z")
_BITS = re.compile(rb"B'([01]*)'\Z")
_KEYWORDS = {b"null": rb"\N", b"true": b"t", b"false": b"f"}
_DEFAULT = b"default"
_TO_ESCAPE = re.compile(rb"[\\\x08\t\n\x0b\x0c\r]")
_ESCAPES = {b"\\": rb"\\", b"\b": rb"\b", b"\t": rb"\t", b"\n": rb"\n", b"\v": rb"\v", b"\f": rb"\f", b"\r": rb"\r"}
_BACKSLASH_PAIR = re.compile(rb"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class InsertTarget:
    """Where an INSERT puts its rows. `columns` is None when the statement does not list them."""

    schema: str | None
    table: str
    columns: tuple[str, ...] | None


class NotCopyable(Exception):
    """An INSERT that is no plain list of values: why, and into what table if that is known. Never leaves this room."""

    def __init__(self, message: str, target: InsertTarget | None = None) -> None:
        super().__init__(message)
        self.target = target


@dataclass(slots=True)
class InsertReader:
    """Reads the INSERT statements of one table, in order.

    `target` is that of the last statement; `width` the number of values in a row, `defaults` the positions where rows
    say DEFAULT (generated columns), which are left out of the lines; `is_open` says that the last part did not end its
    statement; `rows` counts the lines given.
    """

    standard_strings: bool = True
    crlf: bool = False
    target: InsertTarget | None = None
    width: int | None = None
    defaults: tuple[int, ...] = ()
    is_open: bool = False
    rows: int = 0
    _head: bytes | None = None

    def lines(self, statement: bytes) -> Iterator[bytes]:
        r"""Yield the rows of *statement* (in UTF-8), or of the next part of a long one, as COPY lines with their \n.

        Raises NotCopyable.
        """
        if self.crlf:  # text mode on Windows turned every line end into two bytes, those inside of values too
            statement = statement.replace(b"\r\n", b"\n")
        at = 0
        if not self.is_open:
            at = self._rows_begin(statement)
            if not at:
                self._check_shape(0, ())
                self.rows += 1
                yield b"\n"
                return
        rows = _TUPLE[self.standard_strings]
        while match := rows.match(statement, at):
            yield self._line(match[1])
            self.rows += 1
            at = match.end()
        self.is_open = not statement[at:].strip()
        if not self.is_open and not _END.match(statement, at):
            raise self._not_copyable("is no plain list of values")

    @property
    def head(self) -> bytes | None:
        """All that stands before the first row of the last statement; None before the first one and for DEFAULT VALUES."""
        return self._head

    def skip(self, rows: int, *, width: int, defaults: tuple[int, ...]) -> None:
        """Go on behind *rows* more rows that were read elsewhere; the statement is open then. Raises NotCopyable for another shape."""
        self._check_shape(width, defaults)
        self.rows += rows
        self.is_open = True

    def begins_alike(self, statement: bytes) -> bool:
        """Whether *statement* begins, up to its first row, with the very bytes of the last one."""
        return self._head is not None and statement.startswith(self._head)

    def columns(self, all_columns: Iterable[str] | None, stored_columns: Iterable[str] | None = None) -> tuple[str, ...] | None:
        """Return the columns of the lines: those that the statement lists, else *all_columns*; None when they do not fit the rows.

        *stored_columns*: those that are not generated. Where there are none of them, --column-inserts writes DEFAULT VALUES.
        """
        listed = self.target.columns if self.target else None
        names = tuple(listed if listed is not None else all_columns or ())
        if not self.width and stored_columns is not None and not tuple(stored_columns):
            return ()
        if len(names) != (self.width or 0):
            return None
        return tuple(name for i, name in enumerate(names) if i not in self.defaults)

    def _rows_begin(self, statement: bytes) -> int:
        """Where the first row begins; 0 for DEFAULT VALUES. Statements of one table begin alike, so the head is parsed once."""
        if self._head and self.begins_alike(statement):
            return len(self._head)
        self.target, at, is_default_row = read_target(statement)
        self._head = None if is_default_row else statement[:at]
        return 0 if is_default_row else at

    def _line(self, row: bytes) -> bytes:
        fields = []
        defaults = []
        at = 0
        pattern = _VALUE[self.standard_strings]
        position = 0
        while True:
            match = pattern.match(row, at)
            if not match:
                raise self._not_copyable("holds a value that pg_dump does not write")
            value = self._field(match[1])
            if value is None:
                defaults.append(position)
            else:
                fields.append(value)
            position += 1
            at = match.end()
            if not match[2]:
                break
        self._check_shape(position, tuple(defaults))
        return b"\t".join(fields) + b"\n"

    def _check_shape(self, width: int, defaults: tuple[int, ...]) -> None:
        if self.width is None:
            self.width, self.defaults = width, defaults
        elif (width, defaults) != (self.width, self.defaults):
            raise self._not_copyable("has another shape than the rows before it")

    def _field(self, value: bytes) -> bytes | None:
        r"""The value as a COPY field; None for DEFAULT."""
        if value[0] == ord("'"):
            text = value[1:-1].replace(b"''", b"'")
            if not self.standard_strings and b"\\" in text:
                text = _BACKSLASH_PAIR.sub(_unescape, text)
            return _TO_ESCAPE.sub(_escape, text) if _TO_ESCAPE.search(text) else text
        if _NUMBER.match(value):
            return value
        word = value.lower()
        if word in _KEYWORDS:
            return _KEYWORDS[word]
        if word == _DEFAULT:
            return None
        if bits := _BITS.match(value):
            return bits[1]
        raise self._not_copyable("holds a value that pg_dump does not write")

    def _not_copyable(self, what: str) -> NotCopyable:
        """The row is named by its number, not shown: what is in it is nobody's business here."""
        return NotCopyable(f"row {self.rows + 1:,} {what}")


def read_target(statement: bytes) -> tuple[InsertTarget, int, bool]:
    """Return the target of an INSERT, the byte index of its first row, and whether it says DEFAULT VALUES. Raises NotCopyable."""
    # latin-1 keeps byte and character indexes equal; names are decoded afterwards
    head = statement[:_HEAD_BYTES].decode("latin-1")
    into = _INTO.match(head)
    name = read_name(head, into.end()) if into else None
    if not name:
        raise NotCopyable("a statement is no INSERT into a table")
    schema, table, at = name
    listed = read_names_in_parentheses(head, at)
    columns, at = listed or (None, at)
    values = _VALUES.match(head, at)
    target = InsertTarget(
        _utf8(schema) if schema is not None else None, _utf8(table), tuple(map(_utf8, columns)) if columns is not None else None
    )
    if not values:
        raise NotCopyable("a statement holds no list of values", target)
    return target, values.end(), values[1][:1] in "dD"


def _utf8(name: str) -> str:
    return name.encode("latin-1").decode("utf-8", "surrogateescape")


def _escape(match: re.Match[bytes]) -> bytes:
    return _ESCAPES[match[0]]


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[1] not in (b"\\", b"'"):
        raise NotCopyable("a string holds an escape that pg_dump does not write")
    return match[1]
