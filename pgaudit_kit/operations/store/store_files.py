"""Files of a backup store: written under a temporary name, given their own only when they are whole, never overwritten."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pgaudit_kit.errors import BackupFailed, UsageError
from pgaudit_kit.operations.store.file_locks import create_locked, take_if_free
from pgaudit_kit.records.manifest import manifest_beside

TIME_FORMAT = "%Y%m%dT%H%M%SZ"

# Exactly the names that PartialFile gives, and no other: what does not match was not written by us.
_PARTIAL = re.compile(r"\.(?P<final>.+-\d{8}T\d{6}Z(-\d+)?\.(dump|sql|sql\.gz|manifest\.json))\.partial-(?P<pid>\d+)\Z", re.DOTALL)


class PartialFile:
    """A file being written: `path` is `.<name>.partial-<pid>` beside *final*, mode 0600, locked until it is published or discarded."""

    def __init__(self, final: Path) -> None:
        self.final = final
        self.path = final.with_name(f".{final.name}.partial-{os.getpid()}")
        self._lock = create_locked(self.path)
        self._open = True

    def publish(self) -> None:
        """Give the file its final name, safe on disk. Raises FileExistsError rather than overwrite, OSError."""
        os.fsync(self._lock)
        self._close()
        try:
            os.link(self.path, self.final)
        except OSError as error:
            if error.errno == errno.EEXIST:
                raise
            if self.final.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self.final)) from error
            self.path.rename(self.final)  # a file system without hard links
        else:
            self.path.unlink()
        sync_folder(self.final.parent)

    def discard(self) -> None:
        """Remove the file if it was not published."""
        self._close()
        self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._open:
            os.close(self._lock)
            self._open = False


@contextmanager
def partial_file(final: Path) -> Iterator[PartialFile]:
    """Give a PartialFile for *final*; whatever ends the block before it was published removes it, Ctrl-C included."""
    partial = PartialFile(final)
    try:
        yield partial
    finally:
        partial.discard()


def open_store(store: str | os.PathLike[str]) -> Path:
    """Return the folder of a store, made (0700) when it is not there, freed of what killed runs left. Raises UsageError, BackupFailed."""
    folder = Path(store)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"the store {folder} is a file", resource=str(folder), remedy="Give a folder with --store.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BackupFailed(
            f"the store {folder} cannot be made: {error.strerror}", resource=str(folder), remedy="Give another folder with --store."
        ) from error
    remove_abandoned(folder)
    return folder


def remove_abandoned(folder: Path) -> list[Path]:
    """Remove temporary files in *folder* that we wrote and whose writer is gone; return them.

    A manifest goes too when its dump was left temporary: the writer was killed between naming the one and the other.
    """
    removed = []
    for path in sorted(folder.glob(".*.partial-*")):
        match = _PARTIAL.match(path.name)
        if match and _writer_is_gone(path, int(match["pid"])):
            final = folder / match["final"]
            if final.suffix != ".json" and not final.exists():
                manifest_beside(final).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            removed.append(path)
    return removed


def _writer_is_gone(path: Path, pid: int) -> bool:
    if sys.platform == "win32":
        return pid != os.getpid() and not _windows_process_lives(pid)
    lock = take_if_free(path)
    if lock is None:
        return False
    os.close(lock)
    return True


def _windows_process_lives(pid: int) -> bool:
    """os.kill(pid, 0) would end it there."""
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  # only there on Windows; mypy looks from everywhere
    handle = kernel.OpenProcess(0x100000, False, pid)  # noqa: FBT003  # SYNCHRONIZE, no inheritance
    if handle:
        kernel.CloseHandle(handle)
    return bool(handle)


def backup_name(database: str, word: str | None, at: datetime) -> str:
    """Return `<database>[-<word>]-<UTC timestamp>`, with every character that a file system or shell might mind replaced by `_`."""
    parts = [safe_word(database) or "database", safe_word(word or ""), at.strftime(TIME_FORMAT)]
    return "-".join(p for p in parts if p)


def safe_word(text: str) -> str:
    """Return *text* with only letters, digits, `_`, `.`, `-`, and none of the last two in front."""
    return re.sub(r"[^\w.-]+", "_", text).lstrip(".-")


def free_name(folder: Path, name: str, suffix: str) -> Path:
    """Return `folder/name+suffix`, with `-2`, `-3` … when a backup of that name exists or is being written."""
    taken = {path.name.removeprefix(".") for path in folder.iterdir()}
    number, candidate = 1, name
    while any(other == candidate or other.startswith(f"{candidate}.") for other in taken):
        number += 1
        candidate = f"{name}-{number}"
    return folder / f"{candidate}{suffix}"


def sync_folder(folder: Path) -> None:
    """Make the names in *folder* survive a crash of the machine, where the system can."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
