"""Files and folders of a store on a disk: written under a temporary name, given their own only when they are whole."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgaudit_kit.operations.store.file_locks import NO_LOCK, create_locked, take_if_free
from pgaudit_kit.operations.store.names import COMPANIONS, parse_partial, partial_name


class PartialFile:
    """What is being written: `path` is `.<name>.partial-<pid>` beside *final*, locked until it is published or discarded.

    A file of mode 0600, or with *folder* a folder of mode 0700.
    """

    def __init__(self, final: Path, *, folder: bool = False) -> None:
        self.final = final
        self.path = final.with_name(partial_name(final.name, os.getpid()))
        self._is_folder = folder
        self._lock = create_locked(self.path, folder=folder)
        self._open = True

    def publish(self, *, overwrite: bool = False) -> None:
        """Give it its final name, safe on disk. Raises FileExistsError rather than overwrite unless told, OSError."""
        if self._is_folder:
            _sync_all_in(self.path)
        if self._lock != NO_LOCK:
            os.fsync(self._lock)
        if overwrite:
            self.path.replace(self.final)
        elif self._is_folder:
            _rename_folder(self.path, self.final)
        else:
            _name(self.path, self.final)
        self._close()
        sync_folder(self.final.parent)

    @property
    def is_published(self) -> bool:
        """Whether it has its final name, also when publishing was interrupted at that very moment."""
        if not self.final.exists():
            return False
        return not self.path.exists() or self.path.samefile(self.final)

    def discard(self) -> None:
        """Remove it if it was not published."""
        remove(self.path)
        self._close()

    def _close(self) -> None:
        if self._open and self._lock != NO_LOCK:
            os.close(self._lock)
        self._open = False


def _name(path: Path, final: Path) -> None:
    try:
        os.link(path, final)
    except OSError as error:
        if error.errno == errno.EEXIST:
            raise
        if final.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final)) from error
        path.rename(final)  # a file system without hard links
    else:
        path.unlink()


def _rename_folder(path: Path, final: Path) -> None:
    if final.exists():  # an empty folder would be replaced
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final))
    path.rename(final)


def _sync_all_in(folder: Path) -> None:
    """Make the files of *folder* safe on disk, and readable by us only."""
    for path in folder.iterdir():
        if stat.S_ISREG(path.lstat().st_mode):
            path.chmod(0o600)
            descriptor = os.open(path, os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


@contextmanager
def partial_file(final: Path, *, folder: bool = False) -> Iterator[PartialFile]:
    """Give a PartialFile for *final*; whatever ends the block before it was published removes it, Ctrl-C included."""
    partial = PartialFile(final, folder=folder)
    try:
        yield partial
    finally:
        partial.discard()


def unpublish(final: Path) -> Path:
    """Take its name away from *final* in one step, and return what it is now: an abandoned file, which a cleaner removes."""
    path = final.with_name(partial_name(final.name, os.getpid()))
    final.rename(path)
    sync_folder(final.parent)
    return path


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; nothing when it is not there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_abandoned(folder: Path) -> list[Path]:
    """Remove what has a temporary name of ours in *folder* and whose writer is gone; return it.

    What stood beside a dump goes too when the dump was left temporary: the writer was killed between naming the one and the other.
    """
    removed = []
    for path in sorted(folder.glob(".*.partial-*")):
        parsed = parse_partial(path.name)
        if not (parsed and parsed[1].isdigit()):
            continue
        with taken_over(path, int(parsed[1])) as abandoned:
            if abandoned:
                final = parsed[0]
                if final.format and not (folder / final.file).exists():
                    for suffix in COMPANIONS:
                        (folder / f"{final.name}{suffix}").unlink(missing_ok=True)
                remove(path)
                removed.append(path)
    return removed


@contextmanager
def taken_over(path: Path, pid: int) -> Iterator[bool]:
    """Say whether nobody writes the temporary *path* any more.

    It is locked until the block ends: a writer that has made it a moment ago, and not yet locked it, waits, and sees then if it is gone.
    """
    if sys.platform == "win32":
        yield pid != os.getpid() and not _windows_process_lives(pid)
        return
    lock = take_if_free(path)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def writer_is_gone(path: Path, pid: int) -> bool:
    """Whether nobody writes the temporary *path* any more."""
    with taken_over(path, pid) as abandoned:
        return abandoned


def _windows_process_lives(pid: int) -> bool:
    """os.kill(pid, 0) would end it there."""
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  # only there on Windows; mypy looks from everywhere
    handle = kernel.OpenProcess(0x100000, False, pid)  # noqa: FBT003  # SYNCHRONIZE, no inheritance
    if handle:
        kernel.CloseHandle(handle)
    return bool(handle)


def sync_folder(folder: Path) -> None:
    """Make the names in *folder* survive a crash of the machine, where the system can."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
