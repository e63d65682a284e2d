"""How much place the chunks of incremental backups take, each counted once however many backups use it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pgaudit_kit.errors import DumpError
from pgaudit_kit.operations.store.names import INCREMENTAL_FORMAT
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.stored_chunks import StoredChunks
from pgaudit_kit.operations.store.used_chunks import used_chunks
from pgaudit_kit.records.stored_backup import StoredBackup


@dataclass(frozen=True)
class ChunkSizes:
    """`used`: the chunks of each incremental backup, by its file, without those that cannot be told; `stored`: their sizes in packs."""

    used: Mapping[str, frozenset[bytes]] = field(default_factory=dict)
    stored: Mapping[bytes, int] = field(default_factory=dict)

    def of(self, file: str) -> int:
        """What all chunks of a backup take; 0 of one that has none."""
        return self._sum(self.used.get(file, frozenset()))

    def beside(self, file: str, counted: frozenset[bytes]) -> int:
        """What its chunks take that are not *counted* yet."""
        return self._sum(self.used.get(file, frozenset()) - counted)

    def own(self) -> dict[str, int]:
        """For each backup what its chunks take that no other one uses: so much deleting it would free."""
        users = Counter(digest for used in self.used.values() for digest in used)
        return {file: self._sum(digest for digest in used if users[digest] == 1) for file, used in self.used.items()}

    def _sum(self, digests: Iterable[bytes]) -> int:
        return sum(self.stored.get(digest, 0) for digest in digests)


def chunk_sizes(store: Store, backups: Iterable[StoredBackup]) -> ChunkSizes:
    """The sizes of the incremental ones among *backups*, for which all their lists are read; none of what is encrypted without its key.

    Raises StoreFailed.
    """
    if not any(backup.format == INCREMENTAL_FORMAT for backup in backups):
        return ChunkSizes()
    try:
        chunks = StoredChunks(store.packs)
        return ChunkSizes(used_chunks(store, chunks).by_file, chunks.stored_bytes())
    except DumpError:
        return ChunkSizes()
