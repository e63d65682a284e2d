"""What lies beside a dump in its folder: the backups before it, and how long its last rehearsal took."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pgaudit_kit.errors import ManifestError
from pgaudit_kit.records.evidence import Evidence, Proof
from pgaudit_kit.records.manifest import SUFFIX, Manifest, bare_name, load_manifest

RECENT = 5


def earlier_backups(dump: Path, manifest: Manifest) -> list[Manifest]:
    """The manifests of the newest backups of the same database and part that were taken before, newest first. Unreadable ones are none."""
    found = []
    for file in dump.parent.glob(f"*{SUFFIX}"):
        try:
            other = load_manifest(file)
        except ManifestError:
            continue
        same = (other.target, other.provenance.database, other.partial) == (manifest.target, manifest.provenance.database, manifest.partial)
        if other.target and other.dump_file and same and _time_of(other) < _time_of(manifest):
            found.append(other)
    return sorted(found, key=_time_of, reverse=True)[:RECENT]


def _time_of(manifest: Manifest) -> datetime:
    return datetime.fromisoformat(manifest.taken_at)


def last_rehearsal(dump: Path, sha256: str | None) -> Evidence | str:
    """The evidence of the last rehearsal of these very bytes; why there is none."""
    file = dump.with_name(bare_name(dump.name) + Proof.REHEARSED.suffix)
    try:
        evidence = Evidence.from_json(file.read_text(encoding="utf-8"), label=file.name)
    except FileNotFoundError:
        return "no rehearsal of it is recorded beside it"
    except (OSError, UnicodeDecodeError, ManifestError):
        return f"{file.name} cannot be read"
    if sha256 is None or evidence.dump_sha256 != sha256:
        return "the rehearsal recorded beside it was of another file"
    if evidence.megabytes_per_second is None:
        return f"the rehearsal of {evidence.at} loaded nothing"
    return evidence
