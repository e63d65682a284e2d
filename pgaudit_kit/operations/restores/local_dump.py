"""The dump as client programs need it: a file or folder of this machine, with nothing around it, and not in chunks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgaudit_kit.dumps.archives.archive_writer import DataCompression
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import RestoreFailed, UsageError
from pgaudit_kit.operations.extracts.write_archive import write_custom
from pgaudit_kit.operations.servers.scratch_folders import ScratchFolder

_PIECE = 1 << 20
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_ONE_FILE = ("custom", "tar")


def local_path(dump: Dump) -> Path:
    """The path of *dump*. Raises UsageError when it is no local file: pg_restore reads no URL, and a pipe cannot be read twice."""
    if dump.path is None:
        what = f"{dump.label} is no local file, and a restore needs one"
        raise UsageError(what, resource=dump.file.resource, remedy="Fetch it to this machine first, and name the file.")
    return dump.path


def refuse_distant(dump: Dump) -> None:
    """Raise UsageError for what cannot be restored from where it is. An incremental backup can from anywhere: it is put together first."""
    if not is_incremental(dump):
        local_path(dump)


def is_incremental(dump: Dump) -> bool:
    """Whether its rows lie in the packs of a store."""
    return dump.told.format == "incremental"


@contextmanager
def unpacked(dump: Dump) -> Iterator[Dump]:
    """Give *dump* as pg_restore reads it: what is inside of a compression, or in chunks, as a temporary file for the block.

    Raises RestoreFailed when there is no room for it, DamagedDump when chunks cannot be read.
    """
    if is_incremental(dump):
        scratch = ScratchFolder(None)
        try:
            yield read_dump(put_together(dump, scratch.path / dump.label))
        finally:
            scratch.remove()
        return
    if dump.provenance.format not in _ONE_FILE or not isinstance(dump.file, DumpFile) or not dump.file.wrappings:
        yield dump
        return
    scratch = ScratchFolder(None)
    try:
        yield read_dump(_write(dump.file, scratch.path / dump.label))
    finally:
        scratch.remove()


def put_together(dump: Dump, path: Path) -> Path:
    """Write the incremental backup *dump* to *path* as an archive that pg_restore reads. Raises RestoreFailed, DamagedDump."""
    reader = dump.archive
    if reader is None:
        raise UsageError(f"{dump.label} is no archive", resource=dump.label)
    try:
        with os.fdopen(os.open(path, _NEW, 0o600), "w+b") as file:
            write_custom(reader, file, DataCompression())
    except OSError as error:
        raise _no_room(dump.label, path, error) from error
    return path


def _no_room(label: str, path: Path, error: OSError) -> RestoreFailed:
    what = f"nothing was touched: {label} cannot be unpacked into {path.parent}: {error.strerror or error}"
    return RestoreFailed(what, resource=label, remedy="Make room there, or set TMPDIR to a folder that has it.")


def _write(packed: DumpFile, path: Path) -> Path:
    try:
        with packed.open() as source, os.fdopen(os.open(path, _NEW, 0o600), "wb") as file:
            while piece := source.read(_PIECE):
                file.write(piece)
    except OSError as error:
        raise _no_room(packed.label, path, error) from error
    return path
