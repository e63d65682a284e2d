"""Chunks on their way into packs: named at once, compressed and written by a thread, held in bounded memory, read back."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from pgaudit_kit.dumps.files.age import unsealed
from pgaudit_kit.dumps.incremental.chunk_bytes import are_frames_of, digest_of, pack_chunks, unpack_chunk
from pgaudit_kit.dumps.incremental.pack_index import PackIndex
from pgaudit_kit.errors import DamagedDump, PgAuditError, StoreFailed
from pgaudit_kit.operations.store.known_chunks import KnownChunks
from pgaudit_kit.operations.store.packs import PackStore, PackWriter
from pgaudit_kit.records.chunks import NO_ROWS, Chunk, ChunkKind
from pgaudit_kit.records.fingerprint import Fingerprint

_WAITING_BYTES = 32 << 20
_TOGETHER_BYTES = 1 << 20  # what is handed over at a time: threads that wait for each other at each chunk spend half of their time so


class _Waiting(NamedTuple):
    kind: ChunkKind
    digest: bytes
    raw: bytes
    fingerprint: Fingerprint


class ChunkSink:
    """Takes chunks and puts those that are not *known* into packs of *store*. Leaving its `with` block without `finish` drops the rest.

    Attributes: `new_chunks`, `new_bytes` (uncompressed) of those that were not known; `used_packs`: packs with chunks that were.
    """

    def __init__(self, store: PackStore, known: KnownChunks, *, level: int, sign_of_life: Callable[[], None] = lambda: None) -> None:
        self.new_chunks = self.new_bytes = self.stored_bytes = 0
        self.used_packs: set[str] = set()
        self.written: list[str] = []
        self._store = store
        self._known = known
        self._level = level
        self._sign_of_life = sign_of_life
        self._writer = PackWriter(store)
        self._gathered: list[_Waiting] = []
        self._gathered_bytes = 0
        self._waiting: deque[list[_Waiting]] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._closed = self._dropped = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="pgaudit-packs", daemon=True)

    def put(self, kind: ChunkKind, raw: bytes, fingerprint: Fingerprint = NO_ROWS) -> Chunk:
        """Name a chunk and see that it is kept; waits while too many wait. Raises StoreFailed, OSError of chunks before it."""
        if self._closed:
            raise ValueError("nothing more is taken")
        digest = digest_of(kind, raw)
        if digest in self._known:
            if pack := self._known.pack_of(digest):
                self.used_packs.add(pack)
        else:
            self._known.add(digest)
            self.new_chunks += 1
            self.new_bytes += len(raw)
            self._gathered.append(_Waiting(kind, digest, raw, fingerprint))
            self._gathered_bytes += len(raw)
            if self._gathered_bytes >= _TOGETHER_BYTES:
                self._hand_over()
        return Chunk(digest, len(raw), fingerprint)

    def _hand_over(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting_bytes < _WAITING_BYTES or self._error or self._closed)
            self._raise()
            if self._gathered:
                self._waiting.append(self._gathered)
                self._waiting_bytes += self._gathered_bytes
            self._gathered, self._gathered_bytes = [], 0
            self._changed.notify_all()

    def finish(self) -> None:
        """Wait until all are kept and read back. Raises StoreFailed, OSError."""
        self._hand_over()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        self._raise()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._changed:
            self._closed = True
            self._dropped = error is not None
            self._changed.notify_all()
        self._thread.join()

    def _raise(self) -> None:
        if self._error:
            raise self._error

    def _run(self) -> None:
        try:
            while chunks := self._next():
                self._write(chunks)
                self._prove_new()
            if not self._dropped:
                self._writer.flush()
                self._prove_new()
        except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs to the one who hands over
            with self._changed:
                self._error = error
                self._waiting.clear()
                self._changed.notify_all()

    def _next(self) -> list[_Waiting]:
        """Wait for the next chunks; none when there are no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting or self._dropped:
                return []
            chunks = self._waiting.popleft()
            self._waiting_bytes -= sum(len(chunk.raw) for chunk in chunks)
            self._changed.notify_all()
            return chunks

    def _write(self, chunks: list[_Waiting]) -> None:
        raws = [chunk.raw for chunk in chunks]
        frames = pack_chunks(raws, level=self._level)
        if not are_frames_of(frames, raws):
            raise StoreFailed(
                "what was compressed does not unpack to what it was: this machine, or its zstandard, makes mistakes",
                resource=self._store.folder.label,
                remedy="Back up again; if it happens again, have the memory of this machine tested.",
            )
        for chunk, frame in zip(chunks, frames, strict=True):
            self._writer.add(chunk.kind, chunk.digest, frame, size_bytes=len(chunk.raw), fingerprint=chunk.fingerprint)
            self.stored_bytes += len(frame)

    def _prove_new(self) -> None:
        """Read back the packs that were closed since the last time."""
        for pack in self._writer.packs[len(self.written) :]:
            prove_pack(self._store, pack)
            self.written.append(pack)
            self._sign_of_life()


def prove_pack(store: PackStore, pack: str) -> None:
    """Read *pack* and its index back: the very bytes that were written. Raises StoreFailed when it is not whole.

    What was compressed was unpacked before it was written; what was encrypted is decrypted and unpacked now.
    """
    try:
        index = store.index(pack)
        content = store.read_whole(pack)
        if index.pack != pack or hashlib.sha256(content).hexdigest() != pack:
            raise _not_as_written(store, pack, "its bytes are not those that were written")
        if store.recipients:
            _unpack_all(index, unsealed(content, resource=pack))
    except FileNotFoundError as error:
        raise _not_as_written(store, pack, "it is not there") from error
    except DamagedDump as error:
        raise _not_as_written(store, pack, error.message) from error


def _unpack_all(index: PackIndex, content: bytes) -> None:
    """Unpack every chunk of a pack. Raises DamagedDump for one that is not what it is called."""
    for chunk in index.chunks:
        stored = content[chunk.offset : chunk.offset + chunk.stored_bytes]
        unpack_chunk(stored, digest=chunk.digest, kind=chunk.kind, size_bytes=chunk.size_bytes, resource=index.pack)


def _not_as_written(store: PackStore, pack: str, why: str) -> PgAuditError:
    return StoreFailed(
        f"the pack {pack[:16]}… in {store.folder.label} was read back otherwise than it was written: {why}",
        resource=store.folder.label,
        remedy="Back up again; if it happens again, do not use this store.",
    )
