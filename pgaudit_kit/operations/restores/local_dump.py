"""The dump as client programs need it: a file or folder of this machine, with nothing around it, and not in chunks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgaudit_kit.dumps.archives.archive_writer import DataCompression
from pgaudit_kit.dumps.archives.tar_folder import TarFolder
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.decompression import PIECE, DumpFile
from pgaudit_kit.dumps.files.folders import Folder
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import RestoreFailed, UsageError
from pgaudit_kit.operations.extracts.write_archive import write_custom
from pgaudit_kit.operations.servers.scratch_folders import ScratchFolder

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
    """Give *dump*; what pg_restore does not look into, as a temporary copy for the block.

    That is an archive inside of a compression, a directory archive that was packed with tar, and what is in chunks.
    Raises RestoreFailed when there is no room for it, DamagedDump when chunks cannot be read.
    """
    if is_incremental(dump):
        scratch = ScratchFolder(None)
        try:
            yield read_dump(put_together(dump, scratch.path / dump.label))
        finally:
            scratch.remove()
        return
    file, archive = dump.file, dump.provenance.format
    packed_folder = archive == "directory" and isinstance(file, DumpFile)
    if not isinstance(file, DumpFile) or not (packed_folder or (archive in _ONE_FILE and file.wrappings)):
        yield dump
        return
    scratch = ScratchFolder(None)
    try:
        yield read_dump(_written(file, scratch.path, folder=packed_folder))
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
        raise _no_room(dump.label, path.parent, error) from error
    return path


def _no_room(label: str, folder: Path, error: OSError) -> RestoreFailed:
    what = f"nothing was touched: {label} cannot be unpacked into {folder}: {error.strerror or error}"
    return RestoreFailed(what, resource=label, remedy="Make room there, or set TMPDIR to a folder that has it.")


def _written(packed: DumpFile, scratch: Path, *, folder: bool) -> Path:
    try:
        if folder:
            return unfolded(TarFolder(packed), scratch)
        return copy_file(packed, scratch / packed.label)
    except OSError as error:
        raise _no_room(packed.label, scratch, error) from error


def unfolded(files: Folder | TarFolder, scratch: Path) -> Path:
    """Return a folder in *scratch* with copies of *files*. Raises OSError, and the errors of reading them."""
    copy = scratch / "archive"
    copy.mkdir(mode=0o700)
    for name in sorted(files.names()):
        copy_file(files.file(name), copy / Path(name).name)
    return copy


def copy_file(file: DumpFile, to: Path) -> Path:
    """Write what is in *file*, unpacked, to the new file *to*, for us only; return that. Raises OSError, and the errors of reading it."""
    with file.open() as source, os.fdopen(os.open(to, _NEW, 0o600), "wb") as copy:
        while piece := source.read(PIECE):
            copy.write(piece)
    return to
