"""What a restored database must equal."""

from __future__ import annotations

import os

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.operations.restores.local_dump import local_path
from pgaudit_kit.records.manifest import Manifest, load_manifest, manifest_beside
from pgaudit_kit.records.source import Source


def expected_source(dump: Dump, manifest: Manifest | str | os.PathLike[str] | None) -> Source:
    """Return the manifest given, the one beside *dump*, or *dump* itself. Raises ManifestError, UsageError (no local file)."""
    if isinstance(manifest, Manifest):
        return manifest
    beside = manifest_beside(local_path(dump))
    if manifest is None and not beside.exists():
        return dump
    return load_manifest(beside if manifest is None else manifest)
