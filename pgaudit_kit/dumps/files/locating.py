"""From what a person names to the place of its bytes: a path, a URL, an open stream."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.files.folders import Folder, FsspecFolder, LocalFolder
from pgaudit_kit.dumps.files.places import LocalPlace, Place, SpooledPlace, StreamPlace
from pgaudit_kit.dumps.files.urls import is_url, shown_url
from pgaudit_kit.errors import DumpNotFound, NotADump, UsageError

Given: TypeAlias = str | os.PathLike[str] | BinaryIO
LIMIT_VARIABLE = "PGAUDIT_UNPACKED_LIMIT"


def locate(given: Given, *, unpacked_limit: int | None = None) -> DumpFile | Folder:
    """Return where the bytes of *given* lie: a file, bare for all that is known yet, or a folder. A stream that cannot seek is read now.

    *unpacked_limit*: bytes that may come out of compressed ones; None is the environment's PGAUDIT_UNPACKED_LIMIT, or else the
    larger of 64 GiB and 2,000 times the packed size. Raises DumpNotFound for what is not there or not readable, NotADump for a pipe,
    a device or a socket, UsageError for what names nothing and for a limit that is none.
    """
    limit = _limit(unpacked_limit)
    if isinstance(given, str | os.PathLike):
        text = os.fspath(given)
        return _behind_url(text, limit) if is_url(text) else _local(text, limit)
    if callable(getattr(given, "read", None)):
        return DumpFile(_stream_place(given), unpacked_limit=limit)
    raise UsageError(f"a {type(given).__name__} names no dump", remedy="Give a path, a URL, or a stream that was opened in binary mode.")


def _limit(given: int | None) -> int | None:
    said: Any = given
    if said is None:
        said = os.environ.get(LIMIT_VARIABLE) or None
    if said is None:
        return None
    try:
        limit = int(said)
    except (TypeError, ValueError):
        limit = 0
    if limit <= 0 or isinstance(said, bool | float):
        source = LIMIT_VARIABLE if given is None else "unpacked_limit"
        raise UsageError(f"{source} is no number of bytes: {said!r}", resource=source, remedy="Give a whole number above 0.")
    return limit


def _local(text: str, limit: int | None) -> DumpFile | Folder:
    path = Path(text)
    try:
        if not text or not path.exists():
            dangling = bool(text) and path.is_symlink()
            what = f"{text} is a link to {path.readlink()}, which is not there" if dangling else f"no such file: {text!r}"
            raise DumpNotFound(what, resource=text, remedy="Check the path.")
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = getattr(error, "strerror", None) or error
        raise DumpNotFound(f"cannot look at {text!r}: {reason}", resource=text, remedy="Check the path and its permissions.") from error
    if stat.S_ISDIR(mode):
        return LocalFolder(path, unpacked_limit=limit)
    if not stat.S_ISREG(mode):
        remedy = "Save the dump to a file first, or pipe it in and name it -."
        raise NotADump(f"{text} is no regular file but {_kind_of(mode)}", resource=text, remedy=remedy)
    return DumpFile(LocalPlace(path), unpacked_limit=limit)


def _kind_of(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _behind_url(url: str, limit: int | None) -> DumpFile | Folder:
    from pgaudit_kit.dumps.files.remote_places import remote_place

    place, system, path = remote_place(url)
    if place is None:
        return FsspecFolder(system, path, shown_url(url), unpacked_limit=limit)
    if place.path:  # file://
        return _local(str(place.path), limit)
    return DumpFile(place, unpacked_limit=limit)


def _stream_place(stream: Any) -> Place:
    named = getattr(stream, "name", None)
    resource = (shown_url(named) if is_url(named) else named) if isinstance(named, str) and named else "the given stream"
    if isinstance(stream, io.TextIOBase):
        raise UsageError(f"{resource} was opened as text", resource=resource, remedy="Open it in binary mode: open(path, 'rb').")
    try:
        seekable = stream.seekable()
        if stream.isatty():
            raise UsageError("a terminal, where a dump should come in", resource=resource, remedy="Pipe the dump in.")
    except ValueError as error:
        raise DumpNotFound(f"{resource} is closed already", resource=resource, remedy="Give an open stream.") from error
    except AttributeError:  # an object with nothing but read()
        seekable = False
    return StreamPlace(stream, resource=resource) if seekable else SpooledPlace(stream.read, resource=resource)
