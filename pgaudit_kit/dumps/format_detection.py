"""What a file is, told from what is in it: its name and extension mean nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from pgaudit_kit.dumps.archives.raw_toc import MAGIC
from pgaudit_kit.dumps.files.age import can_open
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.files.folders import Folder
from pgaudit_kit.dumps.files.locating import Given, locate
from pgaudit_kit.dumps.files.wrapping import Wrapping, wrapping_of
from pgaudit_kit.dumps.files.zip_directory import names_in_zip
from pgaudit_kit.dumps.incremental.index_file import MAGIC as INCREMENTAL
from pgaudit_kit.dumps.not_a_dump import (
    NAME_A_DUMP,
    LooksLike,
    describe_binary,
    describe_folder,
    describe_sealed,
    describe_tar,
    describe_text,
    describe_zip,
    is_archive_tar,
)
from pgaudit_kit.dumps.scripts.foreign_text import MESSAGE
from pgaudit_kit.errors import DamagedDump, NotADump, UnsupportedDump

HEAD_SIZE = 1 << 16
MOST_WRAPPINGS = 4
_BOM = b"\xef\xbb\xbf"
_TAR_AT = 257
_FORMAT_AT = 10  # in the header of an archive: 1 custom, 3 (tar) in the toc.dat of directory and tar archives
_CUSTOM = 1
TOC_FILES = ("toc.dat", "toc.dat.gz", "toc.dat.lz4", "toc.dat.zst")
_AGAIN = "Dump each database by itself with pg_dump, or all with pg_dumpall as a script."
_FIRST_HEADER = re.compile(rb"^-- PostgreSQL database (cluster )?dump\r?$", re.MULTILINE)
_RESTORE_SQL = re.compile(rb"\A--\r?\n-- NOTE:\r?\n--")
# Each alone is written by pg_dump and by nobody else: the frame, the versions, the comment of an entry …
_MARKS = re.compile(
    rb"^-- (?:PostgreSQL database dump|Dumped from database version .*|Dumped by pg_dump version .*"
    rb"|(?:Data for |Statistics for )?Name: .*; Type: [A-Z].*; Schema: .*; Owner: .*)\r?$",
    re.MULTILINE,
)
# … and where all comments were taken away, the settings that every pg_dump since 8.x begins with.
_PREAMBLE = tuple(
    re.compile(rb"^SET " + line, re.MULTILINE)
    for line in (rb"statement_timeout = 0;", rb"client_encoding = '\w+';", rb"check_function_bodies = false;", rb"client_min_messages = ")
)


@dataclass(frozen=True, slots=True)
class Detected:
    r"""A dump that can be read. `crlf`: its lines end in \r\n. `folder`: that of a directory archive, whose toc.dat is `file`."""

    format: Literal["plain", "cluster", "custom", "directory", "tar", "incremental"]
    file: DumpFile
    crlf: bool = False
    folder: Folder | None = None


def detect_format(given: Given, *, unpacked_limit: int | None = None) -> Detected:
    """Return what *given* (a path, a URL, an open binary stream) is, without the wrappings around it.

    Raises the errors of `locate`, NotADump for anything that is no dump of PostgreSQL, UnsupportedDump for a dump in a form that is
    not read, DamagedDump for a wrapping that breaks at its beginning.
    """
    place = locate(given, unpacked_limit=unpacked_limit)
    if not isinstance(place, DumpFile):
        return _directory(place)
    file, head = _unwrapped(place)
    if not head:
        wrapped = f"a {file.wrappings[-1]} file with nothing in it" if file.wrappings else "an empty file"
        raise _not_a_dump(file, f"{wrapped}: the dump was never written, or the disk was full")
    if head.startswith(MAGIC):
        return _archive(file, head)
    if head.startswith(INCREMENTAL):
        return Detected("incremental", file)
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return _tar(file, head)
    if sealed := describe_sealed(head):
        raise _refused(file, sealed)
    return _script(file, head)


def _unwrapped(file: DumpFile) -> tuple[DumpFile, bytes]:
    """What is inside of all wrappings, and its first bytes."""
    head = _head(file)
    for _ in range(MOST_WRAPPINGS):
        if not (wrapping := wrapping_of(head)) or (wrapping == "age" and not can_open()):
            return file, head
        if wrapping == "zip" and not file.wrappings and (names := names_in_zip(file)) is not None and (looks := describe_zip(names)):
            raise _refused(file, looks)
        file = file.unpacked(wrapping)
        head = _head_inside(file, wrapping)
    if wrapping_of(head):
        raise _unsupported(file, f"wrapped more than {MOST_WRAPPINGS} times ({file.compression})", "Unpack it first.")
    return file, head


def _head_inside(file: DumpFile, wrapping: Wrapping) -> bytes:
    head = _head(file)
    if wrapping.startswith("utf-16") and head.startswith(MAGIC):
        what = "an archive whose bytes a redirection in PowerShell has changed for ever"
        raise _unsupported(file, what, "Dump again with pg_dump -f FILE instead of > FILE.")
    return head


def _head(file: DumpFile) -> bytes:
    """The first bytes."""
    head = b""
    try:
        with replace(file).open() as stream:  # a copy, which keeps no stream for the next one: thousands of dumps may be looked at
            while len(head) < HEAD_SIZE and (more := stream.read(HEAD_SIZE - len(head))):
                head += more
    except DamagedDump as error:
        if not head:
            remedy = "Fetch the file again if it was copied, or take the dump again."
            raise DamagedDump(f"{file.resource}: {error.message}", resource=file.resource, remedy=remedy, offset=0) from error
    return head


def _directory(folder: Folder) -> Detected:
    names = folder.names()
    if "toc.glo" in names:
        raise UnsupportedDump(
            f"{folder.resource} is a cluster archive of a development version of pg_dumpall", resource=folder.resource, remedy=_AGAIN
        )
    if toc := next((name for name in TOC_FILES if name in names), None):
        file, _ = _unwrapped(folder.file(toc))
        return Detected("directory", file, folder=folder)
    raise _refused(folder, describe_folder(names))


def _archive(file: DumpFile, head: bytes) -> Detected:
    if len(head) > _FORMAT_AT and head[_FORMAT_AT] != _CUSTOM:
        what = "a toc.dat, the table of contents of a directory archive or a tar archive, without the data"
        raise _unsupported(file, what, "Name the folder that it lies in, or the tar file that it came out of.")
    return Detected("custom", file)


def _tar(file: DumpFile, head: bytes) -> Detected:
    if is_archive_tar(head):
        return Detected("tar", file)
    raise _refused(file, describe_tar(head))


def _script(file: DumpFile, head: bytes) -> Detected:
    if head.startswith(_BOM):
        head = head[len(_BOM) :]
        file = file.without_first(len(_BOM))
    header = _FIRST_HEADER.search(head)
    # messages of pg_dump before the first line of a dump do not make it none: they are told as its damage
    if (what := describe_text(head)) and not (header and MESSAGE.match(head)):
        raise _not_a_dump(file, what)
    if header and header[1]:
        return Detected("cluster", file, crlf=_has_crlf(head))
    if _RESTORE_SQL.match(head):
        raise _unsupported(file, "the restore.sql out of a tar archive, which has no rows in it", "Use the archive itself.")
    if not _is_pg_dump(head):
        raise _not_a_dump(file, describe_binary(head))
    return Detected("plain", file, crlf=_has_crlf(head))


def _is_pg_dump(head: bytes) -> bool:
    return bool(_MARKS.search(head)) or all(line.search(head) for line in _PREAMBLE)


def _has_crlf(head: bytes) -> bool:
    lines = head.count(b"\n")
    return bool(lines) and head.count(b"\r\n") == lines


def _unsupported(file: DumpFile, what: str, remedy: str) -> UnsupportedDump:
    return UnsupportedDump(f"{file.resource} is {what}", resource=file.resource, remedy=remedy)


def _not_a_dump(file: DumpFile, what: str) -> NotADump:
    return NotADump(f"{file.resource} is no dump of PostgreSQL but {what}", resource=file.resource, remedy=NAME_A_DUMP)


def _refused(given: DumpFile | Folder, looks: LooksLike) -> DamagedDump | UnsupportedDump | NotADump:
    kind = DamagedDump if looks.damaged else UnsupportedDump if looks.dump_inside else NotADump
    return kind(f"{given.resource} is {looks.what}", resource=given.resource, remedy=looks.remedy)
