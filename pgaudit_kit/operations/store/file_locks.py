"""Locks on files that end with the processes that hold them, however those end (flock; none on Windows).

Process ids would say less: they are reused, and containers that share a folder do not see each other's.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def create_locked(path: Path) -> int:
    """Create *path*, readable by us only, and return a descriptor that holds its lock. Raises OSError, FileExistsError when it exists."""
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        if sys.platform == "win32":
            return descriptor
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)  # a cleaner took it for abandoned between the two calls


def take_if_free(path: Path) -> int | None:
    """Return a descriptor that holds the lock of the existing file *path*; None when another process holds it or it cannot be told."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
