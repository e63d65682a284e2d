"""A store behind a URL that fsspec knows: what is written is read back, and without its manifest, written last, it is no backup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pgaudit_kit.audits.file_digest import located_digest
from pgaudit_kit.dumps.files.locating import locate
from pgaudit_kit.dumps.files.places import reason_of
from pgaudit_kit.dumps.files.urls import shown_url
from pgaudit_kit.errors import PgAuditError, StoreFailed, UsageError
from pgaudit_kit.operations.servers.scratch_folders import ScratchFolder
from pgaudit_kit.operations.store.listing import Entry
from pgaudit_kit.operations.store.names import COMPANIONS, FOLDER, free_name, has_rival, parse_partial
from pgaudit_kit.operations.store.partial_files import PartialFile
from pgaudit_kit.operations.store.store import Store, is_folder
from pgaudit_kit.operations.store.upload_markers import UploadMarker
from pgaudit_kit.records.evidence import Evidence
from pgaudit_kit.records.manifest import SUFFIX, Manifest
from pgaudit_kit.records.stored_backup import StoredBackup

# What has no folders, only names with slashes in them. To "make" one could make a whole bucket, for a name that was mistyped.
_BUCKETS = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "obs", "cos", "memory"})


def remote_store(url: str) -> RemoteStore:
    """Return the store at *url*. Raises UsageError for a scheme that nothing installed understands."""
    shown = shown_url(url)
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        system, root = url_to_fs(url)
    except ImportError as error:
        remedy = "pip install 'pgaudit-kit[s3]' for s3://; gcsfs for gs://, adlfs for az://, and so on."
        raise UsageError(f"{shown}: {error}", resource=shown, remedy=remedy) from None
    except ValueError:
        remedy = "Name a folder, or a URL that fsspec knows."
        raise UsageError(f"the store {shown} is no URL of a known kind", resource=shown, remedy=remedy) from None
    return RemoteStore(system, str(root).rstrip("/"), url.rstrip("/"))


class RemoteStore(Store):
    """A store at *url*, which is *root* of the fsspec file system."""

    def __init__(self, system: Any, root: str, url: str) -> None:
        self.label = shown_url(url)
        self._url = url
        self._system = system
        self._root = root

    @contextmanager
    def receive(self, name: str, suffix: str) -> Iterator[RemoteIncoming]:
        """Give a RemoteIncoming. Raises OSError too, of the local folder in which the dump is written first."""
        own_name, marker_file = self._reserve(name, suffix)
        scratch = ScratchFolder(None)
        try:
            incoming = RemoteIncoming(self, scratch.path, own_name, suffix, marker_file)
            try:
                yield incoming
            finally:
                incoming.close()
        finally:
            scratch.remove()

    def _reserve(self, name: str, suffix: str) -> tuple[str, str]:
        """Write the note that a name is ours; return the name, and that of the note."""
        while True:
            candidate = free_name(self.entries(), name)
            marker = UploadMarker.of_this_process(candidate + suffix)
            file = marker.file
            self._make_folder()
            self.write_text(file, marker.to_json())
            if not has_rival(self.entries(), candidate, file):
                return candidate, file
            self.remove([file])

    def _make_folder(self) -> None:
        protocols = {self._system.protocol} if isinstance(self._system.protocol, str) else set(self._system.protocol)
        if not protocols & _BUCKETS:
            with self.reached("write to"):
                self._system.makedirs(self._root, exist_ok=True)

    def entries(self) -> Mapping[str, Entry]:
        """What lies there; nothing when there is no such place, since a bucket does not know of an empty folder."""
        found = {}
        now = datetime.now(UTC)
        for name, facts in self._list(self._root).items():
            if facts.get("type") == "directory":
                size = (
                    sum(inside.get("size") or 0 for inside in self._list(f"{self._root}/{name}").values()) if name.endswith(FOLDER) else 0
                )
                found[name] = Entry(size, is_folder=True)
            else:
                found[name] = Entry(facts.get("size") or 0, in_use=bool(parse_partial(name)) and not self._is_abandoned(name, now))
        return found

    def _list(self, path: str) -> dict[str, dict[str, Any]]:
        with self.reached("list"):
            self._system.invalidate_cache()
            try:
                listed = self._system.ls(path, detail=True)
            except FileNotFoundError:
                return {}
        # a folder may be listed as an empty object in itself
        return {str(f["name"]).rstrip("/").rpartition("/")[2]: f for f in listed if str(f["name"]).strip("/") != path.strip("/")}

    def read_text(self, file: str) -> str:
        """The text of a file. Raises FileNotFoundError, UnicodeDecodeError, StoreFailed."""
        with self.reached(f"read {file} of"):
            content: bytes = self._system.cat_file(f"{self._root}/{file}")
        return content.decode("utf-8")

    def write_text(self, file: str, text: str) -> None:
        """Write a file in one request, which replaces one that has its name whole."""
        with self.written(file):
            self._system.pipe_file(f"{self._root}/{file}", text.encode("utf-8"))

    def upload(self, local: Path, file: str) -> None:
        """Copy a file, or a folder of files, to the name *file*."""
        with self.written(file):
            if not local.is_dir():
                self._system.put_file(str(local), f"{self._root}/{file}")
                return
            for inside in sorted(local.iterdir()):
                self._system.put_file(str(inside), f"{self._root}/{file}/{inside.name}")

    def remove(self, files: list[str]) -> None:
        """Remove files and folders, in this order; nothing where there are none."""
        with self.reached("delete from"):
            for file in files:
                with suppress(FileNotFoundError):
                    self._system.rm(f"{self._root}/{file}", recursive=is_folder(Path(file).suffix))

    def where(self, file: str) -> str:
        """The URL of a file."""
        return f"{self._url}/{file}"

    def delete(self, backup: StoredBackup) -> None:
        """Note it, then remove the manifest first: from then on it is no backup, and the note says what is to be cleaned up."""
        marker = UploadMarker.of_this_process(backup.dump_file)
        file = marker.file
        self.write_text(file, marker.to_json())
        self.remove(self.files_of(backup.name, backup.dump_file, file))

    def files_of(self, name: str, dump_file: str, marker_file: str) -> list[str]:
        """All files of a backup, in the order in which they are to be removed."""
        beside = [f"{name}{suffix}" for suffix in COMPANIONS if suffix != SUFFIX]
        here = self._list(self._root)
        return [f for f in (f"{name}{SUFFIX}", dump_file, *beside, marker_file) if f in here]

    def clean(self) -> list[str]:
        """Remove what killed runs left, by the notes of those that are gone."""
        removed = []
        now = datetime.now(UTC)
        for file in self._list(self._root):
            parsed = parse_partial(file)
            if parsed and self._is_abandoned(file, now):
                final = parsed[0]
                whole = f"{final.name}{SUFFIX}" in self._list(self._root)  # killed after the manifest was there, or before it went
                self.remove([file] if whole else self.files_of(final.name, final.file, file))
                removed.append(file)
        return removed

    def _is_abandoned(self, file: str, now: datetime) -> bool:
        try:
            marker = UploadMarker.from_json(self.read_text(file))
        except (FileNotFoundError, UnicodeDecodeError):
            return False
        parsed = parse_partial(file)
        return marker is not None and parsed is not None and parsed[0].file == marker.final and marker.is_abandoned(now)

    @contextmanager
    def written(self, file: str) -> Iterator[None]:
        """As `reached`; here FileNotFoundError says that the store itself is not there."""
        try:
            with self.reached(f"write {file} to"):
                yield
        except FileNotFoundError:
            remedy = "Make the bucket or container first, or check its name."
            raise StoreFailed(f"there is no store {self.label}", resource=self.label, remedy=remedy) from None

    @contextmanager
    def reached(self, doing: str) -> Iterator[None]:
        """What the store's own library raises becomes StoreFailed, without its text, which may name a credential.

        FileNotFoundError, where it says that the file is not there, stays what it is.
        """
        try:
            yield
        except (PgAuditError, FileNotFoundError):
            raise
        except Exception as error:  # noqa: BLE001  # each store behind fsspec has exceptions of its own
            raise StoreFailed(
                f"cannot {doing} the store {self.label}: {reason_of(error)}",
                resource=self.label,
                remedy="Check the URL, the network, the credentials in the environment and what they may do.",
            ) from None


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

    def close(self) -> None:
        """Remove what is in the store, unless it is a whole backup; what cannot be removed now, the note leaves to the next run."""
        self._partial.discard()
        with suppress(StoreFailed):
            files = [self._marker_file] if self._is_whole else self._store.files_of(self.name, self.dump_file, self._marker_file)
            self._store.remove(files)
