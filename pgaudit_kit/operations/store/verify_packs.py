"""Read all packs of a store, and say which backups a lost or broken chunk affects. What is broken is noted, so that it is written anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pgaudit_kit.checks.chunks_whole import check_chunks, check_sums
from pgaudit_kit.dumps.incremental.chunk_bytes import unpack_chunk
from pgaudit_kit.dumps.incremental.nodes import chunks_listed, read_chunk_list
from pgaudit_kit.dumps.incremental.pack_index import PackIndex
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.stored_chunks import StoredChunks
from pgaudit_kit.operations.store.used_chunks import read_index
from pgaudit_kit.records.chunks import Chunk, ChunkKind, IncrementalIndex, PackedChunk
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.verdict import Check
from pgaudit_kit.rows.fingerprint import fingerprint_of


class ReadPacks:
    """The packs of *store*, each chunk read and held against its name; of rows, count and fingerprint too. Raises StoreFailed.

    `broken`: the chunks that are not what they should be, by pack.
    """

    def __init__(self, store: Store) -> None:
        self.broken: dict[str, frozenset[bytes]] = {}
        self._store = store
        self._packs = store.packs
        self._chunks = StoredChunks(store.packs)
        self._lists: dict[bytes, bytes] = {}
        self._seen: set[str] = set()
        self._whole: set[bytes] = set()
        self._read_new_ones()

    def note(self) -> None:
        """Write down what is broken, in place of what was noted before: the next backup takes those chunks for absent."""
        here = self._packs.ids()
        self._packs.set_damaged({pack: chunks for pack, chunks in self.broken.items() if pack in here})

    def checks(self, file: str, manifest: Manifest) -> list[Check]:
        """Whether the backup *file* has all its chunks, and its tables add up. Raises FileNotFoundError, DumpError, StoreFailed."""
        index = read_index(self._store, file)
        examined = _Examined(index, self)
        if examined.lost and self._read_new_ones():  # a sweep has written anew what was in a pack that is gone by now
            examined = _Examined(index, self)
        recorded = {str(data.name): data.fingerprint for data in manifest.table_data.values()}
        sums = [(name, found, recorded.get(name)) for name, found in examined.sums.items()]
        return [
            check_chunks(examined.lost, compared=len(examined.used)),
            check_sums(sums, skipped=len(examined.lost)),
        ]

    def has(self, digest: bytes) -> bool:
        """Whether some copy of a chunk is whole."""
        return digest in self._whole

    def listed(self, node: bytes) -> bytes:
        """The bytes of a list; those that several backups share are read once. Raises DamagedDump."""
        if node not in self._lists:
            self._lists[node] = self._chunks.read_list(node)
        return self._lists[node]

    def _read_new_ones(self) -> bool:
        new = self._packs.ids() - self._seen
        for pack, index in self._packs.indexes(sorted(new)):
            if isinstance(index, PackIndex) and index.pack == pack:
                broken = frozenset(self._broken_in(pack, index.chunks))
                self.broken |= {pack: broken} if broken else {}
        self._seen |= new
        return bool(new)

    def _broken_in(self, pack: str, chunks: Iterable[PackedChunk]) -> Iterable[bytes]:
        try:
            content = self._packs.content(pack)
        except FileNotFoundError:
            return  # it was swept meanwhile, or is lost: then nothing has what was in it
        except DamagedDump:  # it is encrypted, and was changed
            content = b""
        for chunk in chunks:
            if _is_whole(content[chunk.offset : chunk.offset + chunk.stored_bytes], chunk, pack):
                self._whole.add(chunk.digest)
            else:
                yield chunk.digest


def _is_whole(frame: bytes, chunk: PackedChunk, pack: str) -> bool:
    try:
        raw = unpack_chunk(frame, digest=chunk.digest, kind=chunk.kind, size_bytes=chunk.size_bytes, resource=pack)
    except DamagedDump:
        return False
    return chunk.kind is not ChunkKind.ROWS or fingerprint_of([raw]) == chunk.fingerprint


class _Examined:
    """What of a backup is lost (chunks, by table), the fingerprints that its other tables add up to, and the digests it uses."""

    def __init__(self, index: IncrementalIndex, packs: ReadPacks) -> None:
        self.lost: Counter[str] = Counter()
        self.sums: dict[str, Fingerprint] = {}
        self.used: set[bytes] = set()
        self._packs = packs
        for table in index.tables:
            self._examine(str(table.name), table.nodes, table.fingerprint)
        for objects in index.large_objects:
            self._examine(str(LARGE_OBJECT_ROWS), objects.nodes, objects.fingerprint)

    def _examine(self, name: str, nodes: Iterable[Chunk], total: Fingerprint) -> None:
        for node in nodes:
            chunks = self._listed(node, name)
            self.used.update((node.digest, *(c.digest for c in chunks)))
            self.lost[name] += sum(not self._packs.has(c.digest) for c in chunks)
        if not self.lost[name]:
            del self.lost[name]
            self.sums[name] = self.sums.get(name, Fingerprint()) + total

    def _listed(self, node: Chunk, name: str) -> tuple[Chunk, ...]:
        try:
            content = self._packs.listed(node.digest)
            chunks = chunks_listed(content, resource=name)
            adds_up = name == str(LARGE_OBJECT_ROWS) or _sum(read_chunk_list(content, resource=name)) == node.fingerprint
        except DamagedDump:
            chunks, adds_up = (), False
        self.lost[name] += not adds_up
        return chunks


def _sum(chunks: Iterable[Chunk]) -> Fingerprint:
    return sum((chunk.fingerprint for chunk in chunks), Fingerprint())
