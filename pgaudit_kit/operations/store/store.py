"""A place that keeps backups: what one can do with it, wherever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Protocol

from pgaudit_kit.audits.file_digest import located_digest
from pgaudit_kit.dumps.files.locating import locate
from pgaudit_kit.operations.store.listing import Entry, read_store
from pgaudit_kit.operations.store.names import FOLDER, parse_name
from pgaudit_kit.operations.store.packs import PACKS, PackStore
from pgaudit_kit.operations.store.store_folder import StoreFolder
from pgaudit_kit.records.evidence import Evidence
from pgaudit_kit.records.manifest import SUFFIX, DumpFile, Manifest
from pgaudit_kit.records.stored_backup import StoredBackup, Stray


class Incoming(Protocol):
    """A backup that is being received. Until it is published nothing of it has a final name that a backup has."""

    @property
    def name(self) -> str:
        """The backup's name, without suffix; no other has it."""

    @property
    def dump_file(self) -> str:
        """The name that the dump will have."""

    @property
    def path(self) -> Path:
        """Where to write the dump now: an empty file of mode 0600, or an empty folder. It must be written to, not replaced."""

    def companion(self, suffix: str) -> Path:
        """Where to write what belongs beside it (`names.COMPANIONS`): an empty file of mode 0600."""

    def publish(self, manifest: Manifest, evidence: Evidence) -> str:
        """Keep it, with its manifest (whose `dump_file` is that of `path`, read back) and the proof of it; return where the dump is.

        All or nothing. Raises OSError, StoreFailed.
        """


class Store(ABC):
    """What keeps backups. All methods raise StoreFailed when the place cannot be reached, listed, read or written."""

    label: str
    """How messages name it: never with a credential."""

    @abstractmethod
    def receive(self, name: str, suffix: str) -> AbstractContextManager[Incoming]:
        """Give an Incoming for a backup called *name* (or `name-2` … when that is taken) whose dump gets *suffix* (`names.FORMATS`).

        Whatever ends the block before it was published removes it, Ctrl-C included; what even that leaves, the next run cleans up.
        """

    @abstractmethod
    def inner_folder(self, name: str) -> StoreFolder:
        """A folder inside of it, which need not be there."""

    @abstractmethod
    def entries(self) -> Mapping[str, Entry]:
        """What lies there, by name."""

    @abstractmethod
    def read_text(self, file: str) -> str:
        """The text of a file. Raises FileNotFoundError, UnicodeDecodeError."""

    @abstractmethod
    def write_text(self, file: str, text: str) -> None:
        """Write a file whole or not at all, in place of one that has its name."""

    @abstractmethod
    def where(self, file: str) -> str:
        """The path or URL of a file, as `read_dump` takes it."""

    @abstractmethod
    def delete(self, backup: StoredBackup) -> None:
        """Delete a backup with all that stands beside it. One that is killed half-way leaves the whole backup or none."""

    @abstractmethod
    def clean(self) -> list[str]:
        """Remove what killed runs left, and nothing that anybody still writes; return the names."""

    @cached_property
    def packs(self) -> PackStore:
        """The chunks of its incremental backups."""
        return PackStore(self.inner_folder(PACKS))

    def backups(self) -> tuple[StoredBackup, ...]:
        """The backups that are whole, oldest first."""
        return self.look()[0]

    def look(self) -> tuple[tuple[StoredBackup, ...], tuple[Stray, ...]]:
        """The backups that are whole, oldest first, and everything else that lies there, with what it is."""
        return read_store(self.entries(), self.read_text)

    def find(self, dump_file: str) -> StoredBackup | None:
        """The backup whose dump has that name; None when there is none, or it is not whole."""
        parsed = parse_name(dump_file)
        if parsed is None:
            return None
        belonging = {file: entry for file, entry in self.entries().items() if file.removeprefix(".").startswith(f"{parsed.name}.")}
        return next((backup for backup in read_store(belonging, self.read_text)[0] if backup.dump_file == dump_file), None)

    def open(self, backup: StoredBackup) -> str:
        """What `read_dump` takes."""
        return self.where(backup.dump_file)

    def manifest(self, backup: StoredBackup) -> Manifest:
        """What was recorded of it. Raises ManifestError, FileNotFoundError."""
        file = f"{backup.name}{SUFFIX}"
        return Manifest.from_json(self.read_text(file), label=file)

    def digest(self, backup: StoredBackup) -> DumpFile:
        """Digest and size of its dump as it lies there. Raises the errors of `located_digest`."""
        return located_digest(locate(self.open(backup)))

    def write_evidence(self, backup: StoredBackup, evidence: Evidence) -> str:
        """Keep a proof beside the backup, in place of the last of its kind; return where it is, as messages may name it."""
        file = f"{backup.name}{evidence.proof.suffix}"
        self.write_text(file, evidence.to_json())
        return f"{self.label}/{file}"


def is_folder(suffix: str) -> bool:
    """Whether a dump with that suffix is a folder."""
    return suffix == FOLDER
