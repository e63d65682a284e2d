"""What a restored database must equal."""

from __future__ import annotations

import os

from pgaudit_kit.audits.verify import manifest_of
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.operations.restores.local_dump import local_path
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source


def expected_source(dump: Dump, manifest: Manifest | str | os.PathLike[str] | None) -> Source:
    """Return the manifest given, the one beside *dump*, or *dump* itself. Raises ManifestError, UsageError (no local file)."""
    return manifest_of(local_path(dump), manifest) or dump
