"""What may be wrapped around a dump: compressions, .zip, UTF-16, age; told by the first bytes, taken off while reading forward."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Literal, TypeAlias, cast

from pgaudit_kit.dumps.files.age import MAGIC as AGE
from pgaudit_kit.dumps.files.age import decrypted
from pgaudit_kit.dumps.files.compression import Algorithm, decoded
from pgaudit_kit.errors import DamagedDump

Wrapping: TypeAlias = Literal["gzip", "lz4", "zstd", "xz", "bzip2", "zip", "utf-16-le", "utf-16-be", "age"]
TEXT_ENCODINGS = ("utf-16-le", "utf-16-be")
_SKIPPABLE = tuple(bytes([first]) + b"\x2a\x4d\x18" for first in range(0x50, 0x60))
_MAGICS: dict[Wrapping, tuple[bytes, ...]] = {
    "gzip": (b"\x1f\x8b",),
    "lz4": (b"\x04\x22\x4d\x18",),
    "zstd": (b"\x28\xb5\x2f\xfd", *_SKIPPABLE),  # pzstd begins with one; before lz4 it is rare
    "xz": (b"\xfd7zXZ\0",),
    "bzip2": tuple(b"BZh%d" % level for level in range(1, 10)),
    "zip": (b"PK\x03\x04",),
    "age": (AGE,),
    # a byte order mark, or the two dashes that every script begins with
    "utf-16-le": (b"\xff\xfe", b"-\0-\0"),
    "utf-16-be": (b"\xfe\xff", b"\0-\0-"),
}


def wrapping_of(head: bytes) -> Wrapping | None:
    """What a file that begins with *head* is wrapped in; None when it is bare."""
    while head.startswith(_SKIPPABLE) and (behind := head[8 + int.from_bytes(head[4:8], "little") :]):
        head = behind
    return next((wrapping for wrapping, magics in _MAGICS.items() if head.startswith(magics)), None)


def unwrapped(chunks: Iterable[bytes], wrapping: Wrapping, *, resource: str) -> Iterator[bytes]:
    """Yield what is inside, in pieces of about 1 MiB; UTF-16 becomes UTF-8 without its byte order mark.

    Raises DamagedDump after all the good bytes, UnsupportedDump for a zip file of several members or with a password.
    """
    if wrapping == "zip":
        from pgaudit_kit.dumps.files.zip_member import zip_member

        return zip_member(chunks, resource=resource)
    if wrapping == "age":
        return decrypted(chunks, resource=resource)
    if wrapping in TEXT_ENCODINGS:
        return _transcoded(chunks, wrapping, resource)
    return decoded(chunks, cast("Algorithm", wrapping), resource=resource)


def _transcoded(chunks: Iterable[bytes], encoding: str, resource: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    position = 0
    for chunk in chain(chunks, [b""]):
        problem: UnicodeDecodeError | None = None
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            problem = error
            text = error.object[: error.start].decode(encoding)
        if text:
            yield (text if position else text.removeprefix("\ufeff")).encode()
        if problem:
            what = f"text that is not {encoding.upper()} after byte {position:,} ({problem.reason})"
            raise DamagedDump(what, resource=resource) from problem
        position += len(chunk)
