"""The index of a pack: which chunks it holds, and where.

index := magic, one frame of zstd with a checksum:  pack id (32 bytes), count, digest (32 bytes) of each, record of each
record := offset, stored bytes, bytes, rows (8 bytes each, little endian), fingerprint (16 bytes, big endian), kind (1 byte)
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pgaudit_kit.errors import DamagedDump, UnsupportedDump
from pgaudit_kit.records.chunks import DIGEST_BYTES, ChunkKind, PackedChunk
from pgaudit_kit.records.fingerprint import Fingerprint

_MAGIC = b"PGAPACK\x01"
_HEAD = struct.Struct("<32sQ")
_RECORD = struct.Struct("<QQQQ16sB")
_KINDS = tuple(ChunkKind)
_MOST_BYTES = 1 << 30  # a pack of 8 MiB has some thousands of chunks
_READ_PACK = "The pack beside it may be whole: verify --all reads all of them."


@dataclass(frozen=True)
class PackIndex:
    """`pack`: the id of the pack, 64 hex digits; `digests`: those of its chunks, joined; `records` are decoded when they are asked for."""

    pack: str
    digests: bytes
    records: bytes

    @classmethod
    def of(cls, pack: str, chunks: tuple[PackedChunk, ...]) -> PackIndex:
        """The index of *pack*, which holds *chunks* in the order of their offsets."""
        records = b"".join(
            _RECORD.pack(
                c.offset,
                c.stored_bytes,
                c.size_bytes,
                c.fingerprint.rows,
                c.fingerprint.digest.to_bytes(16, "big"),
                _KINDS.index(c.kind),
            )
            for c in chunks
        )
        return cls(pack, b"".join(c.digest for c in chunks), records)

    def __len__(self) -> int:
        return len(self.digests) // DIGEST_BYTES

    @property
    def chunks(self) -> tuple[PackedChunk, ...]:
        """What it holds, by offset."""
        digests = (self.digests[at : at + DIGEST_BYTES] for at in range(0, len(self.digests), DIGEST_BYTES))
        return tuple(
            PackedChunk(digest, _KINDS[kind], offset, stored, size, Fingerprint(rows, int.from_bytes(total, "big")))
            for digest, (offset, stored, size, rows, total, kind) in zip(digests, _RECORD.iter_unpack(self.records), strict=True)
        )

    def of_kind(self, kind: ChunkKind) -> tuple[PackedChunk, ...]:
        """Those of one kind; the others are not decoded."""
        code, at = _KINDS.index(kind), _RECORD.size
        return tuple(self.chunk(number) for number, found in enumerate(self.records[at - 1 :: at]) if found == code)

    def chunk(self, number: int) -> PackedChunk:
        """The chunk that is *number* in the order of their offsets, from 0 on."""
        offset, stored, size, rows, total, kind = _RECORD.unpack_from(self.records, number * _RECORD.size)
        digest = self.digests[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES]
        return PackedChunk(digest, _KINDS[kind], offset, stored, size, Fingerprint(rows, int.from_bytes(total, "big")))

    @property
    def pack_bytes(self) -> int:
        """The size of the pack, which holds nothing but its chunks."""
        if not self.records:
            return 0
        offset, stored, *_ = _RECORD.unpack_from(self.records, len(self.records) - _RECORD.size)
        return int(offset + stored)


def write_pack_index(index: PackIndex) -> bytes:
    """Return *index* as it is stored."""
    import zstandard

    body = _HEAD.pack(bytes.fromhex(index.pack), len(index)) + index.digests + index.records
    return _MAGIC + zstandard.ZstdCompressor(level=3, write_checksum=True).compress(body)


def read_pack_index(stored: bytes, *, resource: str) -> PackIndex:
    """Read what `write_pack_index` wrote. Raises DamagedDump, UnsupportedDump for one of a newer release."""
    import zstandard

    if stored[: len(_MAGIC) - 1] == _MAGIC[:-1] and stored[len(_MAGIC) - 1 : len(_MAGIC)] > _MAGIC[-1:]:
        raise UnsupportedDump("a pack index of a newer release", resource=resource, remedy="Use the pgaudit that wrote it, or a newer one.")
    if not stored.startswith(_MAGIC):
        raise DamagedDump("no pack index", resource=resource, remedy=_READ_PACK)
    try:
        claimed = zstandard.get_frame_parameters(stored[len(_MAGIC) :]).content_size
        body = zstandard.ZstdDecompressor().decompress(stored[len(_MAGIC) :]) if _HEAD.size <= claimed <= _MOST_BYTES else b""
    except zstandard.ZstdError as error:
        raise DamagedDump(f"the pack index is broken ({error})", resource=resource, remedy=_READ_PACK) from error
    return _read_body(body, resource)


def _read_body(body: bytes, resource: str) -> PackIndex:
    if len(body) < _HEAD.size:
        raise DamagedDump("the pack index is cut short", resource=resource, remedy=_READ_PACK)
    pack, count = _HEAD.unpack_from(body)
    start = _HEAD.size + count * DIGEST_BYTES
    index = PackIndex(pack.hex(), body[_HEAD.size : start], body[start:])
    kinds = index.records[_RECORD.size - 1 :: _RECORD.size]
    if len(index) != count or len(index.records) != count * _RECORD.size or max(kinds, default=0) >= len(_KINDS):
        raise DamagedDump("the pack index contradicts itself", resource=resource, remedy=_READ_PACK)
    return index
