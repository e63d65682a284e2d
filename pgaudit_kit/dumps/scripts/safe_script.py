r"""A plain script as a restore may run it: what pg_dump writes, and nothing that a client program would carry out.

psql runs what a script tells it: `\!` a shell command, `\copy … program` another, `\i` and `\o` open files, `\connect` leaves the
database, `\set` with backquotes again the shell. A plain dump needs none of it but `\restrict TOKEN … \unrestrict TOKEN`, which is
checked here and left out: whoever runs the script puts a token of their own around it, or has no psql at all.

A script is also refused for what makes this reader and another one disagree on where a statement ends (zero bytes), for COPY from or to
a file or program of the server, and for ending the transaction that the restore is. `BEGIN;` and `COMMIT;`, which pg_dump puts around
each large object, are left out: all is one transaction anyway.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice

from pgaudit_kit.dumps.copy_statement import parse_copy
from pgaudit_kit.dumps.scripts.foreign_text import glimpse
from pgaudit_kit.dumps.scripts.script_pieces import Between, CopyData, Foreign, MetaCommand, Piece, Statement
from pgaudit_kit.dumps.scripts.sql_script import Readable, ScriptSplitter
from pgaudit_kit.errors import DamagedDump, UnsupportedDump

_RESTRICT = re.compile(rb"\\(un)?restrict[ \t]+([0-9A-Za-z]+)[ \t]*\r?\n?")
_COPY = re.compile(rb"COPY\b", re.IGNORECASE)
_BOUNDARY = re.compile(rb"(?:BEGIN|COMMIT|END|ROLLBACK|ABORT|START|SAVEPOINT|RELEASE|PREPARE)\b", re.IGNORECASE)
_OF_PG_DUMP = re.compile(rb"(?:BEGIN|COMMIT)\s*;\s*")
_REMEDY = "Do not trust the file before somebody has looked there."
_REMEDY_CONNECT = "Of a script by pg_dumpall name the database (cluster.sql#app); make one of pg_dump without --create."


def safe_pieces(stream: Readable, *, resource: str, on_rows: Callable[[bytes], object] | None = None, runs: bool = True) -> Iterator[Piece]:
    r"""Yield the pieces of the script in *stream* that may be run, in order; what is left out comes as a Between of as many lines.

    COPY rows go to *on_rows* between their Statement and their CopyData; *runs* as for ScriptSplitter. Nothing behind a piece that is
    refused was given. Raises UnsupportedDump for that, DamagedDump for a script that is cut short.
    """
    gate = _Gate()
    splitter = ScriptSplitter(_WithoutZeroBytes(stream, resource), on_rows=on_rows, runs=runs)
    for piece in splitter:
        if problem := next(gate.problems(piece), None):
            line, what = problem
            raise UnsupportedDump(f"line {line}: {what}", resource=resource, line=line, remedy=script_remedy(what))
        yield _without_what_is_left_out(piece)
    if cut := gate.why_cut(splitter):
        raise DamagedDump(cut, resource=resource, line=splitter.line)


def problems_of(stream: Readable, *, resource: str, most: int = 5) -> list[str]:
    """Return why the script in *stream* will not be run, one sentence per place, *most* of them; [] when it will be. Reads it once."""
    gate = _Gate()
    splitter = ScriptSplitter(_WithoutZeroBytes(stream, resource))
    found = (f"line {line}: {what}" for piece in splitter for line, what in gate.problems(piece))
    try:
        problems = list(islice(found, most))
    except (UnsupportedDump, DamagedDump) as error:
        return [error.message]
    return problems or list(filter(None, [gate.why_cut(splitter)]))


def script_remedy(problem: str) -> str:
    """What to do about *problem*, one of `problems_of`."""
    return _REMEDY_CONNECT if "\\connect" in problem else _REMEDY


class _Gate:
    r"""Says of each piece why it is refused. `restricted` is the token of the `\restrict` line that is open."""

    def __init__(self) -> None:
        self.restricted: bytes | None = None
        self._open = False  # in the middle of an INSERT that comes in parts

    def why_cut(self, splitter: ScriptSplitter) -> str:
        """Why what *splitter* has read to its end cannot be the whole script; "" when it can."""
        if splitter.broken:
            return splitter.broken.message
        if self.restricted is not None:
            return r"the script ends before its \unrestrict line"
        return "the last statement does not end" if self._open else ""

    def problems(self, piece: Piece) -> Iterator[tuple[int, str]]:
        """Yield the line, and what is wrong there."""
        if isinstance(piece, MetaCommand):
            yield from self._command(piece)
        elif isinstance(piece, Foreign):
            if piece.text.strip():
                yield piece.line, f"text that is no SQL: {_shown(piece.text)}"
        elif isinstance(piece, CopyData):
            if not piece.ends:
                yield piece.line, "the script ends among the rows of a table"
        elif isinstance(piece, Statement):
            self._open = not piece.ends
            yield from _statement(piece)

    def _command(self, piece: MetaCommand) -> Iterator[tuple[int, str]]:
        match = _RESTRICT.fullmatch(piece.text)
        if not match:
            yield piece.line, f"a command for psql, not SQL: {_shown(piece.text)}"
        elif match[1] and match[2] != self.restricted:
            yield piece.line, r"an \unrestrict line that belongs to no \restrict line before it"
        elif not match[1] and self.restricted is not None:
            yield piece.line, r"a second \restrict line, before the \unrestrict of the first"
        else:
            self.restricted = None if match[1] else match[2]


def _statement(piece: Statement) -> Iterator[tuple[int, str]]:
    for command in piece.commands:
        yield command.line, f"a command for psql inside of a statement: {_shown(command.text)}"
    if piece.commands or not piece.begins:
        return
    if not piece.ends and not _is_insert(piece):
        yield piece.line, f"a statement that does not end: {_shown(piece.text)}"
    elif _COPY.match(piece.text) and not _is_copy_of_pg_dump(piece.text):
        yield piece.line, f"a COPY that pg_dump does not write (from a file or program of the server?): {_shown(piece.text)}"
    elif _BOUNDARY.match(piece.text) and not _OF_PG_DUMP.fullmatch(piece.text):
        yield piece.line, f"a statement that would end the restore's own transaction: {_shown(piece.text)}"


def _is_insert(piece: Statement) -> bool:
    return piece.shape is not None or piece.text[:6].upper() == b"INSERT"


def _is_copy_of_pg_dump(text: bytes) -> bool:
    copy = parse_copy(text.decode("latin-1"))
    return copy is not None and not copy.other_format


class _WithoutZeroBytes:
    """The stream, until a zero byte comes: no dump has any, and psql does not see the rest of a line with one."""

    def __init__(self, stream: Readable, resource: str) -> None:
        self._stream = stream
        self._resource = resource
        self._offset = 0

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes. Raises UnsupportedDump."""
        return self._checked(self._stream.read(size))

    def readinto(self, view: memoryview) -> int:
        """Read up to `len(view)` bytes into *view*. Raises UnsupportedDump."""
        size = self._stream.readinto(view)
        self._checked(bytes(view[:size]))
        return size

    def _checked(self, data: bytes) -> bytes:
        if (at := data.find(b"\0")) >= 0:
            what = f"a zero byte at offset {self._offset + at}, which no dump has"
            raise UnsupportedDump(what, resource=self._resource, offset=self._offset + at, remedy=_REMEDY)
        self._offset += len(data)
        return data


def _without_what_is_left_out(piece: Piece) -> Piece:
    """*piece*, which is not refused, or the blank lines that it leaves when it is not to be run either."""
    if isinstance(piece, MetaCommand | Foreign) or (isinstance(piece, Statement) and _OF_PG_DUMP.fullmatch(piece.text)):
        return Between(b"\n" * piece.text.count(b"\n"), piece.offset, piece.line)
    return piece


def _shown(text: bytes) -> str:
    """The beginning of *text*'s first line, without what may be a password or a value."""
    return glimpse(text.strip().split(b"\n", 1)[0]) or "…"
