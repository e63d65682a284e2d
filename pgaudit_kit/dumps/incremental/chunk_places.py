"""Where chunks lie: the indexes of the packs beside a backup, those that it names first, all others when a chunk is in none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pgaudit_kit.dumps.incremental.pack_files import PackFiles
from pgaudit_kit.dumps.incremental.pack_frames import index_of_frames
from pgaudit_kit.dumps.incremental.pack_index import PackIndex, read_pack_index
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.records.chunks import DIGEST_BYTES, PackedChunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INDEX, PACK = ".index", ".pack"


class ChunkPlaces:
    """The chunks in *files*; *hint*: the packs in which most of what is asked for was seen. About 120 bytes for each chunk."""

    def __init__(self, files: PackFiles, hint: Iterable[str]) -> None:
        self._files = files
        self._hint = frozenset(hint)
        self._there: frozenset[str] | None = None
        self._indexes: list[PackIndex] = []
        self._seen: set[str] = set()
        self._doubted: set[str] = set()
        self._all = False
        self._heads: NDArray[np.uint64] | None = None
        self._order: NDArray[np.int64] | None = None
        self._starts: NDArray[np.int64] | None = None
        self.broken: dict[str, DamagedDump] = {}

    @property
    def there(self) -> frozenset[str]:
        """The packs that are there, with their index. Raises DumpNotFound when they cannot be listed."""
        if self._there is None:
            names = self._files.names()
            self._there = frozenset(n.removesuffix(INDEX) for n in names if n.endswith(INDEX) and n.removesuffix(INDEX) + PACK in names)
        return self._there

    @property
    def lost(self) -> frozenset[str]:
        """The packs of the hint that are not there."""
        return self._hint - self.there

    def of(self, digest: bytes) -> list[tuple[str, PackedChunk]]:
        """The packs that hold the chunk *digest*, and where: mostly one. Raises DumpNotFound when packs cannot be reached."""
        if not self._indexes:
            self._load(self._hint & self.there)
        found = list(self._find(digest))
        if not found and not self._all:
            self._load_others()
            self._all = True
            found = list(self._find(digest))
        return found

    def others(self, copies: list[tuple[str, PackedChunk]]) -> Iterator[tuple[str, PackedChunk]]:
        """Further copies of a chunk that is not in these, in packs that were not looked into yet. Raises DumpNotFound."""
        known = {pack for pack, _ in copies}
        if not known <= self._doubted:
            self._load_others()
            self._doubted |= known
        yield from (found for found in self._find(copies[0][1].digest) if found[0] not in known)

    def _load_others(self) -> None:
        """Look at what is there now: since it was listed, a sweep may have written chunks into new packs, and removed the old ones."""
        self._there = None
        self._load(self.there - self._seen)

    def _load(self, packs: frozenset[str]) -> None:
        for pack in sorted(packs):
            try:
                index = self._index(pack)
            except DamagedDump as error:
                self.broken[pack] = error
                index = self._index_of_frames(pack)
            self._indexes.append(index)
            self._seen.add(pack)
        self._sort()

    def _index(self, pack: str) -> PackIndex:
        index = read_pack_index(self._files.read(pack + INDEX), resource=f"{self._files.label}/{pack}{INDEX}")
        if index.pack != pack:
            raise DamagedDump(f"the index of pack {pack} is that of another one", resource=self._files.label)
        return index

    def _index_of_frames(self, pack: str) -> PackIndex:
        """What lies in a pack whose index is broken; nothing when the pack is, too."""
        try:
            return index_of_frames(pack, self._files.read(pack + PACK))
        except DamagedDump:
            return PackIndex.of(pack, ())

    def _sort(self) -> None:
        """Sort by the first eight bytes of a digest, which are hardly ever the same of two chunks."""
        import numpy as np

        joined = b"".join(index.digests for index in self._indexes)
        heads = np.frombuffer(joined, dtype=np.uint64).reshape(-1, DIGEST_BYTES // 8)[:, 0]
        self._order = np.argsort(heads, kind="stable")
        self._heads = heads[self._order]
        self._starts = np.cumsum([0, *map(len, self._indexes)])

    def _find(self, digest: bytes) -> Iterator[tuple[str, PackedChunk]]:
        import numpy as np

        if self._heads is None or self._order is None or self._starts is None:
            return
        head = np.frombuffer(digest, dtype=np.uint64, count=1)[0]
        first, last = np.searchsorted(self._heads, head, "left"), np.searchsorted(self._heads, head, "right")
        for at in self._order[first:last]:
            number = int(np.searchsorted(self._starts, at, "right")) - 1
            chunk = self._indexes[number].chunk(int(at - self._starts[number]))
            if chunk.digest == digest:
                yield self._indexes[number].pack, chunk
