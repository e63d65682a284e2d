"""The bytes of a dump as a forward stream from any offset, wherever they lie and whatever they are wrapped in."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from pgaudit_kit.dumps.files.byte_stream import ByteStream, PieceStream
from pgaudit_kit.dumps.files.compression import PIECE
from pgaudit_kit.dumps.files.places import Place
from pgaudit_kit.dumps.files.wrapping import TEXT_ENCODINGS, Wrapping, unwrapped
from pgaudit_kit.errors import UnsupportedDump

__all__ = ["PIECE", "ByteStream", "DumpFile", "PieceStream"]
# What a bare file may hold at most after unpacking, unless the caller says otherwise: a dump of one repeated row packs 1:1,000
LEAST_LIMIT = 1 << 36
MOST_TIMES = 2_000


class _Idle:
    """At most one stream that waits to go on. Whoever takes it owns it; any thread may."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stream: _Forward | None = None

    def take(self, position: int) -> _Forward | None:
        """The stream, when it is not behind *position* already."""
        with self._lock:
            if self._stream and self._stream.position <= position:
                taken, self._stream = self._stream, None
                return taken
        return None

    def give(self, stream: _Forward) -> None:
        """Keep *stream* in the place of the one before."""
        with self._lock:
            before, self._stream = self._stream, stream
        if before:
            before.close()


@dataclass(frozen=True)
class DumpFile:
    """A file that holds a dump: its place, what it is wrapped in from the outside in, and how many bytes (a byte order mark) to leave out.

    What is wrapped can only be read forward. So a stream that was left half-way is kept, and goes on where the next one begins: visiting
    the tables in the order of the file is one pass. `unpacked_limit` in bytes is a bound for what comes out of each wrapping.
    """

    place: Place
    wrappings: tuple[Wrapping, ...] = ()
    skip: int = 0
    unpacked_limit: int | None = None
    _idle: _Idle = field(default_factory=_Idle, init=False, repr=False, compare=False)

    @property
    def resource(self) -> str:
        """How messages name it: never with a credential."""
        return self.place.resource

    @property
    def path(self) -> Path | None:
        """The path of a local file; None for anything else."""
        return self.place.path

    @property
    def label(self) -> str:
        """Its name, without the folders before it."""
        return self.path.name if self.path else self.resource.rstrip("/").rpartition("/")[2]

    @property
    def compression(self) -> str:
        """Its compressions from the outside in, joined by +; "none" for a bare file."""
        return "+".join(wrapping for wrapping in self.wrappings if wrapping not in TEXT_ENCODINGS) or "none"

    @property
    def size_bytes(self) -> int:
        """Size of the file as it lies there, wrapped. Raises DumpNotFound when it is not there any more."""
        return self.place.size_bytes

    def unpacked(self, wrapping: Wrapping) -> DumpFile:
        """What is inside, when the bytes so far are wrapped in *wrapping*."""
        return replace(self, wrappings=(*self.wrappings, wrapping))

    def without_first(self, count: int) -> DumpFile:
        """The same without its first *count* bytes."""
        return replace(self, skip=self.skip + count)

    def part(self, offset: int, size: int, *, resource: str) -> DumpFile:
        """The *size* bytes from *offset*, as a file of its own (a member of a tar file)."""
        return DumpFile(_Part(self, offset, size, resource), unpacked_limit=self.unpacked_limit)

    def limited(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield *pieces*, which were unpacked from this file. Raises UnsupportedDump when they are more than `unpacked_limit`."""
        return _limited(pieces, self.unpacked_limit, self.place)

    def open(self, offset: int = 0) -> ByteStream:
        """Return a stream of the unwrapped bytes from *offset*.

        Raises DumpNotFound when the file cannot be opened (any more), DamagedDump when a wrapping breaks before *offset*,
        UnsupportedDump when more than `unpacked_limit` bytes came out.
        """
        position = self.skip + offset
        if not self.wrappings:
            return self.place.open(position)
        stream = self._idle.take(position) or self._forward()
        stream.idle = self._idle
        try:
            stream.skip_to(position)
        except BaseException:  # Ctrl-C too: nobody else has the stream yet, so nobody else would close it
            stream.close()
            raise
        return stream

    def _forward(self) -> _Forward:
        bare = self.place.open(0)
        pieces: Iterator[bytes] = iter(lambda: bare.read(PIECE // 4), b"")
        for wrapping in self.wrappings:
            pieces = unwrapped(pieces, wrapping, resource=self.resource)
            if wrapping not in TEXT_ENCODINGS:
                pieces = self.limited(pieces)
        return _Forward(bare, pieces)


def _limited(pieces: Iterable[bytes], limit: int | None, place: Place) -> Iterator[bytes]:
    most = LEAST_LIMIT if limit is None else limit
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > most and (limit is not None or size > (most := max(LEAST_LIMIT, MOST_TIMES * place.size_bytes))):
            resource, packed = place.resource, place.size_bytes
            what = f"{resource} has {packed:,} bytes and unpacks to more than {most:,}, which is the limit"
            remedy = "If it really is that large, raise it: read_dump(…, unpacked_limit=BYTES), or PGAUDIT_UNPACKED_LIMIT=BYTES."
            raise UnsupportedDump(what, resource=resource, remedy=remedy)
        yield piece


class _Forward(PieceStream):
    """The unwrapped bytes. Left before their end without an error, the stream goes to `idle`, which is None while it lies there."""

    def __init__(self, bare: ByteStream, pieces: Iterator[bytes]) -> None:
        super().__init__(pieces)
        self.position = 0
        self.idle: _Idle | None = None
        self._bare = bare
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes, b"" only at the end. Raises what unwrapping raises."""
        try:
            given = super().read(size)
        except BaseException:  # Ctrl-C too: how far the unwrapping came is not known, so the stream must not be used again
            self._ended = True
            raise
        self.position += len(given)
        self._ended = self._ended or not given
        return given

    def skip_to(self, position: int) -> None:
        """Read on to *position*, or to the end."""
        while self.position < position and self.read(min(position - self.position, PIECE)):
            pass

    def close(self) -> None:
        """Close the file; what was unwrapped is dropped."""
        self._ended = True
        self._bare.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        idle, self.idle = self.idle, None
        if self._ended or not idle:
            self.close()
        else:
            idle.give(self)


class _Part:
    """A stretch of a file, as a place."""

    path = None

    def __init__(self, file: DumpFile, start: int, size: int, resource: str) -> None:
        self.resource = resource
        self.size_bytes = size
        self._file = file
        self._start = start

    def open(self, offset: int) -> ByteStream:
        offset = min(offset, self.size_bytes)
        return _PartStream(self._file.open(self._start + offset), self.size_bytes - offset)


class _PartStream:
    def __init__(self, stream: ByteStream, left: int) -> None:
        self._stream = stream
        self._left = left

    def read(self, size: int) -> bytes:
        given = self._stream.read(min(size, self._left)) if self._left else b""
        self._left -= len(given)
        return given

    def readinto(self, view: memoryview) -> int:
        size = self._stream.readinto(view[: self._left]) if self._left else 0
        self._left -= size
        return size

    def __enter__(self) -> Self:
        self._stream.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.__exit__(kind, error, trace)
