"""An incremental backup is held against its manifest before it gets its name, as a dump that is read back is."""

from __future__ import annotations

from dataclasses import replace

from pgaudit_kit.audits.file_digest import file_digest
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.same import ask_same
from pgaudit_kit.errors import BackupFailed
from pgaudit_kit.operations.backups.incremental import Taken
from pgaudit_kit.operations.backups.part import whole_or_part
from pgaudit_kit.operations.backups.read_back import Written, is_proven, settled, with_origin
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome


def prove_chunks(written: Written, taken: Taken) -> tuple[Manifest, AuditResult]:
    """Verify what was written against its manifest, and return that with what only pg_dump tells. Raises BackupFailed."""
    source = taken.written
    manifest = with_origin(taken.manifest, written)
    manifest, asked = whole_or_part(manifest, written.job.part, source)
    manifest = settled(manifest, source.inventory, written)
    once = [name for name in manifest.table_data if name not in taken.read_twice | taken.reused]
    checks = [kept for check in ask_same(manifest, source) if (kept := _without_sums_of_one_reading(check, len(once)))]
    said = f"{len(once):,} large tables were counted by the server and read by pg_dump alone; --full-read reads them twice."
    result = AuditResult("Is this backup whole?", written.name, (*asked, _chunks_check(taken), *checks), (said,) if once else ())
    if not is_proven(result, manifest):
        raise BackupFailed(
            f"no backup was written: what pg_dump wrote did not match what the database held; {result.sentence}",
            resource=written.name,
            remedy=" ".join(result.next_steps),
        )
    return replace(manifest, dump_file=replace(file_digest(written.path), name=written.name)), result


def _without_sums_of_one_reading(check: Check, once: int) -> Check | None:
    """Fingerprints of tables that were read *once* would be compared with themselves: they do not count, and alone they are no check."""
    if check.id != "rows.fingerprint" or check.outcome is not Outcome.PASSED:
        return check
    compared = check.compared - once
    return replace(check, compared=compared, expected=f"{many(compared, 'table')} with the same fingerprint") if compared > 0 else None


def _chunks_check(taken: Taken) -> Check:
    """`backup.chunks`: every chunk is where it is said to be; new ones were read back."""
    chunks = f"{many(taken.new_chunks, 'new chunk')}, {taken.stored_bytes:,} bytes"
    took = f"; {many(len(taken.reused), 'table')} taken over from {taken.index.base}" if taken.reused else ""
    return Check(
        id="backup.chunks",
        question="Are all chunks in the store, the new ones as they were written?",
        outcome=Outcome.PASSED,
        expected="every chunk of every table, new ones read back",
        found=chunks + took,
        compared=len(taken.index.packs) + 1,
    )
