"""Stores of every kind, and backups in them made of any bytes: a store does not ask what a dump holds."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pgaudit_kit.audits.file_digest import file_digest
from pgaudit_kit.operations.store.names import GLOBALS, backup_name
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.operations.store.proofs import new_evidence
from pgaudit_kit.operations.store.store import Incoming, Store
from pgaudit_kit.records.evidence import Evidence, Proof
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.verdict import Check, Outcome

AT = datetime(2026, 1, 31, 12, 5, 9, tzinfo=UTC)
Put = Callable[..., str]
CHECK = Check("dump.digest", "Is it?", Outcome.PASSED, compared=1)


def manifest_of(database: str, at: datetime, source: str = "") -> Manifest:
    rows = TableData(TableName("public", "t"), ("a",), rows=7)
    return Manifest(
        label=source or f"env:APP (db.example:5432/{database})",
        taken_at=at.isoformat(),
        tool_version="0",
        provenance=Provenance(format="live", database=database, created_at=at.isoformat()),
        inventory=Inventory((), ()),
        table_data={rows.name: rows},
        seconds=1.5,
    )


def write_dump(path: Path, content: bytes) -> None:
    if path.is_dir():
        (path / "toc.dat").write_bytes(content)
        (path / "1.dat.gz").write_bytes(content[::-1])
    else:
        path.write_bytes(content)


def finish(incoming: Incoming, manifest: Manifest, verdict: Outcome = Outcome.PASSED) -> str:
    """Publish what was written, with its digest and the proof of it."""
    recorded = replace(file_digest(incoming.path), name=incoming.dump_file)
    proof = new_evidence(Proof.VERIFIED, verdict, sha256=recorded.sha256, seconds=0.5, checks=(CHECK,))
    return incoming.publish(replace(manifest, dump_file=recorded), proof)


def put(
    store: Store,
    at: datetime = AT,
    *,
    database: str = "app",
    suffix: str = ".dump",
    content: bytes = b"PGDMP",
    verdict: Outcome = Outcome.PASSED,
    with_globals: bool = False,
) -> str:
    """Keep a backup; return where its dump is."""
    with store.receive(backup_name(database, None, at), suffix) as incoming:
        write_dump(incoming.path, content)
        if with_globals:
            incoming.companion(GLOBALS).write_text("CREATE ROLE app;\n")
        return finish(incoming, manifest_of(database, at), verdict)


def evidence_of(proof: Proof, verdict: Outcome, sha256: str = "ab") -> Evidence:
    return new_evidence(proof, verdict, sha256=sha256, seconds=2, checks=(CHECK,))


def rehearsed(sha256: str, verdict: Outcome = Outcome.PASSED) -> Evidence:
    return evidence_of(Proof.REHEARSED, verdict, sha256)


@pytest.fixture(params=["folder", "memory", "s3"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store of each kind in turn."""
    if request.param == "folder":
        return open_store(tmp_path / "backups", create=True)
    if request.param == "memory":
        return open_store(f"memory://{uuid.uuid4().hex}/backups", create=True)
    return open_store(request.getfixturevalue("s3_url"), create=True)
