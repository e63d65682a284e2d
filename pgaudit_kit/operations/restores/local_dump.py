"""The dump as client programs need it: a file or folder of this machine, with nothing around it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import RestoreFailed, UsageError
from pgaudit_kit.operations.servers.scratch_folders import ScratchFolder

_PIECE = 1 << 20
_ONE_FILE = ("custom", "tar")


def local_path(dump: Dump) -> Path:
    """The path of *dump*. Raises UsageError when it is no local file: pg_restore reads no URL, and a pipe cannot be read twice."""
    if dump.path is None:
        what = f"{dump.label} is no local file, and a restore needs one"
        raise UsageError(what, resource=dump.file.resource, remedy="Fetch it to this machine first, and name the file.")
    return dump.path


@contextmanager
def unpacked(dump: Dump) -> Iterator[Dump]:
    """Give *dump*; an archive inside of a compression, which pg_restore does not look into, as a temporary file unpacked for the block.

    Raises RestoreFailed when there is no room for it.
    """
    if dump.provenance.format not in _ONE_FILE or not isinstance(dump.file, DumpFile) or not dump.file.wrappings:
        yield dump
        return
    scratch = ScratchFolder(None)
    try:
        yield read_dump(_write(dump.file, scratch.path / dump.label))
    finally:
        scratch.remove()


def _write(packed: DumpFile, path: Path) -> Path:
    try:
        with packed.open() as source, os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            while piece := source.read(_PIECE):
                file.write(piece)
    except OSError as error:
        what = f"nothing was touched: {packed.label} cannot be unpacked into {path.parent}: {error.strerror or error}"
        raise RestoreFailed(what, resource=packed.label, remedy="Make room there, or set TMPDIR to a folder that has it.") from error
    return path
