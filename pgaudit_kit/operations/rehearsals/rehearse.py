"""Rehearse a restore: into a throwaway database, whose content is then compared with what it must be."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pgaudit_kit.audits.file_digest import dump_digest
from pgaudit_kit.audits.sources import open_dump
from pgaudit_kit.checks.dump_whole import check_complete, check_digest, check_unreadable
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.scripts.cluster import ClusterDump
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.operations.backups.backup import Backup
from pgaudit_kit.operations.rehearsals.comparing import Job, load_and_compare
from pgaudit_kit.operations.rehearsals.evidence_file import evidence_of, store_evidence
from pgaudit_kit.operations.rehearsals.left_out import with_empty_tables
from pgaudit_kit.operations.rehearsals.needs import needs_of
from pgaudit_kit.operations.rehearsals.places import Place, check_space, throwaway_place
from pgaudit_kit.operations.rehearsals.problems import settings_in
from pgaudit_kit.operations.rehearsals.rehearsal import Rehearsal
from pgaudit_kit.operations.rehearsals.server_choice import choose_server, installed_servers
from pgaudit_kit.operations.rehearsals.target_place import check_origin, place_on
from pgaudit_kit.operations.rehearsals.verdicts import check_extensions, check_no_server, check_not_kept, check_without_rows
from pgaudit_kit.operations.restores.maintenance import database_names, maintenance_connection, named_target
from pgaudit_kit.records.manifest import Manifest, load_manifest, manifest_beside
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.connection import refused_queries
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

AUTO, EMBEDDED = "auto", "embedded"


def rehearse(
    dump: Dump | Backup | str | os.PathLike[str],
    server: str | Target | Engine | URL = AUTO,
    *,
    manifest: Manifest | str | os.PathLike[str] | None = None,
    skip_missing_extensions: bool = False,
    amcheck: bool = False,
    jobs: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    allow_same_server: bool = False,
    evidence: bool = True,
) -> Rehearsal:
    """Restore *dump* where it harms nobody, and compare the result with its manifest (without one: with the dump itself).

    *server*: `auto`, a throwaway server from the programs of this machine that fit the dump best; `embedded`, that of the wheel; or a
    target, on whose server a database `NAME__rehearsal_TIME` is made and dropped again, whatever happens. A target on the server that
    the backup came from, or may have come from, is refused without *allow_same_server*.

    *skip_missing_extensions*: leave out extensions that the server lacks with all that depends on them. *amcheck*: ask also whether
    heaps and indexes are sound. *jobs*: connections that load an archive; None: one per processor. *folder*: where the data of a
    throwaway server lie. *evidence*: write `<backup>.rehearsed.json` beside a local backup that has a manifest.

    Returns a Rehearsal; what is found wrong is in it. Raises UsageError, the errors of read_dump, load_manifest, resolve_target and
    connect, ProgramNotFound.
    """
    begun = time.monotonic()
    where = Path(folder) if folder is not None else None
    given = dump.location if isinstance(dump, Backup) else dump
    try:
        opened = open_dump(given)
    except DamagedDump as error:  # found broken before anything of it can be restored
        broken = check_unreadable(error.message, error.offset)
        return Rehearsal(Path(error.resource).name, (broken,), seconds=time.monotonic() - begun)
    if isinstance(opened, ClusterDump):
        raise opened.needs_a_name()
    expected, own = _expected(opened, manifest)
    checks, digest = _ask_file(opened, expected)
    result = Rehearsal(opened.label, tuple(checks), proof_seconds=time.monotonic() - begun)
    if not any(c.outcome is Outcome.FAILED for c in checks):
        whole, empty = with_empty_tables(opened) if expected is opened else (expected, ())
        result = result.with_checks([check_without_rows(empty, len(whole.table_data))] if empty else [])
        job = Job(opened, whole, needs_of(opened, expected), skip_missing_extensions, amcheck, jobs, where)
        found = _place(job, server, allow_same_server=allow_same_server)
        result = result.with_checks([found]) if isinstance(found, Check) else _at(found, job, result)
    result = replace(result, seconds=time.monotonic() - begun)
    return _with_evidence(result, opened.path, digest or dump_digest(opened).sha256) if evidence and own and opened.path else result


def _with_evidence(result: Rehearsal, dump: Path, sha256: str) -> Rehearsal:
    try:
        kept = store_evidence(dump, evidence_of(result, sha256))
    except OSError as error:
        return result.with_checks([check_not_kept(error.strerror or str(error))])
    return replace(result, evidence=str(kept))


def _expected(dump: Dump, manifest: Manifest | str | os.PathLike[str] | None) -> tuple[Source, bool]:
    """What the restored database must equal, and whether that is the manifest beside the dump, so that the dump is a backup of ours."""
    beside = manifest_beside(dump.path) if dump.path else None
    own = bool(beside and beside.exists())
    if isinstance(manifest, Manifest):
        return manifest, own
    if manifest is not None:
        return load_manifest(manifest), own
    return (load_manifest(beside), True) if own and beside else (dump, False)


def _ask_file(dump: Dump, expected: Source) -> tuple[list[Check], str | None]:
    """Whether the file is whole and the one that was backed up; its digest where that was asked for."""
    checks = [check_complete(complete=dump.provenance.complete, damage=dump.damage, entries=len(dump.toc_entries))]
    recorded = expected.dump_file if isinstance(expected, Manifest) else None
    if not recorded:
        return checks, None
    found = dump_digest(dump)
    checks.append(check_digest(recorded, sha256=found.sha256, size_bytes=found.size_bytes))
    return checks, found.sha256


def _place(job: Job, server: str | Target | Engine | URL, *, allow_same_server: bool) -> AbstractContextManager[Place] | Check:
    """Where it is to take place; a check that says why it cannot."""
    if server not in (AUTO, EMBEDDED):
        return _target_place(job, named_target(server), allow_same_server=allow_same_server)
    servers = list(installed_servers(only_embedded=server == EMBEDDED))
    choice = choose_server(servers, job.needs)
    if choice is None:
        return check_no_server(job.needs.major, [str(s) for s in servers])
    if choice.lacks and not job.skip_missing_extensions:
        return check_extensions(job.needs.extensions, choice.lacks, skipped=False)
    space = check_space(job.needs, job.folder)
    return space if space.outcome is not Outcome.PASSED else throwaway_place(choice, job.needs, folder=job.folder)


def _target_place(job: Job, target: Target, *, allow_same_server: bool) -> AbstractContextManager[Place]:
    manifest = job.expected if isinstance(job.expected, Manifest) else None
    with refused_queries(target.label, "looking at the server"), maintenance_connection(target) as connection:
        names = database_names(connection)
    recorded = (manifest.target or manifest.source or manifest.label) if manifest else None
    check_origin(target, recorded, names, job.dump.provenance.database, allowed=allow_same_server)
    return place_on(target, job.needs)


def _at(entering: AbstractContextManager[Place], job: Job, result: Rehearsal) -> Rehearsal:
    """Rehearse at that place."""
    with entering as place, refused_queries(place.server, "rehearsing"):
        done = load_and_compare(job, place)
    loaded = done.loaded
    return replace(
        result.with_checks([*place.checks, *done.checks]),
        server=place.server,
        why=place.why,
        programs=loaded.programs if loaded else (),
        left_out=done.left.names,
        settings=settings_in(loaded.problems) if loaded else (),
        load_seconds=done.load_seconds,
        proof_seconds=result.proof_seconds + done.proof_seconds,
        restored_bytes=done.restored_bytes,
    )
