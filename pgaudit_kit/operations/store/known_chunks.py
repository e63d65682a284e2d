"""Which chunks are there, and in which pack: asked for each chunk of a backup, in a store that may have millions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from pgaudit_kit.records.chunks import DIGEST_BYTES, PackedChunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    ) -> None:
        texts = list(digests)
        parts = _parts_of(b"".join(texts))
        order = np.argsort(parts[:, 0], kind="stable")
        self.nodes = nodes or {}
        self._parts = parts[order]
        self._first = np.ascontiguousarray(self._parts[:, 0])
        self._packs = tuple(packs)
        self._numbers = np.repeat(np.arange(len(texts), dtype=np.int32), [len(text) // DIGEST_BYTES for text in texts])[order]
        self._added: set[bytes] = set()
        self._forgotten: set[bytes] = set()

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._added or self._place(digest) is not None

    def pack_of(self, digest: bytes) -> str | None:
        """The pack that it was found in; None for what was added later, and for what is not there."""
        place = self._place(digest)
        return None if place is None or not self._packs else self._packs[self._numbers[place]]

    def forget(self, digest: bytes) -> None:
        """Take *digest* for absent, so that it is written again: whoever read it where it lies found something else."""
        self._forgotten.add(digest)

    def packs_of(self, digests: Collection[bytes]) -> frozenset[str] | None:
        """The packs that all of *digests* were found in, without those of what was added later; None when one is not there."""
        wanted = _parts_of(b"".join(digests))
        places = np.minimum(np.searchsorted(self._first, wanted[:, 0]), max(len(self._parts) - 1, 0))
        found = (self._parts[places] == wanted).all(axis=1) if len(self._parts) else np.zeros(len(wanted), bool)
        if self._forgotten:
            found &= np.fromiter((digest not in self._forgotten for digest in digests), bool, len(wanted))
        packs = {self._packs[number] for number in np.unique(self._numbers[places[found]])} if self._packs else set()
        for digest in compress(digests, ~found):
            if digest not in self:
                return None
            packs |= {pack} if (pack := self.pack_of(digest)) else set()
        return frozenset(packs)

    def add(self, digest: bytes) -> None:
        """Remember one more."""
        self._added.add(digest)

    def _place(self, digest: bytes) -> int | None:
        if digest in self._forgotten:
            return None
        first = int.from_bytes(digest[:8], "big")
        at = int(self._first.searchsorted(np.uint64(first)))
        while at < len(self._first) and self._first[at] == first:
            if self._parts[at].astype(">u8").tobytes() == digest:
                return at
            at += 1
        return None


def _parts_of(joined: bytes) -> NDArray[np.uint64]:
    """Digests, joined, as numbers: shape (digests, 4)."""
    return np.frombuffer(joined, ">u8").reshape(-1, _PARTS).astype(np.uint64)
