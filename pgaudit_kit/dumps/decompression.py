"""Bytes of a dump file as a forward stream, bare or gzip, from any offset.

Whatever is broken is reported after all the good bytes before it were given, so that a dump that was cut short can be read up to the cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from pgaudit_kit.dumps.compression import PIECE, decoded
from pgaudit_kit.errors import DamagedDump, DumpNotFound

__all__ = ["PIECE", "ByteStream", "DumpFile", "PieceStream"]
GZIP_MAGIC = b"\x1f\x8b"


class ByteStream(Protocol):
    """What the readers ask of a stream. Use it as a context manager."""

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes, b"" only at the end. Raises DamagedDump when no more can be had although there should be."""

    def readinto(self, view: memoryview) -> int:
        """Read up to `len(view)` bytes into *view*; return how many, 0 only at the end. Raises DamagedDump as `read` does."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


@dataclass(frozen=True, slots=True)
class DumpFile:
    """A file that holds a dump, and how its bytes are wrapped. `skip` bytes (a byte order mark) stand before offset 0."""

    path: Path
    compression: Literal["none", "gzip"] = "none"
    skip: int = 0

    @property
    def size_bytes(self) -> int:
        """Size of the file as it lies on the disk. Raises DumpNotFound when it is not there any more."""
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise self._not_found(error) from error

    def open(self, offset: int = 0) -> ByteStream:
        """Return a stream of the unwrapped bytes from *offset*. Inside gzip this inflates everything before it.

        Raises DumpNotFound when the file cannot be opened (any more), DamagedDump when a gzip stream breaks before *offset*.
        """
        try:
            bare = _BareStream(self.path)
        except OSError as error:
            raise self._not_found(error) from error
        if self.compression == "none":
            bare.seek(min(self.skip + offset, self.size_bytes))  # an offset read from a damaged file may be anything
            return bare
        stream = _GzipStream(bare, str(self.path))
        left = self.skip + offset
        while left and (passed := len(stream.read(min(left, PIECE)))):
            left -= passed
        return stream

    def _not_found(self, error: OSError) -> DumpNotFound:
        message = f"cannot open {self.path}: {error.strerror or error}"
        return DumpNotFound(message, resource=str(self.path), remedy="Check the path and its permissions.")


class _BareStream:
    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._path = str(path)

    def seek(self, offset: int) -> None:
        self._file.seek(offset)

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size) or b""
        except OSError as error:
            raise self._broken(error) from error

    def readinto(self, view: memoryview) -> int:
        try:
            return self._file.readinto(view) or 0
        except OSError as error:
            raise self._broken(error) from error

    def _broken(self, error: OSError) -> DamagedDump:
        offset = self._file.tell()
        return DamagedDump(f"cannot be read at byte {offset}: {error.strerror or error}", resource=self._path, offset=offset)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()


class PieceStream:
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = b""

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes, b"" only at the end. Raises what the pieces raise."""
        if not self._held:
            self._held = next(self._pieces, b"")
        given, self._held = self._held[:size], self._held[size:]
        return given

    def readinto(self, view: memoryview) -> int:
        """Read up to `len(view)` bytes into *view*; return how many, 0 only at the end."""
        given = self.read(len(view))
        view[: len(given)] = given
        return len(given)


class _GzipStream(PieceStream):
    def __init__(self, bare: _BareStream, resource: str) -> None:
        self._bare = bare
        super().__init__(decoded(iter(lambda: bare.read(PIECE // 4), b""), "gzip", resource=resource))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bare.__exit__(kind, error, trace)
