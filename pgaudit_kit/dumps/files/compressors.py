"""Making streams of compressed bytes: what `compression.py` reads, by the libraries that read them, too."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Literal, Protocol, TypeAlias

Packing: TypeAlias = Literal["none", "gzip", "zlib", "lz4", "zstd"]
_GZIP_FRAME, _ZLIB_FRAME = 31, 15  # of zlib: a window of 32 KiB, with header and trailer of gzip, or with its own
_USUAL_GZIP = 6
_USUAL_ZSTD = 3


class Compressor(Protocol):
    """A stream that is being compressed."""

    def compress(self, data: bytes, /) -> bytes:
        """Take *data*; return what is ready."""

    def flush(self) -> bytes:
        """Return the rest."""


def compressor(algorithm: Packing, level: int | None) -> Compressor:
    """Return what compresses one stream; *level* None is the usual one of pg_dump."""
    if algorithm in ("gzip", "zlib"):
        return zlib.compressobj(level or _USUAL_GZIP, zlib.DEFLATED, _GZIP_FRAME if algorithm == "gzip" else _ZLIB_FRAME)
    if algorithm == "zstd":
        import zstandard

        return zstandard.ZstdCompressor(level=level or _USUAL_ZSTD, write_checksum=True).compressobj()
    return _Lz4(level or 0) if algorithm == "lz4" else _Bare()


def compressed(pieces: Iterable[bytes], algorithm: Packing, level: int | None) -> Iterator[bytes]:
    """Yield *pieces* as one compressed stream."""
    packing = compressor(algorithm, level)
    for piece in pieces:
        if ready := packing.compress(piece):
            yield ready
    if rest := packing.flush():
        yield rest


class _Bare:
    """As it is."""

    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


class _Lz4:
    """One frame, with a checksum over its content."""

    def __init__(self, level: int) -> None:
        import lz4.frame  # type: ignore[import-untyped]

        self._frame = lz4.frame.LZ4FrameCompressor(compression_level=level, content_checksum=True)
        self._begin: bytes = self._frame.begin()

    def compress(self, data: bytes, /) -> bytes:
        begin, self._begin = self._begin, b""
        return begin + bytes(self._frame.compress(data))

    def flush(self) -> bytes:
        begin, self._begin = self._begin, b""
        return begin + bytes(self._frame.flush())
