"""A folder of files that are read one by one: a directory archive, on a disk or in a store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.files.places import LocalPlace, reason_of
from pgaudit_kit.errors import DamagedDump, DumpNotFound


class Folder(Protocol):
    """Named files. Names come from a table of contents, so they may be anything."""

    @property
    def resource(self) -> str:
        """How messages name it: never with a credential."""

    @property
    def path(self) -> Path | None:
        """The path of a local folder; None for anything else."""

    @property
    def label(self) -> str:
        """Its name, without the folders before it."""

    @property
    def size_bytes(self) -> int:
        """Size of all its files together. Raises DumpNotFound."""

    def names(self) -> frozenset[str]:
        """The names of the files that are in it, without folders. Raises DumpNotFound when it cannot be listed (any more)."""

    def file(self, name: str) -> DumpFile:
        """The file of that name. Raises DamagedDump when there is none, or the name leads out of the folder."""


class LocalFolder:
    """A folder on a disk. Links are followed as long as they stay in it; what is neither file nor folder is not there."""

    def __init__(self, path: Path, *, unpacked_limit: int | None = None) -> None:
        self.path: Path | None = path
        self.resource = str(path)
        self._path = path
        self._limit = unpacked_limit

    @property
    def label(self) -> str:
        """Its name, without the folders before it."""
        return self._path.resolve().name

    @property
    def size_bytes(self) -> int:
        """Size of all its files together. Raises DumpNotFound."""
        return sum(LocalPlace(self._path / name).size_bytes for name in self.names())

    def names(self) -> frozenset[str]:
        """The names of the files that are in it. Raises DumpNotFound when it cannot be listed (any more)."""
        try:
            return frozenset(e.name for e in os.scandir(self._path) if e.is_file(follow_symlinks=False) or self._is_inside(e.name))
        except OSError as error:
            what = f"cannot open {self._path}: {error.strerror or error}"
            raise DumpNotFound(what, resource=self.resource, remedy="Check the path and its permissions.") from error

    def file(self, name: str) -> DumpFile:
        """The file of that name. Raises DamagedDump when there is none, or the name leads out of the folder."""
        _refuse_paths(name, self.resource)
        if not self._is_inside(name):
            outside = (self._path / name).is_symlink()
            what = f"its file {name} is a link that leads out of it, or nowhere" if outside else f"its file {name} is missing"
            raise DamagedDump(what, resource=self.resource)
        return DumpFile(LocalPlace(self._path / name), unpacked_limit=self._limit)

    def _is_inside(self, name: str) -> bool:
        try:
            place = self._path / name
            return place.is_file() and (not place.is_symlink() or place.resolve().is_relative_to(self._path.resolve()))
        except (OSError, RuntimeError):  # RuntimeError: links in a circle, before Python 3.13
            return False


class FsspecFolder:
    """A folder in a store that fsspec reaches. It is listed once."""

    path = None

    def __init__(self, system: Any, path: str, resource: str, *, unpacked_limit: int | None = None) -> None:
        self.resource = resource
        self._system = system
        self._path = path
        self._limit = unpacked_limit
        try:
            listed = system.ls(path, detail=True)
        except Exception as error:  # noqa: BLE001  # each store behind fsspec has exceptions of its own, which may name a credential
            what = f"cannot list {resource}: {reason_of(error)}"
            raise DumpNotFound(what, resource=resource, remedy="Check the URL, the network and who may read it.") from None
        self._files = {str(facts["name"]).rpartition("/")[2]: facts for facts in listed if facts.get("type") == "file"}

    @property
    def label(self) -> str:
        """Its name, without the folders before it."""
        return self.resource.rstrip("/").rpartition("/")[2]

    @property
    def size_bytes(self) -> int:
        """Size of all its files together."""
        return sum(facts.get("size") or 0 for facts in self._files.values())

    def names(self) -> frozenset[str]:
        """The names of the files that are in it."""
        return frozenset(self._files)

    def file(self, name: str) -> DumpFile:
        """The file of that name. Raises DamagedDump when there is none, or the name leads out of the folder."""
        _refuse_paths(name, self.resource)
        if name not in self._files:
            raise DamagedDump(f"its file {name} is missing", resource=self.resource)
        from pgaudit_kit.dumps.files.remote_places import fsspec_place

        place = fsspec_place(self._system, self._files[name]["name"], f"{self.resource.rstrip('/')}/{name}")
        return DumpFile(place, unpacked_limit=self._limit)


def _refuse_paths(name: str, resource: str) -> None:
    if not name or name in (".", "..") or any(sign in name for sign in "/\\:\0"):
        raise DamagedDump(f"{name!r} is no name of a file in it", resource=resource)
