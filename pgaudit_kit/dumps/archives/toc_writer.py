"""Writing header and table of contents of an archive, as WriteHead and WriteToc of pg_backup_archiver.c do: the inverse of `raw_toc`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pgaudit_kit.dumps.archives.raw_toc import (
    FORMAT_CODES,
    MAGIC,
    NO_DATA,
    NOT_SET,
    SET,
    V_ACCESS_METHOD,
    V_ALGORITHM,
    V_RELKIND,
    V_SECTION,
    RawEntry,
    RawHeader,
)


def write_toc(header: RawHeader, entries: Sequence[RawEntry]) -> bytes:
    """The bytes of an archive up to where its data begin; with those that `read_raw_header` and `read_raw_entries` gave, the very same.

    The length does not depend on the offsets that the entries have, so that it can be asked before those are known.
    """
    layout = _Layout(header)
    return b"".join((layout.head(), layout.integer(len(entries)), *map(layout.entry, entries)))


def write_integer(value: int, size: int) -> bytes:
    """An Int of *size* bytes, behind its sign (WriteInt)."""
    return bytes([value < 0]) + abs(value).to_bytes(size, "little")


class _Layout:
    """How the numbers and texts of one archive lie there."""

    def __init__(self, header: RawHeader) -> None:
        self._header = header
        self._version = header.version[:2]

    def integer(self, value: int) -> bytes:
        return write_integer(value, self._header.int_size)

    def head(self) -> bytes:
        header = self._header
        sizes = bytes([header.int_size, header.offset_size, FORMAT_CODES[header.container]])
        compression = bytes([header.compression]) if self._version >= V_ALGORITHM else self.integer(header.compression)
        texts = self._texts((header.database, header.server_version, header.pg_dump_version))
        return b"".join((MAGIC, bytes(header.version), sizes, compression, *map(self.integer, header.created), texts))

    def entry(self, entry: RawEntry) -> bytes:
        dependencies = tuple(b"%d" % dump_id for dump_id in entry.dependencies)
        return b"".join((
            self.integer(entry.dump_id),
            self.integer(entry.had_dumper),
            self._texts((*entry.oids, entry.tag, entry.desc)),
            self.integer(entry.section or 0) if self._version >= V_SECTION else b"",
            self._texts((entry.definition, entry.drop, entry.copy, entry.schema, entry.tablespace)),
            self._text(entry.access_method) if self._version >= V_ACCESS_METHOD else b"",
            self.integer(entry.relkind) if self._version >= V_RELKIND else b"",
            self._texts((entry.owner, entry.with_oids, *dependencies, None)),
            self._extra(entry),
        ))  # fmt: skip

    def _extra(self, entry: RawEntry) -> bytes:
        if self._header.container == "folder":
            return self._text(entry.extra if isinstance(entry.extra, bytes) else None)
        flag = NO_DATA if not entry.had_dumper else NOT_SET if entry.extra is None else SET
        offset = entry.extra if isinstance(entry.extra, int) else 0
        return bytes([flag]) + offset.to_bytes(self._header.offset_size, "little")

    def _texts(self, texts: Iterable[bytes | None]) -> bytes:
        return b"".join(map(self._text, texts))

    def _text(self, text: bytes | None) -> bytes:
        return self.integer(-1) if text is None else self.integer(len(text)) + text
