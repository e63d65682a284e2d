"""Header and entries of an archive byte for byte, versions 1.10 to 1.16 (PostgreSQL 8.0 to 18): what `toc_writer` writes again.

The layout is that of ReadHead and ReadToc in src/bin/pg_dump/pg_backup_archiver.c. No size is believed: bytes are read in
small pieces until they are there, so that a flipped length byte ends in a DamagedDump and never in a huge allocation.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from pgaudit_kit.dumps.archives.byte_cursor import ByteCursor
from pgaudit_kit.errors import DamagedDump, UnsupportedDump

MAGIC = b"PGDMP"
OLDEST, NEWEST = (1, 10), (1, 16)
V_SECTION, V_ACCESS_METHOD, V_ALGORITHM, V_RELKIND = (1, 11), (1, 14), (1, 15), (1, 16)
FORMAT_CODES = {"custom": 1, "folder": 3}
ALGORITHMS = ("none", "gzip", "lz4", "zstd")
SECTIONS = {1: "none", 2: "pre-data", 3: "data", 4: "post-data"}
NOT_SET, SET, NO_DATA = 1, 2, 3
# pg_dump 18 writes these definitions only the first time it writes a table of contents (WriteToc, defnDumper)
WRITTEN_ONCE = frozenset({b"STATISTICS DATA", b"EXTENDED STATISTICS DATA"})
# The longest text of an entry is a definition; the server builds none above 1 GiB, and real ones stay below a few MiB.
LONGEST_TEXT = 1 << 28
# Names are of 63 bytes; the longest tag is that of a function with 100 arguments.
_LONGEST_NAME = 1 << 20
_RELKINDS = frozenset({0, *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"})

Container = Literal["custom", "folder"]


class RawHeader(NamedTuple):
    """What stands before the entries. `compression`: the level up to version 1.14, the code of the algorithm from 1.15 on.

    `created`: second, minute, hour, day, month, year, flag of summer time, as C counts them. The offsets say where the two stand.
    """

    version: tuple[int, int, int]
    int_size: int
    offset_size: int
    container: Container
    compression: int
    created: tuple[int, ...]
    database: bytes | None
    server_version: bytes | None
    pg_dump_version: bytes | None
    compression_offset: int = 0
    created_offset: int = 0

    @property
    def algorithm(self) -> str:
        """How the data of a custom archive are compressed: none, gzip, lz4, zstd."""
        if self.version[:2] < V_ALGORITHM:
            return "gzip" if self.compression else "none"
        return ALGORITHMS[self.compression]


class RawEntry(NamedTuple):
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


RawToc: TypeAlias = tuple[RawHeader, list[RawEntry]]


def read_raw_header(cursor: ByteCursor, container: Container) -> RawHeader:
    """Return the header that *cursor* stands at, which then stands before the count of the entries. Raises as `read_archive` does."""
    return _HeaderParser(cursor, container).parse()


def read_raw_entries(cursor: ByteCursor, header: RawHeader) -> list[RawEntry]:
    """Return the entries behind *header*; the *cursor* then stands behind the last one. Raises DamagedDump."""
    count = cursor.integer()
    if count < 0:
        raise damaged(cursor, f"has an impossible count of {count} TOC entries")
    parser = EntryParser(cursor, header)
    entries = []
    seen: set[int] = set()
    for number in range(1, count + 1):
        entry = parser.entry(number, count)
        if entry.dump_id in seen:
            raise damaged(cursor, f"has two TOC entries with the id {entry.dump_id}")
        seen.add(entry.dump_id)
        entries.append(entry)
    return entries


class _HeaderParser:
    def __init__(self, cursor: ByteCursor, container: Container) -> None:
        self._cursor = cursor
        self._container = container
        self._version = (0, 0)

    def parse(self) -> RawHeader:
        cursor = self._cursor
        if cursor.take(len(MAGIC)) != MAGIC:
            raise damaged(cursor, "does not begin with PGDMP")
        self._version = (cursor.byte(), cursor.byte())
        version = (*self._version, cursor.byte())
        self._check_version(".".join(map(str, version)))
        cursor.set_int_size(self._size("integer"))
        offset_size = self._size("offset")
        self._check_format(cursor.byte())
        compression_offset = cursor.position
        compression = self._compression()
        created_offset = cursor.position
        created = tuple(cursor.integer() for _ in range(7))
        names = (cursor.text(_LONGEST_NAME), cursor.text(_LONGEST_NAME), cursor.text(_LONGEST_NAME))
        return RawHeader(
            version, cursor.int_size, offset_size, self._container, compression, created, *names, compression_offset, created_offset
        )

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
            raise damaged(self._cursor, f"has an impossible {what} size of {size} bytes")
        return size

    def _check_format(self, code: int) -> None:
        if code == FORMAT_CODES[self._container]:
            return
        if code == FORMAT_CODES["folder"]:
            raise UnsupportedDump(
                "the toc.dat of a directory or tar archive, without the data files that belong to it",
                resource=self._cursor.resource,
                remedy="Name the directory that it lies in, or the tar file.",
            )
        raise damaged(self._cursor, f"has the format code {code}, which does not belong here")

    def _compression(self) -> int:
        if self._version < V_ALGORITHM:
            return self._cursor.integer()
        code = self._cursor.byte()
        if code >= len(ALGORITHMS):
            raise damaged(self._cursor, f"has an unknown compression algorithm {code}")
        return code


class EntryParser:
    """Reads the entries behind *header* with *cursor*."""

    def __init__(self, cursor: ByteCursor, header: RawHeader) -> None:
        version = header.version[:2]
        self._cursor = cursor
        self._container = header.container
        self._has_section = version >= V_SECTION
        self._has_access_method = version >= V_ACCESS_METHOD
        self._has_relkind = version >= V_RELKIND
        self._offset_size = header.offset_size

    def entry(self, number: int, count: int, *, written_again: bool = False) -> RawEntry:
        """The next entry, which is *number* of *count*. Raises DamagedDump for one that no pg_dump writes."""
        cursor = self._cursor
        text, integer = cursor.text, cursor.integer
        toc_offset = cursor.position
        dump_id, had_dumper = integer(), integer()
        oids = (text(_LONGEST_NAME), text(_LONGEST_NAME))
        tag, desc = text(_LONGEST_NAME), text(_LONGEST_NAME)
        raw = RawEntry(
            toc_offset,
            dump_id,
            had_dumper,
            oids,
            tag,
            desc,
            integer() if self._has_section else None,
            None if written_again and desc in WRITTEN_ONCE else text(LONGEST_TEXT),
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
            raise damaged(cursor, f"has a TOC entry that makes no sense (number {number} of {count}, from byte {toc_offset:,} on)")
        return raw

    def _dependencies(self) -> tuple[int, ...]:
        found = []
        while (text := self._cursor.text(_LONGEST_NAME)) is not None:
            if not text.isdigit() or len(text) > 20:  # noqa: PLR2004  # digits of 2^64
                raise damaged(self._cursor, "has a dependency that is no number")
            found.append(int(text))
        return tuple(found)

    def _extra(self, has_data: bool) -> int | None:  # noqa: FBT001  # private, and named by its one caller
        """The offset of the data block; None when it is not set, as for all entries without data."""
        flag = self._cursor.byte()
        offset = int.from_bytes(self._cursor.take(self._offset_size), "little")
        expected = (NOT_SET, SET) if has_data else (NO_DATA,)
        if flag not in expected or (flag != SET and offset):
            raise damaged(self._cursor, "has a TOC entry that contradicts itself about its data")
        return offset if flag == SET else None


def _is_plausible(raw: RawEntry) -> bool:
    """Whether the entry's numbers and flags are such as pg_dump writes (WriteToc)."""
    has_data = bool(raw.had_dumper)
    return (
        raw.dump_id > 0
        and raw.had_dumper in (0, 1)
        and bool(raw.desc)
        and (raw.section is None or (raw.section == 3 if has_data else raw.section in SECTIONS))  # noqa: PLR2004  # data
        and raw.relkind in _RELKINDS
        and raw.with_oids in (b"true", b"false")
        and all(oid and oid.isdigit() and len(oid) <= 10 for oid in raw.oids)  # noqa: PLR2004  # digits of 2^32
        and (not isinstance(raw.extra, bytes) or bool(raw.extra) == has_data)
    )


def damaged(cursor: ByteCursor, what: str) -> DamagedDump:
    """The error that says *what* is broken where *cursor* stands."""
    position = cursor.position
    remedy = "Take the dump again, or fetch the file again if it was copied."
    return DamagedDump(f"the archive {what}, near byte {position:,}", resource=cursor.resource, remedy=remedy, offset=position)
