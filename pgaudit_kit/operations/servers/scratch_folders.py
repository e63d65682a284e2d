"""Private temporary folders that do not pile up: what a killed process left behind, the next one removes."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from pgaudit_kit.errors import OperationError
from pgaudit_kit.operations.programs.server_binaries import Account
from pgaudit_kit.operations.store.file_locks import create_locked, take_if_free

_PREFIX = "pgaudit-"
# As mkdtemp names it. The folder of a report or a query has one more word in its name, and no lock.
_OURS = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}")
_UNFINISHED = ".new-"
_LOCK = "owner.lock"
# sockaddr_un.sun_path is 104 bytes on macOS and 108 on Linux, end mark included; the socket's own name is ".s.PGSQL.5432"
_LONGEST_FOLDER = 103 - len("/.s.PGSQL.5432")


class ScratchFolder:
    """A 0700 folder with a short path, owned by *account* (or us), and locked as long as its users live.

    The lock belongs to this process and to every program that is given `lock_fds`, so a folder whose lock is free has nobody
    left who uses it. *base*: where it lies, for one that holds no socket; its path may be long.

    Raises OperationError when there is no temporary folder that the account can enter.
    """

    def __init__(self, account: Account | None, *, base: Path | None = None) -> None:
        base = base.resolve() if base else base_folder(account)
        if sys.platform != "win32":
            _remove_abandoned(base, {os.geteuid(), account.uid if account else os.geteuid()})
        folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED + _PREFIX, dir=base))
        self._lock = create_locked(folder / _LOCK)
        if account is not None:
            os.chown(folder, account.uid, account.gid)
        # It gets the name that a cleaner looks for only now that it is locked.
        self.path = folder.rename(folder.with_name(folder.name.removeprefix(_UNFINISHED)))

    @property
    def lock_fds(self) -> tuple[int, ...]:
        """Descriptors to pass to a program that uses the folder (none on Windows, which has no such inheritance)."""
        return () if sys.platform == "win32" else (self._lock,)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        with suppress(OSError):
            _empty(self.path)
        os.close(self._lock)
        shutil.rmtree(self.path, ignore_errors=True)


def base_folder(account: Account | None) -> Path:
    """Return the folder that scratch folders of *account* lie in. Raises OperationError when there is none that will do."""
    candidates = [Path(tempfile.gettempdir()).resolve()]
    if sys.platform != "win32":
        candidates += [Path("/tmp"), Path("/var/tmp")]  # noqa: S108  # only as a base for mkdtemp
    for base in candidates:
        if "," in str(base):
            continue  # libpq takes a host with a comma for two hosts
        short = sys.platform == "win32" or len(os.fsencode(base / (_UNFINISHED + _PREFIX + "xxxxxxxx"))) <= _LONGEST_FOLDER
        if short and base.is_dir() and os.access(base, os.W_OK | os.X_OK) and (account is None or _everybody_may_enter(base)):
            return base
    raise OperationError(
        f"no temporary folder for a server: {', '.join(map(str, candidates))}: path too long, not writable, or closed to its account",
        resource=str(candidates[0]),
        remedy="Set TMPDIR to a folder with a short path that other accounts can enter.",
    )


def _everybody_may_enter(folder: Path) -> bool:
    return all(step.stat().st_mode & 0o001 for step in (folder, *folder.parents))


def _remove_abandoned(base: Path, owners: set[int]) -> None:
    """Remove scratch folders of ours in *base* whose lock nobody holds any more."""
    for folder in (path for path in base.glob(f"{_PREFIX}*") if _OURS.fullmatch(path.name)):
        lock = take_if_free(folder / _LOCK)
        with suppress(OSError):  # another process may be removing it at this moment
            ours = folder.lstat().st_uid in owners
            if ours and lock is None:  # in use, or not one of ours; or who removed it was killed before its last step, and it is empty
                folder.rmdir()
            elif ours:
                _empty(folder)
                shutil.rmtree(folder)
        if lock is not None:
            os.close(lock)


def _empty(folder: Path) -> None:
    """Remove all but the lock: that goes last, since without it nobody would know a folder that is half removed for abandoned."""
    for inside in folder.iterdir():
        if inside.is_dir() and not inside.is_symlink():
            shutil.rmtree(inside, ignore_errors=True)
        elif inside.name != _LOCK:
            inside.unlink()
