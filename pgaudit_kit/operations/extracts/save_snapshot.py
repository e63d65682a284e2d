"""Save what a live database holds, as a manifest without a dump."""

from __future__ import annotations

import os
from pathlib import Path

from pgaudit_kit.audits.taking import take_manifest
from pgaudit_kit.errors import OperationError
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.server.snapshot import snapshot


def save_snapshot(target: str, path: Path, *, schema_only: bool = False) -> Manifest:
    """Write the manifest of *target* to *path* (readable by its owner only), whole or not at all; *schema_only*: without rows.

    Raises OperationError.
    """
    with snapshot(target) as live:
        manifest = take_manifest(live, schema_only=schema_only)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(manifest.to_json())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise OperationError(
            f"the snapshot could not be written: {error.strerror}", resource=str(path), remedy="Check the folder and its space."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return manifest
