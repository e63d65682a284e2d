"""Chunks out of packs, in the order of a list: read in runs of what lies together, proved against their digests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from pgaudit_kit.dumps.incremental.chunk_bytes import unpack_chunk
from pgaudit_kit.dumps.incremental.chunk_places import PACK, ChunkPlaces
from pgaudit_kit.dumps.incremental.pack_files import STAY_TOGETHER, PackFiles
from pgaudit_kit.errors import DamagedDump, PgAuditError
from pgaudit_kit.records.chunks import Chunk, ChunkKind, PackedChunk

# What is read and held at a time; the chunks of a list that were written together lie together
_BATCH_BYTES = 4 << 20
_GROUP = 16  # chunks that a thread unpacks at a time
_GAP = 1 << 14  # so many bytes that nobody asked for are read rather than another request made
_LONGEST_RUN = 8 << 20
_SHOWN = 3
_MOST_THREADS = 4
_VERIFY = "pgaudit verify --all names the backups that need it; the next backup writes it again when its rows are still there."


class _Wanted(NamedTuple):
    number: int
    pack: str
    packed: PackedChunk


class _Batch(NamedTuple):
    chunks: list[Chunk]
    copies: list[list[tuple[str, PackedChunk]]]
    unpacking: list[Future[dict[int, bytes | None]]]


class ChunkReader:
    """Reads chunks of *files*. `chunks_read` counts them."""

    def __init__(self, files: PackFiles, hint: Iterable[str], *, resource: str) -> None:
        self.chunks_read = 0
        self.places = ChunkPlaces(files, hint)
        self._files = files
        self._resource = resource

    def read(self, chunks: Iterable[Chunk], kind: ChunkKind) -> Iterator[bytes]:
        """Yield the bytes of each of *chunks*, in order. Raises DamagedDump at the first that is missing or not what it should be.

        Some are read and unpacked ahead; an error comes when its turn has come, so that the chunks before it come out.
        """
        ahead: _Batch | None = None
        batches = _batches(chunks, of_known_size=kind != ChunkKind.LIST)
        while True:
            error: PgAuditError | None = None
            begun: _Batch | None = None
            try:
                begun = self._begin(next(batches, []), kind)
            except PgAuditError as found:
                error = found
            if ahead:
                yield from self._unpacked(ahead, kind)
            if error:
                raise error
            if not begun or not begun.chunks:
                return
            ahead = begun

    @property
    def remedy(self) -> str:
        """What to do about chunks that cannot be read."""
        return _VERIFY if self.places.there else STAY_TOGETHER

    def one(self, chunk: Chunk, kind: ChunkKind) -> bytes:
        """The bytes of *chunk*. Raises DamagedDump."""
        return next(self.read([chunk], kind))

    def _begin(self, chunks: list[Chunk], kind: ChunkKind) -> _Batch:
        """Read *chunks*, and have threads unpack them, many at a time: handing over one costs as much as unpacking it."""
        copies = [self.places.of(chunk.digest) for chunk in chunks]
        wanted = [_Wanted(number, *found[0]) for number, found in enumerate(copies) if found]
        stored = self._stored(wanted)
        groups = [wanted[at : at + _GROUP] for at in range(0, len(wanted), _GROUP)]
        return _Batch(chunks, copies, [self._pool.submit(_first_copies, group, stored, kind) for group in groups])

    def _unpacked(self, batch: _Batch, kind: ChunkKind) -> Iterator[bytes]:
        """The bytes of each chunk of *batch*, in order. Raises DamagedDump."""
        ready = iter(batch.unpacking)
        found: dict[int, bytes | None] = {}
        for number, chunk in enumerate(batch.chunks):
            copies = batch.copies[number]
            if not copies:
                raise self._missing(chunk, kind)
            if number not in found:
                found = next(ready).result()
            self.chunks_read += 1
            yield found.pop(number) or self._another_copy(copies, kind)

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


def _batches(chunks: Iterable[Chunk], *, of_known_size: bool) -> Iterator[list[Chunk]]:
    """Yield *chunks*, as many at a time as are read at once; those before an error come first.

    Of lists the size is not known, and there are few.
    """
    batch: list[Chunk] = []
    size = 0
    try:
        for chunk in chunks:
            batch.append(chunk)
            size += chunk.size_bytes if of_known_size else 0
            if size >= _BATCH_BYTES:
                yield batch
                batch, size = [], 0
    except PgAuditError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _first_copies(group: list[_Wanted], stored: Mapping[int, bytes], kind: ChunkKind) -> dict[int, bytes | None]:
    """The bytes of the chunks of *group*, by number, of which *stored* was read; None for one that is not what it should be."""
    found: dict[int, bytes | None] = {}
    for number, pack, packed in group:
        try:
            content = stored.get(number, b"")
            found[number] = unpack_chunk(content, digest=packed.digest, kind=kind, size_bytes=packed.size_bytes, resource=pack)
        except DamagedDump:
            found[number] = None
    return found


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
