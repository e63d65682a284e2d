"""Floating point numbers in COPY text, written in one way.

Servers before 12 print 17 digits (9 of a real), later ones the fewest that mean the same number (src/common/d2s.c): the text differs
where the value does not.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Sequence

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
# Arrays of them too. Geometric types are made of doubles.
_DOUBLES = re.compile(r"(?:double precision|float8|(?:pg_catalog\.)?(?:point|line|lseg|box|path|polygon|circle))(?:\[\])*\Z")
_REALS = re.compile(r"(?:real|float4)(?:\[\])*\Z")


def with_plain_floats(blocks: Iterable[bytes], types: Sequence[str]) -> Iterator[bytes]:
    """Yield *blocks*, lines of columns of these *types*, with every number of a floating point column as Python prints it."""
    rewritten = {i: _real if _REALS.match(kind) else _double for i, kind in enumerate(types) if _REALS.match(kind) or _DOUBLES.match(kind)}
    for block in blocks:
        rows = [line.split(b"\t") for line in block[:-1].split(b"\n")]
        for row in rows:
            for position, write in rewritten.items():
                row[position] = _NUMBER.sub(write, row[position])
        yield b"".join(b"\t".join(row) + b"\n" for row in rows)


def _double(match: re.Match[bytes]) -> bytes:
    return repr(float(match[0])).encode()


def _real(match: re.Match[bytes]) -> bytes:
    return repr(struct.unpack("f", struct.pack("f", float(match[0])))[0]).encode()
