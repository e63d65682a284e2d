"""Compressing what pg_dump writes to its standard output, where it cannot do so itself."""

from __future__ import annotations

import threading
import zlib
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from pgaudit_kit.operations.programs.pg_dump import Compression

_PIECE = 1 << 20
_GZIP_FRAME = 31  # of zlib: window of 32 KiB, header and trailer of gzip
_USUAL_GZIP = 6
_USUAL_ZSTD = 3


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class CompressedOutput:
    """Writes all of *source* compressed to the existing file *path* in a thread, since meanwhile the snapshot is read.

    When the disk does not take it, *source* is closed, which ends the program that writes to it; `join` then raises the OSError.
    """

    def __init__(self, source: IO[bytes], path: Path, compression: Compression) -> None:
        self._source = source
        self._path = path
        self._compression = compression
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="compression", daemon=True)

    def join(self) -> None:
        """Wait for its end. Raises OSError when not all could be written."""
        self._thread.join()
        if self._error:
            raise self._error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:  # else the program is about to be ended, and with it what this waits for
            self._thread.join()

    def _run(self) -> None:
        try:
            with self._path.open("wb", buffering=0) as file:
                compressor = _compressor(self._compression)
                while piece := self._source.read(_PIECE):
                    _write(file, compressor.compress(piece))
                _write(file, compressor.flush())
        except OSError as error:
            self._error = error
            with suppress(OSError):
                self._source.close()


def _write(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _compressor(compression: Compression) -> _Compressor:
    level = compression.level
    if compression.algorithm == "gzip":
        return zlib.compressobj(level or _USUAL_GZIP, zlib.DEFLATED, _GZIP_FRAME)
    if compression.algorithm == "zstd":
        import zstandard

        return zstandard.ZstdCompressor(level=level or _USUAL_ZSTD, write_checksum=True).compressobj()
    return _Lz4(level or 0)


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
