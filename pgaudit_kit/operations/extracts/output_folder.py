"""A folder for results: filled under a temporary name, given its own only when it is whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgaudit_kit.errors import OperationError, UsageError


@contextmanager
def output_folder(path: Path) -> Iterator[Path]:
    """Give the folder to fill, which nobody else may enter; it becomes *path* when the block has raised nothing.

    Raises UsageError when something is there already, or it cannot be made there; OperationError when writing fails.
    """
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} is there already", resource=str(path), remedy="Choose another name, or remove it first.")
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        partial.mkdir(mode=0o700)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", resource=str(path), remedy="Choose another place.") from error
    try:
        yield partial
        partial.rename(path)
    except OSError as error:
        message = f"{path} could not be written: {error.strerror or error}"
        raise OperationError(message, resource=str(path), remedy="Check the folder and its space.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
