"""What lies beside a dump, in its folder or behind its URL: the backups before it, and how long its last rehearsal took."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pgaudit_kit.dumps.files.remote_places import WEB, names_beside, read_beside
from pgaudit_kit.dumps.files.urls import is_url
from pgaudit_kit.errors import ManifestError, PgAuditError
from pgaudit_kit.records.evidence import Evidence, Proof
from pgaudit_kit.records.manifest import SUFFIX, Manifest, bare_name
from pgaudit_kit.records.verdict import Outcome

RECENT = 5
_MOST_READ = 4 * RECENT  # behind a URL, where every one of them must be fetched, and a store may hold years
_TIME_IN_NAME = re.compile(r"-(\d{8}T\d{6}Z)(?:-\d+)?\Z")


@dataclass(frozen=True)
class Beside:
    """The folder that a dump lies in, on a disk or behind a URL. `dump` is the name of the dump."""

    folder: Path | str
    dump: str

    def names(self) -> list[str]:
        """The files in it. Raises OSError, DumpNotFound."""
        return [p.name for p in self.folder.iterdir()] if isinstance(self.folder, Path) else names_beside(self.folder)

    def read(self, file: str) -> str | None:
        """The text of one; None when it is not there. Raises OSError, UnicodeDecodeError, DumpNotFound."""
        if isinstance(self.folder, Path):
            path = self.folder / file
            return path.read_text(encoding="utf-8") if path.exists() else None
        content = read_beside(f"{self.folder}/{file}")
        return None if content is None else content.decode("utf-8")


def beside(dump: Any) -> Beside | None:
    """What is beside *dump*, a path or URL; None of anything else, and of a web server, which is asked for what was named alone."""
    if isinstance(dump, Path):
        return Beside(dump.absolute().parent, dump.name)
    if not isinstance(dump, str) or not is_url(dump) or WEB.match(dump):
        return None
    folder, _, name = dump.rstrip("/").rpartition("/")
    return Beside(folder, name)


def earlier_backups(here: Beside | None, manifest: Manifest | None) -> tuple[list[Manifest], str]:
    """The manifests of the newest backups of the same database and part that were taken before, newest first. Unreadable ones are none.

    Also a sentence on why there are none, when they could not be listed.
    """
    if here is None or manifest is None:
        return [], ""
    try:
        manifests = list(_manifests(here))
    except (PgAuditError, OSError):
        return [], "What lies beside it cannot be listed, so it was not held against the backups before it."
    found = []
    for other in manifests:
        same = (other.target, other.provenance.database, other.partial) == (manifest.target, manifest.provenance.database, manifest.partial)
        if other.target and other.dump_file and same and _time_of(other) < _time_of(manifest):
            found.append(other)
    return sorted(found, key=_time_of, reverse=True)[:RECENT], ""


def _manifests(here: Beside) -> Iterator[Manifest]:
    """Those of a disk all; those behind a URL that by their names are of the same database, the newest before the dump."""
    names = [name for name in here.names() if name.endswith(SUFFIX)]
    if not isinstance(here.folder, Path):
        series, own = _series(bare_name(here.dump))
        stamped = sorted((stamp, name) for name in names for of, stamp in [_series(name.removesuffix(SUFFIX))] if of == series)
        names = [name for stamp, name in reversed(stamped) if stamp < own][:_MOST_READ]
    for name in names:
        try:
            text = here.read(name)
            manifest = None if text is None else Manifest.from_json(text, label=name)
            if manifest and _time_of(manifest).tzinfo:
                yield manifest
        except (PgAuditError, OSError, ValueError):
            continue


def _series(name: str) -> tuple[str, str]:
    """A backup's name without its time, and that time."""
    found = _TIME_IN_NAME.search(name)
    return (name[: found.start()], found[1]) if found else (name, "")


def _time_of(manifest: Manifest) -> datetime:
    return datetime.fromisoformat(manifest.taken_at)


def last_rehearsal(here: Beside, sha256: str | None) -> Evidence | str:
    """The evidence of the last rehearsal of these very bytes; why there is none."""
    file = bare_name(here.dump) + Proof.REHEARSED.suffix
    try:
        text = here.read(file)
        if text is None:
            return "no rehearsal of it is recorded beside it"
        evidence = Evidence.from_json(text, label=file)
    except (OSError, UnicodeDecodeError, ManifestError):
        return f"{file} cannot be read"
    if sha256 is None or evidence.dump_sha256 != sha256:
        return "the rehearsal recorded beside it was of another file"
    if evidence.verdict == Outcome.FAILED:
        return f"the rehearsal of {evidence.at} failed: how long it took says nothing"
    if evidence.megabytes_per_second is None:
        return f"the rehearsal of {evidence.at} loaded nothing"
    return evidence
