"""What the folders of migration tools have in common: files that a pattern names, their texts, checksums of both line ends."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from pgaudit_kit.errors import UsageError
from pgaudit_kit.migration_tools.tool import MigrationFiles, Tool

LIBRARIES = frozenset({"node_modules", "site-packages", "dist-packages", "__pycache__", "venv"})  # they bring migrations of their own
LARGEST = 64 << 20  # nobody writes a migration of this size; a folder that was named by mistake may hold anything


def files_matching(folder: Path, pattern: re.Pattern[str], *, below: bool = False) -> Iterator[tuple[Path, re.Match[str]]]:
    """Yield the files of *folder* (and *below* it) whose whole name *pattern* matches, by their paths.

    Hidden ones are passed over, and those of libraries; links to folders are not followed.
    """
    found = []
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if below and not name.startswith(".") and name not in LIBRARIES]
        found += [(Path(path, name), match) for name in names if not name.startswith(".") and (match := pattern.fullmatch(name))]
    found.sort(key=lambda one: one[0].relative_to(folder).parts)
    return ((path, match) for path, match in found if path.is_file())


def read_bytes(path: Path) -> bytes:
    """Return the content of *path*. Raises OSError; of a file that is too large for a migration, too."""
    if path.stat().st_size > LARGEST:
        raise OSError(0, "too large for a migration", str(path))
    return path.read_bytes()


def text_of(content: bytes) -> str:
    """Return *content* as text: UTF-8, without a byte order mark; what is not UTF-8 becomes U+FFFD."""
    return content.decode("utf-8", "replace").removeprefix("\ufeff")


def checksums(content: bytes, digest: Callable[[bytes], str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the *digest* of *content*, and those that it would have with the other line ends."""
    line_feeds = content.replace(b"\r\n", b"\n")
    own = digest(content)
    others = {digest(line_feeds), digest(line_feeds.replace(b"\n", b"\r\n"))}
    return frozenset({own}), frozenset(others - {own})


def sha256(content: bytes) -> str:
    """Lower-case hex SHA-256."""
    return hashlib.sha256(content).hexdigest()


def between_marks(text: str, begin: re.Pattern[str], end: re.Pattern[str]) -> str:
    """Return the part of *text* behind the line that *begin* matches, up to one that *end* matches; "" without the first."""
    started = begin.search(text)
    if started is None:
        return ""
    ended = end.search(text, started.end())
    return text[started.end() : ended.start() if ended else len(text)]


def read_folder(tool: Tool, folder: Path) -> MigrationFiles | None:
    """Return the migrations of *tool* in *folder*, or where a project in *folder* has them; None when there are none.

    Raises UsageError when *folder* cannot be read.
    """
    try:
        if not folder.is_dir():
            raise UsageError("no such folder", resource=str(folder), remedy="Give the folder of the migrations, or that of the project.")
        for place in ("", *tool.places):
            inside = folder / place
            found = tool.read_folder(inside) if inside.is_dir() else None
            if found is not None:
                return found
    except OSError as error:
        raise UsageError(
            f"the migrations cannot be read: {error.strerror or error}", resource=str(error.filename or folder), remedy="Check the folder."
        ) from error
    return None
