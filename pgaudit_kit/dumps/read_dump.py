"""The one door to all dump formats."""

from __future__ import annotations

import os
import re
from typing import Any

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.locating import Given
from pgaudit_kit.dumps.format_detection import Detected, detect_format
from pgaudit_kit.dumps.reader import DumpReader
from pgaudit_kit.errors import DumpNotFound, UsageError

_WEB = re.compile("https?://", re.IGNORECASE)


def read_dump(given: Given, *, unpacked_limit: int | None = None) -> Dump:
    """Open the dump that *given* names: told by what is in it, not by its name.

    *given*: a path; a URL (http, https, and whatever fsspec knows: `s3://`, `memory://` …); or an open binary stream, read from
    its byte 0 on and left open; one that cannot seek (a pipe) is copied to an anonymous file on disk first. What it holds may be
    wrapped in gzip, zstd, lz4, xz, bzip2 or a .zip file with one member, also one inside of another, and a script may be UTF-16.
    *unpacked_limit*: bytes that may come out of a wrapping, by default the environment's PGAUDIT_UNPACKED_LIMIT, or else the
    larger of 64 GiB and 2,000 times the packed size.

    A script of pg_dumpall gives a `ClusterDump`; `path#database` gives the Dump of one database in it, unless a file really has
    that name. Reads only what names the format, and the table of contents of an archive; the rest when it is asked for.
    Raises DumpNotFound, NotADump, UnsupportedDump, DamagedDump (an archive cut short or broken before its end of contents),
    UsageError (no such database in the script, an unknown kind of URL, a limit that is none).
    """
    detected, database = _detected(given, unpacked_limit)
    if database is not None:
        return _one_database(detected, database)
    if detected.format == "cluster":
        from pgaudit_kit.dumps.scripts.cluster import ClusterDump

        return ClusterDump(detected.file)
    return Dump(detected.folder or detected.file, _reader(detected))


def _reader(detected: Detected) -> DumpReader:
    if detected.format == "plain":
        from pgaudit_kit.dumps.scripts.plain import PlainReader

        return PlainReader(detected.file, crlf=detected.crlf)
    from pgaudit_kit.dumps.archives.open_archive import custom_archive, directory_archive, tar_archive
    from pgaudit_kit.dumps.archives.tar_folder import TarFolder

    if detected.format == "incremental":
        from pgaudit_kit.dumps.incremental.incremental import incremental_backup

        return incremental_backup(detected.file)
    if detected.folder:
        return directory_archive(detected.folder)
    return custom_archive(detected.file) if detected.format == "custom" else tar_archive(TarFolder(detected.file))


def _detected(given: Given, unpacked_limit: int | None) -> tuple[Detected, str | None]:
    """What *given* is, and the database that stands behind a # when no file has the whole name."""
    if isinstance(given, str) and _WEB.match(given) and "#" in given:  # no name there has a # in it, and no server is told what follows
        place, _, fragment = given.partition("#")
        return detect_format(place, unpacked_limit=unpacked_limit), fragment
    try:
        return detect_format(given, unpacked_limit=unpacked_limit), None
    except DumpNotFound:
        text: Any = os.fspath(given) if isinstance(given, str | os.PathLike) else ""
        at = text.find("#", 1)
        while at > 0:
            try:
                return detect_format(text[:at], unpacked_limit=unpacked_limit), text[at + 1 :]
            except DumpNotFound:
                at = text.find("#", at + 1)
        raise


def _one_database(detected: Detected, database: str) -> Dump:
    resource = (detected.folder or detected.file).resource
    if detected.format not in ("cluster", "plain"):
        raise UsageError(f"{resource} is a dump of one database", resource=resource, remedy=f"Leave out #{database}.")
    from pgaudit_kit.dumps.scripts.cluster import ClusterDump

    databases = ClusterDump(detected.file).databases
    if database not in databases:
        known = ", ".join(databases) or "no database at all"
        raise UsageError(f"no dump of database {database!r} in this script", resource=resource, remedy=f"It has {known}.")
    return databases[database]
