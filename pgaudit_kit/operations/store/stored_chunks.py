"""What the packs of a store hold, by their indexes, and the lists of chunks that are in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from pgaudit_kit.dumps.incremental.chunk_bytes import unpack_chunk
from pgaudit_kit.dumps.incremental.pack_index import PackIndex
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.operations.store.packs import CONDEMNED, INDEX, PACK, PackStore, parse_pack_file
from pgaudit_kit.operations.store.sweep_plan import PackFacts
from pgaudit_kit.records.chunks import ChunkKind, PackedChunk


@dataclass(frozen=True)
class Copy:
    """A chunk in a pack."""

    pack: str
    chunk: PackedChunk


class StoredChunks:
    """The packs in *packs* as they lay there at one moment (`facts`), and whatever list of chunks is asked for since."""

    def __init__(self, packs: PackStore) -> None:
        self.facts: dict[str, PackFacts] = {}
        self._packs = packs
        self._seen: set[str] = set()
        self._lists: dict[bytes, list[Copy]] = {}
        self._look()

    @property
    def digests(self) -> frozenset[bytes]:
        """The chunks of which some pack has a copy that is not known to be broken."""
        return frozenset(d for pack in self.facts.values() for d in (pack.chunks or {}) if d not in pack.damaged)

    def stored_bytes(self) -> Mapping[bytes, int]:
        """How much place each chunk takes, without its further copies."""
        return {digest: size for pack in self.facts.values() for digest, size in (pack.chunks or {}).items()}

    def read_list(self, digest: bytes) -> bytes:
        """The bytes of a list of chunks, proved against its name. Raises DamagedDump when no copy of it is whole.

        One that is in no pack that was there is looked for in those that have come since.
        """
        for again in (False, True):
            if again:
                self._look_for_new_ones()
            for copy in self._lists.get(digest, ()):
                with suppress(DamagedDump, FileNotFoundError):
                    return read_copy(self._packs, copy)
        raise DamagedDump(f"the list of chunks {digest.hex()} is lost or broken", resource=self._packs.folder.label)

    def _look(self) -> None:
        sizes, times = self._packs.folder.sizes(), self._packs.folder.times()
        damaged = self._packs.damaged()
        names = {parsed[0] for file in sizes if (parsed := parse_pack_file(file))}
        whole = {pack for pack in names if {f"{pack}{INDEX}", f"{pack}{PACK}"} <= sizes.keys()}
        indexes = dict(self._packs.indexes(sorted(whole)))
        for pack in sorted(names):
            size = sizes.get(f"{pack}{PACK}", 0)
            index = usable_index(self._packs, pack, indexes[pack]) if pack in indexes else None
            chunks = self._remembered(index) if index else ()
            self.facts[pack] = PackFacts(
                id=pack,
                size_bytes=size,
                chunks={c.digest: c.stored_bytes for c in chunks} if index else None,
                has_broken_index=pack in indexes and index is not indexes[pack],
                is_leftover=pack not in whole,
                written_at=times.get(f"{pack}{PACK}") or times.get(f"{pack}{INDEX}"),
                mark=self._packs.mark(pack) if f"{pack}{CONDEMNED}" in sizes else None,
                damaged=damaged.get(pack, frozenset()) | {c.digest for c in chunks if c.offset + c.stored_bytes > size},
            )

    def _look_for_new_ones(self) -> None:
        for pack, found in self._packs.indexes(sorted(self._packs.ids() - self._seen)):
            if index := usable_index(self._packs, pack, found):
                self._remembered(index)

    def _remembered(self, index: PackIndex) -> Iterable[PackedChunk]:
        self._seen.add(index.pack)
        chunks = index.chunks
        for chunk in chunks:
            if chunk.kind is ChunkKind.LIST:
                self._lists.setdefault(chunk.digest, []).append(Copy(index.pack, chunk))
        return chunks


def usable_index(packs: PackStore, pack: str, found: PackIndex | DamagedDump) -> PackIndex | None:
    """Return the index of *pack* as it was *found*, or what the pack itself tells when that is broken; None when neither can be had."""
    return found if isinstance(found, PackIndex) and found.pack == pack else packs.index_of_frames(pack)


def read_copy(packs: PackStore, copy: Copy) -> bytes:
    """The bytes of a chunk, proved against its name. Raises DamagedDump, FileNotFoundError."""
    chunk = copy.chunk
    stored = packs.read(copy.pack, chunk)
    resource = f"{packs.folder.label}/{copy.pack}{PACK}"
    return unpack_chunk(stored, digest=chunk.digest, kind=chunk.kind, size_bytes=chunk.size_bytes, resource=resource)
