"""A custom archive, counted and hashed while pg_dump writes it: unpacking then costs no time of its own.

pg_dump writes the table of contents without the places of the data, then the data one after another, and at the end the table of contents
once more, over the first one. So the data can be read as they come, and what was found holds for the finished file when its table of
contents says the same, names the very places, and not one byte of the data has changed since.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pgaudit_kit.dumps.archives.open_archive import custom_archive
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.files.growing_place import GrowingPlace
from pgaudit_kit.dumps.files.places import LocalPlace
from pgaudit_kit.errors import PgAuditError


def read_while_written(path: Path, is_written: Callable[[], bool]) -> Dump | None:
    """Return the finished custom archive *path* with all its rows counted and hashed, once *is_written* says that it is.

    None when anything about it is not as it should be: then it is to be read as any other file, which says what.
    """
    place = GrowingPlace(path, is_written)
    try:
        early = custom_archive(DumpFile(place))
        early.hashes_rows = True
        early.contents  # noqa: B018  # read here
        whole = DumpFile(LocalPlace(path))
        finished = custom_archive(whole)
        if finished.take_over(early) and place.is_unchanged(early.archive.toc_end):
            return Dump(whole, finished)
    except PgAuditError:
        pass
    return None
