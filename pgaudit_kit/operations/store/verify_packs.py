"""Read all packs of a store, and say which backups a lost or broken chunk affects. What is broken is noted, so that it is written anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from pgaudit_kit.checks.chunks_whole import check_chunks, check_sums
from pgaudit_kit.dumps.incremental.chunk_bytes import unpack_chunk
from pgaudit_kit.dumps.incremental.nodes import chunks_listed, read_object_list
from pgaudit_kit.dumps.text_encoding import codec_of, to_utf8
from pgaudit_kit.errors import DamagedDump, StoreFailed
from pgaudit_kit.operations.store.packs import INDEX, PACKS
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.stored_chunks import StoredChunks, usable_index
from pgaudit_kit.operations.store.used_chunks import read_index
from pgaudit_kit.records.chunks import Chunk, ChunkKind, IncrementalIndex, PackedChunk
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.stored_backup import Stray, StrayKind
from pgaudit_kit.records.verdict import Check
from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.rows.large_objects import fingerprint_of_objects


class ReadPacks:
    """The packs of *store*, each chunk read and held against its name. Raises StoreFailed.

    *encodings*: those of the databases that are backed up there: the same bytes are other rows in each of them.
    `broken`: the chunks that are not what they should be, by pack; `unread`: why one could not be read; `with_broken_index`: the packs
    that are whole beside an index that is not.
    """

    def __init__(self, store: Store, encodings: Collection[str] = ()) -> None:
        self.broken: dict[str, frozenset[bytes]] = {}
        self.unread: dict[str, str] = {}
        self.with_broken_index: set[str] = set()
        self._not_asked: set[bytes] = set()
        self._store = store
        self._packs = store.packs
        self._chunks = StoredChunks(store.packs)
        self._lists: dict[bytes, bytes] = {}
        self._seen: set[str] = set()
        self._whole = _WholeChunks(encodings)
        self._read_new_ones()

    def note(self) -> None:
        """Write down what is broken, in place of what was noted before: the next backup takes those chunks for absent."""
        here = self._packs.ids()
        before = self._packs.damaged()
        known = {pack: before[pack] for pack in self.unread if pack in before}
        self._packs.set_damaged({pack: chunks for pack, chunks in {**known, **self.broken}.items() if pack in here})

    def checks(self, file: str, manifest: Manifest) -> list[Check]:
        """Whether the backup *file* has all its chunks, and its tables add up: nothing is asked of one that holds no rows.

        Raises FileNotFoundError, DumpError, StoreFailed.
        """
        index, encoding = read_index(self._store, file), manifest.provenance.encoding or ""
        examined = _Examined(index, self, encoding)
        if examined.lost and self._read_new_ones():  # a sweep has written anew what was in a pack that is gone by now
            examined = _Examined(index, self, encoding)
        recorded = {str(data.name): data.fingerprint for data in manifest.table_data.values()}
        sums = [(name, found, recorded.get(name)) for name, found in examined.sums.items()]
        sums += [(name, Fingerprint(), known) for name, known in recorded.items() if known and name not in examined.names]
        unread = "; ".join(self.unread.values()) if examined.lost and examined.is_only_unread else ""
        checks = [check_chunks(examined.lost, compared=len(examined.used), unread=unread)] if examined.used else []
        return [*checks, check_sums(sums, skipped=len(examined.lost))] if sums or examined.lost else checks

    @property
    def strays(self) -> tuple[Stray, ...]:
        """What is wrong in the folder of the packs without taking anything from any backup."""
        why = "is broken; the pack beside it is whole and is read in its place, and the next prune writes both anew"
        return tuple(
            Stray(f"{PACKS}/{pack}{INDEX}", StrayKind.INDEX, why) for pack in sorted(self.with_broken_index - self._packs.condemned())
        )

    def has(self, digest: bytes) -> bool:
        """Whether some copy of a chunk is whole."""
        return digest in self._whole

    def may_have(self, digest: bytes) -> bool:
        """Whether it lies in a pack that could not be read."""
        return digest in self._not_asked

    def fingerprint(self, digest: bytes, encoding: str) -> Fingerprint:
        """That of the rows in a chunk that is whole, as they were read."""
        return self._whole.fingerprint(digest, encoding)

    def listed(self, node: bytes) -> bytes:
        """The bytes of a list; those that several backups share are read once. Raises DamagedDump."""
        if node not in self._lists:
            self._lists[node] = self._chunks.read_list(node)
        return self._lists[node]

    def _read_new_ones(self) -> bool:
        new = self._packs.ids() - self._seen
        for pack, found in self._packs.indexes(sorted(new)):
            if index := usable_index(self._packs, pack, found):
                self.with_broken_index |= {pack} if index is not found else set()
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
        except StoreFailed as error:
            self.unread[pack] = error.message
            self._not_asked.update(chunk.digest for chunk in chunks)
            return
        for chunk in chunks:
            frame = content[chunk.offset : chunk.offset + chunk.stored_bytes]
            try:
                raw = unpack_chunk(frame, digest=chunk.digest, kind=chunk.kind, size_bytes=chunk.size_bytes, resource=pack)
            except DamagedDump:
                yield chunk.digest
            else:
                self._whole.add(chunk, raw)


class _WholeChunks:
    """Chunks that were read and are whole, with the fingerprints of the rows in them: some 200 bytes for each."""

    def __init__(self, encodings: Collection[str]) -> None:
        self._encodings = [encoding for encoding in encodings if codec_of(encoding)]
        self._sums: dict[bytes, bytes] = {}
        self._others: dict[tuple[bytes, str], bytes] = {}

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._sums

    def add(self, chunk: PackedChunk, raw: bytes) -> None:
        is_rows = chunk.kind is ChunkKind.ROWS
        self._sums[chunk.digest] = _short(fingerprint_of([raw])) if is_rows else b""
        for encoding in self._encodings if is_rows and not raw.isascii() else ():
            with suppress(DamagedDump):  # it is of a database in another one
                self._others[chunk.digest, encoding] = _short(fingerprint_of([to_utf8(raw, encoding)]))

    def fingerprint(self, digest: bytes, encoding: str) -> Fingerprint:
        short = self._others.get((digest, encoding)) or self._sums[digest]
        return Fingerprint(int.from_bytes(short[:8], "big"), int.from_bytes(short[8:], "big"))


def _short(fingerprint: Fingerprint) -> bytes:
    return fingerprint.rows.to_bytes(8, "big") + fingerprint.digest.to_bytes(16, "big")


class _Examined:
    """What of a backup is lost (chunks, by table), what the rows of its other tables add up to, and the digests it uses."""

    def __init__(self, index: IncrementalIndex, packs: ReadPacks, encoding: str) -> None:
        self.lost: Counter[str] = Counter()
        self.sums: dict[str, Fingerprint] = {}
        self.used: set[bytes] = set()
        self.is_only_unread = True
        self._packs = packs
        self._encoding = encoding
        for table in index.tables:
            self._examine(str(table.name), table.nodes)
        for objects in index.large_objects:
            self._examine(str(LARGE_OBJECT_ROWS), objects.nodes)

    @property
    def names(self) -> frozenset[str]:
        """All that it holds."""
        return frozenset({*self.sums, *self.lost})

    def _examine(self, name: str, nodes: Iterable[Chunk]) -> None:
        total = self.sums.pop(name, Fingerprint())
        for node in nodes:
            self.used.add(node.digest)
            try:
                content = self._packs.listed(node.digest)
                chunks = chunks_listed(content, resource=name)
            except (DamagedDump, StoreFailed):
                self._miss(name, [node])
                continue
            self.used.update(chunk.digest for chunk in chunks)
            if lost := [chunk for chunk in chunks if not self._packs.has(chunk.digest)]:
                self._miss(name, lost)
            elif name == str(LARGE_OBJECT_ROWS):
                total += fingerprint_of_objects((o.oid, o.size_bytes, o.xxh3_128) for o in read_object_list(content, resource=name))
            else:
                total += self._of_rows(chunks)
        if not self.lost[name]:
            del self.lost[name]
            self.sums[name] = total

    def _miss(self, name: str, chunks: Sequence[Chunk]) -> None:
        self.lost[name] += len(chunks)
        self.is_only_unread &= all(self._packs.may_have(chunk.digest) for chunk in chunks)

    def _of_rows(self, chunks: Sequence[Chunk]) -> Fingerprint:
        return sum((self._packs.fingerprint(chunk.digest, self._encoding) for chunk in chunks), Fingerprint())
