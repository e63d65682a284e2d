"""Which chunks are there: asked for each chunk of a backup, in a store that may have millions."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from pgaudit_kit.records.chunks import DIGEST_BYTES

_PARTS = DIGEST_BYTES // 8


class KnownChunks:
    """A set of digests in 32 bytes each, where a set of Python's takes more than 100. *digests*: joined, in any division."""

    def __init__(self, digests: Iterable[bytes] = (), *, without: Collection[bytes] = ()) -> None:
        parts = np.frombuffer(b"".join(digests), ">u8").reshape(-1, _PARTS).astype(np.uint64)
        self._parts = parts[np.argsort(parts[:, 0], kind="stable")]
        self._first = np.ascontiguousarray(self._parts[:, 0])
        self._without = frozenset(without)
        self._added: set[bytes] = set()

    def __contains__(self, digest: bytes) -> bool:
        if digest in self._added:
            return True
        return digest not in self._without and self._was_there(digest)

    def _was_there(self, digest: bytes) -> bool:
        wanted = np.frombuffer(digest, ">u8").astype(np.uint64)
        start, end = (int(np.searchsorted(self._first, wanted[0], side)) for side in ("left", "right"))
        return start < end and bool((self._parts[start:end] == wanted).all(axis=1).any())

    def add(self, digest: bytes) -> None:
        """Remember one more."""
        self._added.add(digest)
