"""The files of the packs that an incremental backup needs: they lie in the folder `packs` beside it, on a disk or behind a URL.

A file that is gone, or that a disk does not give back, is damage; one that cannot be reached says nothing about the backup: DumpNotFound.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from pgaudit_kit.dumps.files.age import OpenedFiles
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.files.places import not_there, reason_of
from pgaudit_kit.dumps.files.remote_places import FsspecPlace
from pgaudit_kit.errors import DamagedDump, DumpNotFound, UnsupportedDump

PACKS = "packs"
STAY_TOGETHER = "Open it where it lies, in its store; or copy the folder packs of the store to beside it; or run pgaudit export there."


class PackFiles(Protocol):
    """What one can do with them."""

    @property
    def label(self) -> str:
        """How messages name the folder."""

    def names(self) -> frozenset[str]:
        """The files that are there; none without a folder. Raises DumpNotFound when it cannot be listed."""

    def read(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        """The bytes of a file, or *size* of them from *offset* on. Raises DamagedDump when it is gone or broken, DumpNotFound."""


def packs_beside(file: DumpFile) -> PackFiles:
    """Return the packs beside *file*. Raises UnsupportedDump where nothing can lie beside it."""
    if file.path:
        return _Opened(_LocalPacks(file.path.parent / PACKS))
    if isinstance(file.place, FsspecPlace):
        system, path = file.place.where
        return _Opened(_RemotePacks(system, f"{path.rpartition('/')[0]}/{PACKS}", f"{file.resource.rpartition('/')[0]}/{PACKS}"))
    what = f"{file.resource} is an incremental backup, whose rows lie in the packs beside it, and here nothing can lie beside it"
    raise UnsupportedDump(what, resource=file.resource, remedy=f"Name it by a path, or by a URL of a store. {STAY_TOGETHER}")


class _Opened:
    """*files*, of which those that are encrypted are read as what is in them. `read` raises UnsupportedDump without their key."""

    def __init__(self, files: PackFiles) -> None:
        self.label = files.label
        self.names = files.names
        self.read = OpenedFiles(files.read, files.label).read


class _LocalPacks:
    def __init__(self, path: Path) -> None:
        self.label = str(path)
        self._path = path

    def names(self) -> frozenset[str]:
        try:
            return frozenset(path.name for path in self._path.iterdir())
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise not_there(self.label, error) from error

    def read(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        try:
            file = (self._path / name).open("rb", buffering=0)
        except FileNotFoundError:
            raise _gone(name, self.label) from None
        except OSError as error:
            raise _unreachable(name, self.label, error) from error
        try:
            with file:
                file.seek(offset)
                return _all_of(file, size)
        except OSError as error:
            what = f"the file {name} in {self.label} cannot be read: {reason_of(error)}"
            raise DamagedDump(what, resource=self.label) from error


class _RemotePacks:
    """Each read is one request, of the bytes that are asked for and no more."""

    def __init__(self, system: Any, path: str, shown: str) -> None:
        self.label = shown
        self._system = system
        self._path = path

    def names(self) -> frozenset[str]:
        try:
            self._system.invalidate_cache()
            return frozenset(str(path).rpartition("/")[2] for path in self._system.ls(self._path, detail=False))
        except FileNotFoundError:
            return frozenset()
        except Exception as error:  # noqa: BLE001  # each store behind fsspec has exceptions of its own, which may name a credential
            raise not_there(self.label, error) from None

    def read(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        try:
            content: bytes = self._system.cat_file(f"{self._path}/{name}", start=offset, end=None if size is None else offset + size)
        except FileNotFoundError:
            raise _gone(name, self.label) from None
        except Exception as error:  # noqa: BLE001  # as above
            raise _unreachable(name, self.label, error) from None
        return content


def _all_of(file: Any, size: int | None) -> bytes:
    if size is None:
        return bytes(file.readall())
    parts = []
    while size and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _gone(name: str, label: str) -> DamagedDump:
    return DamagedDump(f"the file {name} is missing in {label}", resource=label)


def _unreachable(name: str, label: str, error: Exception) -> DumpNotFound:
    what = f"the file {name} in {label} cannot be reached: {reason_of(error)}"
    return DumpNotFound(what, resource=label, remedy="Try again; check the network, and who may read it.")
