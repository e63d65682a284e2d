"""The names in a .zip file, from the directory at its end (PKWARE APPNOTE.TXT, 4.3.12)."""

from __future__ import annotations

import re

from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.files.zip_member import CENTRAL, END, END_AT_MOST, END_HEAD, IN_EXTRA, OF_MACOS

_ENDS_OF_ZIP64 = 76  # what stands between the directory and the end when zip64 was meant to be possible
_DIRECTORY_ENTRY = re.compile(rb"PK\x01\x02.{24}(..).{16}", re.DOTALL)  # the length of the name, which follows


def names_in_zip(file: DumpFile) -> list[str] | None:
    """The names of the files in a bare zip file, from its directory, which is at its end; None when there is none.

    Raises DumpNotFound, DamagedDump as reading does.
    """
    size = file.size_bytes
    start = max(0, size - END_AT_MOST)
    tail = _read(file, start, size - start)
    at = tail.rfind(END)
    if at < 0 or len(tail) - at < END_HEAD.size:
        return None
    entries, length, offset, _ = END_HEAD.unpack_from(tail, at)
    if IN_EXTRA in (offset, length):  # what stands before the end is enough to see how many there are
        listed = tail[max(0, tail.find(CENTRAL)) : at]
    else:
        listed = _read(file, start + at - length - _ENDS_OF_ZIP64, min(length + _ENDS_OF_ZIP64, END_AT_MOST))
    names = [
        listed[found.end() : found.end() + int.from_bytes(found[1], "little")].decode("utf-8", "replace")
        for found in _DIRECTORY_ENTRY.finditer(listed)
    ]
    if entries and not names:
        return None
    return [name for name in names if not name.endswith("/") and not name.startswith(OF_MACOS.decode())]


def _read(file: DumpFile, offset: int, size: int) -> bytes:
    read = b""
    with file.open(max(0, offset)) as stream:
        while len(read) < size and (more := stream.read(size - len(read))):
            read += more
    return read
