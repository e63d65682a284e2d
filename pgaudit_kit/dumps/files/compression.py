"""Streams of compressed bytes, of every algorithm that pg_dump writes or that people wrap around a dump.

Whatever is broken is reported after the good bytes before it, so that a dump that was cut short can be read up to the cut.
Memory is bounded by what a decoder keeps, never by what the bytes claim: output is taken in steps of 32 KiB.
"""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from pgaudit_kit.dumps.files.zstd_frame import SkippedFrame, ZstdDecoder
from pgaudit_kit.errors import DamagedDump, UnsupportedDump

Algorithm: TypeAlias = Literal["gzip", "zlib", "lz4", "zstd", "xz", "bzip2"]
# One piece of work: fits the second-level cache, and is far above the cost of one Python call.
PIECE = 1 << 20
# What is made of a stream is used at once: so much of it, and what is made of that, fits the second-level cache.
_OUTPUT = 1 << 18
# A decoder that meets an error drops what that one call had made, so a call makes no more than deflate's own window.
STEP = 1 << 15
# What a decoder may keep: `xz -9` needs 65 MiB, `zstd --ultra -22` 128 MiB, which is also where libzstd has its own limit
DECODER_MEMORY = 1 << 27
_SKIPPABLE = bytes(range(0x50, 0x60))  # first bytes of the frames of zstd and lz4 that hold something else than data


class _Decoder(Protocol):
    """One member, as Python's bz2 and lzma decode it."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes | None: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Format:
    """How members of an algorithm follow one another: what each begins with, and whether zeros may stand between and after them."""

    new_decoder: Callable[[], _Decoder]
    first_bytes: bytes
    padding: bool = False


def decoded(chunks: Iterable[bytes], algorithm: Algorithm, *, resource: str) -> Iterator[bytes]:
    """Yield the bytes that *chunks* stand for, in pieces of about 256 KiB: members or frames one after another, one stream of zlib.

    No bytes at all are an empty stream: that is how an empty large object is stored. Zeros after gzip and xz are padding
    (tapes, block devices). Raises DamagedDump for a stream that is broken, fails its checksum, ends early, or is followed by
    something else; of the good bytes before that, all but the last 32 KiB are yielded first (lz4, zstd: but for whole blocks).
    Raises UnsupportedDump for a stream that takes more than 128 MiB of memory to unpack.
    """
    held: list[bytes] = []
    size = 0
    try:
        for step in _steps(chunks, algorithm, resource):
            held.append(step)
            size += len(step)
            if size >= _OUTPUT - STEP:
                yield b"".join(held)
                held, size = [], 0
    except DamagedDump:
        if held:
            yield b"".join(held)
        raise
    if held:
        yield b"".join(held)


def _steps(chunks: Iterable[bytes], algorithm: Algorithm, resource: str) -> Iterator[bytes]:
    known = _format(algorithm)
    errors = _errors(algorithm)
    decoder: _Decoder | None = None  # None between two members
    fed = members = 0
    for chunk in chunks:
        data = chunk
        fed += len(data)
        while data or (decoder and not decoder.needs_input):
            if not decoder:
                if members and not (data := _next_member(data, known, algorithm, fed, resource)):
                    break
                decoder = SkippedFrame() if _is_skippable(data, known) else known.new_decoder()
                members += 1
            try:
                step = decoder.decompress(data, STEP)
            except errors as error:
                if "emory" in str(error):  # what liblzma and libzstd say, each in its words, of a window above the limit
                    raise _too_large(algorithm, resource) from error
                raise DamagedDump(f"the {algorithm} stream is broken before its byte {fed:,} ({error})", resource=resource) from error
            data = b""
            if step:
                yield step
            if decoder.eof:
                data = decoder.unused_data or b""
                decoder = None
    if decoder:
        raise DamagedDump(f"the {algorithm} stream is cut short: its {fed:,} bytes are not all", resource=resource)


def _too_large(algorithm: Algorithm, resource: str) -> UnsupportedDump:
    what = f"the {algorithm} stream was made with so large a window that unpacking it takes more than {DECODER_MEMORY >> 20} MiB of memory"
    return UnsupportedDump(what, resource=resource, remedy="Unpack it first (xz -d, zstd -d --long=31).")


def _next_member(data: bytes, known: _Format, algorithm: Algorithm, fed: int, resource: str) -> bytes:
    """What follows a member, without padding. Raises DamagedDump when it does not look like a further member."""
    data = data.lstrip(b"\0") if known.padding else data
    if data and (data[0] not in known.first_bytes):
        raise DamagedDump(f"the {algorithm} stream ends before byte {fed:,}, but is followed by other bytes", resource=resource)
    return data


def _is_skippable(data: bytes, known: _Format) -> bool:
    return data[0] in _SKIPPABLE and data[0] in known.first_bytes


def _format(algorithm: Algorithm) -> _Format:
    if algorithm in ("gzip", "zlib"):
        from isal.igzip_lib import DECOMP_GZIP, DECOMP_ZLIB, IgzipDecompressor

        if algorithm == "gzip":
            return _Format(lambda: IgzipDecompressor(flag=DECOMP_GZIP), b"\x1f", padding=True)
        return _Format(lambda: IgzipDecompressor(flag=DECOMP_ZLIB), b"", padding=True)
    if algorithm == "lz4":
        from lz4.frame import LZ4FrameDecompressor  # type: ignore[import-untyped]

        return _Format(LZ4FrameDecompressor, b"\x04" + _SKIPPABLE)
    if algorithm == "zstd":
        return _Format(ZstdDecoder, b"\x28" + _SKIPPABLE)
    if algorithm == "xz":
        return _Format(lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=DECODER_MEMORY), b"\xfd", padding=True)
    return _Format(bz2.BZ2Decompressor, b"B")


def _errors(algorithm: Algorithm) -> tuple[type[Exception], ...]:
    """What the algorithm's decoder raises for bytes that it cannot decode."""
    if algorithm in ("gzip", "zlib"):
        from isal.igzip_lib import IsalError

        return (IsalError,)  # type: ignore[return-value]  # isal's stub declares an instance
    if algorithm == "lz4":
        return (RuntimeError, ValueError)
    if algorithm == "zstd":
        from zstandard import ZstdError

        return (ZstdError,)
    return (lzma.LZMAError,) if algorithm == "xz" else (OSError, ValueError)
