"""The one door to all dump formats."""

from __future__ import annotations

import os

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.format_detection import Detected, detect_format
from pgaudit_kit.dumps.reader import DumpReader
from pgaudit_kit.errors import DumpNotFound, UsageError


def read_dump(path: str | os.PathLike[str]) -> Dump:
    """Open the dump at *path*: a plain script (bare or gzip) or a custom archive, told by what is in it, not by its name.

    A script of pg_dumpall gives a `ClusterDump`; `path#database` gives the Dump of one database in it, unless a file really has
    that name. Reads only what names the format, and the table of contents of an archive; the rest when it is asked for.
    Raises DumpNotFound, NotADump, UnsupportedDump, DamagedDump (an archive cut short or broken before its end of contents),
    UsageError (no such database in the script).
    """
    detected, database = _detected(path)
    reader: DumpReader
    if database is not None:
        return _one_database(detected, database)
    if detected.format == "cluster":
        from pgaudit_kit.dumps.cluster import ClusterDump

        return ClusterDump(detected.file)
    if detected.format == "custom":
        from pgaudit_kit.dumps.custom import CustomReader

        reader = CustomReader(detected.file)
    else:
        from pgaudit_kit.dumps.plain import PlainReader

        reader = PlainReader(detected.file, crlf=detected.crlf)
    return Dump(detected.file, reader)


def _detected(path: str | os.PathLike[str]) -> tuple[Detected, str | None]:
    """What is at *path*, and the database that stands behind a # when no file has the whole name."""
    try:
        return detect_format(path), None
    except DumpNotFound:
        text = os.fspath(path)
        at = text.find("#", 1)
        while at > 0:
            try:
                return detect_format(text[:at]), text[at + 1 :]
            except DumpNotFound:
                at = text.find("#", at + 1)
        raise


def _one_database(detected: Detected, database: str) -> Dump:
    resource = str(detected.file.path)
    if detected.format not in ("cluster", "plain"):
        raise UsageError(f"{resource} is a dump of one database", resource=resource, remedy=f"Leave out #{database}.")
    from pgaudit_kit.dumps.cluster import ClusterDump

    databases = ClusterDump(detected.file).databases
    if database not in databases:
        known = ", ".join(databases) or "no database at all"
        raise UsageError(f"no dump of database {database!r} in this script", resource=resource, remedy=f"It has {known}.")
    return databases[database]
