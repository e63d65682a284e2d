"""What header and table of contents of an archive say: names and SQL in its encoding, a pure reading of `raw_toc`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from pgaudit_kit.dumps.archives.byte_cursor import ByteCursor
from pgaudit_kit.dumps.archives.raw_toc import (
    SECTIONS,
    V_ALGORITHM,
    V_SECTION,
    WRITTEN_ONCE,
    Container,
    EntryParser,
    RawEntry,
    RawHeader,
    damaged,
    read_raw_entries,
    read_raw_header,
)
from pgaudit_kit.dumps.text_encoding import UTF8, codec_of, decode_sql
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.records.toc import TocEntry

_DATA_DESCS = frozenset({"TABLE DATA", "BLOBS", "BLOB COMMENTS"})
_POST_DATA_DESCS = frozenset({"CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "INDEX", "RULE", "TRIGGER"})
_NO_SECTION_DESCS = frozenset({"COMMENT", "ACL", "ACL LANGUAGE"})
_SETTINGS = {
    b"ENCODING": re.compile(rb"SET client_encoding = '([^']*)';\s*\Z"),
    b"STDSTRINGS": re.compile(rb"SET standard_conforming_strings = '(on|off)';\s*\Z"),
}
# What PostgreSQL has and Python has not (src/common/encnames.c)
_OTHER_ENCODINGS = frozenset({"euctw", "muleinternal"})


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """One entry, and where its data lie.

    `offset`: of its data block in a custom archive, None when that does not say it (it was written to a pipe).
    `file_name`: of its file in a directory or tar archive, "" when it has none. `oid`: that of the object in the source
    database, 0 when it has none of its own. `toc_offset`: where the entry begins in the table of contents.
    """

    toc: TocEntry
    dump_id: int
    offset: int | None = None
    file_name: str = ""
    oid: int = 0
    toc_offset: int = 0


@dataclass(frozen=True, slots=True)
class Archive:
    """What an archive says of itself. `toc_start`, `toc_end`: where its table of contents begins and ends in its file.

    `oddities` are what a pg_dump never writes, in fields that nothing else depends on.
    """

    header: RawHeader
    created_at: str | None
    database: str | None
    server_version: str | None
    pg_dump_version: str | None
    encoding: str
    standard_strings: bool
    entries: tuple[ArchiveEntry, ...]
    toc_start: int
    toc_end: int
    oddities: tuple[DamagedDump, ...] = ()

    @property
    def version(self) -> tuple[int, int, int]:
        """The version of the archive's format."""
        return self.header.version

    @property
    def int_size(self) -> int:
        """How many bytes its integers have, without their sign."""
        return self.header.int_size

    @property
    def compression(self) -> str:
        """How the header says that data are compressed: none, gzip, lz4, zstd."""
        return self.header.algorithm


def read_archive(cursor: ByteCursor, container: Container) -> Archive:
    """Return header and entries of the archive that *cursor* stands at the start of; it then stands behind the last entry.

    *container*: whether the data follow (`custom`) or lie in files of their own (`folder`: directory and tar archives).
    Raises DamagedDump for a header or TOC that is cut short or not plausible, UnsupportedDump for an archive version or
    format that is not read.
    """
    return _ArchiveParser(cursor, container).parse()


def reads_again(cursor: ByteCursor, first: ByteCursor, archive: Archive, offsets: dict[int, int]) -> bool:
    """Whether *cursor* stands at a complete second copy of the TOC that *first* stands at, with the *offsets* (by dump id) filled in.

    The cursor then stands behind it. Raises DamagedDump when it cannot be read as one.
    """
    copies = [EntryParser(at, archive.header) for at in (first, cursor)]
    count = first.integer()
    if cursor.integer() != count:
        return False
    for number in range(1, count + 1):
        original = copies[0].entry(number, count)
        again = copies[1].entry(number, count, written_again=True)
        definition = again.definition if original.desc in WRITTEN_ONCE else original.definition
        expected = original._replace(definition=definition, toc_offset=again.toc_offset, extra=offsets.get(original.dump_id))
        if again != expected:
            return False
    return True


class _ArchiveParser:
    def __init__(self, cursor: ByteCursor, container: Container) -> None:
        self._cursor = cursor
        self._header = read_raw_header(cursor, container)
        self._oddities: list[DamagedDump] = []

    def parse(self) -> Archive:
        header = self._header
        self._check_level()
        created_at = self._creation_time()
        toc_start = self._cursor.position
        entries = read_raw_entries(self._cursor, header)
        encoding = self._encoding(entries)
        return Archive(
            header=header,
            created_at=created_at,
            database=_decode(header.database, encoding),
            server_version=_decode(header.server_version, encoding),
            pg_dump_version=_decode(header.pg_dump_version, encoding),
            encoding=encoding,
            standard_strings=self._standard_strings(entries),
            entries=tuple(_entry(raw, encoding) for raw in entries),
            toc_start=toc_start,
            toc_end=self._cursor.position,
            oddities=tuple(self._oddities),
        )

    def _check_level(self) -> None:
        level = self._header.compression
        if self._header.version[:2] < V_ALGORITHM and not -1 <= level <= 9:  # noqa: PLR2004  # the levels of zlib
            self._odd(f"the level of compression is {level}", self._header.compression_offset)

    def _creation_time(self) -> str | None:
        position = self._header.created_offset
        second, minute, hour, day, month, year, summer = self._header.created
        if summer not in (-1, 0, 1):
            self._odd("the time of its creation has an impossible flag of summer time", position)
        try:
            # a leap second would be 60; local time of an unknown zone
            return str(datetime(year + 1900, month + 1, day, hour, minute, min(second, 59) if second == 60 else second))  # noqa: DTZ001, PLR2004
        except (ValueError, OverflowError):
            self._odd("the time of its creation is none", position)
            return None

    def _encoding(self, entries: list[RawEntry]) -> str:
        encoding = self._setting(entries, b"ENCODING") or UTF8
        if codec_of(encoding) is None and re.sub(r"[^a-z0-9]", "", encoding.lower()) not in _OTHER_ENCODINGS:
            raise damaged(self._cursor, f"is said to be in an encoding that PostgreSQL does not have: {encoding!r}")
        return encoding

    def _standard_strings(self, entries: list[RawEntry]) -> bool:
        return (self._setting(entries, b"STDSTRINGS") or "on") == "on"

    def _setting(self, entries: list[RawEntry], desc: bytes) -> str | None:
        """The value that an entry sets. pg_restore refuses an archive, too, in which it is something else (processEncodingEntry)."""
        for entry in entries:
            if entry.desc == desc:
                match = _SETTINGS[desc].match(entry.definition or b"")
                if not match or entry.tag != desc:
                    raise damaged(self._cursor, f"has an entry {desc.decode()} that pg_dump does not write")
                return match[1].decode("ascii", "replace")
        if self._header.version[:2] >= V_SECTION:
            raise damaged(self._cursor, f"has no entry {desc.decode()}, which pg_dump always writes")
        return None

    def _odd(self, what: str, position: int) -> None:
        self._oddities.append(DamagedDump(f"in the header, {what}", resource=self._cursor.resource, offset=position))


def _entry(raw: RawEntry, encoding: str) -> ArchiveEntry:
    desc = _decode(raw.desc, encoding) or ""
    toc = TocEntry(
        desc=desc,
        tag=_decode(raw.tag, encoding) or "",
        schema=_decode(raw.schema, encoding),
        owner=_decode(raw.owner, encoding),
        dump_id=raw.dump_id,
        section=SECTIONS[raw.section] if raw.section else _old_section(desc),
        tablespace=_decode(raw.tablespace, encoding),
        access_method=_decode(raw.access_method, encoding),
        relkind=chr(raw.relkind) if raw.relkind else None,
        definition=_decode(raw.definition, encoding),
        copy_statement=_decode(raw.copy, encoding),
        has_data=bool(raw.had_dumper),
        dependencies=raw.dependencies,
    )
    oid = int(raw.oids[1] or 0)
    if isinstance(raw.extra, bytes):
        return ArchiveEntry(toc, raw.dump_id, oid=oid, toc_offset=raw.toc_offset, file_name=_decode(raw.extra, encoding) or "")
    return ArchiveEntry(toc, raw.dump_id, oid=oid, toc_offset=raw.toc_offset, offset=raw.extra)


def _decode(text: bytes | None, encoding: str) -> str | None:
    return decode_sql(text, encoding) if text else None


def _old_section(desc: str) -> str:
    """The section of an entry of an archive before 1.11, which does not say it."""
    if desc in _DATA_DESCS:
        return "data"
    if desc in _NO_SECTION_DESCS:
        return "none"
    return "post-data" if desc in _POST_DATA_DESCS else "pre-data"
