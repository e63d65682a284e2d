"""A file for results: written under a temporary name, given its own only when it is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pgaudit_kit.errors import OperationError, UsageError


@contextmanager
def output_file(path: Path, *, overwrite: bool = False, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """Give the file to write; it becomes *path* when the block has raised nothing.

    By its *mode* it is readable by its owner only, for it may hold rows.
    Raises UsageError when *path* is there and not to be overwritten, or cannot be made there; OperationError when writing fails.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder", resource=str(path), remedy="Give the name of a file.")
    if path.exists() and not overwrite:
        raise _is_there(path)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}"
        raise UsageError(message, resource=str(path), remedy="Choose another place.") from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            partial.replace(path)
        else:
            _name(partial, path)
    except OSError as error:
        message = f"{path} could not be written: {error.strerror or error}"
        raise OperationError(message, resource=str(path), remedy="Check the folder and its space.") from error
    finally:
        partial.unlink(missing_ok=True)


def _name(partial: Path, path: Path) -> None:
    """Give the file its name unless somebody has taken that meanwhile."""
    try:
        os.link(partial, path)
    except FileExistsError as error:
        raise _is_there(path) from error
    except OSError:  # a file system without hard links
        if path.exists():
            raise _is_there(path) from None
        partial.rename(path)


def _is_there(path: Path) -> UsageError:
    return UsageError(f"{path} is there already", resource=str(path), remedy="Choose another name, or add --overwrite (overwrite=True).")
