"""The dump as client programs need it: a file or folder of this machine."""

from __future__ import annotations

from pathlib import Path

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.errors import UsageError


def local_path(dump: Dump) -> Path:
    """The path of *dump*. Raises UsageError when it is no local file: pg_restore reads no URL, and a pipe cannot be read twice."""
    if dump.path is None:
        what = f"{dump.label} is no local file, and a restore needs one"
        raise UsageError(what, resource=dump.file.resource, remedy="Fetch it to this machine first, and name the file.")
    return dump.path
