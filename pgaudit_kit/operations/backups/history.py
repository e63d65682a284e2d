"""The backups of the same database that a store has already, as far as their manifests tell."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pgaudit_kit.checks.backup_history import check_rows_kept, check_size
from pgaudit_kit.difference.divided_partitions import where_else
from pgaudit_kit.errors import ManifestError
from pgaudit_kit.operations.store.names import safe_word
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.records.manifest import SUFFIX, Manifest
from pgaudit_kit.records.verdict import Check

RECENT = 5
_LOOKED_AT = 4 * RECENT  # of which some may be of another database with such a name, or partial
_TIME = re.compile(r"-(\d{8}T\d{6}Z)(?:-(\d+))?\.")


def recent_backups(store: Store, *, database: str, target: str) -> list[Manifest]:
    """The manifests of the newest backups of the database *target* in *store*, newest first. What cannot be read is passed over.

    Raises StoreFailed.
    """
    series = safe_word(database) or "database"
    files = [file for file in store.entries() if file.startswith(f"{series}-") and file.endswith(SUFFIX) and _TIME.search(file)]
    found: list[Manifest] = []
    for file in sorted(files, key=_time_in, reverse=True)[:_LOOKED_AT]:
        try:
            manifest = Manifest.from_json(store.read_text(file), label=file)
        except (ManifestError, OSError, UnicodeDecodeError):
            continue
        if manifest.dump_file and manifest.target == target and manifest.provenance.database == database:
            found.append(manifest)
        if len(found) == RECENT:
            break
    return found


def check_history(manifest: Manifest, recent: Sequence[Manifest], *, share: float | None = None) -> list[Check]:
    """What the new backup's *manifest* says beside those of the *recent* ones, newest first; nothing of the first one of its kind.

    *share*: as of `check_size`.
    """
    same_part = [m for m in recent if m.partial == manifest.partial]
    same_form = [m.held_bytes for m in same_part if m.held_bytes is not None and m.dump_form == manifest.dump_form]
    checks = [check_size(manifest.held_bytes, same_form, share=share)] if same_form and manifest.held_bytes is not None else []
    if same_part and same_part[0].table_data:
        checks.append(check_rows_kept(manifest, same_part[0], elsewhere=where_else(same_part[0], manifest)))
    return checks


def _time_in(file: str) -> tuple[str, int, str]:
    """When it was taken, and its number among those of one second."""
    match = _TIME.search(file)
    return (match[1], int(match[2] or 1), file) if match else ("", 0, file)
