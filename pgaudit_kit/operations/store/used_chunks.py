"""Which chunks the backups of a store use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pgaudit_kit.dumps.files import age
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.files.locating import locate
from pgaudit_kit.dumps.incremental.index_file import MAGIC, read_index_file
from pgaudit_kit.dumps.incremental.nodes import chunks_listed
from pgaudit_kit.errors import DumpError, DumpNotFound
from pgaudit_kit.operations.store.names import parse_name, parse_partial
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.stored_chunks import StoredChunks
from pgaudit_kit.records.chunks import INCREMENTAL, IncrementalIndex

_PIECE = 1 << 20


class UsedChunks:
    """The digests that each incremental backup uses, its lists too, by its file; `unknown`: why those of a file are not known.

    Lists that backups share are held once, and the set of a backup is made when it is asked for.
    """

    def __init__(self) -> None:
        self.unknown: dict[str, str] = {}
        self._lists: dict[bytes, frozenset[bytes]] = {}
        self._nodes: dict[str, frozenset[bytes]] = {}

    def add(self, file: str, index: IncrementalIndex, chunks: StoredChunks) -> None:
        """Ask for the lists of the backup *file*. Raises DumpError."""
        nodes = frozenset(node.digest for node in index.nodes)
        for node in nodes - self._lists.keys():
            self._lists[node] = frozenset(c.digest for c in chunks_listed(chunks.read_list(node), resource=node.hex()))
        self._nodes[file] = nodes

    @property
    def by_file(self) -> Mapping[str, frozenset[bytes]]:
        """What each of them uses."""
        return _OfFiles(self._nodes, self._lists)

    @property
    def live(self) -> frozenset[bytes]:
        """What any of them uses."""
        nodes = frozenset().union(*self._nodes.values())
        return nodes.union(*(self._lists[node] for node in nodes))


class _OfFiles(Mapping[str, frozenset[bytes]]):
    def __init__(self, nodes: Mapping[str, frozenset[bytes]], lists: Mapping[bytes, frozenset[bytes]]) -> None:
        self._nodes = nodes
        self._lists = lists

    def __getitem__(self, file: str) -> frozenset[bytes]:
        nodes = self._nodes[file]
        return nodes.union(*(self._lists[node] for node in nodes))

    def __contains__(self, file: object) -> bool:
        return file in self._nodes

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)


def used_chunks(store: Store, chunks: StoredChunks) -> UsedChunks:
    """Ask every file of an incremental backup that lies in *store*, with a manifest beside it or not, what it uses. Raises StoreFailed."""
    found = UsedChunks()
    for file in incremental_files(store):
        try:
            index = read_index(store, file)
        except FileNotFoundError:
            continue  # deleted meanwhile
        except DumpError as error:
            found.unknown[file] = f"{error.message}; put a good copy of it there, or delete it"
            continue
        try:
            found.add(file, index, chunks)
        except DumpError as error:
            found.unknown[file] = f"{error.message}; back up again, or delete it"
    return found


def incremental_files(store: Store) -> list[str]:
    """The files of incremental backups, those without a manifest too, and those that somebody has given another name.

    Of other names only what begins as such a backup is one.
    """
    entries = store.entries()
    ours = {file for file in entries if (parsed := parse_name(file)) and parsed.suffix == INCREMENTAL}
    others = [file for file, entry in entries.items() if INCREMENTAL in file and not entry.is_folder and not _is_named(file)]
    return sorted([*ours, *(file for file in others if _begins_as_one(store, file))])


def _is_named(file: str) -> bool:
    return bool(parse_name(file) or parse_partial(file))


def _begins_as_one(store: Store, file: str) -> bool:
    try:
        head = _content(store, file, at_most=len(MAGIC) + len(age.MAGIC))
    except FileNotFoundError:
        return False
    except DumpError:
        return True  # for all that is known
    return head.startswith(MAGIC) or age.is_sealed(head)


def read_index(store: Store, file: str) -> IncrementalIndex:
    """What the file of an incremental backup says. Raises FileNotFoundError when it is gone, DumpError."""
    return read_incremental(store, file)[0]


def read_incremental(store: Store, file: str) -> tuple[IncrementalIndex, bytes]:
    """The same, and the archive of its schema. Raises FileNotFoundError when it is gone, DumpError."""
    return read_index_file(age.unsealed(_content(store, file), resource=f"{store.label}/{file}"), resource=f"{store.label}/{file}")


def _content(store: Store, file: str, *, at_most: int = -1) -> bytes:
    try:
        place = locate(store.where(file))
        if not isinstance(place, DumpFile):
            raise FileNotFoundError(file)
        with place.open() as stream:
            return stream.read(at_most) if at_most >= 0 else b"".join(iter(lambda: stream.read(_PIECE), b""))
    except DumpNotFound:
        if file in store.entries():
            raise
        raise FileNotFoundError(file) from None
