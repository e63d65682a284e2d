"""Locks on files and folders that end with the processes that hold them, however those end (flock; none on Windows).

Process ids would say less: they are reused, and containers that share a folder do not see each other's.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

NO_LOCK = -1
_NEW = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)


def create_locked(path: Path, *, folder: bool = False, mode: int = 0o600) -> int:
    """Create *path*, readable by us only, or a file of that *mode*, and return a descriptor that holds its lock.

    Raises OSError, FileExistsError when it exists. Of a *folder* on Windows there is none: NO_LOCK.
    """
    while True:
        descriptor = _create_folder(path) if folder else os.open(path, _NEW, mode)
        if sys.platform == "win32":
            return descriptor
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)  # a cleaner took it for abandoned between the two calls


def _create_folder(path: Path) -> int:
    while True:
        path.mkdir(mode=0o700)
        if sys.platform == "win32":
            return NO_LOCK
        with suppress(FileNotFoundError):  # a cleaner took it for abandoned, as above
            return os.open(path, os.O_RDONLY | os.O_DIRECTORY)


def take_if_free(path: Path) -> int | None:
    """Return a descriptor that holds the lock of the existing *path*; None when another process holds it or it cannot be told."""
    if sys.platform == "win32":
        return None
    import fcntl

    how = os.O_RDONLY if path.is_dir() else os.O_RDWR  # over NFS a lock needs a file that could be written
    try:
        descriptor = os.open(path, how | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
