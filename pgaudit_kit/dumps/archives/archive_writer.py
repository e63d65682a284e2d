"""Writing archives, custom and directory, with the bytes of another archive's data: pure, but for reading those.

Entries, names and SQL stay byte for byte what they were; what changes is where data lie, and how they are compressed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pgaudit_kit.dumps.archives.archive import ArchiveReader
from pgaudit_kit.dumps.archives.archive_toc import ArchiveEntry
from pgaudit_kit.dumps.archives.data_blocks import TABLE_BLOCK, kind_of
from pgaudit_kit.dumps.archives.folder_data import SUFFIXES, TOC_NAME, list_name
from pgaudit_kit.dumps.archives.raw_toc import ALGORITHMS, V_ALGORITHM, Container, RawEntry, RawHeader
from pgaudit_kit.dumps.archives.toc_writer import write_integer, write_toc
from pgaudit_kit.dumps.files.compressors import compressed
from pgaudit_kit.dumps.files.read_ahead import read_ahead
from pgaudit_kit.errors import UsageError

ArchiveAlgorithm: TypeAlias = Literal["none", "gzip", "lz4", "zstd"]
_USUAL_LEVEL = -1  # Z_DEFAULT_COMPRESSION
_SIGNED = 1 << 31
_SUFFIX_OF = {algorithm: suffix for suffix, algorithm in SUFFIXES.items()}


@dataclass(frozen=True, slots=True)
class DataCompression:
    """How the data of an archive are to be compressed; `level` None is the usual one."""

    algorithm: ArchiveAlgorithm = "none"
    level: int | None = None


def new_header(header: RawHeader, container: Container, compression: DataCompression, *, resource: str) -> RawHeader:
    """Return *header* for an archive of another sort and compression. Raises UsageError for one that its version does not know."""
    algorithm = compression.algorithm
    if header.version[:2] >= V_ALGORITHM:
        return header._replace(container=container, compression=ALGORITHMS.index(algorithm))
    if algorithm not in ("none", "gzip"):
        version = ".".join(map(str, header.version[:2]))
        remedy = "Use gzip, or none, or export a plain script (-Fp)."
        raise UsageError(
            f"archives of version {version}, which this dump is, know no {algorithm}: it came with PostgreSQL 16",
            resource=resource,
            remedy=remedy,
        )
    level = 0 if algorithm == "none" else compression.level or _USUAL_LEVEL
    return header._replace(container=container, compression=level)


class CustomArchive:
    """The custom archive of what *reader* has: first `toc`, then `blocks`; then once more `toc`, which is as long, with the offsets."""

    def __init__(self, reader: ArchiveReader, compression: DataCompression) -> None:
        self._reader = reader
        self._compression = compression
        header, entries = reader.raw_toc()
        self._header = new_header(header, "custom", compression, resource=reader.resource)
        self._entries = [entry._replace(extra=None) for entry in entries]
        self._offsets: dict[int, int] = {}

    def toc(self) -> bytes:
        """Header and entries, with the offsets of the blocks that were given so far."""
        return write_toc(self._header, [entry._replace(extra=self._offsets.get(entry.dump_id)) for entry in self._entries])

    def blocks(self) -> Iterator[bytes]:
        """Yield the blocks, in the order of the entries. Raises DamagedDump."""
        at = len(self.toc())
        for entry in entries_with_data(self._reader):
            self._offsets[entry.dump_id] = at
            for piece in self._block(entry):
                at += len(piece)
                yield piece

    def _block(self, entry: ArchiveEntry) -> Iterator[bytes]:
        kind = kind_of(entry)
        yield bytes([kind]) + self._integer(entry.dump_id)
        if kind == TABLE_BLOCK:
            yield from self._chunks(read_ahead(self._reader.data.pieces_of(entry)))
            return
        for oid, pieces in self._reader.data.large_objects_of(entry):
            yield self._integer(oid if oid < _SIGNED else oid - 2 * _SIGNED)
            yield from self._chunks(pieces)
        yield self._integer(0)

    def _chunks(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        algorithm = self._compression.algorithm
        for piece in _packed(pieces, "zlib" if algorithm == "gzip" else algorithm, self._compression.level):
            yield self._integer(len(piece)) + piece
        yield self._integer(0)

    def _integer(self, value: int) -> bytes:
        return write_integer(value, self._header.int_size)


class DirectoryArchive:
    """The directory archive of what *reader* has: `files`, then `toc`, which goes into a file of its own."""

    def __init__(self, reader: ArchiveReader, compression: DataCompression) -> None:
        self._reader = reader
        self._compression = compression
        header, self._entries = reader.raw_toc()
        self._header = new_header(header, "folder", compression, resource=reader.resource)
        self._suffix = _SUFFIX_OF[compression.algorithm]

    def toc(self) -> tuple[str, bytes]:
        """Name and content of the file of the table of contents."""
        return TOC_NAME, write_toc(self._header, list(map(self._entry, self._entries)))

    def files(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield name and content of each file with data, and of lists of large objects. Content is to be read before the next is asked for.

        Raises DamagedDump.
        """
        lists: dict[str, list[bytes]] = {}
        for entry in entries_with_data(self._reader):
            if kind_of(entry) == TABLE_BLOCK:
                yield f"{entry.dump_id}.dat{self._suffix}", self._file(read_ahead(self._reader.data.pieces_of(entry)))
                continue
            listed = lists.setdefault(list_name(entry.dump_id, self._header.version), [])
            for oid, pieces in self._reader.data.large_objects_of(entry):
                listed.append(b"%d blob_%d.dat\n" % (oid, oid))
                yield f"blob_{oid}.dat{self._suffix}", self._file(pieces)
        for name, lines in lists.items():
            yield name, iter(lines)

    def _file(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        return _packed(pieces, self._compression.algorithm, self._compression.level)

    def _entry(self, entry: RawEntry) -> RawEntry:
        if not entry.had_dumper:
            return entry._replace(extra=b"")
        large = entry.desc == b"BLOBS"
        return entry._replace(extra=(list_name(entry.dump_id, self._header.version) if large else f"{entry.dump_id}.dat").encode())


def entries_with_data(reader: ArchiveReader) -> list[ArchiveEntry]:
    """The entries that have data, in the order of the archive."""
    return [entry for entry in reader.archive.entries if entry.toc.has_data]


def _packed(pieces: Iterable[bytes], algorithm: Literal["none", "gzip", "zlib", "lz4", "zstd"], level: int | None) -> Iterator[bytes]:
    """Yield *pieces* compressed. Of nothing lz4 and zstd make nothing, as in pg_dump (compress_lz4.c, compress_zstd.c)."""
    pieces = filter(None, pieces)
    first = next(pieces, b"")
    if not first and algorithm in ("none", "lz4", "zstd"):
        return
    yield from compressed(_behind(first, pieces), algorithm, level)


def _behind(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces
