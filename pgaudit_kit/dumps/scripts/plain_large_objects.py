r"""Large objects in a plain script: `lo_open`, any number of `lowrite`, `lo_close` for each (pg_backup_archiver.c, StartRestoreLO).

Their bytes stand in literals: as `\x…` since 9.0 (with two backslashes where strings are not standard), in the escape format before.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pgaudit_kit.dumps.files.decompression import PIECE, DumpFile, PieceStream
from pgaudit_kit.dumps.scripts.script_pieces import Statement
from pgaudit_kit.dumps.scripts.sql_script import ScriptSplitter
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.rows.large_objects import ContentHash, LargeObjectRows

LARGE_OBJECT_CALL = re.compile(rb"SELECT\s+(?:pg_catalog\.)?(?:lo_open|lowrite|lo_close)\(", re.IGNORECASE)
# up to 8.4 the object is made where it is opened
_OPEN = re.compile(rb"SELECT\s+(?:pg_catalog\.)?lo_open\(((?:pg_catalog\.)?lo_create\()?'?(\d+)'?\)?,\s*\d+\);", re.IGNORECASE)
_CREATE = re.compile(r"SELECT\s+(?:pg_catalog\.)?lo_create\('?(\d+)'?\)", re.IGNORECASE)
_WRITE = re.compile(rb"SELECT\s+(?:pg_catalog\.)?lowrite\(\s*0\s*,\s*'(.*)'\);", re.IGNORECASE | re.DOTALL)
_CLOSE = re.compile(rb"SELECT\s+(?:pg_catalog\.)?lo_close\(0\);", re.IGNORECASE)
_ESCAPE = re.compile(rb"\\(\\|[0-3][0-7]{2})")
_BACKSLASH_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_OCTAL = 8


@dataclass(slots=True)
class LargeObjectStretch:
    """The calls that stand together: `size_bytes` bytes from `offset`."""

    offset: int
    size_bytes: int
    standard_strings: bool
    entry: object = None


class LargeObjectScan:
    """Follows the calls through a script.

    `stretches`: where they stand; `open`: the OID of the one that is not closed yet; `rows`: of those that are; `created`, `opened`:
    OIDs; `broken`: the first thing that is wrong.
    """

    def __init__(self) -> None:
        self.stretches: list[LargeObjectStretch] = []
        self.open: int | None = None
        self.rows = LargeObjectRows()
        self.created: set[int] = set()
        self.opened: set[int] = set()
        self.broken = ""
        self._content = ContentHash()

    def see_created(self, sql: str) -> None:
        """Take in a statement that may make a large object (of pg_dump 9.0 on) whose content comes later."""
        if created := _CREATE.match(sql):
            self.created.add(int(created[1]))

    def without_content(self) -> list[int]:
        """Return, at the end, the OIDs that were made without any content, if others have some: pg_dump writes that of all or of none."""
        return sorted(self.created - self.opened) if self.opened else []

    def see(self, piece: Statement, *, standard_strings: bool, entry: object) -> tuple[str, int | None]:
        """Take in a call that *entry* holds. Return what is wrong with it ("" when nothing is), and the OID that it makes, if any."""
        problem, made = self._see(piece, standard_strings=standard_strings, entry=entry)
        self.broken = self.broken or problem
        return problem, made

    def _see(self, piece: Statement, *, standard_strings: bool, entry: object) -> tuple[str, int | None]:
        if not self.stretches or self.stretches[-1].entry is not entry:
            self.stretches.append(LargeObjectStretch(piece.offset, 0, standard_strings, entry))
        last = self.stretches[-1]
        last.size_bytes = piece.offset + len(piece.text) - last.offset
        if opening := _OPEN.fullmatch(piece.text):
            problem = f"large object {self.open} is not closed" if self.open is not None else ""
            self.open = int(opening[2])
            self.opened.add(self.open)
            self._content = ContentHash()
            return problem, self.open if opening[1] else None
        if self.open is None:
            return "content of a large object that was not opened", None
        if _CLOSE.fullmatch(piece.text):
            self.rows.add(self.open, self._content)
            self.open = None
            return "", None
        try:
            self._content.add(_content(piece.text, standard_strings=standard_strings))
        except DamagedDump as error:
            return f"large object {self.open}: {error.message}", None
        return "", None


def read_large_objects(file: DumpFile, stretches: list[LargeObjectStretch]) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Yield OID and content, in pieces, of each large object. The pieces of one are to be read before the next is asked for.

    Raises DamagedDump, at the object that is broken.
    """
    for stretch in stretches:
        calls = _calls(file, stretch)
        for call in calls:
            if opening := _OPEN.fullmatch(call.text):
                pieces = _pieces(int(opening[2]), calls, standard_strings=stretch.standard_strings)
                yield int(opening[2]), pieces
                for _ in pieces:  # what was not asked for
                    pass


def _calls(file: DumpFile, stretch: LargeObjectStretch) -> Iterator[Statement]:
    splitter = ScriptSplitter(PieceStream(_bytes(file, stretch)), offset=stretch.offset, standard_strings=stretch.standard_strings)
    for piece in splitter:
        if isinstance(piece, Statement) and LARGE_OBJECT_CALL.match(piece.text):
            yield piece
    if splitter.broken:
        raise splitter.broken


def _bytes(file: DumpFile, stretch: LargeObjectStretch) -> Iterator[bytes]:
    left = stretch.size_bytes
    with file.open(stretch.offset) as stream:
        while left and (piece := stream.read(min(left, PIECE))):
            left -= len(piece)
            yield piece


def _pieces(oid: int, calls: Iterator[Statement], *, standard_strings: bool) -> Iterator[bytes]:
    for call in calls:
        if _CLOSE.fullmatch(call.text):
            return
        try:
            yield _content(call.text, standard_strings=standard_strings)
        except DamagedDump as error:
            raise DamagedDump(f"large object {oid}: {error.message}", offset=call.offset) from error
    raise DamagedDump(f"large object {oid} does not end")


def _content(call: bytes, *, standard_strings: bool) -> bytes:
    """The bytes that a lowrite call writes. Raises DamagedDump for anything else."""
    write = _WRITE.fullmatch(call)
    if not write:
        raise DamagedDump("something that writes no content stands in it")
    text = write[1].replace(b"''", b"'")
    if not standard_strings:
        text = _BACKSLASH_PAIR.sub(rb"\1", text)
    if text.startswith(b"\\x"):
        try:
            return binascii.unhexlify(text[2:])
        except binascii.Error as error:
            raise DamagedDump("its content is no hexadecimal text") from error
    if b"\\" in _ESCAPE.sub(b"", text):
        raise DamagedDump("its content is no text of bytes")
    return _ESCAPE.sub(lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1], _OCTAL)]), text)
