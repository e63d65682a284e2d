"""Header and table of contents of an archive, versions 1.10 to 1.16 (PostgreSQL 8.0 to 18): a pure parse of a stream of bytes.

The layout is that of ReadHead and ReadToc in src/bin/pg_dump/pg_backup_archiver.c. No size is believed: bytes are read in
small pieces until they are there, so that a flipped length byte ends in a DamagedDump and never in a huge allocation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from pgaudit_kit.dumps.byte_cursor import ByteCursor
from pgaudit_kit.dumps.text_encoding import UTF8, decode_sql
from pgaudit_kit.errors import DamagedDump, UnsupportedDump
from pgaudit_kit.records.toc import TocEntry

MAGIC = b"PGDMP"
OLDEST, NEWEST = (1, 10), (1, 16)
_V_SECTION, _V_ACCESS_METHOD, _V_ALGORITHM, _V_RELKIND = (1, 11), (1, 14), (1, 15), (1, 16)
_CUSTOM, _TAR_OR_DIRECTORY = 1, 3
_ALGORITHMS = ("none", "gzip", "lz4", "zstd")
_SECTIONS = {1: "none", 2: "pre-data", 3: "data", 4: "post-data"}
_DATA_DESCS = frozenset({"TABLE DATA", "BLOBS", "BLOB COMMENTS"})
_POST_DATA_DESCS = frozenset({"CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "INDEX", "RULE", "TRIGGER"})
_NO_SECTION_DESCS = frozenset({"COMMENT", "ACL", "ACL LANGUAGE"})
_NOT_SET, _SET, _NO_DATA = 1, 2, 3
_SET_VALUE = re.compile(rb"SET\s+\w+\s*=\s*'([^']*)'")
# The longest text of an entry is a definition; the server builds none above 1 GiB, and real ones stay below a few MiB.
LONGEST_TEXT = 1 << 28


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """One entry and where its data block begins: `offset` is None when the archive does not say (it was written to a pipe)."""

    toc: TocEntry
    dump_id: int
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """What stands before the data blocks of a custom archive. `data_start` is the offset of the first block."""

    version: str
    int_size: int
    compression: str
    created_at: str | None
    database: str | None
    server_version: str | None
    pg_dump_version: str | None
    encoding: str
    standard_strings: bool
    entries: tuple[ArchiveEntry, ...]
    data_start: int


@dataclass(frozen=True, slots=True)
class _RawEntry:
    dump_id: int
    has_data: bool
    section: int | None
    relkind: int
    texts: dict[str, bytes | None]
    dependencies: tuple[int, ...]
    offset: int | None


def read_archive(cursor: ByteCursor) -> Archive:
    """Return header and entries of the custom archive that *cursor* stands at the start of; it then stands at the first data block.

    Raises DamagedDump for a header or TOC that is cut short or not plausible, UnsupportedDump for an archive version or
    format that is not read.
    """
    return _ArchiveParser(cursor).parse()


class _ArchiveParser:
    def __init__(self, cursor: ByteCursor) -> None:
        self._cursor = cursor
        self._version = (0, 0)
        self._offset_size = 8

    def parse(self) -> Archive:
        cursor = self._cursor
        if cursor.take(len(MAGIC)) != MAGIC:
            raise self._damaged("does not begin with PGDMP")
        self._version = (cursor.byte(), cursor.byte())
        version = f"{self._version[0]}.{self._version[1]}.{cursor.byte()}"
        self._check_version(version)
        cursor.int_size = self._size("integer")
        self._offset_size = self._size("offset")
        self._check_format(cursor.byte())
        compression = self._compression()
        created_at = self._creation_time()
        database, server, program = (self._text() for _ in range(3))
        entries = self._entries()
        encoding = self._setting(entries, b"ENCODING") or UTF8
        return Archive(
            version=version,
            int_size=cursor.int_size,
            compression=compression,
            created_at=created_at,
            database=_decode(database, encoding),
            server_version=_decode(server, encoding),
            pg_dump_version=_decode(program, encoding),
            encoding=encoding,
            standard_strings=(self._setting(entries, b"STDSTRINGS") or "on").lower() != "off",
            entries=tuple(self._entry(raw, encoding) for raw in entries),
            data_start=cursor.position,
        )

    # ---- header

    def _check_version(self, version: str) -> None:
        if OLDEST <= self._version <= NEWEST:
            return
        resource = self._cursor.resource
        if self._version > NEWEST:
            message = f"a custom archive of version {version}, newer than PostgreSQL 18 writes (1.16)"
            raise UnsupportedDump(message, resource=resource, remedy="Check for a newer release of pgaudit_kit.")
        message = f"a custom archive of version {version}, older than PostgreSQL 8.0 writes (1.10)"
        raise UnsupportedDump(message, resource=resource, remedy="Restore it with pg_restore and dump that database again.")

    def _size(self, what: str) -> int:
        size = self._cursor.byte()
        if not 1 <= size <= 32:  # noqa: PLR2004  # the range that ReadHead accepts
            raise self._damaged(f"has an impossible {what} size of {size} bytes")
        return size

    def _check_format(self, code: int) -> None:
        if code == _TAR_OR_DIRECTORY:
            raise UnsupportedDump(
                "the toc.dat of a directory or tar archive, without the data files that belong to it",
                resource=self._cursor.resource,
                remedy="Dump again in custom format (pg_dump -Fc); directory and tar archives are not read by this version.",
            )
        if code != _CUSTOM:
            raise self._damaged(f"has an unknown format code {code}")

    def _compression(self) -> str:
        if self._version < _V_ALGORITHM:
            return "gzip" if self._cursor.integer() else "none"
        code = self._cursor.byte()
        if code >= len(_ALGORITHMS):
            raise self._damaged(f"has an unknown compression algorithm {code}")
        return _ALGORITHMS[code]

    def _creation_time(self) -> str | None:
        second, minute, hour, day, month, year, _ = (self._cursor.integer() for _ in range(7))
        try:
            return str(datetime(year + 1900, month + 1, day, hour, minute, second))  # noqa: DTZ001  # local time of an unknown zone
        except (ValueError, OverflowError):
            return None

    # ---- entries

    def _entries(self) -> list[_RawEntry]:
        count = self._cursor.integer()
        if count < 0:
            raise self._damaged(f"has an impossible count of {count} TOC entries")
        entries = []
        seen: set[int] = set()
        for number in range(1, count + 1):
            entry = self._raw_entry(number, count)
            if entry.dump_id in seen:
                raise self._damaged(f"has two TOC entries with the id {entry.dump_id}")
            seen.add(entry.dump_id)
            entries.append(entry)
        return entries

    def _raw_entry(self, number: int, count: int) -> _RawEntry:
        cursor, version = self._cursor, self._version
        dump_id = cursor.integer()
        had_dumper = cursor.integer()
        for _ in range(2):
            self._text()  # OIDs in the source database: of no use outside of it
        texts = {"tag": self._text(), "desc": self._text()}
        section = cursor.integer() if version >= _V_SECTION else None
        for name in ("definition", "drop", "copy", "schema", "tablespace"):
            texts[name] = self._text()
        texts["access_method"] = self._text() if version >= _V_ACCESS_METHOD else None
        relkind = cursor.integer() if version >= _V_RELKIND else 0
        texts["owner"] = self._text()
        self._text()  # WITH OIDS: the COPY statement says it too
        dependencies = self._dependencies()
        flag = cursor.byte()
        offset = int.from_bytes(cursor.take(self._offset_size), "little")
        plausible = dump_id > 0 and had_dumper in (0, 1) and texts["desc"] and section in (None, *_SECTIONS) and 0 <= relkind < 128  # noqa: PLR2004
        if not (plausible and flag in (_NOT_SET, _SET, _NO_DATA)):
            raise self._damaged(f"has a TOC entry that makes no sense (number {number} of {count})")
        return _RawEntry(
            dump_id, bool(had_dumper) and flag != _NO_DATA, section, relkind, texts, dependencies, offset if flag == _SET else None
        )

    def _dependencies(self) -> tuple[int, ...]:
        found = []
        while (text := self._text()) is not None:
            if not text.isdigit() or len(text) > 20:  # noqa: PLR2004  # digits of 2^64
                raise self._damaged("has a dependency that is no number")
            found.append(int(text))
        return tuple(found)

    def _entry(self, raw: _RawEntry, encoding: str) -> ArchiveEntry:
        text = {name: _decode(value, encoding) for name, value in raw.texts.items()}
        desc = text["desc"] or ""
        toc = TocEntry(
            desc=desc,
            tag=text["tag"] or "",
            schema=text["schema"],
            owner=text["owner"],
            dump_id=raw.dump_id,
            section=_SECTIONS[raw.section] if raw.section else _old_section(desc),
            tablespace=text["tablespace"],
            access_method=text["access_method"],
            relkind=chr(raw.relkind) if raw.relkind else None,
            definition=text["definition"],
            copy_statement=text["copy"],
            has_data=raw.has_data,
            dependencies=raw.dependencies,
        )
        return ArchiveEntry(toc, raw.dump_id, raw.offset)

    def _setting(self, entries: list[_RawEntry], desc: bytes) -> str | None:
        for entry in entries:
            if entry.texts["desc"] == desc:
                match = _SET_VALUE.match(entry.texts["definition"] or b"")
                return match[1].decode("ascii", "replace") if match else None
        return None

    def _text(self) -> bytes | None:
        size = self._cursor.integer()
        if size < 0:
            return None
        if size > LONGEST_TEXT:
            raise self._damaged(f"claims a text of {size:,} bytes")
        return self._cursor.take(size)

    def _damaged(self, what: str) -> DamagedDump:
        position = self._cursor.position
        remedy = "Take the dump again, or fetch the file again if it was copied."
        return DamagedDump(f"the archive {what}, near byte {position}", resource=self._cursor.resource, remedy=remedy, offset=position)


def _decode(text: bytes | None, encoding: str) -> str | None:
    return decode_sql(text, encoding) if text else None


def _old_section(desc: str) -> str:
    """The section of an entry of an archive before 1.11, which does not say it."""
    if desc in _DATA_DESCS:
        return "data"
    if desc in _NO_SECTION_DESCS:
        return "none"
    return "post-data" if desc in _POST_DATA_DESCS else "pre-data"
