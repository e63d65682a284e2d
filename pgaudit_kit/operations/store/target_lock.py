"""One backup of a database into a store at a time: a file there that is locked, and says by whom. The lock ends with its process."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pgaudit_kit.errors import BackupFailed
from pgaudit_kit.operations.store.local_store import LocalStore
from pgaudit_kit.operations.store.store import Store


def scratch_of(store: Store) -> Path:
    """The folder of this machine in which a backup into *store* is written: the store itself, or that for temporary files."""
    return store.folder if isinstance(store, LocalStore) else Path(tempfile.gettempdir())


@contextmanager
def only_backup_of(place: str, store: Store) -> Iterator[None]:
    """Hold the lock of the database at *place* (`Target.place`) for *store*. What a killed run left is taken over.

    It is in the store's folder; for a store behind a URL, which knows no locks, in this machine's folder for temporary files: there
    other machines are not seen.

    Raises BackupFailed, with pid and host, while another backup of it is running; OSError. Windows has no such locks: there nobody is told.
    """
    key = hashlib.sha256(f"{scratch_of(store).resolve() if isinstance(store, LocalStore) else store.label} {place}".encode()).hexdigest()[
        :16
    ]
    path = scratch_of(store) / f".pgaudit-{key}.lock"
    descriptor = _take(path, place)
    try:
        yield
    finally:
        if descriptor is not None:
            path.unlink(missing_ok=True)  # before it is free: whoever waits for the file then sees that its name is gone
            os.close(descriptor)


def _take(path: Path, place: str) -> int | None:
    if sys.platform == "win32":
        return None
    import fcntl

    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 4096)
            os.close(descriptor)
            raise _running(place, holder) from None
        except BaseException:  # Ctrl-C too: nobody else has the descriptor yet, so nobody else would close it
            os.close(descriptor)
            raise
        if os.fstat(descriptor).st_nlink:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, _ourselves(place))
            return descriptor
        os.close(descriptor)  # it was given back, and its name with it, between the two calls


def _ourselves(place: str) -> bytes:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps({"database": place, "pid": os.getpid(), "host": socket.gethostname(), "since": since}).encode()


def _running(place: str, holder: bytes) -> BackupFailed:
    try:
        told = json.loads(holder)
        who = f"process {told['pid']} on {told['host']}, since {told['since']}"
    except (ValueError, KeyError, TypeError):  # between its lock and its words
        who = "it has just begun"
    return BackupFailed(
        f"no backup was written: another backup of {place} into this store is running ({who})",
        resource=place,
        remedy="Wait for it, or give another store.",
    )
