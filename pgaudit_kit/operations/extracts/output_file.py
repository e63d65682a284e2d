"""A file for results: written under a temporary name, given its own only when it is whole."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, cast

from pgaudit_kit.errors import OperationError, UsageError
from pgaudit_kit.operations.store.file_locks import create_locked, take_if_free

Place = str | os.PathLike[str] | IO[bytes]


def output_place(place: Place, *, overwrite: bool) -> AbstractContextManager[IO[bytes]]:
    """Give what to write to: the file of a path, as `output_file` does; an open binary file as it is."""
    path = path_of(place)
    return nullcontext(cast("IO[bytes]", place)) if path is None else output_file(path, overwrite=overwrite)


def path_of(place: Place) -> Path | None:
    """The path of *place*; None of an open file."""
    return Path(place) if isinstance(place, str | os.PathLike) else None


@contextmanager
def output_file(path: Path, *, overwrite: bool = False, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """Give the file to write; it becomes *path* when the block has raised nothing.

    By its *mode* it is readable by its owner only, for it may hold rows. What is no file, a pipe or a device, is written into and stays.
    Raises UsageError when *path* is there and not to be overwritten, or cannot be made there; OperationError when writing fails.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder", resource=str(path), remedy="Give the name of a file.")
    if path.exists() and not path.is_file():
        with _written_into(path) as file:
            yield file
        return
    if path.exists() and not overwrite:
        raise _is_there(path)
    if path.is_symlink() and path.is_file():
        path = path.resolve()  # what it points at is written, and the link stays: /dev/stdout may be one
    partial = partial_of(path)
    remove_abandoned(path)
    try:
        descriptor = create_locked(partial, mode=mode)
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
        raise not_written(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


def partial_of(path: Path) -> Path:
    """The name of *path*, file or folder, as long as this process writes it."""
    return path.with_name(f".{path.name}.partial-{os.getpid()}")


def remove_abandoned(path: Path) -> None:
    """Remove what a writer of *path* left that was killed; a process may have the number that it had."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.partial-*"):
        lock = take_if_free(left)
        if lock is None:
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
        os.close(lock)


def not_written(path: Path, error: OSError) -> OperationError:
    """The error for a file or folder that could be made, and not be written to its end."""
    message = f"{path} could not be written: {error.strerror or error}"
    return OperationError(message, resource=str(path), remedy="Check the folder and its space.")


@contextmanager
def _written_into(path: Path) -> Iterator[IO[bytes]]:
    """Give the pipe or device *path*, which nothing may replace: /dev/null is everybody's."""
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise not_written(path, error) from error


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
