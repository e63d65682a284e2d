"""Rehearse a restore: into a throwaway database, whose content is then compared with what it must be."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pgaudit_kit.audits.file_digest import dump_digest
from pgaudit_kit.audits.proof import prove
from pgaudit_kit.audits.sources import open_dump
from pgaudit_kit.checks.dump_whole import check_complete, check_digest
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.scripts.cluster import ClusterDump
from pgaudit_kit.operations.backups.backup import Backup
from pgaudit_kit.operations.rehearsals.amcheck import check_amcheck
from pgaudit_kit.operations.rehearsals.evidence_file import evidence_of, store_evidence
from pgaudit_kit.operations.rehearsals.left_out import LeftOut, dependents, extension_entries, with_empty_tables, without
from pgaudit_kit.operations.rehearsals.load_archive import ArchiveLoad, local_archive
from pgaudit_kit.operations.rehearsals.load_script import load_script
from pgaudit_kit.operations.rehearsals.loaded import Loaded
from pgaudit_kit.operations.rehearsals.needs import Needs, needs_of
from pgaudit_kit.operations.rehearsals.places import Place, check_origin, check_space, place_on, throwaway_place
from pgaudit_kit.operations.rehearsals.problems import Blame, blamed, of
from pgaudit_kit.operations.rehearsals.rehearsal import Rehearsal
from pgaudit_kit.operations.rehearsals.server_choice import choose_server, installed_servers
from pgaudit_kit.operations.rehearsals.verdicts import (
    check_commands,
    check_extensions,
    check_left_out,
    check_no_server,
    check_not_told,
    check_without_rows,
)
from pgaudit_kit.operations.restores.load_dump import pg_restore_for, why_not_unpacked
from pgaudit_kit.operations.restores.maintenance import database_names, maintenance_connection, named_target
from pgaudit_kit.operations.servers.scratch_folders import ScratchFolder
from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS
from pgaudit_kit.records.manifest import Manifest, load_manifest, manifest_beside
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.connection import connect, refused_queries
from pgaudit_kit.server.snapshot import snapshot
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

AUTO, EMBEDDED = "auto", "embedded"


@dataclass(frozen=True)
class _Job:
    """What is rehearsed, what it must equal, and how."""

    dump: Dump
    expected: Source
    needs: Needs
    skip_missing_extensions: bool
    amcheck: bool
    jobs: int | None
    folder: Path | None


@dataclass(frozen=True)
class _Outcome:
    """What came of loading and comparing in one place."""

    checks: tuple[Check, ...]
    loaded: Loaded | None = None
    left: LeftOut = field(default_factory=LeftOut)
    load_seconds: float = 0.0
    restored_bytes: int = 0


@dataclass(frozen=True)
class _Archive:
    """A bare local file or folder, and a folder for temporary files. `own_rows`: no pg_restore here can unpack its rows."""

    path: Path
    scratch: Path
    own_rows: bool


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
    opened = open_dump(dump.path if isinstance(dump, Backup) else dump)
    if isinstance(opened, ClusterDump):
        raise opened.needs_a_name()
    expected, own = _expected(opened, manifest)
    checks, digest = _ask_file(opened, expected)
    result = Rehearsal(opened.label, tuple(checks))
    if not any(c.outcome is Outcome.FAILED for c in checks):
        whole, empty = with_empty_tables(opened) if expected is opened else (expected, ())
        checks += [check_without_rows(empty, len(whole.table_data))] if empty else []
        result = replace(result, check_list=tuple(checks))
        job = _Job(
            opened,
            whole,
            needs_of(opened, expected),
            skip_missing_extensions,
            amcheck,
            jobs,
            Path(folder) if folder is not None else None,
        )
        found = _place(job, server, allow_same_server=allow_same_server)
        result = _not_possible(result, found) if isinstance(found, Check) else _at(found, job, result)
    result = replace(result, seconds=time.monotonic() - begun)
    if evidence and own and opened.path:
        kept = store_evidence(opened.path, evidence_of(result, digest or dump_digest(opened).sha256))
        result = replace(result, evidence=str(kept))
    return result


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


def _not_possible(result: Rehearsal, why: Check) -> Rehearsal:
    return replace(result, check_list=(*result.check_list, why))


def _place(job: _Job, server: str | Target | Engine | URL, *, allow_same_server: bool) -> AbstractContextManager[Place] | Check:
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


def _target_place(job: _Job, target: Target, *, allow_same_server: bool) -> AbstractContextManager[Place]:
    manifest = job.expected if isinstance(job.expected, Manifest) else None
    with refused_queries(target.label, "looking at the server"), maintenance_connection(target) as connection:
        names = database_names(connection)
    recorded = manifest.label if manifest else None
    check_origin(target, recorded, names, job.dump.provenance.database, allowed=allow_same_server)
    return place_on(target, job.needs)


def _at(entering: AbstractContextManager[Place], job: _Job, result: Rehearsal) -> Rehearsal:
    """Rehearse at that place."""
    with entering as place, refused_queries(place.server, "rehearsing"):
        done = _load_and_compare(job, place)
    loaded = done.loaded
    return replace(
        result,
        check_list=(*result.check_list, *place.checks, *done.checks),
        server=place.server,
        why=place.why,
        programs=loaded.programs if loaded else (),
        left_out=done.left.names,
        settings=tuple(dict.fromkeys(p.what for p in of(loaded.problems, Blame.SETTING))) if loaded else (),
        load_seconds=done.load_seconds,
        restored_bytes=done.restored_bytes,
    )


def _load_and_compare(job: _Job, place: Place) -> _Outcome:
    checks = []
    if job.needs.major and place.major < job.needs.major:
        return _Outcome((check_no_server(job.needs.major, [place.server]),))
    if job.needs.extensions:
        checks.append(check_extensions(job.needs.extensions, place.lacks, skipped=job.skip_missing_extensions))
        if place.lacks and not job.skip_missing_extensions:
            return _Outcome(tuple(checks))
    empty = _size_of(place.target)
    begun = time.monotonic()
    skipped = dependents(job.dump.toc_entries, extension_entries(job.dump.toc_entries, place.lacks))
    with _unpackable(job, place) as archive:
        if isinstance(archive, Check):
            return _Outcome((*checks, archive))
        loaded = _load(job, place, archive, skipped)
    seconds = time.monotonic() - begun
    problems = blamed(loaded.problems, loaded.made, lacking=bool(place.lacks), other_locale=place.other_locale)
    loaded = replace(loaded, problems=problems)
    checks.append(check_commands(problems, loaded.carried_out))
    expected, left = _remaining(job, loaded, skipped)
    checks += [check_left_out(left)] if left.names else []
    ignore = _ignored(job, place)
    if told := [a for a in sorted(ignore) if place.owners and _says(expected, a)]:
        checks.append(check_not_told(told))
    with snapshot(place.target) as restored:
        checks += prove(expected, restored, ignore=ignore).check_list
    size = _size_of(place.target) - empty
    if job.amcheck:
        checks.append(check_amcheck(place.target))
    return _Outcome(tuple(checks), loaded, left, seconds, size)


def _ignored(job: _Job, place: Place) -> frozenset[str]:
    """The attributes that cannot have come back: the server lacks the roles, or the dump was made without them."""
    if not place.owners:
        return frozenset({"owner", "acl"})
    owners = any(entry.owner for entry in job.dump.toc_entries) or not job.dump.toc_entries
    return frozenset(() if owners else {"owner"}) | (job.dump.inventory.not_told & {"acl"})


def _says(source: Source, attribute: str) -> bool:
    return isinstance(source, Manifest) and any(o.attributes.get(attribute) for o in source.inventory.objects)


@contextmanager
def _unpackable(job: _Job, place: Place) -> Iterator[_Archive | Check | None]:
    """Give the archive, None for a script; a check when no pg_restore here can unpack it."""
    if job.dump.provenance.format == "plain":
        yield None
        return
    scratch = ScratchFolder(None, base=job.folder)
    try:
        archive = local_archive(job.dump, scratch.path)
        with connect(place.target) as connection:
            why_not = why_not_unpacked(job.dump, connection, archive=archive)
        large_objects = LARGE_OBJECT_ROWS in job.dump.table_data
        yield _cannot_unpack(job.dump, why_not) if why_not and large_objects else _Archive(archive, scratch.path, own_rows=bool(why_not))
    finally:
        scratch.remove()


def _cannot_unpack(dump: Dump, why_not: str) -> Check:
    return Check(
        id="rehearsal.compression",
        question="Can pg_restore unpack the large objects?",
        outcome=Outcome.NOT_CHECKED,
        expected=f"a pg_restore with {dump.provenance.compression}",
        found=why_not,
        remedy="Set PGBIN to the programs of a PostgreSQL built with it, as those of most distributions are.",
    )


def _load(job: _Job, place: Place, archive: _Archive | None, skipped: frozenset[int]) -> Loaded:
    if archive is None:
        return load_script(job.dump, place.target)
    pg_restore = pg_restore_for(job.dump, place.major)
    load = ArchiveLoad(
        job.dump,
        archive.path,
        place.target,
        pg_restore,
        archive.scratch,
        owners=place.owners,
        jobs=job.jobs,
        own_rows=archive.own_rows,
    )
    return load.run(leave_out=skipped)


def _remaining(job: _Job, loaded: Loaded, skipped: frozenset[int]) -> tuple[Source, LeftOut]:
    """What is to be compared: all, but for what the server lacks and what depends on that."""
    lacking = {p.place for p in of(loaded.problems, Blame.ENVIRONMENT)}
    if job.dump.provenance.format != "plain":
        lacking |= dependents(job.dump.toc_entries, skipped | lacking)
    if not lacking:
        return job.expected, LeftOut()
    tables = [name for name in loaded.tables_without if _is_lacking(name, loaded, lacking)]
    return without(job.dump, job.expected, lacking, tables)


def _is_lacking(table: TableName, loaded: Loaded, lacking: set[int]) -> bool:
    """Whether the rows of *table* did not get in because of the environment."""
    return any(p.place in lacking and table.name in p.what for p in loaded.problems)


def _size_of(target: Target) -> int:
    with connect(target) as connection:
        row = connection.execute("SELECT pg_catalog.pg_database_size(pg_catalog.current_database())").fetchone()
    return int(row[0]) if row else 0
