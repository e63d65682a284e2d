"""Bytes of a dump file as a forward stream, bare or gzip, from any offset; and the zlib streams inside of an archive.

Whatever is broken is reported after all the good bytes before it were given, so that a dump that was cut short can be read up to the cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from pgaudit_kit.errors import DamagedDump, DumpNotFound

# One piece of work: fits the second-level cache, and is far above the cost of one Python call.
PIECE = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
_WINDOW_BITS = {"zlib": 15, "gzip": 31}


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
        super().__init__(inflate(iter(lambda: bare.read(PIECE // 4), b""), wrapper="gzip", resource=resource))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bare.__exit__(kind, error, trace)


def inflate(chunks: Iterable[bytes], *, wrapper: Literal["zlib", "gzip"], resource: str) -> Iterator[bytes]:
    """Yield the inflated bytes of *chunks* in pieces of at most 1 MiB: one zlib stream, or gzip members one after another.

    No bytes at all are an empty stream: that is how an empty large object is stored. Raises DamagedDump for a stream that
    is broken, fails its checksum, ends early, or is followed by something else.
    """
    from isal.igzip_lib import IsalError
    from isal.isal_zlib import decompressobj

    decoder = decompressobj(_WINDOW_BITS[wrapper])
    fed = 0
    for chunk in chunks:
        fed += len(chunk)
        data = chunk
        full = False  # the last call filled its output, so there may be more to come of the same input
        while data or full:
            if decoder.eof:
                data = data.lstrip(b"\0")  # padding between and after members is legal
                if not data:
                    break
                if wrapper == "zlib" or data[0] != GZIP_MAGIC[0]:
                    raise DamagedDump(f"the {wrapper} stream ends before byte {fed:,}, but is followed by other bytes", resource=resource)
                decoder = decompressobj(_WINDOW_BITS[wrapper])
            try:
                piece = decoder.decompress(data, PIECE)
            except IsalError as error:  # type: ignore[misc]  # isal's stub declares an instance
                raise DamagedDump(f"the {wrapper} stream is broken before its byte {fed:,} ({error})", resource=resource) from error
            if piece:
                yield piece
            full = len(piece) == PIECE and not decoder.eof
            data = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
    if fed and not decoder.eof:
        raise DamagedDump(f"the {wrapper} stream is cut short: its {fed:,} bytes are not all", resource=resource)
