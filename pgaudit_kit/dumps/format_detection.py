"""What a file is, told from what is in it: its name and extension mean nothing."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pgaudit_kit.dumps.archive_toc import MAGIC
from pgaudit_kit.dumps.decompression import GZIP_MAGIC, DumpFile
from pgaudit_kit.dumps.not_a_dump import describe_binary, describe_text
from pgaudit_kit.errors import DamagedDump, DumpNotFound, NotADump, UnsupportedDump

HEAD_SIZE = 1 << 16
_BOM = b"\xef\xbb\xbf"
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"-\0-\0": "utf-16-le", b"\0-\0-": "utf-16-be"}
_TAR_AT = 257
_COMPRESSED = {
    b"\x04\x22\x4d\x18": ("LZ4", "lz4 -d"),
    b"\x28\xb5\x2f\xfd": ("Zstandard", "zstd -d"),
    b"\xfd7zXZ\0": ("xz", "xz -d"),
    b"BZh": ("bzip2", "bzip2 -d"),
    b"PK\x03\x04": ("zip", "unzip"),
    b"7z\xbc\xaf\x27\x1c": ("7-Zip", "7z x"),
}
_AGAIN = "Dump again in custom format (pg_dump -Fc), or as a plain script; those two are read by this version."
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
    r"""A dump that can be read. `crlf`: a script whose lines end in \r\n, as pg_dump writes to a console on Windows."""

    format: Literal["plain", "cluster", "custom"]
    file: DumpFile
    crlf: bool = False


def detect_format(path: str | os.PathLike[str]) -> Detected:
    """Return what *path* is.

    Raises DumpNotFound for a path that is not there or not readable, NotADump for anything that is no dump of PostgreSQL,
    UnsupportedDump for a dump in a form that is not read, DamagedDump for a gzip file that breaks at its beginning.
    """
    file = DumpFile(_checked(path))
    head = _head(file)
    if head.startswith(GZIP_MAGIC):
        file = replace(file, compression="gzip")
        head = _head(file)
        if head.startswith(GZIP_MAGIC):
            raise _unsupported(file, "compressed with gzip twice", "Unpack it once (gzip -d).")
    if not head:
        inside = "a gzip file with nothing in it" if file.compression == "gzip" else "an empty file"
        raise _not_a_dump(file, f"{inside}: the dump was never written, or the disk was full")
    if head.startswith(MAGIC):
        return Detected("custom", file)
    _refuse_containers(file, head)
    return _script(file, head)


def _checked(path: str | os.PathLike[str]) -> Path:
    """The path of a regular file."""
    place = Path(path)
    resource = os.fspath(path)
    try:
        if not resource or not place.exists():
            raise DumpNotFound(f"no such file: {resource!r}", resource=resource, remedy="Check the path.")
        if place.is_dir():
            raise _directory(place)
        if not place.is_file():
            raise NotADump(f"{place} is no regular file", resource=resource, remedy="Save the dump to a file first.")
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise DumpNotFound(
            f"cannot look at {resource!r}: {error}", resource=resource, remedy="Check the path and its permissions."
        ) from error
    return place


def _directory(place: Path) -> NotADump | UnsupportedDump:
    names = {entry.name for entry in place.iterdir()}
    if "toc.glo" in names:
        return UnsupportedDump(f"{place} is a cluster archive of a development version of pg_dumpall", resource=str(place), remedy=_AGAIN)
    if names & {"toc.dat", "toc.dat.gz", "toc.dat.lz4", "toc.dat.zst"}:
        return UnsupportedDump(f"{place} is a directory archive (pg_dump -Fd)", resource=str(place), remedy=_AGAIN)
    if "PG_VERSION" in names:
        what = "the data folder of a server, or a physical backup of one"
        return NotADump(f"{place} is {what}, not a dump", resource=str(place), remedy="Start a server on it and use pg_dump.")
    return NotADump(f"{place} is a directory without a toc.dat", resource=str(place), remedy="Name the dump file itself.")


def _head(file: DumpFile) -> bytes:
    """The first bytes, unwrapped."""
    head = b""
    with file.open() as stream:
        try:
            while len(head) < HEAD_SIZE and (more := stream.read(HEAD_SIZE - len(head))):
                head += more
        except DamagedDump as error:
            if not head:
                remedy = "Fetch the file again if it was copied, or take the dump again."
                raise DamagedDump(f"{file.path}: {error.message}", resource=str(file.path), remedy=remedy, offset=0) from error
    return head


def _refuse_containers(file: DumpFile, head: bytes) -> None:
    for magic, (name, program) in _COMPRESSED.items():
        if head.startswith(magic):
            raise _unsupported(file, f"compressed with {name}", f"Unpack it first ({program}); gzip is the one compression read in place.")
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        if head.startswith(b"toc.dat\0"):
            raise _unsupported(file, "a tar archive (pg_dump -Ft)", _AGAIN)
        raise _not_a_dump(file, "a tar file without a toc.dat, perhaps a physical backup (pg_basebackup) or a packed folder")


def _script(file: DumpFile, head: bytes) -> Detected:
    for start, encoding in _UTF16.items():
        if head.startswith(start):
            head = head.decode(encoding, "replace").lstrip("\ufeff").encode()
            if _is_pg_dump(head):
                remedy = "Use pg_dump -f FILE instead of a redirection in PowerShell, or convert it: iconv -f UTF-16 -t UTF-8."
                raise _unsupported(file, "a plain script in UTF-16", remedy)
    if head.startswith(_BOM):
        head = head[len(_BOM) :]
        file = replace(file, skip=len(_BOM))
    if what := describe_text(head):
        raise _not_a_dump(file, what)
    if (header := _FIRST_HEADER.search(head)) and header[1]:
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
    return UnsupportedDump(f"{file.path} is {what}", resource=str(file.path), remedy=remedy)


def _not_a_dump(file: DumpFile, what: str) -> NotADump:
    return NotADump(f"{file.path} is no dump of PostgreSQL but {what}", resource=str(file.path), remedy="Name a file that pg_dump wrote.")
