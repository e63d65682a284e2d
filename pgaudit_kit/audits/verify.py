"""Is this backup whole? The file itself, and against the manifest taken in pg_dump's own snapshot."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pgaudit_kit.audits.asking import ask
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.sources import open_dump
from pgaudit_kit.checks.dump_whole import check_complete, check_digest, check_rows_readable, check_unreadable
from pgaudit_kit.checks.migrations import check_ledger_match, check_ledger_state
from pgaudit_kit.checks.objects_match import check_objects_match
from pgaudit_kit.checks.required_tables import check_required_tables
from pgaudit_kit.checks.rows_match import check_row_counts, check_row_fingerprints
from pgaudit_kit.checks.sequences import check_sequence_values
from pgaudit_kit.difference.objects import compare_inventories
from pgaudit_kit.difference.tables import compare_tables, without_table
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.errors import DamagedDump, PgAuditError
from pgaudit_kit.migrations.prisma import read_ledger
from pgaudit_kit.records.ledger import Ledger
from pgaudit_kit.records.manifest import DumpFile, Manifest, load_manifest, manifest_beside
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Check

WITHOUT_MANIFEST = "Without a manifest beside it, nothing says whether it holds all that the database held."
SEQUENCE_STATE = frozenset({"last_value", "is_called"})


def verify(
    dump: str | os.PathLike[str] | Dump,
    *,
    manifest: str | os.PathLike[str] | Manifest | None = None,
    require: Sequence[str] = (),
) -> AuditResult:
    """Verify a dump: its file, every row in it, and, with a manifest, that it holds what the database held.

    Without *manifest* the one beside the dump is taken when there is one. *require* names tables that must be there.
    Raises the errors of read_dump and ManifestError; what is found wrong is in the result, never raised.
    """
    try:
        opened = open_dump(dump)
    except DamagedDump as error:
        return AuditResult("Is this backup whole?", Path(error.resource).name, (check_unreadable(error.message, error.offset),))
    recorded = _manifest_of(opened, manifest)
    checks = list(_ask_file(opened))
    if require:
        checks.append(check_required_tables(require, opened.table_data.keys()))
    if recorded is not None:
        checks += _ask_manifest(opened, recorded)
    else:
        checks += _ask_ledger(opened)
    skipped = () if recorded is not None else (WITHOUT_MANIFEST,)
    return AuditResult("Is this backup whole?", opened.label, tuple(checks), skipped)


def file_digest(path: Path) -> DumpFile:
    """The name, SHA-256 and size of the file at *path*."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return DumpFile(path.name, sha256, path.stat().st_size)


def _manifest_of(dump: Dump, given: Any) -> Manifest | None:
    if isinstance(given, Manifest):
        return given
    if given:
        return load_manifest(given)
    beside = manifest_beside(dump.path)
    return load_manifest(beside) if beside.exists() else None


def _ask_file(dump: Dump) -> Iterator[Check]:
    yield check_complete(complete=dump.provenance.complete, damage=dump.damage, entries=len(dump.toc_entries))
    unreadable = []
    for data in dump.table_data.values():
        try:
            dump.fingerprint(data.name)
        except PgAuditError as error:
            unreadable.append((data, error.message, isinstance(error, DamagedDump)))
    if dump.table_data:
        yield check_rows_readable(list(dump.table_data.values()), unreadable)


def _ask_manifest(dump: Dump, manifest: Manifest) -> Iterator[Check]:
    if manifest.dump_file is not None:
        found = file_digest(dump.path)
        yield check_digest(manifest.dump_file, sha256=found.sha256, size_bytes=found.size_bytes)
    yield from ask_same(manifest, dump)
    if manifest.ledger is not None:
        yield ask_ledger(manifest.ledger, dump)


def ask_same(expected: Source, found: Source, *, ignore: frozenset[str] = frozenset()) -> Iterator[Check]:
    """The checks that two sources hold the same: objects, row counts, fingerprints, sequence values."""
    differences = compare_inventories(expected, found, ignore=SEQUENCE_STATE | ignore)
    compared = len({*expected.inventory.by_key, *found.inventory.by_key})
    yield check_objects_match(differences, compared=compared, unmodelled=expected.inventory.unmodelled)
    filtered = {s.what for side in (expected, found) for s in without_table(side)}
    tables = [t for t in compare_tables(expected, found) if f"rows of {t.name}" not in filtered]
    if tables:
        yield check_row_counts(tables)
        yield check_row_fingerprints(tables)
    if expected.inventory.of_kind("SEQUENCE"):
        yield check_sequence_values(expected.inventory, found.inventory)


def ask_ledger(expected: Ledger, found: Source) -> Check:
    """The check that *found* holds the ledger *expected*."""

    def answer() -> Check:
        return check_ledger_match(expected, read_ledger(found, schema=expected.table.schema))

    return ask("migrations.ledger", "Does the migration ledger say what it said?", answer)


def _ask_ledger(dump: Dump) -> Iterator[Check]:
    try:
        ledger = read_ledger(dump)
    except PgAuditError:
        return  # its table is among the unreadable ones already
    if ledger is not None and ledger.migrations:
        yield check_ledger_state(ledger)
