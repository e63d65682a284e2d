"""What a restored database must equal."""

from __future__ import annotations

import os

from pgaudit_kit.audits.verify import manifest_of
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.operations.restores.local_dump import refuse_distant
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source


def expected_source(
    dump: Dump, manifest: Manifest | str | os.PathLike[str] | None, *, given: str | os.PathLike[str] | None = None
) -> Source:
    """Return the manifest given, the one beside *dump*, which was opened as *given*, or *dump* itself.

    Raises ManifestError, UsageError (a dump that cannot be restored from where it is).
    """
    refuse_distant(dump)
    return manifest_of(dump.path or given, manifest) or dump
