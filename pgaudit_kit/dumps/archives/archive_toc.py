"""Header and table of contents of an archive, versions 1.10 to 1.16 (PostgreSQL 8.0 to 18): a pure parse of a stream of bytes.

The layout is that of ReadHead and ReadToc in src/bin/pg_dump/pg_backup_archiver.c. No size is believed: bytes are read in
small pieces until they are there, so that a flipped length byte ends in a DamagedDump and never in a huge allocation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from pgaudit_kit.dumps.archives.byte_cursor import ByteCursor
from pgaudit_kit.dumps.text_encoding import UTF8, codec_of, decode_sql
from pgaudit_kit.errors import DamagedDump, UnsupportedDump
from pgaudit_kit.records.toc import TocEntry

MAGIC = b"PGDMP"
OLDEST, NEWEST = (1, 10), (1, 16)
_V_SECTION, _V_ACCESS_METHOD, _V_ALGORITHM, _V_RELKIND = (1, 11), (1, 14), (1, 15), (1, 16)
_FORMAT_CODES = {"custom": 1, "folder": 3}
_ALGORITHMS = ("none", "gzip", "lz4", "zstd")
_SECTIONS = {1: "none", 2: "pre-data", 3: "data", 4: "post-data"}
_DATA_DESCS = frozenset({"TABLE DATA", "BLOBS", "BLOB COMMENTS"})
_POST_DATA_DESCS = frozenset({"CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "INDEX", "RULE", "TRIGGER"})
_NO_SECTION_DESCS = frozenset({"COMMENT", "ACL", "ACL LANGUAGE"})
_NOT_SET, _SET, _NO_DATA = 1, 2, 3
_SETTINGS = {
    b"ENCODING": re.compile(rb"SET client_encoding = '([^']*)';\s*\Z"),
    b"STDSTRINGS": re.compile(rb"SET standard_conforming_strings = '(on|off)';\s*\Z"),
}
# pg_dump 18 writes these definitions only the first time it writes a table of contents (WriteToc, defnDumper)
_WRITTEN_ONCE = frozenset({b"STATISTICS DATA", b"EXTENDED STATISTICS DATA"})
# The longest text of an entry is a definition; the server builds none above 1 GiB, and real ones stay below a few MiB.
LONGEST_TEXT = 1 << 28
# Names are of 63 bytes; the longest tag is that of a function with 100 arguments.
_LONGEST_NAME = 1 << 20
# What PostgreSQL has and Python has not (src/common/encnames.c)
_OTHER_ENCODINGS = frozenset({"euctw", "muleinternal"})
_RELKINDS = frozenset({0, *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"})

Container = Literal["custom", "folder"]


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

    version: tuple[int, int, int]
    container: Container
    int_size: int
    offset_size: int
    compression: str
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


class _RawEntry(NamedTuple):
    """An entry, byte for byte. `extra` is its offset (None: not set) or its file name."""

    toc_offset: int
    dump_id: int
    had_dumper: int
    oids: tuple[bytes | None, bytes | None]
    tag: bytes | None
    desc: bytes | None
    section: int | None
    definition: bytes | None
    drop: bytes | None
    copy: bytes | None
    schema: bytes | None
    tablespace: bytes | None
    access_method: bytes | None
    relkind: int
    owner: bytes | None
    with_oids: bytes | None
    dependencies: tuple[int, ...]
    extra: int | bytes | None


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
    copies = [_EntryParser(at, archive.container, archive.version[:2], archive.offset_size) for at in (first, cursor)]
    count = first.integer()
    if cursor.integer() != count:
        return False
    for number in range(1, count + 1):
        original = copies[0].entry(number, count)
        again = copies[1].entry(number, count, written_again=True)
        definition = again.definition if original.desc in _WRITTEN_ONCE else original.definition
        expected = original._replace(definition=definition, toc_offset=again.toc_offset, extra=offsets.get(original.dump_id))
        if again != expected:
            return False
    return True


class _ArchiveParser:
    def __init__(self, cursor: ByteCursor, container: Container) -> None:
        self._cursor = cursor
        self._container = container
        self._version = (0, 0)
        self._oddities: list[DamagedDump] = []

    def parse(self) -> Archive:
        cursor = self._cursor
        if cursor.take(len(MAGIC)) != MAGIC:
            raise _damaged(cursor, "does not begin with PGDMP")
        self._version = (cursor.byte(), cursor.byte())
        version = (*self._version, cursor.byte())
        self._check_version(".".join(map(str, version)))
        cursor.set_int_size(self._size("integer"))
        offset_size = self._size("offset")
        self._check_format(cursor.byte())
        compression = self._compression()
        created_at = self._creation_time()
        database, server, program = (cursor.text(_LONGEST_NAME) for _ in range(3))
        toc_start = cursor.position
        entries = self._entries(_EntryParser(cursor, self._container, self._version, offset_size))
        toc_end = cursor.position
        encoding = self._encoding(entries)
        return Archive(
            version=version,
            container=self._container,
            int_size=cursor.int_size,
            offset_size=offset_size,
            compression=compression,
            created_at=created_at,
            database=_decode(database, encoding),
            server_version=_decode(server, encoding),
            pg_dump_version=_decode(program, encoding),
            encoding=encoding,
            standard_strings=self._standard_strings(entries),
            entries=tuple(_entry(raw, encoding) for raw in entries),
            toc_start=toc_start,
            toc_end=toc_end,
            oddities=tuple(self._oddities),
        )

    # ---- header

    def _check_version(self, version: str) -> None:
        if OLDEST <= self._version <= NEWEST:
            return
        resource = self._cursor.resource
        if self._version > NEWEST:
            message = f"an archive of version {version}, newer than PostgreSQL 18 writes (1.16)"
            raise UnsupportedDump(message, resource=resource, remedy="Check for a newer release of pgaudit_kit.")
        message = f"an archive of version {version}, older than PostgreSQL 8.0 writes (1.10)"
        raise UnsupportedDump(message, resource=resource, remedy="Restore it with pg_restore and dump that database again.")

    def _size(self, what: str) -> int:
        size = self._cursor.byte()
        if not 1 <= size <= 32:  # noqa: PLR2004  # the range that ReadHead accepts
            raise _damaged(self._cursor, f"has an impossible {what} size of {size} bytes")
        return size

    def _check_format(self, code: int) -> None:
        if code == _FORMAT_CODES[self._container]:
            return
        if code == _FORMAT_CODES["folder"]:
            raise UnsupportedDump(
                "the toc.dat of a directory or tar archive, without the data files that belong to it",
                resource=self._cursor.resource,
                remedy="Name the directory that it lies in, or the tar file.",
            )
        raise _damaged(self._cursor, f"has the format code {code}, which does not belong here")

    def _compression(self) -> str:
        position = self._cursor.position
        if self._version < _V_ALGORITHM:
            level = self._cursor.integer()
            if not -1 <= level <= 9:  # noqa: PLR2004  # the levels of zlib
                self._odd(f"the level of compression is {level}", position)
            return "gzip" if level else "none"
        code = self._cursor.byte()
        if code >= len(_ALGORITHMS):
            raise _damaged(self._cursor, f"has an unknown compression algorithm {code}")
        return _ALGORITHMS[code]

    def _creation_time(self) -> str | None:
        position = self._cursor.position
        second, minute, hour, day, month, year, summer = (self._cursor.integer() for _ in range(7))
        if summer not in (-1, 0, 1):
            self._odd("the time of its creation has an impossible flag of summer time", position)
        try:
            # a leap second would be 60; local time of an unknown zone
            return str(datetime(year + 1900, month + 1, day, hour, minute, min(second, 59) if second == 60 else second))  # noqa: DTZ001, PLR2004
        except (ValueError, OverflowError):
            self._odd("the time of its creation is none", position)
            return None

    # ---- entries

    def _entries(self, parser: _EntryParser) -> list[_RawEntry]:
        count = self._cursor.integer()
        if count < 0:
            raise _damaged(self._cursor, f"has an impossible count of {count} TOC entries")
        entries = []
        seen: set[int] = set()
        for number in range(1, count + 1):
            entry = parser.entry(number, count)
            if entry.dump_id in seen:
                raise _damaged(self._cursor, f"has two TOC entries with the id {entry.dump_id}")
            seen.add(entry.dump_id)
            entries.append(entry)
        return entries

    def _encoding(self, entries: list[_RawEntry]) -> str:
        encoding = self._setting(entries, b"ENCODING") or UTF8
        if codec_of(encoding) is None and re.sub(r"[^a-z0-9]", "", encoding.lower()) not in _OTHER_ENCODINGS:
            raise _damaged(self._cursor, f"is said to be in an encoding that PostgreSQL does not have: {encoding!r}")
        return encoding

    def _standard_strings(self, entries: list[_RawEntry]) -> bool:
        return (self._setting(entries, b"STDSTRINGS") or "on") == "on"

    def _setting(self, entries: list[_RawEntry], desc: bytes) -> str | None:
        """The value that an entry sets. pg_restore refuses an archive, too, in which it is something else (processEncodingEntry)."""
        for entry in entries:
            if entry.desc == desc:
                match = _SETTINGS[desc].match(entry.definition or b"")
                if not match or entry.tag != desc:
                    raise _damaged(self._cursor, f"has an entry {desc.decode()} that pg_dump does not write")
                return match[1].decode("ascii", "replace")
        if self._version >= _V_SECTION:
            raise _damaged(self._cursor, f"has no entry {desc.decode()}, which pg_dump always writes")
        return None

    def _odd(self, what: str, position: int) -> None:
        self._oddities.append(DamagedDump(f"in the header, {what}", resource=self._cursor.resource, offset=position))


class _EntryParser:
    """Reads entries of one layout."""

    def __init__(self, cursor: ByteCursor, container: Container, version: tuple[int, ...], offset_size: int) -> None:
        self._cursor = cursor
        self._container = container
        self._has_section = version >= _V_SECTION
        self._has_access_method = version >= _V_ACCESS_METHOD
        self._has_relkind = version >= _V_RELKIND
        self._offset_size = offset_size

    def entry(self, number: int, count: int, *, written_again: bool = False) -> _RawEntry:
        """The next entry, which is *number* of *count*. Raises DamagedDump for one that no pg_dump writes."""
        cursor = self._cursor
        text, integer = cursor.text, cursor.integer
        toc_offset = cursor.position
        dump_id, had_dumper = integer(), integer()
        oids = (text(_LONGEST_NAME), text(_LONGEST_NAME))
        tag, desc = text(_LONGEST_NAME), text(_LONGEST_NAME)
        raw = _RawEntry(
            toc_offset,
            dump_id,
            had_dumper,
            oids,
            tag,
            desc,
            integer() if self._has_section else None,
            None if written_again and desc in _WRITTEN_ONCE else text(LONGEST_TEXT),
            text(LONGEST_TEXT),
            text(LONGEST_TEXT),
            text(_LONGEST_NAME),
            text(_LONGEST_NAME),
            text(_LONGEST_NAME) if self._has_access_method else None,
            integer() if self._has_relkind else 0,
            text(_LONGEST_NAME),
            text(_LONGEST_NAME),
            self._dependencies(),
            self._extra(bool(had_dumper)) if self._container == "custom" else text(_LONGEST_NAME),
        )
        if not _is_plausible(raw):
            raise _damaged(cursor, f"has a TOC entry that makes no sense (number {number} of {count}, from byte {toc_offset:,} on)")
        return raw

    def _dependencies(self) -> tuple[int, ...]:
        found = []
        while (text := self._cursor.text(_LONGEST_NAME)) is not None:
            if not text.isdigit() or len(text) > 20:  # noqa: PLR2004  # digits of 2^64
                raise _damaged(self._cursor, "has a dependency that is no number")
            found.append(int(text))
        return tuple(found)

    def _extra(self, has_data: bool) -> int | None:  # noqa: FBT001  # private, and named by its one caller
        """The offset of the data block; None when it is not set, as for all entries without data."""
        flag = self._cursor.byte()
        offset = int.from_bytes(self._cursor.take(self._offset_size), "little")
        expected = (_NOT_SET, _SET) if has_data else (_NO_DATA,)
        if flag not in expected or (flag != _SET and offset):
            raise _damaged(self._cursor, "has a TOC entry that contradicts itself about its data")
        return offset if flag == _SET else None


def _is_plausible(raw: _RawEntry) -> bool:
    """Whether the entry's numbers and flags are such as pg_dump writes (WriteToc)."""
    has_data = bool(raw.had_dumper)
    return (
        raw.dump_id > 0
        and raw.had_dumper in (0, 1)
        and bool(raw.desc)
        and (raw.section is None or (raw.section == 3 if has_data else raw.section in _SECTIONS))  # noqa: PLR2004  # data
        and raw.relkind in _RELKINDS
        and raw.with_oids in (b"true", b"false")
        and all(oid and oid.isdigit() and len(oid) <= 10 for oid in raw.oids)  # noqa: PLR2004  # digits of 2^32
        and (not isinstance(raw.extra, bytes) or bool(raw.extra) == has_data)
    )


def _entry(raw: _RawEntry, encoding: str) -> ArchiveEntry:
    desc = _decode(raw.desc, encoding) or ""
    toc = TocEntry(
        desc=desc,
        tag=_decode(raw.tag, encoding) or "",
        schema=_decode(raw.schema, encoding),
        owner=_decode(raw.owner, encoding),
        dump_id=raw.dump_id,
        section=_SECTIONS[raw.section] if raw.section else _old_section(desc),
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


def _damaged(cursor: ByteCursor, what: str) -> DamagedDump:
    position = cursor.position
    remedy = "Take the dump again, or fetch the file again if it was copied."
    return DamagedDump(f"the archive {what}, near byte {position:,}", resource=cursor.resource, remedy=remedy, offset=position)
