"""The evidence of a rehearsal, as a file beside the backup."""

from __future__ import annotations

import getpass
import os
import socket
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pgaudit_kit.audits.result import checks_to_list
from pgaudit_kit.operations.rehearsals.rehearsal import Rehearsal
from pgaudit_kit.records.evidence import Evidence, Proof
from pgaudit_kit.records.manifest import SUFFIX, manifest_beside


def evidence_of(rehearsal: Rehearsal, dump_sha256: str) -> Evidence:
    """Return what *rehearsal* proves of the dump with that digest: who, when, where, verdict, duration, rate."""
    return Evidence(
        proof=Proof.REHEARSED,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        by=f"{_account()}@{socket.gethostname()}",
        verdict=str(rehearsal.verdict),
        dump_sha256=dump_sha256,
        seconds=round(rehearsal.seconds, 3),
        server=rehearsal.server,
        megabytes_per_second=rehearsal.megabytes_per_second,
        checks=tuple(checks_to_list(rehearsal.check_list)),
    )


def evidence_beside(dump: Path, proof: Proof) -> Path:
    """Where the evidence of *dump* stands: beside its manifest, with the proof's suffix."""
    manifest = manifest_beside(dump)
    return manifest.with_name(manifest.name.removesuffix(SUFFIX) + proof.suffix)


def store_evidence(dump: Path, evidence: Evidence) -> Path:
    """Write *evidence* beside the local backup *dump*, whole or not at all, in place of an older one. Raises OSError."""
    final = evidence_beside(dump, evidence.proof)
    descriptor, name = tempfile.mkstemp(prefix=f".{final.name}.", dir=final.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(evidence.to_json())
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(final)
    except BaseException:  # Ctrl-C included: no half file stays behind
        Path(name).unlink(missing_ok=True)
        raise
    return final


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for this number, as in many containers
        return "unknown"
