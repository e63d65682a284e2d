"""The bytes of a chunk: what they are called, and how they lie in a pack."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence

from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.records.chunks import ChunkKind

_OF_THREAD = threading.local()
_TAKE_AGAIN = "Run verify --all to see which backups need it; the next backup writes it again when its rows are still there."


def digest_of(kind: ChunkKind, raw: bytes) -> bytes:
    """Return the name of a chunk: SHA-256 of its kind, a line end and its bytes, so that two kinds never share one."""
    digest = hashlib.sha256(b"%s\n" % kind.encode("ascii"))
    digest.update(raw)
    return digest.digest()


def pack_chunks(raws: Sequence[bytes], *, level: int) -> list[bytes]:
    """Return each of *raws*, not all of which are empty, as one frame of zstd, which tells its size. Any thread may call it.

    Other threads run meanwhile, and need not be waited for between two of them.
    """
    import zstandard

    made: dict[int, zstandard.ZstdCompressor] = _OF_THREAD.__dict__.setdefault("compressors", {})
    if level not in made:  # making one takes as long as compressing a small chunk
        made[level] = zstandard.ZstdCompressor(level=level, write_checksum=False)
    frames = made[level].multi_compress_to_buffer(list(raws))
    return [frames[number].tobytes() for number in range(len(raws))]


def are_frames_of(stored: Sequence[bytes], raws: Sequence[bytes]) -> bool:
    """Whether each of *stored* unpacks to the one of *raws* that it was made of."""
    import zstandard

    try:
        unpacked = zstandard.ZstdDecompressor().multi_decompress_to_buffer(list(stored))
    except (zstandard.ZstdError, ValueError):
        return False
    return all(unpacked[number].tobytes() == raw for number, raw in enumerate(raws))


def unpack_chunk(stored: bytes, *, digest: bytes, kind: ChunkKind, size_bytes: int, resource: str) -> bytes:
    """Return the bytes of the chunk *digest*, proved against it. Raises DamagedDump when *stored* is not that chunk."""
    import zstandard

    try:
        if zstandard.get_frame_parameters(stored).content_size != size_bytes:  # what it claims is allocated at once
            raise _damaged(digest, kind, resource, "has another size than its pack says")
        if not hasattr(_OF_THREAD, "decompressor"):
            _OF_THREAD.decompressor = zstandard.ZstdDecompressor()
        raw: bytes = _OF_THREAD.decompressor.decompress(stored)
    except zstandard.ZstdError as error:
        raise _damaged(digest, kind, resource, f"cannot be unpacked ({error})") from error
    if len(raw) != size_bytes or digest_of(kind, raw) != digest:
        raise _damaged(digest, kind, resource, "does not have the digest that it is named by")
    return raw


def _damaged(digest: bytes, kind: ChunkKind, resource: str, what: str) -> DamagedDump:
    return DamagedDump(f"the chunk {digest.hex()} ({kind}) {what}", resource=resource, remedy=_TAKE_AGAIN)
