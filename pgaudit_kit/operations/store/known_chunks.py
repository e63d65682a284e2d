"""Which chunks are there, and in which pack: asked for each chunk of a backup, in a store that may have millions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from pgaudit_kit.records.chunks import DIGEST_BYTES, PackedChunk

_PARTS = DIGEST_BYTES // 8


class KnownChunks:
    """A set of digests in 36 bytes each, where a dictionary of Python's takes 200. *digests*: joined, one text for each of *packs*.

    Attributes: `nodes`, the lists among them, with the packs that they lie in.
    """

    def __init__(
        self,
        digests: Iterable[bytes] = (),
        *,
        packs: Iterable[str] = (),
        nodes: Mapping[bytes, tuple[str, PackedChunk]] | None = None,
        without: Collection[bytes] = (),
    ) -> None:
        texts = list(digests)
        parts = np.frombuffer(b"".join(texts), ">u8").reshape(-1, _PARTS).astype(np.uint64)
        order = np.argsort(parts[:, 0], kind="stable")
        self.nodes = nodes or {}
        self._parts = parts[order]
        self._first = np.ascontiguousarray(self._parts[:, 0])
        self._packs = tuple(packs)
        self._numbers = np.repeat(np.arange(len(texts), dtype=np.int32), [len(text) // DIGEST_BYTES for text in texts])[order]
        self._without = frozenset(without)
        self._added: set[bytes] = set()

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._added or self._place(digest) is not None

    def pack_of(self, digest: bytes) -> str | None:
        """The pack that it was found in; None for what was added later, and for what is not there."""
        place = self._place(digest)
        return None if place is None or not self._packs else self._packs[self._numbers[place]]

    def add(self, digest: bytes) -> None:
        """Remember one more."""
        self._added.add(digest)

    def _place(self, digest: bytes) -> int | None:
        if digest in self._without:
            return None
        wanted = np.frombuffer(digest, ">u8").astype(np.uint64)
        start, end = (int(np.searchsorted(self._first, wanted[0], side)) for side in ("left", "right"))
        if start == end:
            return None
        alike = (self._parts[start:end] == wanted).all(axis=1)
        return start + int(alike.argmax()) if alike.any() else None
