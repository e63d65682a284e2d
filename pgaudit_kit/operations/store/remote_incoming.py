"""A backup on its way to a store behind a URL."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pgaudit_kit.audits.file_digest import located_digest
from pgaudit_kit.dumps.files.locating import locate
from pgaudit_kit.errors import StoreFailed
from pgaudit_kit.operations.store.partial_files import PartialFile
from pgaudit_kit.operations.store.store import is_folder
from pgaudit_kit.records.evidence import Evidence
from pgaudit_kit.records.manifest import SUFFIX, Manifest

if TYPE_CHECKING:
    from pgaudit_kit.operations.store.remote_store import RemoteStore


class RemoteIncoming:
    """A backup on its way to a remote store: written and proved in a private folder of this machine first. See `store.Incoming`."""

    def __init__(self, store: RemoteStore, folder: Path, name: str, suffix: str, marker_file: str) -> None:
        self.name = name
        self.dump_file = name + suffix
        self._store = store
        self._folder = folder
        self._marker_file = marker_file
        self._is_whole = False
        self._beside: dict[str, Path] = {}
        self._partial = PartialFile(folder / self.dump_file, folder=is_folder(suffix))
        self.path = self._partial.path

    def companion(self, suffix: str) -> Path:
        """Where to write what belongs beside it."""
        path = self._folder / f"{self.name}{suffix}"
        path.touch(mode=0o600)
        self._beside[path.name] = path
        return path

    def publish(self, manifest: Manifest, evidence: Evidence) -> str:
        """Upload it and read it back; the manifest, without which it is no backup, comes last."""
        self._store.upload(self.path, self.dump_file)
        self._read_back(manifest)
        for file, path in self._beside.items():
            self._store.upload(path, file)
        self._store.write_text(f"{self.name}{evidence.proof.suffix}", evidence.to_json())
        self._store.write_text(f"{self.name}{SUFFIX}", manifest.to_json())
        if self.dump_file not in self._store.entries():
            raise StoreFailed(
                f"{self.dump_file} was removed from {self._store.label} while it was written",
                resource=self._store.label,
                remedy="Back up again, and find out who deletes there.",
            )
        self._is_whole = True
        return self._store.where(self.dump_file)

    def _read_back(self, manifest: Manifest) -> None:
        with self._store.reached(f"read {self.dump_file} back from"):
            found = located_digest(locate(self._store.where(self.dump_file)))
        if manifest.dump_file is None or replace(found, name=self.dump_file) != manifest.dump_file:
            raise StoreFailed(
                f"{self.dump_file} in {self._store.label} is not, byte for byte, what was written there",
                resource=self._store.label,
                remedy="Back up again; if it happens again, do not use this store.",
            )

    def close(self, *, note_stays: bool) -> None:
        """Remove what is in the store, unless it is a whole backup, but for the note when it is to stay.

        What cannot be removed now, the note leaves to the next run.
        """
        self._partial.discard()
        with suppress(StoreFailed):
            files = [self._marker_file] if self._is_whole else self._store.files_of(self.name, self.dump_file, self._marker_file)
            self._store.remove([file for file in files if self._is_whole or not note_stays or file != self._marker_file])
