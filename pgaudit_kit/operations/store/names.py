"""Names in a store: `<database>[-<word>]-<UTC time>[-<n>]` is a backup, and what follows says which of its files it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pgaudit_kit.records.evidence import Proof
from pgaudit_kit.records.manifest import SUFFIX as MANIFEST

TIME_FORMAT = "%Y%m%dT%H%M%SZ"
GLOBALS = ".globals.sql"
COMPANIONS = (MANIFEST, *(proof.suffix for proof in Proof), GLOBALS)
INCREMENTAL_FORMAT = "incremental"
FORMATS = {".dump": "custom", ".sql": "plain", ".tar": "tar", ".dir": "directory", ".inc": INCREMENTAL_FORMAT}
FOLDER = ".dir"

_BACKUP = r"(?P<name>.+-\d{8}T\d{6}Z(-\d+)?)"
_COMPANION = "|".join(map(re.escape, COMPANIONS))
_OURS = re.compile(rf"{_BACKUP}(?P<suffix>(?P<format>{'|'.join(map(re.escape, FORMATS))})(\.(gz|lz4|zst))?|{_COMPANION})\Z", re.DOTALL)
_PARTIAL = re.compile(r"\.(?P<final>.+)\.partial-(?P<writer>[\w.-]+)\Z", re.DOTALL)
_SERIES = re.compile(r"(?P<series>.+)-\d{8}T\d{6}Z(-\d+)?\Z", re.DOTALL)


@dataclass(frozen=True)
class StoreName:
    """A name that only we give: of backup `name` the file with `suffix`; `format` of a dump, None for what stands beside it."""

    name: str
    suffix: str
    format: str | None

    @property
    def file(self) -> str:
        """The whole name."""
        return self.name + self.suffix


def parse_name(file: str) -> StoreName | None:
    """Return what *file* is the name of; None when it is not one of ours."""
    match = _OURS.match(file)
    return StoreName(match["name"], match["suffix"], FORMATS.get(match["format"] or "")) if match else None


def partial_name(final: str, writer: str | int) -> str:
    """The name of *final* while *writer* (a process id; of a remote store more) writes or deletes it."""
    return f".{final}.partial-{writer}"


def parse_partial(file: str) -> tuple[StoreName, str] | None:
    """Return what *file* will be when it is whole, and its writer; None when it is not a temporary name of ours."""
    match = _PARTIAL.match(file)
    final = parse_name(match["final"]) if match else None
    return (final, match["writer"]) if match and final else None


def backup_name(database: str, word: str | None, at: datetime) -> str:
    """Return `<database>[-<word>]-<UTC timestamp>`, with every character that a file system or shell might mind replaced by `_`."""
    parts = [safe_word(database) or "database", safe_word(word or ""), at.strftime(TIME_FORMAT)]
    return "-".join(p for p in parts if p)


def safe_word(text: str) -> str:
    """Return *text* with only letters, digits, `_`, `.`, `-`, and none of the last two in front."""
    return re.sub(r"[^\w.-]+", "_", text).lstrip(".-")


def series_of(name: str) -> str:
    """Return *name* without its time: what all backups of that database and word have in common."""
    match = _SERIES.match(name)
    return match["series"] if match else name


def free_name(taken: Iterable[str], name: str) -> str:
    """Return *name*, with `-2`, `-3` … when a backup of that name is among the files *taken* or is being written."""
    bare = {file.removeprefix(".") for file in taken}
    number, candidate = 1, name
    while any(other == candidate or other.startswith(f"{candidate}.") for other in bare):
        number += 1
        candidate = f"{name}-{number}"
    return candidate


def has_rival(taken: Iterable[str], name: str, ours: str) -> bool:
    """Whether among the files *taken* there is one of *name* besides *ours*: somebody else chose it at the same time.

    Asked after *ours* was made, so that of two at least one sees the other.
    """
    return any(file.removeprefix(".").startswith(f"{name}.") and file != ours for file in taken)
