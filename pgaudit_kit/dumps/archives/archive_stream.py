"""A custom archive read from a pipe, as pg_dump writes it: its table of contents, then block after block, each once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from pgaudit_kit.dumps.archives.archive_toc import Archive, ArchiveEntry, read_archive
from pgaudit_kit.dumps.archives.byte_cursor import ByteCursor
from pgaudit_kit.dumps.archives.data_blocks import TABLE_BLOCK, kind_of
from pgaudit_kit.dumps.files.byte_stream import ByteStream
from pgaudit_kit.errors import DamagedDump

_OIDS = 1 << 32


class ArchiveStream:
    """The uncompressed archive that *stream* gives. `archive`: what it says of itself; `toc`: its bytes up to where data begin.

    Raises DamagedDump, UnsupportedDump for its header and its table of contents.
    """

    def __init__(self, stream: ByteStream, *, resource: str) -> None:
        kept = _Kept(stream)
        self._resource = resource
        self._cursor = ByteCursor(kept, resource=resource)
        self.archive: Archive = read_archive(self._cursor, "custom")
        self.toc = kept.given_back(self.archive.toc_end)
        if self.archive.compression != "none":
            raise DamagedDump("its data are compressed, which was not asked for", resource=resource)

    def blocks(self) -> Iterator[tuple[ArchiveEntry, Iterator[tuple[int | None, Iterator[bytes]]]]]:
        """Yield each entry that has data, with its data: once for a table, once per large object with its OID.

        All of one is to be read before the next is asked for. Raises DamagedDump for what is broken, missing or too much.
        """
        missing = {entry.dump_id: entry for entry in self.archive.entries if entry.toc.has_data}
        while not self._cursor.at_end():
            kind, dump_id = self._cursor.byte(), self._cursor.integer()
            entry = missing.pop(dump_id, None)
            if entry is None or kind != kind_of(entry):
                raise DamagedDump(f"a data block of entry {dump_id} is not expected", resource=self._resource, offset=self._cursor.position)
            yield entry, self._body(kind)
        if missing:
            names = ", ".join(entry.toc.tag for entry in list(missing.values())[:3])
            raise DamagedDump(f"the data of {len(missing)} entries are missing: {names}", resource=self._resource)

    def _body(self, kind: int) -> Iterator[tuple[int | None, Iterator[bytes]]]:
        if kind == TABLE_BLOCK:
            yield None, self._cursor.chunks()
            return
        while oid := self._cursor.integer():
            yield oid % _OIDS, self._cursor.chunks()


class _Kept:
    """A stream whose first bytes are kept until they are asked for."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._pieces: list[bytes] | None = []

    def read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        if self._pieces is not None:
            self._pieces.append(piece)
        return piece

    def readinto(self, view: memoryview) -> int:
        piece = self.read(len(view))
        view[: len(piece)] = piece
        return len(piece)

    def given_back(self, size: int) -> bytes:
        """The first *size* bytes; from now on none are kept."""
        kept = b"".join(self._pieces or [])[:size]
        self._pieces = None
        return kept

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return
