"""Which chunks the backups of a store use."""

from __future__ import annotations

from dataclasses import dataclass

from pgaudit_kit.dumps.files.age import unsealed
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.files.locating import locate
from pgaudit_kit.dumps.incremental.index_file import read_index_file
from pgaudit_kit.dumps.incremental.nodes import chunks_listed
from pgaudit_kit.errors import DumpError, DumpNotFound
from pgaudit_kit.operations.store.names import parse_name
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.stored_chunks import StoredChunks
from pgaudit_kit.records.chunks import INCREMENTAL, IncrementalIndex

_PIECE = 1 << 20


@dataclass(frozen=True)
class UsedChunks:
    """The digests that each incremental backup uses, its lists too, by its file; `unknown`: why those of a file are not known."""

    by_file: dict[str, frozenset[bytes]]
    unknown: dict[str, str]

    @property
    def live(self) -> frozenset[bytes]:
        """What any of them uses."""
        return frozenset().union(*self.by_file.values())


def used_chunks(store: Store, chunks: StoredChunks) -> UsedChunks:
    """Ask every file of an incremental backup that lies in *store*, with a manifest beside it or not, what it uses. Raises StoreFailed."""
    lists: dict[bytes, frozenset[bytes]] = {}  # those that several backups share are read once
    found = UsedChunks({}, {})
    for file in incremental_files(store):
        try:
            found.by_file[file] = _used(read_index(store, file), chunks, lists)
        except FileNotFoundError:
            continue  # deleted meanwhile
        except DumpError as error:
            found.unknown[file] = error.message
    return found


def incremental_files(store: Store) -> list[str]:
    """The files of incremental backups, those without a manifest too."""
    return sorted(file for file in store.entries() if (parsed := parse_name(file)) and parsed.suffix == INCREMENTAL)


def read_index(store: Store, file: str) -> IncrementalIndex:
    """What the file of an incremental backup says. Raises FileNotFoundError when it is gone, DumpError."""
    return read_incremental(store, file)[0]


def read_incremental(store: Store, file: str) -> tuple[IncrementalIndex, bytes]:
    """The same, and the archive of its schema. Raises FileNotFoundError when it is gone, DumpError."""
    return read_index_file(unsealed(_content(store, file), resource=f"{store.label}/{file}"), resource=f"{store.label}/{file}")


def _used(index: IncrementalIndex, chunks: StoredChunks, lists: dict[bytes, frozenset[bytes]]) -> frozenset[bytes]:
    nodes = {node.digest for node in index.nodes}
    for node in nodes - lists.keys():
        lists[node] = frozenset(c.digest for c in chunks_listed(chunks.read_list(node), resource=node.hex()))
    return frozenset(nodes).union(*(lists[node] for node in nodes))


def _content(store: Store, file: str) -> bytes:
    try:
        place = locate(store.where(file))
        if not isinstance(place, DumpFile):
            raise FileNotFoundError(file)
        with place.open() as stream:
            return b"".join(iter(lambda: stream.read(_PIECE), b""))
    except DumpNotFound:
        if file in store.entries():
            raise
        raise FileNotFoundError(file) from None
