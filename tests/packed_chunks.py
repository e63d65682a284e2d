"""One chunk as it lies in a pack."""

from __future__ import annotations

from pgaudit_kit.dumps.incremental.chunk_bytes import pack_chunks


def pack_chunk(raw: bytes, *, level: int) -> bytes:
    """Return *raw* as one frame of zstd."""
    return pack_chunks([raw], level=level)[0]
