"""Rehearse a restore: into a throwaway database, whose content is then compared with what it must be."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pgaudit_kit.audits.expectations import Settings, settings_of
from pgaudit_kit.audits.file_digest import dump_digest
from pgaudit_kit.audits.sources import open_dump
from pgaudit_kit.audits.verify import manifest_of, verify
from pgaudit_kit.audits.verify_file import things_in
from pgaudit_kit.checks.dump_whole import check_complete, check_digest
from pgaudit_kit.checks.times import check_duration
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.scripts.cluster import ClusterDump
from pgaudit_kit.errors import DamagedDump, NotADump, StoreFailed, UnsupportedDump, UsageError
from pgaudit_kit.operations.backups.backup import Backup
from pgaudit_kit.operations.rehearsals.comparing import Job, load_and_compare
from pgaudit_kit.operations.rehearsals.left_out import with_empty_tables
from pgaudit_kit.operations.rehearsals.needs import needs_of
from pgaudit_kit.operations.rehearsals.places import Place, check_space, throwaway_place
from pgaudit_kit.operations.rehearsals.problems import settings_in
from pgaudit_kit.operations.rehearsals.rehearsal import Rehearsal
from pgaudit_kit.operations.rehearsals.server_choice import choose_server, installed_servers
from pgaudit_kit.operations.rehearsals.target_place import check_origin, place_on
from pgaudit_kit.operations.rehearsals.verdicts import check_extensions, check_no_server, check_not_kept, check_without_rows
from pgaudit_kit.operations.restores.maintenance import database_names, maintenance_connection, named_target
from pgaudit_kit.operations.store.open_store import find_backup
from pgaudit_kit.operations.store.proofs import new_evidence
from pgaudit_kit.records.evidence import Proof
from pgaudit_kit.records.manifest import Manifest
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
    config: Settings = None,
) -> Rehearsal:
    """Restore *dump* where it harms nobody, and compare the result with its manifest (without one: with the dump itself).

    *server*: `auto`, a throwaway server from the programs of this machine that fit the dump best; `embedded`, that of the wheel; or a
    target, on whose server a database `NAME__rehearsal_TIME` is made and dropped again, whatever happens. A target on the server that
    the backup came from, or may have come from, is refused without *allow_same_server*.

    *skip_missing_extensions*: leave out extensions that the server lacks with all that depends on them. *amcheck*: ask also whether
    heaps and indexes are sound. *jobs*: connections that load an archive; None: one per processor. *folder*: where the data of a
    throwaway server lie. *evidence*: write `<backup>.rehearsed.json` beside a backup in a store, local or behind a URL. *config*: as of
    `verify`; its `rto` is a check, which says nothing of the backup and so is not in the evidence.

    Returns a Rehearsal; what is found wrong is in it. Raises UsageError, the errors of read_dump, load_manifest, resolve_target and
    connect, ProgramNotFound.
    """
    begun = time.monotonic()
    settings = settings_of(config)
    where = Path(folder) if folder is not None else None
    if where and not where.is_dir():
        raise UsageError(f"there is no folder {where}", resource=str(where), remedy="Name one that is there, on a disk with room.")
    given = dump.location if isinstance(dump, Backup) else dump
    try:
        opened = open_dump(given)
    except (DamagedDump, NotADump, UnsupportedDump) as error:  # found broken before anything of it can be restored, or no dump at all
        broken = verify(given, manifest=manifest, config=config).check_list
        result = Rehearsal(Path(error.resource).name, broken, seconds=time.monotonic() - begun)
        recorded = manifest_of(given, manifest)
        return _with_evidence(result, recorded, given, lambda: "") if evidence and recorded and not isinstance(given, Dump) else result
    if isinstance(opened, ClusterDump):
        raise opened.needs_a_name()
    place = opened.path or given
    recorded = manifest_of(place, manifest)
    expected: Source = recorded or opened
    checks = _ask_file(opened, expected)
    result = Rehearsal(opened.label, tuple(checks), proof_seconds=time.monotonic() - begun)
    if not any(c.outcome is Outcome.FAILED for c in checks):
        whole, empty = with_empty_tables(opened) if expected is opened else (expected, ())
        result = result.with_checks([check_without_rows(empty, len(whole.table_data))] if empty else [])
        job = Job(opened, whole, needs_of(opened, expected), skip_missing_extensions, amcheck, jobs, where)
        found = _place(job, server, allow_same_server=allow_same_server)
        result = result.with_checks([found]) if isinstance(found, Check) else _at(found, job, result)
    result = replace(result, seconds=time.monotonic() - begun)
    digest = lambda: dump_digest(opened).sha256  # noqa: E731
    if evidence and recorded and not isinstance(place, Dump):
        result = _with_evidence(result, recorded, place, digest)
    return result.with_checks([_duration(result, rto)]) if (rto := settings.rto) else result


def _duration(result: Rehearsal, rto: timedelta) -> Check:
    if not result.load_seconds:
        return check_duration(None, rto=rto, of="nothing was loaded")
    return check_duration(result.seconds, rto=rto, of=f"in {result.server}, reading and proving included")


def _with_evidence(result: Rehearsal, manifest: Manifest, place: str | os.PathLike[str], digest: Callable[[], str]) -> Rehearsal:
    """Keep the result beside the dump at *place*, when it is a backup of a store; *digest* gives that of the dump."""
    try:
        found = find_backup(place)
        if found is None:
            return result
        store, stored = found
        own = manifest.dump_file is not None and manifest.dump_file.sha256 == stored.sha256  # else it was held against another's
        evidence = new_evidence(
            Proof.REHEARSED,
            result.verdict,
            sha256=stored.sha256 if own else digest(),
            seconds=result.seconds,
            checks=result.check_list,
            server=result.server,
            megabytes_per_second=result.megabytes_per_second,
        )
        return replace(result, evidence=store.write_evidence(stored, evidence))
    except StoreFailed as error:
        return result.with_checks([check_not_kept(error.message)])


def _ask_file(dump: Dump, expected: Source) -> list[Check]:
    """Whether the file is whole and the one that was backed up."""
    checks = [check_complete(complete=dump.complete, damage=dump.damage, entries=things_in(dump), remedy=dump.remedy_of_rows)]
    recorded = expected.dump_file if isinstance(expected, Manifest) else None
    if not recorded:
        return checks
    found = dump_digest(dump)
    checks.append(check_digest(recorded, sha256=found.sha256, size_bytes=found.size_bytes))
    return checks


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
    recorded = (manifest.source or manifest.label) if manifest else None
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
