"""Where bytes lie: a local file, behind a URL, in an open stream, in a stretch of another file. Each can be read from any offset."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self, cast

from pgaudit_kit.display.progress import bytes_read
from pgaudit_kit.dumps.files.byte_stream import ByteStream
from pgaudit_kit.dumps.files.compression import PIECE
from pgaudit_kit.errors import DamagedDump, DumpNotFound, UsageError


class Place(Protocol):
    """Bytes that can be read from any offset, by several readers at once, also after a fork."""

    @property
    def resource(self) -> str:
        """How messages name it: never with a credential."""

    @property
    def path(self) -> Path | None:
        """The path of a local file; None for anything else."""

    @property
    def size_bytes(self) -> int:
        """How many bytes. Raises DumpNotFound when they are not there any more."""

    def open(self, offset: int) -> ByteStream:
        """A stream of the bytes from *offset*, empty when that is behind the end. Raises DumpNotFound."""


class LocalPlace:
    """A local file. It is opened anew for each stream."""

    def __init__(self, path: Path) -> None:
        self.path: Path | None = path
        self.resource = str(path)
        self._path = path

    @property
    def size_bytes(self) -> int:
        """Size of the file as it lies on the disk. Raises DumpNotFound when it is not there any more."""
        try:
            return self._path.stat().st_size
        except OSError as error:
            raise self._not_found(error) from error

    def open(self, offset: int) -> ByteStream:
        """A stream from *offset*, which may be anything: it can come from a damaged file. Raises DumpNotFound."""
        position = min(offset, self.size_bytes)
        try:
            descriptor = os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise self._not_found(error) from error
        return _FileStream(descriptor, position, self.resource)

    def _not_found(self, error: OSError) -> DumpNotFound:
        message = f"cannot open {self._path}: {error.strerror or error}"
        return DumpNotFound(message, resource=self.resource, remedy="Check the path and its permissions.")


class StreamPlace:
    """An open binary stream that can seek, read from its byte 0 on wherever it stands. It is left open."""

    path = None

    def __init__(self, stream: BinaryIO, *, resource: str) -> None:
        self.resource = resource
        self._stream = stream
        self._lock = threading.Lock()
        self._file = _file_below(stream)

    @property
    def size_bytes(self) -> int:
        """Where the stream ends. Raises DumpNotFound when it was closed."""
        with self._lock:
            try:
                return self._stream.seek(0, os.SEEK_END)
            except (OSError, ValueError) as error:
                raise _stream_is_gone(self.resource, error) from error

    def open(self, offset: int) -> ByteStream:
        """A stream from *offset*. Raises DumpNotFound when the stream was closed."""
        position = min(offset, self.size_bytes)
        if self._file:
            return _FileStream(self._file, position, self.resource)
        return HandleStream(self._stream, position, self.resource, lock=self._lock)


class SpooledPlace(StreamPlace):
    """A copy, in an anonymous file on disk, of what came through a stream that cannot seek. The file goes when this goes."""

    def __init__(self, read: Callable[[int], bytes], *, resource: str) -> None:
        import tempfile

        self._copy: BinaryIO | None = None
        got = 0
        try:
            copy = self._copy = cast("BinaryIO", tempfile.TemporaryFile(buffering=0))  # noqa: SIM115  # lives as long as this object
            while piece := _next_of(read, resource, got):
                got += len(piece)
                left = memoryview(piece)
                while left:
                    left = left[copy.write(left) :]
        except OSError as error:
            what = f"{resource} cannot be kept in {tempfile.gettempdir()} while it is read: {error.strerror or error}"
            raise DumpNotFound(what, resource=resource, remedy="Make room, set TMPDIR to a larger disk, or save it to a file.") from error
        super().__init__(copy, resource=resource)

    def __del__(self) -> None:
        if self._copy:
            self._copy.close()


_CLOSED = -1  # no descriptor at all: reading from it is an error


class _FileStream:
    """A file of the operating system, read at offsets of its own: it shares no position with any other reader.

    A bare descriptor, which nothing warns about that runs before this is collected.
    """

    def __init__(self, file: int | io.FileIO, position: int, resource: str) -> None:
        """*file*: a descriptor that is closed at the end, or a file that stays open."""
        self._file: int | io.FileIO | None = file
        self._position = position
        self._resource = resource
        self._tell = bytes_read.get()

    def read(self, size: int) -> bytes:
        try:
            given = _read_at(self._descriptor(), size, self._position)
        except OSError as error:
            raise _broken(self._resource, self._position, error) from error
        self._position += len(given)
        if self._tell:
            self._tell(len(given))
        return given

    def readinto(self, view: memoryview) -> int:
        if not hasattr(os, "preadv"):  # Windows
            given = self.read(len(view))
            view[: len(given)] = given
            return len(given)
        try:
            size = os.preadv(self._descriptor(), [view], self._position)
        except OSError as error:
            raise _broken(self._resource, self._position, error) from error
        self._position += size
        if self._tell:
            self._tell(size)
        return size

    def _descriptor(self) -> int:
        """The number, asked for each time: that of a file which was closed may be another file's by now."""
        if isinstance(self._file, int):
            return self._file
        try:
            return self._file.fileno() if self._file else _CLOSED
        except ValueError as error:
            raise _stream_is_gone(self._resource, error) from error

    def _close(self) -> None:
        file, self._file = self._file, None
        if isinstance(file, int):
            os.close(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def __del__(self) -> None:
        self._close()


def _read_at(descriptor: int, size: int, position: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, size, position)
    os.lseek(descriptor, position, os.SEEK_SET)  # Windows; only descriptors of one reader come here
    return os.read(descriptor, size)


class HandleStream:
    """A file-like object, from *position* on; others, who hold *lock* for it, may read it too. *owned*: it is closed at the end."""

    def __init__(self, handle: BinaryIO, position: int, resource: str, *, lock: threading.Lock, owned: bool = False) -> None:
        self._handle = handle
        self._position = position
        self._resource = resource
        self._owned = owned
        self._lock = lock

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes, b"" only at the end. Raises DumpNotFound when it cannot be read: that says nothing about the dump."""
        with self._lock:
            try:
                self._handle.seek(self._position)
                given = self._handle.read(size) or b""
            except Exception as error:  # noqa: BLE001  # whatever the store behind it raises: each has exceptions of its own
                raise unreachable(self._resource, self._position, error) from None  # they may name a credential
        self._position += len(given)
        return given

    def readinto(self, view: memoryview) -> int:
        """Read up to `len(view)` bytes into *view*; return how many, 0 only at the end. Raises DumpNotFound."""
        given = self.read(len(view))
        view[: len(given)] = given
        return len(given)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._owned:
            self._handle.close()

    def __del__(self) -> None:
        if self._owned:
            self._handle.close()


def _next_of(read: Callable[[int], bytes], resource: str, position: int) -> bytes:
    """The next bytes of a stream that somebody else has made. Raises DumpNotFound, UsageError for one of text."""
    try:
        piece: object = read(PIECE)
    except DumpNotFound:
        raise
    except Exception as error:  # noqa: BLE001  # whatever that stream raises
        raise unreachable(resource, position, error) from None  # it may name a credential
    if piece is None:
        raise unreachable(resource, position, BlockingIOError(0, "it has nothing yet, and does not wait"))
    if not isinstance(piece, bytes | bytearray | memoryview):
        raise UsageError(f"{resource} gives no bytes but {type(piece).__name__}", resource=resource, remedy="Open it in binary mode.")
    return bytes(piece)


def _file_below(stream: BinaryIO) -> io.FileIO | None:
    """The file of the operating system that *stream* is, when it is nothing more than that."""
    if isinstance(stream, io.BufferedRandom):
        stream.flush()
    raw = stream.raw if type(stream) in (io.BufferedReader, io.BufferedRandom) else stream  # type: ignore[attr-defined]
    return raw if type(raw) is io.FileIO and hasattr(os, "pread") else None


def reason_of(error: Exception) -> str:
    """What went wrong, without the text of a foreign error, which may name a credential."""
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__


def not_there(shown: str, error: Exception) -> DumpNotFound:
    """The error for a URL, as it may be *shown*, behind which nothing can be opened."""
    what = f"no such file: {shown!r}" if isinstance(error, FileNotFoundError) else f"cannot open {shown}: {reason_of(error)}"
    return DumpNotFound(what, resource=shown, remedy="Check the URL, the network and who may read it.")


def _broken(resource: str, position: int, error: Exception) -> DamagedDump:
    return DamagedDump(f"cannot be read at byte {position}: {reason_of(error)}", resource=resource, offset=position)


def unreachable(resource: str, position: int, error: Exception) -> DumpNotFound:
    """The error for bytes of a store or stream that cannot be had, for a reason that is not in them."""
    what = f"{resource} cannot be read at byte {position}: {reason_of(error)}"
    return DumpNotFound(what, resource=resource, remedy="Try again, or fetch the file first.")


def _stream_is_gone(resource: str, error: Exception) -> DumpNotFound:
    what = f"{resource} cannot be read any more: {reason_of(error)}"
    return DumpNotFound(what, resource=resource, remedy="Keep the stream open as long as the dump is in use.")
