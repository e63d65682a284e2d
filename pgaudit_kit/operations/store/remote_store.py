"""A store behind a URL that fsspec knows: what is written is read back, and without its manifest, written last, it is no backup."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pgaudit_kit.dumps.files.places import reason_of
from pgaudit_kit.dumps.files.urls import shown_url
from pgaudit_kit.errors import PgAuditError, StoreFailed, UsageError
from pgaudit_kit.operations.servers.scratch_folders import ScratchFolder
from pgaudit_kit.operations.store.listing import Entry, read_store
from pgaudit_kit.operations.store.names import COMPANIONS, FOLDER, free_name, has_rival, parse_name, parse_partial
from pgaudit_kit.operations.store.remote_incoming import RemoteIncoming
from pgaudit_kit.operations.store.store import Store, is_folder
from pgaudit_kit.operations.store.store_folder import RemoteFolder
from pgaudit_kit.operations.store.upload_markers import UploadMarker
from pgaudit_kit.records.manifest import SUFFIX
from pgaudit_kit.records.stored_backup import StoredBackup, Stray

# What has no folders, only names with slashes in them. To "make" one could make a whole bucket, for a name that was mistyped.
_BUCKETS = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "obs", "cos", "memory"})

_AHEAD = 32  # manifests can have some megabytes


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
            note_stays = True  # after Ctrl-C: a request that was interrupted may go on in fsspec's own thread
            try:
                yield incoming
                note_stays = False
            except Exception:  # any error, but not Ctrl-C: what failed has ended, and no request of it goes on
                note_stays = False
                raise
            finally:
                incoming.close(note_stays=note_stays)
        finally:
            scratch.remove()

    def _reserve(self, name: str, suffix: str) -> tuple[str, str]:
        """Write the note that a name is ours; return the name, and that of the note."""
        while True:
            candidate = free_name(self.entries(), name)
            marker = UploadMarker.of_this_process(candidate + suffix)
            file = marker.file
            self.make_folder(self._root)
            self.write_text(file, marker.to_json())
            if not has_rival(self.entries(), candidate, file):
                return candidate, file
            self.remove([file])

    def make_folder(self, path: str) -> None:
        """Make the folder *path*, where folders are more than a part of names."""
        protocols = {self._system.protocol} if isinstance(self._system.protocol, str) else set(self._system.protocol)
        if not protocols & _BUCKETS:
            with self.reached("write to"):
                self._system.makedirs(path, exist_ok=True)

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

    def inner_folder(self, name: str) -> RemoteFolder:
        """A folder inside of it."""
        return RemoteFolder(self, self._system, self._root, name)

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

    def look(self) -> tuple[tuple[StoredBackup, ...], tuple[Stray, ...]]:
        """As every store; texts are asked for some at a time, since each request to a distant place takes its while."""
        entries = self.entries()
        names = sorted(file for file in entries if file.endswith(".json") and parse_name(file))
        ahead: dict[str, bytes] = {}

        def read_text(file: str) -> str:
            if file not in ahead:
                ahead.clear()
                ahead.update(self._read_some(names[bisect_left(names, file) :][:_AHEAD]))
            return ahead[file].decode("utf-8") if file in ahead else self.read_text(file)

        return read_store(entries, read_text)

    def _read_some(self, files: list[str]) -> dict[str, bytes]:
        """The content of those files that can be read."""
        paths = {f"{self._root}/{file}".lstrip("/"): file for file in files}
        with self.reached("read"):
            found = self._system.cat([f"{self._root}/{file}" for file in files], on_error="omit")
        return {paths[path.lstrip("/")]: content for path, content in found.items() if path.lstrip("/") in paths}

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
                here = self._list(self._root)
                whole = {f"{final.name}{SUFFIX}", final.file} <= here.keys()  # killed after the manifest was there, or before it went
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
