"""The one door to all kinds of stores."""

from __future__ import annotations

import os
from pathlib import Path

from pgaudit_kit.dumps.files.urls import is_url
from pgaudit_kit.errors import StoreFailed, UsageError
from pgaudit_kit.operations.store.local_store import LocalStore
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.records.stored_backup import StoredBackup

Place = str | os.PathLike[str]


def open_store(place: Place | Store, *, create: bool = False) -> Store:
    """Return the store at *place*: a folder, or a URL that fsspec knows (`s3://bucket/backups`).

    *create*: make a folder (0700) that is not there, and remove what killed runs left; without it nothing is changed.
    Raises UsageError for a place that is none or is not there, StoreFailed for one that cannot be reached.
    """
    if isinstance(place, Store):
        return place
    text = os.fspath(place)
    if is_url(text) and not text.lower().startswith("file://"):
        from pgaudit_kit.operations.store.remote_store import remote_store

        store: Store = remote_store(text)
    else:
        store = _local(Path(text.partition("://")[2] if is_url(text) else text), create=create)
    if create:
        store.clean()
    return store


def _local(folder: Path, *, create: bool) -> LocalStore:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"the store {folder} is a file", resource=str(folder), remedy="Name a folder.")
    if not create and not folder.exists():
        raise UsageError(f"there is no store {folder}", resource=str(folder), remedy="Name the folder or URL that backups were written to.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreFailed(
            f"the store {folder} cannot be made: {error.strerror}", resource=str(folder), remedy="Give another folder."
        ) from error
    return LocalStore(folder)


def find_backup(dump: Place) -> tuple[Store, StoredBackup] | None:
    """Return the store that *dump*, a path or URL, lies in and the backup that it is; None when it is no backup of ours.

    Raises StoreFailed.
    """
    text = os.fspath(dump).rstrip("/")
    if is_url(text):
        folder, _, name = text.rpartition("/")
    else:
        path = Path(text).absolute()
        folder, name = str(path.parent), path.name
    try:
        store = open_store(folder)
    except UsageError:
        return None
    backup = store.find(name)
    return (store, backup) if backup else None
