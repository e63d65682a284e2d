"""A local file that another process is still writing: whoever reads it waits for what is not there yet."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from xxhash import xxh3_128

from pgaudit_kit.dumps.files.byte_stream import ByteStream
from pgaudit_kit.dumps.files.compression import PIECE
from pgaudit_kit.dumps.files.places import LocalPlace

_LOOKED_AT_SECONDS = 0.02


class GrowingPlace(LocalPlace):
    """The file at *path*, to which more may be added as long as *is_written* says so. What was read can be held against what it became."""

    def __init__(self, path: Path, is_written: Callable[[], bool]) -> None:
        super().__init__(path)
        self._is_written = is_written
        self._streams: dict[int, _Growing] = {}

    def open(self, offset: int) -> ByteStream:
        """A stream from *offset*, which ends when the file does and nobody writes it any more. Raises DumpNotFound."""
        while self.size_bytes < offset and self._is_written():
            time.sleep(_LOOKED_AT_SECONDS)
        stream = self._streams[offset] = _Growing(super().open(offset), self._is_written)
        return stream

    def is_unchanged(self, offset: int) -> bool:
        """Whether the file holds from *offset* on the very bytes that the last stream from there has given. Raises DumpNotFound."""
        digest = xxh3_128()
        with super().open(offset) as stream:
            while piece := stream.read(PIECE):
                digest.update(piece)
        read = self._streams.get(offset)
        return read is not None and read.digest.digest() == digest.digest()


class _Growing:
    """A *stream* that waits at its end while the file is written, and hashes what it gives."""

    def __init__(self, stream: ByteStream, is_written: Callable[[], bool]) -> None:
        self.digest = xxh3_128()
        self._stream = stream
        self._is_written = is_written

    def read(self, size: int) -> bytes:
        while True:
            more = self._is_written()  # asked first: what was added between the two is read then
            if given := self._stream.read(size):
                self.digest.update(given)
                return given
            if not more:
                return b""
            time.sleep(_LOOKED_AT_SECONDS)

    def readinto(self, view: memoryview) -> int:
        given = self.read(len(view))
        view[: len(given)] = given
        return len(given)

    def __enter__(self) -> Self:
        self._stream.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.__exit__(kind, error, trace)
