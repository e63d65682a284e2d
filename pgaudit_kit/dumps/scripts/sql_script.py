r"""A plain script, split into its pieces as psql would: comments, statements, psql commands, COPY data. Nothing is held but one piece.

The rules are those of psql's lexer (src/fe_utils/psqlscan.l) as far as a script of pg_dump needs them:

- `'…'` with `''`; a backslash escapes only in `E'…'`, or everywhere when standard_conforming_strings is off; `"…"` with `""`;
- `$tag$ … $tag$`, which does not begin inside an identifier; `--` and nested `/* */` comments;
- `;` ends a statement outside of parentheses (rules with several actions) and outside of BEGIN ATOMIC … END (routines of 14+);
- after COPY … FROM stdin; the rows begin on the next line and end at the line `\.`.

One thing psql would not do: a line that no command begins with, where a message or a prompt got into the script, is a piece by
itself. To psql it would spoil the statement after it; an apostrophe in it would hide the rest of the script.

Works on bytes: no byte of these rules is a trailing byte in any client encoding but the backslash, which matters where it escapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Protocol

from pgaudit_kit.dumps.copy_statement import parse_copy
from pgaudit_kit.dumps.counting import RowCounter
from pgaudit_kit.dumps.files.decompression import PIECE
from pgaudit_kit.dumps.scripts.foreign_text import MESSAGE, VERB
from pgaudit_kit.dumps.scripts.insert_runs import RUN_BYTES, RunLearner
from pgaudit_kit.dumps.scripts.open_statement import OpenStatement
from pgaudit_kit.dumps.scripts.script_pieces import Between, CopyData, Foreign, MetaCommand, Piece, Statement
from pgaudit_kit.dumps.text_encoding import UTF8, leading_bytes
from pgaudit_kit.errors import DamagedDump

# A statement is held whole. The server itself takes none above 1 GiB; a quarter of that is far above what pg_dump writes.
LONGEST_STATEMENT = 1 << 28
# From this length an INSERT is given in parts: --rows-per-insert can put a whole table into one statement.
LONG_INSERT = 1 << 20
# Of the psql commands inside of one statement, so many are told: where there are more, rows have lost their COPY.
COMMANDS_TOLD = 20
# Up to this many bytes may belong to an end mark whose rest was not read yet: \n \ . \r
_MARK_SIZE = 4
# Enough of a statement to see what it is
_HEAD_SIZE = 64

_QUOTE, _DOUBLE_QUOTE, _DOLLAR, _BACKSLASH = b"'\"$\\"
_FRAME = b"-- PostgreSQL database "
_ROWS = (b"INSERT ", b"COPY ")
_COMMENT_BYTES = frozenset(b"-/")

_SPACE = re.compile(rb"(?:[ \t\r\n\f\v]+|--[^\n]*\n)*")
_RUN = re.compile(rb"[^'\"$;()\-/\\]*")
_LITERAL = re.compile(rb"'[^']*'")  # '' is one literal after another: the borders are the same
_ESCAPED_LITERAL = re.compile(rb"'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'(?!')", re.DOTALL)
_WIDE_LITERAL = rb"'[^'\\%(lead)b]*(?:(?:\\.|''|[%(lead)b].)[^'\\%(lead)b]*)*'(?!')"  # the same, in encodings like SJIS
_QUOTED_NAME = re.compile(rb'"[^"]*"')
_DOLLAR_TAG = re.compile(rb"\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$")
_DOLLAR_TAG_BEGUN = re.compile(rb"\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\Z")
_COMMENT_BORDER = re.compile(rb"/\*|\*/")
_ROUTINE = re.compile(rb"CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\b", re.IGNORECASE)
_INSERT = re.compile(rb"INSERT\s+INTO\b", re.IGNORECASE)
# The usual INSERT of one row, taken in one step when nothing in it can be read in two ways; dumps with --inserts have millions
_FLAT_NAMES = rb"[^'\"()$;\\/-]*(?:\"[^'\"()$;\\/-]*\"[^'\"()$;\\/-]*)*"
_FLAT_INSERT = re.compile(
    rb"INSERT INTO " + _FLAT_NAMES + rb"(?:\(" + _FLAT_NAMES + rb"\) [^'\"()$;\\/-]*)?VALUES "
    rb"\([^'\"()$;\\/]*(?:(?<![eE])'[^']*'[^'\"()$;\\/]*)*\)[^'\"()$;\\/-]*;"
)
_COPY = re.compile(rb"COPY\b", re.IGNORECASE)
_SET_STRINGS = re.compile(rb"SET\s+standard_conforming_strings\s*(?:=|\bTO\b)\s*'?(on|off|true|false)\b", re.IGNORECASE)
_SET_ENCODING = re.compile(rb"SET\s+client_encoding\s*(?:=|\bTO\b)\s*'?(\w+)", re.IGNORECASE)
_WORD_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$") | frozenset(range(0x80, 0x100))


class Readable(Protocol):
    """A stream, as `decompression.ByteStream`."""

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes, b"" only at the end."""

    def readinto(self, view: memoryview) -> int:
        """Read up to `len(view)` bytes into *view*; return how many, 0 only at the end."""


class ScriptSplitter:
    """Iterate over the pieces of the script that *stream* gives.

    *offset* and *line* are those of the stream's first byte; *standard_strings* and *encoding* hold until the script sets them.
    Without *runs* every INSERT is a statement of its own. *on_rows* gets the bytes of COPY rows as they go by, before their CopyData.
    When the stream breaks, the pieces up to there are given, and `broken` holds the DamagedDump. `standard_strings` follows the
    script's SET statements. Raises DamagedDump for a statement longer than 256 MiB.
    """

    def __init__(
        self,
        stream: Readable,
        *,
        offset: int = 0,
        line: int = 1,
        standard_strings: bool = True,
        encoding: str = UTF8,
        runs: bool = True,
        on_rows: Callable[[bytes], object] | None = None,
    ) -> None:
        self.standard_strings = standard_strings
        self._on_rows = on_rows
        self.broken: DamagedDump | None = None
        self._stream = stream
        self._data = b""  # the window: what was read and not yet given
        self._base = offset  # offset of the window's first byte
        self._pos = 0  # where in the window the current piece begins,
        self._scan = 0  # how far it was looked at,
        self._read_to = 0  # and how far the words of a routine were read
        self._line = line
        self._at_end = False
        self._in_insert = False
        self._copy_follows = False
        self._escaped_literal = _escaped_literal(encoding)
        self._begun = False  # a comment of pg_dump or a command was seen: before that, any other line is foreign
        self._inserts = RunLearner() if runs else None

    def __iter__(self) -> Iterator[Piece]:
        while self._pos < len(self._data) or self._grow():
            if self._in_insert:
                yield self._statement()
            elif between := self._between():
                yield between
            elif self._data[self._pos] == _BACKSLASH:
                yield self._meta_command()
            elif self._is_foreign():
                yield Foreign(*self._take(self._end_of(self._line_end)))
            else:
                yield self._statement()
                if self._copy_follows:
                    self._copy_follows = False
                    yield self._copy_data()

    @property
    def offset(self) -> int:
        """Offset of the next piece: at the end, of the end of the script."""
        return self._base + self._pos

    @property
    def line(self) -> int:
        """Line of the next piece."""
        return self._line

    # ---- the window

    def _grow(self) -> bool:
        """Read more behind what is held; False at the end. Reads as much as is held, so that long pieces cost linear time."""
        if self._at_end:
            return False
        held = self._data[self._pos :]
        if len(held) > LONGEST_STATEMENT:
            what = f"what begins at line {self._line} does not end within {LONGEST_STATEMENT >> 20} MiB"
            raise DamagedDump(what, offset=self._base + self._pos, line=self._line)
        more = self._read(max(PIECE, len(held)))
        self._base += self._pos
        self._scan -= self._pos
        self._read_to -= self._pos
        self._pos = 0
        self._data = held + more
        return bool(more)

    def _read(self, size: int) -> bytes:
        try:
            more = self._stream.read(size)
        except DamagedDump as error:
            self.broken = error
            more = b""
        self._at_end = not more
        return more

    def _look_ahead(self, size: int) -> None:
        """Have *size* bytes of the current piece in the window, unless the script ends before."""
        while len(self._data) - self._pos < size and self._grow():
            pass

    def _take(self, end: int) -> tuple[bytes, int, int]:
        """Return text, offset and line of the piece that ends at *end* of the window, and go on behind it."""
        text = self._data[self._pos : end]
        offset, line = self._base + self._pos, self._line
        self._line += text.count(b"\n")
        self._pos = end
        return text, offset, line

    # ---- between statements

    def _between(self) -> Between | None:
        """The white space and comments at the current place; None when a statement or a command begins here."""
        self._look_ahead(2)
        if end := _end(_SPACE, self._data, self._pos) - self._pos:
            between = Between(*self._take(self._pos + end))
            self._begun = self._begun or _FRAME in between.text
            return between
        opening = self._data[self._pos : self._pos + 2]
        if opening == b"/*":
            return Between(*self._take(self._end_of(self._comment_end)))
        if opening == b"--":  # longer than the window, or the last line of the script
            return Between(*self._take(self._end_of(self._line_end)))
        return None

    def _end_of(self, find_end: Callable[[int], int]) -> int:
        """Where the current piece ends, reading on until *find_end* finds it; the end of the script when it never does."""
        while (end := find_end(self._pos)) < 0:
            if not self._grow():
                return len(self._data)
        return end

    def _line_end(self, at: int) -> int:
        return self._data.find(b"\n", at) + 1 or -1

    def _comment_end(self, at: int) -> int:
        depth = 0
        for border in _COMMENT_BORDER.finditer(self._data, at):
            depth += 1 if border[0] == b"/*" else -1
            if not depth:
                return border.end()
        return -1

    def _meta_command(self) -> MetaCommand:
        return MetaCommand(*self._take(self._end_of(self._line_end)))

    def _is_foreign(self) -> bool:
        """Whether the line that begins here belongs to no script."""
        self._look_ahead(_HEAD_SIZE)
        if self._begun:
            return not self._data.startswith(_ROWS, self._pos) and bool(MESSAGE.match(self._data, self._pos))
        self._begun = bool(VERB.match(self._data, self._pos))
        return not self._begun

    # ---- statements

    def _statement(self) -> Statement:
        if run := self._run():
            return run
        statement = self._one_statement()
        if self._inserts and self.standard_strings and (not statement.begins or _INSERT.match(statement.text)):
            self._inserts.see(statement.text, begins=statement.begins)
        return statement

    def _run(self) -> Statement | None:
        """The INSERT rows from the current place on that are like those before; None when none is, or they are not known well enough."""
        shape = self._inserts.shape if self._inserts else None
        if not shape or not self.standard_strings:
            return None
        self._look_ahead(RUN_BYTES)
        end, rows = shape.find(self._data, self._pos, is_open=self._in_insert)
        if not rows:
            return None
        begins, self._in_insert = not self._in_insert, True
        return Statement(*self._take(end), begins=begins, ends=False, shape=shape, rows=rows)

    def _one_statement(self) -> Statement:
        self._look_ahead(_HEAD_SIZE)
        if self.standard_strings and (flat := _FLAT_INSERT.match(self._data, self._pos)) and b"--" not in flat[0]:
            return Statement(*self._take(flat.end()))
        statement = OpenStatement(
            begins=not self._in_insert,
            insert=self._in_insert or bool(_INSERT.match(self._data, self._pos)),
            routine=bool(_ROUTINE.match(self._data, self._pos)),
        )
        self._scan = self._read_to = self._pos
        while not (statement.ends or statement.cut) and self._go_on(statement):
            pass
        self._in_insert = statement.cut
        end = self._scan if statement.ends or statement.cut else len(self._data)
        if statement.ends and _COPY.match(self._data, self._pos):
            end = self._end_of_copy(end)
        piece = Statement(*self._take(end), begins=statement.begins, ends=statement.ends, commands=tuple(statement.commands))
        if strings := _SET_STRINGS.match(piece.text):
            self.standard_strings = strings[1].lower() in (b"on", b"true")
        elif encoding := _SET_ENCODING.match(piece.text):
            self._escaped_literal = _escaped_literal(encoding[1].decode("latin-1"))
        return piece

    def _go_on(self, statement: OpenStatement) -> bool:
        """Look at the current statement up to the next byte that matters, and over it; False when the script ends there."""
        stop = self._scan = _end(_RUN, self._data, self._scan)
        if stop == len(self._data):
            return self._grow()
        if statement.routine:  # not before a byte that ends words is there: the window may end in the middle of one
            statement.read_words(self._data[self._read_to : stop])
            self._read_to = stop
        byte = self._data[stop]
        if byte == _BACKSLASH and len(statement.commands) < COMMANDS_TOLD:
            statement.commands.append(self._command_inside())
            stop = self._scan
        end = self._end_of_token(byte, stop)
        if end < 0:
            return self._grow()
        self._scan = self._read_to = end
        statement.see(byte, long=end - self._pos > LONG_INSERT)
        return True

    def _end_of_token(self, byte: int, at: int) -> int:
        """Where the literal, quoted name, comment or single byte at *at* ends; -1 when more of the script is needed to tell."""
        if byte == _QUOTE:
            return self._literal_end(at)
        if byte == _DOUBLE_QUOTE:
            return _end(_QUOTED_NAME, self._data, at)
        if byte == _DOLLAR:
            return self._dollar_end(at)
        return self._comment_or_byte_end(at) if byte in _COMMENT_BYTES else at + 1

    def _comment_or_byte_end(self, at: int) -> int:
        opening = self._data[at : at + 2]
        if opening == b"--":
            return self._line_end(at)
        if opening == b"/*":
            return self._comment_end(at)
        return at + 1 if len(opening) > 1 or self._at_end else -1

    def _literal_end(self, at: int) -> int:
        if self.standard_strings and not self._is_escape_string(at):
            return _end(_LITERAL, self._data, at)
        end = _end(self._escaped_literal, self._data, at)
        return -1 if end == len(self._data) and not self._at_end else end  # a second quote may follow

    def _is_escape_string(self, at: int) -> bool:
        return at > self._pos and self._data[at - 1] in b"eE" and not self._is_in_word(at - 1)

    def _is_in_word(self, at: int) -> bool:
        return at > self._pos and self._data[at - 1] in _WORD_BYTES

    def _dollar_end(self, at: int) -> int:
        if self._is_in_word(at):
            return at + 1
        tag = _DOLLAR_TAG.match(self._data, at)
        if not tag:
            return -1 if _DOLLAR_TAG_BEGUN.match(self._data, at) and not self._at_end else at + 1
        closing = self._data.find(tag[0], tag.end())
        return closing + len(tag[0]) if closing >= 0 else -1

    def _command_inside(self) -> MetaCommand:
        r"""The psql command at the backslash that the scan stands at: psql obeys it wherever it stands outside of literals."""
        while (end := self._data.find(b"\n", self._scan)) < 0 and self._grow():
            pass
        text = self._data[self._scan : end if end >= 0 else len(self._data)]
        return MetaCommand(text, self._base + self._scan, self._line + self._data.count(b"\n", self._pos, self._scan))

    def _end_of_copy(self, end: int) -> int:
        """Where the line of a COPY … FROM stdin ends, whose semicolon is before *end*; *end* for any other COPY."""
        if not parse_copy(self._data[self._pos : end].decode("latin-1")):
            return end
        self._copy_follows = True
        while (line_end := self._line_end(end)) < 0:
            end -= self._pos
            if not self._grow():
                return len(self._data)
        return line_end

    # ---- rows

    def _copy_data(self) -> CopyData:
        r"""Skip to the end mark, counting. The last bytes of each block wait for the next one: they may begin an end mark.

        Rows that go on behind the window pass through one buffer.
        """
        self._look_ahead(_MARK_SIZE)
        offset, line = self._base + self._pos, self._line
        counter = RowCounter()
        whole = 0  # bytes of whole lines
        block: bytes | bytearray = self._data
        start, end = self._pos, len(self._data)
        at = start if block.startswith(b"\\.", start) else counter.find_end_mark(block, start, end)
        while True:
            mark, mark_end = self._end_mark(block, at, end)
            border = mark if mark >= 0 else max(end - (0 if self._at_end else _MARK_SIZE), start)
            if (last := block.rfind(b"\n", start, border)) >= 0:
                whole = counter.size_bytes + last + 1 - start
            counter.add(block, start, border)
            if self._on_rows and border > start:
                self._on_rows(bytes(memoryview(block)[start:border]))
            if mark >= 0 or self._at_end:
                break
            self._base += border
            block, end = self._next_block(block, border, end)
            start, at = 0, counter.find_end_mark(block, 0, end)
        ends = mark >= 0
        crlf = ends and block[mark:mark_end].endswith(b"\r\n")
        self._pos = mark_end if ends else end
        if block is not self._data:
            self._base += self._pos
            self._data, self._pos = bytes(block[self._pos : end]), 0
        self._line += counter.rows + ends
        return CopyData(offset, line, counter.rows, counter.tabs, whole, self._base + self._pos, ends=ends, crlf=crlf)

    def _next_block(self, block: bytes | bytearray, border: int, end: int) -> tuple[bytearray, int]:
        """Return the buffer with what follows *border*, and how many bytes are in it."""
        buffer = block if isinstance(block, bytearray) else bytearray(PIECE)
        held = end - border
        buffer[:held] = block[border:end]
        try:
            size = self._stream.readinto(memoryview(buffer)[held:])
        except DamagedDump as error:
            self.broken = error
            size = 0
        self._at_end = not size
        return buffer, held + size

    def _end_mark(self, block: bytes | bytearray, at: int, end: int) -> tuple[int, int]:
        r"""Where the end mark begins and where its line ends, (-1, -1) without one; *at*: the first `\.` at the start of a line."""
        while at >= 0:
            rest = block[at + 2 : min(at + 4, end)]
            if rest[:1] == b"\n" or rest == b"\r\n":
                return at, at + (3 if rest[:1] == b"\n" else 4)
            if self._at_end and rest in (b"", b"\r"):
                return at, at + 2 + len(rest)
            at = block.find(b"\n\\.", at, end) + 1 or -1
        return -1, -1


def _escaped_literal(encoding: str) -> re.Pattern[bytes]:
    lead = leading_bytes(encoding)
    return re.compile(_WIDE_LITERAL % {b"lead": lead}, re.DOTALL) if lead else _ESCAPED_LITERAL


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    match = pattern.match(data, at)
    return match.end() if match else -1
