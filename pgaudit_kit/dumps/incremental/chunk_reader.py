"""Chunks out of packs, in the order of a list: read in runs of what lies together, proved against their digests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from pgaudit_kit.dumps.incremental.chunk_bytes import unpack_chunk
from pgaudit_kit.dumps.incremental.chunk_places import PACK, ChunkPlaces
from pgaudit_kit.dumps.incremental.pack_files import STAY_TOGETHER, PackFiles
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.records.chunks import Chunk, ChunkKind, PackedChunk

# What is read and held at a time; the chunks of a list that were written together lie together
_BATCH_BYTES = 4 << 20
_GAP = 1 << 14  # so many bytes that nobody asked for are read rather than another request made
_LONGEST_RUN = 8 << 20
_SHOWN = 3
_MOST_THREADS = 4
_VERIFY = "pgaudit verify --all names the backups that need it; the next backup writes it again when its rows are still there."


class _Wanted(NamedTuple):
    number: int
    pack: str
    packed: PackedChunk


class ChunkReader:
    """Reads chunks of *files*. `chunks_read` counts them."""

    def __init__(self, files: PackFiles, hint: Iterable[str], *, resource: str) -> None:
        self.chunks_read = 0
        self.places = ChunkPlaces(files, hint)
        self._files = files
        self._resource = resource

    def read(self, chunks: Iterable[Chunk], kind: ChunkKind) -> Iterator[bytes]:
        """Yield the bytes of each of *chunks*, in order. Raises DamagedDump at the first that is missing or not what it should be."""
        batch: list[Chunk] = []
        size = 0
        for chunk in chunks:
            batch.append(chunk)
            size += chunk.size_bytes if kind != ChunkKind.LIST else 0
            if size >= _BATCH_BYTES:
                yield from self._batch(batch, kind)
                batch, size = [], 0
        yield from self._batch(batch, kind)

    @property
    def remedy(self) -> str:
        """What to do about chunks that cannot be read."""
        return _VERIFY if self.places.there else STAY_TOGETHER

    def one(self, chunk: Chunk, kind: ChunkKind) -> bytes:
        """The bytes of *chunk*. Raises DamagedDump."""
        return next(self.read([chunk], kind))

    def _batch(self, chunks: list[Chunk], kind: ChunkKind) -> Iterator[bytes]:
        """As `read`; several threads unpack, and what is broken is told when its turn comes, so that the chunks before it come out."""
        copies = [self.places.of(chunk.digest) for chunk in chunks]
        wanted = [_Wanted(number, *found[0]) for number, found in enumerate(copies) if found]
        stored = self._stored(wanted)
        unpacking = [self._pool.submit(self._first_copy, stored.pop(w.number, b""), w, kind) for w in wanted]
        ready = dict(zip((w.number for w in wanted), unpacking, strict=True))
        for number, chunk in enumerate(chunks):
            if number not in ready:
                raise self._missing(chunk, kind)
            self.chunks_read += 1
            yield ready.pop(number).result() or self._another_copy(copies[number], kind)

    def _first_copy(self, stored: bytes, wanted: _Wanted, kind: ChunkKind) -> bytes | None:
        """The bytes of a chunk of which *stored* was read; None when it is not what it should be."""
        packed = wanted.packed
        try:
            return unpack_chunk(stored, digest=packed.digest, kind=kind, size_bytes=packed.size_bytes, resource=wanted.pack)
        except DamagedDump:
            return None

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, _MOST_THREADS), thread_name_prefix="pgaudit-chunks")

    def _another_copy(self, copies: list[tuple[str, PackedChunk]], kind: ChunkKind) -> bytes:
        """What the first good one of *copies* holds, or of any others. Raises DamagedDump, of the first one, without any."""
        broken: DamagedDump | None = None
        for pack, packed in chain(copies, self.places.others(copies)):
            try:
                content = self._files.read(pack + PACK, packed.offset, packed.stored_bytes)
                resource = f"{self._files.label}/{pack}{PACK}"
                return unpack_chunk(content, digest=packed.digest, kind=kind, size_bytes=packed.size_bytes, resource=resource)
            except DamagedDump as error:
                what = f"{error.message}, in the pack {pack}" if pack not in error.message else error.message
                broken = broken or DamagedDump(what, resource=self._resource, remedy=_VERIFY)
        raise broken or DamagedDump("a chunk is nowhere", resource=self._resource)

    def _stored(self, wanted: list[_Wanted]) -> dict[int, bytes]:
        """The stored bytes of chunks, by number; without those whose pack cannot be read, which is told when their turn comes."""
        found: dict[int, bytes] = {}
        for run in _runs(wanted):
            start = run[0].packed.offset
            try:
                content = self._files.read(run[0].pack + PACK, start, _end(run[-1]) - start)
            except DamagedDump:
                continue
            for number, _, packed in run:
                at = packed.offset - start
                found[number] = content[at : at + packed.stored_bytes]
        return found

    def _missing(self, chunk: Chunk, kind: ChunkKind) -> DamagedDump:
        places = self.places
        if not places.there:
            what = f"its rows lie in packs, and there are none in {self._files.label}: it was taken out of its store, or they were deleted"
            return DamagedDump(what, resource=self._resource, remedy=self.remedy)
        lost = sorted(places.lost | places.broken.keys())
        shown = ", ".join(lost[:_SHOWN]) + (" …" if len(lost) > _SHOWN else "")
        where = f"; of the packs that it was written with, {shown} cannot be read" if lost else ""
        what = f"the chunk {chunk.digest.hex()} ({kind}) is in no pack{where}"
        return DamagedDump(what, resource=self._resource, remedy=_VERIFY)


def _runs(wanted: list[_Wanted]) -> Iterator[list[_Wanted]]:
    """*wanted* in groups that one request reads."""
    run: list[_Wanted] = []
    for item in sorted(wanted, key=lambda w: (w.pack, w.packed.offset)):
        if run and (
            item.pack != run[-1].pack or item.packed.offset - _end(run[-1]) > _GAP or _end(item) - run[0].packed.offset > _LONGEST_RUN
        ):
            yield run
            run = []
        run.append(item)
    if run:
        yield run


def _end(item: _Wanted) -> int:
    return item.packed.offset + item.packed.stored_bytes
