"""The digest of a dump: one number that changes with every byte of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.decompression import PIECE
from pgaudit_kit.dumps.files.decompression import DumpFile as OpenFile
from pgaudit_kit.dumps.files.folders import Folder
from pgaudit_kit.dumps.files.locating import locate
from pgaudit_kit.errors import DumpNotFound
from pgaudit_kit.records.manifest import DumpFile


def dump_digest(dump: Dump) -> DumpFile:
    """The name, SHA-256 and size of *dump*, as `file_digest` has them, wherever it lies. Raises OSError, and DumpNotFound, DamagedDump."""
    return located_digest(dump.file)


def digest_if_there(place: str) -> DumpFile | None:
    """The same of the file at the path or URL *place*; None when it is not there. Raises OSError, DamagedDump."""
    try:
        return located_digest(locate(place))
    except DumpNotFound:
        return None


def located_digest(place: OpenFile | Folder) -> DumpFile:
    """The same of a file or folder that `locate` gave, which need not look like a dump."""
    if place.path:
        return file_digest(place.path)
    if isinstance(place, OpenFile):
        return DumpFile(place.label, _sha256_of(place), place.size_bytes)
    digest = hashlib.sha256()
    for name in sorted(place.names(), key=os.fsencode):
        file = place.file(name)
        digest.update(b"".join(os.fsencode(part) + b"\0" for part in ("file", name, str(file.size_bytes), _sha256_of(file))))
    return DumpFile(place.label, digest.hexdigest(), place.size_bytes)


def _sha256_of(file: OpenFile) -> str:
    """That of the bytes as they lie there, wrapped."""
    digest = hashlib.sha256()
    with file.place.open(0) as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def file_digest(path: Path) -> DumpFile:
    """The name, SHA-256 and size of the dump at *path*: a file, or the folder of a directory archive.

    Of a folder the digest is the SHA-256 over one record for each thing in it, at any depth, in the order of the bytes of their
    names: kind, name (its path in the folder, with /), size and SHA-256 of the content, each ended by a zero byte. The size is that
    of all files together. So no file can be added, lost, renamed or changed by a single byte without another digest. Of a link
    the content is where it leads to, and it is not followed; of anything else that is no file there is none.
    Raises OSError when something cannot be read.
    """
    if not path.is_dir():
        size, sha256 = _content_digest(path)
        return DumpFile(path.name, sha256, size)
    total = 0
    digest = hashlib.sha256()
    for name, kind, place in sorted(_things_in(path)):
        size, sha256 = _content_digest(place) if kind == "file" else (0, str(place.readlink()) if kind == "link" else "")
        total += size
        digest.update(b"".join(os.fsencode(part) + b"\0" for part in (kind, name, str(size), sha256)))
    return DumpFile(path.resolve().name, digest.hexdigest(), total)


def _content_digest(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of the very bytes that were read."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), sha256


def _things_in(folder: Path, before: str = "") -> Iterator[tuple[bytes, str, Path]]:
    """Name, kind (file, folder, link, other) and path of everything in *folder* and its folders."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = before + entry.name
            kind = "link" if entry.is_symlink() else "folder" if entry.is_dir() else "file" if entry.is_file() else "other"
            yield os.fsencode(name), kind, Path(entry.path)
            if kind == "folder":
                yield from _things_in(Path(entry.path), f"{name}/")
