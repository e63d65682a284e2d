"""A folder inside of a store, for files that are written whole, read in parts, and never changed."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pgaudit_kit.errors import StoreFailed
from pgaudit_kit.operations.store.partial_files import partial_file, remove, taken_over

if TYPE_CHECKING:
    from pgaudit_kit.operations.store.remote_store import RemoteStore

_AHEAD = 32
_TIMES = ("LastModified", "last_modified", "created")  # of s3fs, adlfs, the store in memory


class StoreFolder(Protocol):
    """What one can do with it. All methods raise StoreFailed when the place cannot be reached, listed, read or written."""

    @property
    def label(self) -> str:
        """How messages name it."""

    def sizes(self) -> Mapping[str, int]:
        """The files that are there, with their sizes; none when there is no such folder. Files on their way are not among them."""

    def times(self) -> Mapping[str, datetime]:
        """When each file was written, by the clock of the store; without those of which it does not tell."""

    def read(self, file: str, offset: int = 0, size: int | None = None) -> bytes:
        """The bytes of a file, or *size* of them from *offset* on: fewer, when it is shorter. Raises FileNotFoundError."""

    def read_many(self, files: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The files, whole, with their names, in any order; without those that are gone."""

    def write(self, file: str, content: bytes) -> None:
        """Write a file whole or not at all, in place of one that has its name. OSError of a local disk becomes StoreFailed, too."""

    def remove(self, file: str) -> None:
        """Remove a file; nothing when it is gone."""

    def clean(self) -> list[str]:
        """Remove what writers that were killed have left; return the names."""


class LocalFolder:
    """A folder of this machine, made when the first file is written. See StoreFolder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.label = str(path)

    def sizes(self) -> Mapping[str, int]:
        """The files that are there, with their sizes."""
        found = {}
        with self._reached("list"):
            for path in self.path.iterdir() if self.path.is_dir() else ():
                with suppress(FileNotFoundError):  # gone by now
                    if not path.name.startswith("."):
                        found[path.name] = path.stat().st_size
        return found

    def times(self) -> Mapping[str, datetime]:
        """When each file was written."""
        found = {}
        for file in self.sizes():
            with self._reached("list"), suppress(FileNotFoundError):
                found[file] = datetime.fromtimestamp((self.path / file).stat().st_mtime, UTC)
        return found

    def read(self, file: str, offset: int = 0, size: int | None = None) -> bytes:
        """The bytes of a file, or some of them."""
        with self._reached(f"read {file} in"), (self.path / file).open("rb") as opened:
            opened.seek(offset)
            return opened.read(-1 if size is None else size)

    def read_many(self, files: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The files, whole."""
        for file in files:
            with suppress(FileNotFoundError):
                yield file, self.read(file)

    def write(self, file: str, content: bytes) -> None:
        """Write it under a temporary name that is locked meanwhile, then give it its own."""
        try:
            with self._reached(f"write {file} in"):
                self.path.mkdir(mode=0o700, exist_ok=True)
                with partial_file(self.path / file) as partial:
                    partial.path.write_bytes(content)
                    partial.publish(overwrite=True)
        except FileNotFoundError as error:
            raise StoreFailed(f"the store {self.path.parent} is gone", resource=self.label, remedy="Give another store.") from error

    def remove(self, file: str) -> None:
        """Remove a file; nothing when it is gone."""
        with self._reached(f"delete {file} in"):
            (self.path / file).unlink(missing_ok=True)

    def clean(self) -> list[str]:
        """Remove temporary files that nobody writes any more."""
        cleaned = []
        with self._reached("clean"):
            for path in sorted(self.path.glob(".*.partial-*")):
                pid = path.name.rpartition("-")[2]
                if pid.isdigit():
                    with taken_over(path, int(pid)) as abandoned:
                        if abandoned:
                            remove(path)
                            cleaned.append(path.name)
        return cleaned

    @contextmanager
    def _reached(self, doing: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            remedy = "Make room there, or give another store." if full else "Check the folder's rights and space."
            raise StoreFailed(f"cannot {doing} {self.path}: {error.strerror or error}", resource=self.label, remedy=remedy) from error


class RemoteFolder:
    """A folder behind the URL of *store*: each write is one request that replaces the object whole. See StoreFolder."""

    def __init__(self, store: RemoteStore, system: Any, root: str, name: str) -> None:
        self.label = f"{store.label}/{name}"
        self._store = store
        self._system = system
        self._root = f"{root}/{name}"

    def sizes(self) -> Mapping[str, int]:
        """The files that are there, with their sizes."""
        return {file: facts.get("size") or 0 for file, facts in self._listed().items()}

    def times(self) -> Mapping[str, datetime]:
        """When each file was written, where the file system says it in a way that is known."""
        found = {file: next((facts[key] for key in _TIMES if key in facts), None) for file, facts in self._listed().items()}
        return {file: at.astimezone(UTC) for file, at in found.items() if isinstance(at, datetime) and at.tzinfo}

    def _listed(self) -> dict[str, dict[str, Any]]:
        with self._store.reached("list"):
            self._system.invalidate_cache()
            try:
                listed = self._system.ls(self._root, detail=True)
            except FileNotFoundError:
                return {}
        return {str(f["name"]).rpartition("/")[2]: f for f in listed if f.get("type") != "directory"}

    def read(self, file: str, offset: int = 0, size: int | None = None) -> bytes:
        """The bytes of a file, or some of them."""
        end = None if size is None else offset + size
        path = f"{self._root}/{file}"
        with self._store.reached(f"read {file} of"):
            try:
                content: bytes = self._system.cat_file(path, start=offset or None, end=end)
            except OSError:
                if not offset or self._system.info(path)["size"] > offset:
                    raise
                content = b""  # a file that was cut short: S3 refuses a range behind its end
            return content

    def read_many(self, files: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The files, whole, some at a time, since each request to a distant place takes its while."""
        waiting = list(files)
        while waiting:
            now, waiting = waiting[:_AHEAD], waiting[_AHEAD:]
            with self._store.reached("read"):
                found = self._system.cat([f"{self._root}/{file}" for file in now], on_error="omit")
            for path, content in found.items():
                yield str(path).rpartition("/")[2], content

    def write(self, file: str, content: bytes) -> None:
        """Write it in one request."""
        with self._store.written(file):
            self._store.make_folder(self._root)
            self._system.pipe_file(f"{self._root}/{file}", content)

    def remove(self, file: str) -> None:
        """Remove a file; nothing when it is gone."""
        with self._store.reached("delete from"), suppress(FileNotFoundError):
            self._system.rm_file(f"{self._root}/{file}")

    def clean(self) -> list[str]:
        """Nothing: an object whose upload was killed is not there."""
        return []
