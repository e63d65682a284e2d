"""A folder for results: filled under a temporary name, given its own only when it is whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.extracts.output_file import not_written, partial_of, remove_abandoned
from pgaudit_kit.operations.store.file_locks import NO_LOCK, create_locked


@contextmanager
def output_folder(path: Path) -> Iterator[Path]:
    """Give the folder to fill, which nobody else may enter; it becomes *path* when the block has raised nothing.

    Raises UsageError when something is there already, or it cannot be made there; OperationError when writing fails.
    """
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} is there already", resource=str(path), remedy="Choose another name, or remove it first.")
    partial = partial_of(path)
    remove_abandoned(path)
    try:
        lock = create_locked(partial, folder=True)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", resource=str(path), remedy="Choose another place.") from error
    try:
        yield partial
        partial.rename(path)
    except OSError as error:
        raise not_written(path, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if lock != NO_LOCK:
            os.close(lock)
