"""Bytes that are read forward."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self


class ByteStream(Protocol):
    """What the readers ask of a stream. Use it as a context manager."""

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes, b"" only at the end. Raises DamagedDump when no more can be had although there should be."""

    def readinto(self, view: memoryview) -> int:
        """Read up to `len(view)` bytes into *view*; return how many, 0 only at the end. Raises DamagedDump as `read` does."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class PieceStream:
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes, b"" only at the end. Raises what the pieces raise."""
        if self._at == len(self._held):
            self._held, self._at = next(self._pieces, b""), 0
        at = self._at
        self._at = min(at + size, len(self._held))
        return self._held if not at and self._at == len(self._held) else self._held[at : self._at]

    def readinto(self, view: memoryview) -> int:
        """Read up to `len(view)` bytes into *view*; return how many, 0 only at the end."""
        given = self.read(len(view))
        view[: len(given)] = given
        return len(given)
