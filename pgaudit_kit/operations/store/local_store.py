"""A store in a folder of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pgaudit_kit.errors import StoreFailed
from pgaudit_kit.operations.store.listing import Entry
from pgaudit_kit.operations.store.names import COMPANIONS, free_name, has_rival, parse_name, parse_partial
from pgaudit_kit.operations.store.packs import PACKS
from pgaudit_kit.operations.store.partial_files import PartialFile, partial_file, remove, remove_abandoned, unpublish, writer_is_gone
from pgaudit_kit.operations.store.store import Store, is_folder
from pgaudit_kit.operations.store.store_folder import LocalFolder
from pgaudit_kit.records.evidence import Evidence
from pgaudit_kit.records.manifest import SUFFIX, Manifest
from pgaudit_kit.records.stored_backup import StoredBackup


class LocalIncoming:
    """A backup on its way into a folder: all its files are temporary ones in there. See `store.Incoming`."""

    def __init__(self, name: str, dump: PartialFile, stack: ExitStack) -> None:
        self.name = name
        self.dump_file = dump.final.name
        self.path = dump.path
        self._dump = dump
        self._stack = stack
        self._beside: list[PartialFile] = []

    def companion(self, suffix: str) -> Path:
        """Where to write what belongs beside it."""
        file = self._stack.enter_context(partial_file(self._dump.final.with_name(self.name + suffix)))
        self._beside.append(file)
        return file.path

    def publish(self, manifest: Manifest, evidence: Evidence) -> str:
        """Give all its files their names, the dump last: one that has its final name has all that belongs to it beside it."""
        self.companion(evidence.proof.suffix).write_text(evidence.to_json(), encoding="utf-8")
        self.companion(SUFFIX).write_text(manifest.to_json(), encoding="utf-8")
        try:
            for file in (*self._beside, self._dump):
                file.publish()
        except BaseException:  # Ctrl-C included: a manifest alone would promise a dump
            if not self._dump.is_published:
                for file in reversed(self._beside):
                    if file.is_published:
                        file.final.unlink()
            raise
        return str(self._dump.final)


class LocalStore(Store):
    """A store in *folder*, which exists."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.label = str(folder)

    @contextmanager
    def receive(self, name: str, suffix: str) -> Iterator[LocalIncoming]:
        """Give a LocalIncoming. Raises OSError too."""
        with ExitStack() as stack:
            own_name, dump = self._reserve(name, suffix)
            stack.callback(dump.discard)
            yield LocalIncoming(own_name, dump, stack)

    def _reserve(self, name: str, suffix: str) -> tuple[str, PartialFile]:
        while True:
            candidate = free_name(self._names(), name)
            try:
                dump = PartialFile(self.folder / f"{candidate}{suffix}", folder=is_folder(suffix))
            except FileExistsError:  # a writer with our process id, in another container
                continue
            if not has_rival(self._names(), candidate, dump.path.name):
                return candidate, dump
            dump.discard()

    def _names(self) -> list[str]:
        return [path.name for path in self.folder.iterdir()]

    def inner_folder(self, name: str) -> LocalFolder:
        """A folder inside of it."""
        return LocalFolder(self.folder / name)

    def entries(self) -> Mapping[str, Entry]:
        """What lies in the folder."""
        with self._reached("list"):
            return {path.name: entry for path in self.folder.iterdir() if (entry := _entry(path))}

    def read_text(self, file: str) -> str:
        """The text of a file. Raises OSError, UnicodeDecodeError."""
        return (self.folder / file).read_text(encoding="utf-8")

    def write_text(self, file: str, text: str) -> None:
        """Write a file under a temporary name, then put it in the place of the one that is there."""
        with self._reached(f"write {file} in"), partial_file(self.folder / file) as partial:
            partial.path.write_text(text, encoding="utf-8")
            partial.publish(overwrite=True)

    def where(self, file: str) -> str:
        """The path of a file."""
        return str(self.folder / file)

    def delete(self, backup: StoredBackup) -> None:
        """Take the dump's name away first: from then on it is an abandoned file, with which its companions are cleaned up."""
        with self._reached(f"delete {backup.name} in"):
            doomed = unpublish(self.folder / backup.dump_file)
            for suffix in COMPANIONS:
                (self.folder / f"{backup.name}{suffix}").unlink(missing_ok=True)
            remove(doomed)

    def clean(self) -> list[str]:
        """Remove what killed runs left, beside the backups and among their packs."""
        with self._reached("clean"):
            removed = [path.name for path in remove_abandoned(self.folder)]
        return removed + [f"{PACKS}/{name}" for name in self.packs.folder.clean()]

    @contextmanager
    def _reached(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreFailed(
                f"cannot {doing} the store {self.folder}: {error.strerror or error}",
                resource=self.label,
                remedy="Check the folder's rights and space.",
            ) from error


def _entry(path: Path) -> Entry | None:
    """None when it is gone by now."""
    try:
        facts = path.lstat()
        if path.is_dir() and not path.is_symlink():
            is_ours = parse_name(path.name) or parse_partial(path.name)  # what else lies there may be large
            size = sum(inside.lstat().st_size for inside in path.rglob("*") if not inside.is_dir()) if is_ours else 0
            return Entry(size, is_folder=True, in_use=_in_use(path))
    except FileNotFoundError:
        return None
    return Entry(facts.st_size, in_use=_in_use(path))


def _in_use(path: Path) -> bool:
    parsed = parse_partial(path.name)
    return parsed is not None and parsed[1].isdigit() and not writer_is_gone(path, int(parsed[1]))
