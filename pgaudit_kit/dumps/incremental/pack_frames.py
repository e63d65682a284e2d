"""The index of a pack whose own is broken: what the frames of the pack themselves tell."""

from __future__ import annotations

from collections.abc import Iterator

from pgaudit_kit.dumps.incremental.chunk_bytes import digest_of
from pgaudit_kit.dumps.incremental.nodes import chunks_listed
from pgaudit_kit.dumps.incremental.pack_index import PackIndex
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.records.chunks import ChunkKind, PackedChunk

_PIECE_BYTES = 64 << 10


def index_of_frames(pack: str, content: bytes) -> PackIndex:
    """Return what *content*, the bytes of *pack*, holds: up to the first frame that is broken.

    A frame does not say of which kind it is: it stands there once for each that it may be of. A name that no backup uses harms nothing.
    """
    chunks = [
        PackedChunk(digest_of(kind, raw), kind, offset, stored_bytes, len(raw))
        for offset, stored_bytes, raw in _frames(content)
        for kind in _kinds_of(raw)
    ]
    return PackIndex.of(pack, tuple(chunks))


def _kinds_of(raw: bytes) -> Iterator[ChunkKind]:
    yield ChunkKind.BLOB
    if raw.endswith(b"\n"):
        yield ChunkKind.ROWS
    try:
        chunks_listed(raw, resource="")
    except DamagedDump:
        return
    yield ChunkKind.LIST


def _frames(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield offset, size and contents of each frame that holds something."""
    import zstandard

    decompressor = zstandard.ZstdDecompressor()
    at = 0
    while at < len(content):
        frame = decompressor.decompressobj()
        parts = []
        end = at
        try:
            while not frame.eof and end < len(content):
                parts.append(frame.decompress(content[end : end + _PIECE_BYTES]))
                end = min(end + _PIECE_BYTES, len(content))
        except zstandard.ZstdError:
            return
        if not frame.eof:
            return
        end -= len(frame.unused_data)
        if raw := b"".join(parts):
            yield at, end - at, raw
        at = end
