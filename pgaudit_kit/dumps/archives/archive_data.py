"""What `ArchiveReader` asks of the place where an archive's data lie: blocks in one file, or files in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pgaudit_kit.dumps.archives.archive_toc import ArchiveEntry
from pgaudit_kit.errors import DamagedDump

# Called with an entry, the OID of the large object (None: rows of a table) and the decoded bytes
Visit: TypeAlias = Callable[[ArchiveEntry, int | None, Iterator[bytes]], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something broken: the error, the entry whose data it is where that is known, and the file in the folder ("": there is one file)."""

    error: DamagedDump
    entry: ArchiveEntry | None = None
    member: str = ""


class ArchiveData(Protocol):
    """The data of all entries of one archive."""

    @property
    def compression(self) -> str:
        """How the data are compressed: none, gzip, lz4, zstd, as they lie there."""

    def read_all(self, visit: Visit) -> list[Problem]:
        """Call *visit* once per table and once per large object, in the order in which they lie. Return what is broken.

        A visitor may leave bytes unread, and raise DamagedDump for what they say.
        """

    def pieces_of(self, entry: ArchiveEntry) -> Iterator[bytes]:
        """Yield the decoded bytes of the table *entry*, reading nothing else where its place is known. Raises DamagedDump."""

    def large_objects_of(self, entry: ArchiveEntry) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Yield OID and decoded bytes of each large object of *entry*: the bytes of one are read before the next. Raises DamagedDump."""

    def place_of(self, entry: ArchiveEntry) -> tuple[int | None, str]:
        """Return where the data of *entry* begin: offset, and file in the folder. Raises DamagedDump when there are none."""
