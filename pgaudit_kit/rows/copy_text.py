r"""The text format of COPY: one line per row, fields separated by TAB, NULL is `\N` (PostgreSQL: src/backend/commands/copyto.c)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

NULL = rb"\N"

_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_CONTROL = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code in _CONTROL:
        return _CONTROL[code]
    if code[:1] == b"x" and len(code) > 1:
        return bytes([int(code[1:], 16)])
    if code[:1].isdigit() and code[0] < ord("8"):
        return bytes([int(code, 8) & 0xFF])
    return code


def unescape(field: bytes) -> bytes:
    """Return the bytes that *field*, which is not NULL, stands for."""
    return _ESCAPE.sub(_unescape, field)


def decode_field(field: bytes) -> str | None:
    """Return the value of one field as text, None for NULL. Bytes that are not UTF-8 survive as surrogates."""
    if field == NULL:
        return None
    if b"\\" in field:
        field = unescape(field)
    return field.decode("utf-8", "surrogateescape")


def decode_line(line: bytes) -> tuple[str | None, ...]:
    """Return the values of one row; *line* without its line end."""
    return tuple(map(decode_field, line.split(b"\t")))


def lines_of(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the rows of *blocks*, without their line ends."""
    for block in blocks:
        yield from block[:-1].split(b"\n") if block else ()


def project(blocks: Iterable[bytes], present: Sequence[str], wanted: Sequence[str]) -> Iterator[bytes]:
    """Yield *blocks* with only the *wanted* columns, in that order; *present* are the columns they have now."""
    if list(present) == list(wanted):
        yield from blocks
        return
    picks = [list(present).index(name) for name in wanted]
    for block in blocks:
        rows = (line.split(b"\t") for line in block[:-1].split(b"\n"))
        yield b"".join(b"\t".join([row[i] for i in picks]) + b"\n" for row in rows)
