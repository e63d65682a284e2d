"""The one door to all dump formats."""

from __future__ import annotations

import os

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.format_detection import detect_format
from pgaudit_kit.dumps.reader import DumpReader


def read_dump(path: str | os.PathLike[str]) -> Dump:
    """Open the dump at *path*: a plain script (bare or gzip) or a custom archive, told by what is in it, not by its name.

    Reads only what names the format, and the table of contents of an archive; the rest when it is asked for.
    Raises DumpNotFound, NotADump, UnsupportedDump, DamagedDump (an archive cut short or broken before its end of contents).
    """
    detected = detect_format(path)
    reader: DumpReader
    if detected.format == "custom":
        from pgaudit_kit.dumps.custom import CustomReader

        reader = CustomReader(detected.file)
    else:
        from pgaudit_kit.dumps.plain import PlainReader

        reader = PlainReader(detected.file, crlf=detected.crlf)
    return Dump(detected.file, reader)
