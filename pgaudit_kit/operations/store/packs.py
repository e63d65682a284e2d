"""The packs of a store: chunks of all its incremental backups, one after another in files that never change.

A pack is there once its index is: that is put last, and removed first. What stands in `damaged.json` counts as not there.
A pack begins with a frame that holds nothing but random bytes, so that its name is never that of another one: what is written
anew because a copy is condemned or broken gets a name that no sweep has marked and no broken file has.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

from pgaudit_kit.dumps.files.age import OpenedFiles, sealed, unsealed
from pgaudit_kit.dumps.incremental.pack_frames import index_of_frames
from pgaudit_kit.dumps.incremental.pack_index import PackIndex, read_pack_index, write_pack_index
from pgaudit_kit.errors import DamagedDump, StoreFailed
from pgaudit_kit.operations.store.known_chunks import KnownChunks
from pgaudit_kit.operations.store.store_folder import StoreFolder
from pgaudit_kit.operations.store.sweep_plan import Mark
from pgaudit_kit.records.chunks import NO_ROWS, ChunkKind, PackedChunk
from pgaudit_kit.records.fingerprint import Fingerprint

PACKS = "packs"
PACK, INDEX, CONDEMNED = ".pack", ".index", ".condemned"
DAMAGED = "damaged.json"
FULL_BYTES = 8 << 20
_SALT_BYTES = 16
_SALT_HEAD = b"\x50\x2a\x4d\x18" + _SALT_BYTES.to_bytes(4, "little")  # a frame that decoders of zstd pass over
_RAN_THEN = "ran then:"
_NAME = re.compile(rf"(?P<id>[0-9a-f]{{64}})(?P<suffix>{'|'.join(map(re.escape, (PACK, INDEX, CONDEMNED)))})\Z")


class PackStore:
    """All packs in *folder*. Methods raise StoreFailed when the place cannot be reached, listed, read or written.

    `recipients`: the keys that packs and their indexes are encrypted to, none by default. What is encrypted is read by whoever has the key;
    others get UnsupportedDump. The name of a pack is the digest of the file as it lies there.
    """

    def __init__(self, folder: StoreFolder) -> None:
        self.folder = folder
        self.recipients: tuple[str, ...] = ()
        self._opened = OpenedFiles(folder.read, folder.label)

    def ids(self) -> frozenset[str]:
        """The packs that are there: with their index, and as large as a pack can be that has one."""
        sizes = self.folder.sizes()
        return frozenset(pack for pack in _with(sizes, INDEX) if f"{pack}{PACK}" in sizes)

    def condemned(self) -> frozenset[str]:
        """The packs that a sweep found without use; whoever writes a backup takes nothing from them."""
        return _with(self.folder.sizes(), CONDEMNED)

    def condemn(self, pack: str, at: datetime, running: Iterable[str] | None = None) -> None:
        """Mark *pack*: no backup used it at that moment; *running*: the notes of what ran when the mark was there, None while not known."""
        lines = [at.isoformat(timespec="seconds"), *([] if running is None else [_RAN_THEN, *sorted(running)])]
        self.folder.write(f"{pack}{CONDEMNED}", "".join(f"{line}\n" for line in lines).encode("utf-8"))

    def mark(self, pack: str) -> Mark | None:
        """What was noted when it was condemned; None when it is not. One that cannot be read is of now, and so has to be made anew."""
        try:
            at, *rest = self.folder.read(f"{pack}{CONDEMNED}").decode("utf-8").splitlines()
            return Mark(datetime.fromisoformat(at).astimezone(UTC), frozenset(rest[1:]) if rest[:1] == [_RAN_THEN] else None)
        except FileNotFoundError:
            return None
        except ValueError:
            return Mark(datetime.now(UTC), None)

    def condemned_at(self, pack: str) -> datetime | None:
        """When it was condemned; None when it is not."""
        mark = self.mark(pack)
        return mark.at if mark else None

    def pardon(self, pack: str) -> None:
        """Take the note away."""
        self.folder.remove(f"{pack}{CONDEMNED}")

    def index(self, pack: str) -> PackIndex:
        """What *pack* holds. Raises FileNotFoundError, DamagedDump."""
        return self._index(f"{pack}{INDEX}", self.folder.read(f"{pack}{INDEX}"))

    def indexes(self, packs: Iterable[str]) -> Iterator[tuple[str, PackIndex | DamagedDump]]:
        """The index of each of *packs*, or what is wrong with it; without those that are gone."""
        for file, content in self.folder.read_many(f"{pack}{INDEX}" for pack in packs):
            try:
                yield file.removesuffix(INDEX), self._index(file, content)
            except DamagedDump as error:
                yield file.removesuffix(INDEX), error

    def index_of_frames(self, pack: str) -> PackIndex | None:
        """What *pack* holds, by its own bytes instead of its index; None unless these are the very bytes that were written."""
        try:
            stored = self.read_whole(pack)
            if hashlib.sha256(stored).hexdigest() != pack:
                return None
            return index_of_frames(pack, unsealed(stored, resource=f"{self.folder.label}/{pack}{PACK}"))
        except (FileNotFoundError, DamagedDump, StoreFailed):
            return None

    def read(self, pack: str, chunk: PackedChunk) -> bytes:
        """The stored bytes of a chunk, not unpacked. Raises FileNotFoundError."""
        return self._opened.read(f"{pack}{PACK}", chunk.offset, chunk.stored_bytes)

    def content(self, pack: str) -> bytes:
        """All bytes of a pack. Raises FileNotFoundError."""
        return self._opened.read(f"{pack}{PACK}")

    def _index(self, file: str, content: bytes) -> PackIndex:
        return read_pack_index(unsealed(content, resource=f"{self.folder.label}/{file}"), resource=file)

    def read_whole(self, pack: str) -> bytes:
        """All bytes of *pack*. Raises FileNotFoundError."""
        return self.folder.read(f"{pack}{PACK}")

    def put(self, content: bytes, chunks: tuple[PackedChunk, ...]) -> str:
        """Keep a pack of *chunks*, then its index; return its id."""
        stored = sealed(content, self.recipients)
        pack = hashlib.sha256(stored).hexdigest()
        self.folder.write(f"{pack}{PACK}", stored)
        self.folder.write(f"{pack}{INDEX}", sealed(write_pack_index(PackIndex.of(pack, chunks)), self.recipients))
        return pack

    def remove(self, pack: str) -> None:
        """Delete a pack: its index first, the note that it is condemned last."""
        for suffix in (INDEX, PACK, CONDEMNED):
            self.folder.remove(f"{pack}{suffix}")

    def damaged(self) -> Mapping[str, frozenset[bytes]]:
        """The chunks whose bytes in a pack `verify` found broken, by that pack: there may be better copies in others."""
        try:
            plain = json.loads(self.folder.read(DAMAGED))["packs"]
            return {pack: frozenset(map(bytes.fromhex, chunks)) for pack, chunks in plain.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreFailed(
                f"{DAMAGED} in {self.folder.label} cannot be read",
                resource=self.folder.label,
                remedy="Delete it; verify --all writes it anew.",
            ) from error

    def set_damaged(self, damaged: Mapping[str, AbstractSet[bytes]]) -> None:
        """Write down which chunks are broken in which pack, in place of what was written before."""
        if found := {pack: sorted(chunk.hex() for chunk in chunks) for pack, chunks in sorted(damaged.items()) if chunks}:
            self.folder.write(DAMAGED, json.dumps({"packs": found}, indent=1).encode("ascii") + b"\n")
        else:
            self.folder.remove(DAMAGED)

    def known(self) -> tuple[KnownChunks, frozenset[str]]:
        """The chunks that a new backup need not write, and the packs that they are in.

        Without those of packs that are condemned, cut short, or whose index cannot be read, and without damaged ones.
        """
        sizes = self.folder.sizes()
        packs = [pack for pack in _with(sizes, INDEX) - _with(sizes, CONDEMNED) if f"{pack}{PACK}" in sizes]
        damaged = self.damaged()
        digests: dict[str, bytes] = {}
        nodes: dict[bytes, tuple[str, PackedChunk]] = {}
        for pack, index in self.indexes(packs):
            if isinstance(index, PackIndex) and index.pack == pack and self._fits(index, sizes[f"{pack}{PACK}"]):
                broken = damaged.get(pack, frozenset())
                digests[pack] = b"".join(c.digest for c in index.chunks if c.digest not in broken) if broken else index.digests
                nodes |= {c.digest: (pack, c) for c in index.of_kind(ChunkKind.LIST) if c.digest not in broken}
        return KnownChunks(digests.values(), packs=digests, nodes=nodes), frozenset(digests)

    def _fits(self, index: PackIndex, size_bytes: int) -> bool:
        """Whether a pack of that size can hold what its index says: encrypted, it has a head and some bytes more."""
        return size_bytes > index.pack_bytes if self.recipients else size_bytes == index.pack_bytes


class PackWriter:
    """Puts chunks into packs of about 8 MiB, each chunk once. Not for several threads."""

    def __init__(self, store: PackStore, *, full_bytes: int = FULL_BYTES) -> None:
        self.packs: list[str] = []
        self._store = store
        self._full_bytes = full_bytes
        self._frames: list[bytes] = []
        self._chunks: list[PackedChunk] = []
        self._size = 0

    def add(self, kind: ChunkKind, digest: bytes, stored: bytes, *, size_bytes: int, fingerprint: Fingerprint | None = None) -> None:
        """Put the chunk *digest*, *stored* as `pack_chunks` gives it, behind those before; the pack is kept when it is full."""
        if not self._frames:
            self._frames, self._size = [salt := _SALT_HEAD + os.urandom(_SALT_BYTES)], len(salt)
        self._chunks.append(PackedChunk(digest, kind, self._size, len(stored), size_bytes, fingerprint or NO_ROWS))
        self._frames.append(stored)
        self._size += len(stored)
        if self._size >= self._full_bytes:
            self.flush()

    def flush(self) -> None:
        """Keep what was added since the last pack, as one."""
        if self._chunks:
            self.packs.append(self._store.put(b"".join(self._frames), tuple(self._chunks)))
        self._frames, self._chunks, self._size = [], [], 0


def parse_pack_file(file: str) -> tuple[str, str] | None:
    """Return id and suffix of a file of a pack; None for any other name."""
    match = _NAME.match(file)
    return (match["id"], match["suffix"]) if match else None


def _with(files: Iterable[str], suffix: str) -> frozenset[str]:
    return frozenset(parsed[0] for file in files if (parsed := parse_pack_file(file)) and parsed[1] == suffix)
