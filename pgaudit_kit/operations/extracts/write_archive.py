"""Archives onto a disk: a custom one into an open file, a directory into an empty folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from pgaudit_kit.dumps.archives.archive import ArchiveReader
from pgaudit_kit.dumps.archives.archive_writer import CustomArchive, DataCompression, DirectoryArchive


def write_custom(reader: ArchiveReader, file: IO[bytes], compression: DataCompression, *, seekable: bool = True) -> None:
    """Write what *reader* has to *file*, which is empty. When it can seek, its table of contents says where each block is.

    Raises DamagedDump, UsageError (a compression that its version does not know), OSError.
    """
    archive = CustomArchive(reader, compression)
    file.write(archive.toc())
    file.writelines(archive.blocks())
    if seekable:
        file.seek(0)
        file.write(archive.toc())
        file.seek(0, os.SEEK_END)


def write_directory(reader: ArchiveReader, folder: Path, compression: DataCompression) -> None:
    """Write what *reader* has into the empty *folder*, its table of contents last. Raises as `write_custom`."""
    archive = DirectoryArchive(reader, compression)
    for name, content in archive.files():
        _write(folder / name, content)
    name, toc = archive.toc()
    _write(folder / name, [toc])


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
