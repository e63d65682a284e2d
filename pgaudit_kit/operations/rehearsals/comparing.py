"""Load a dump into the place of its rehearsal, and compare what came out with what it must be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pgaudit_kit.audits.proof import prove
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.operations.rehearsals.amcheck import check_amcheck
from pgaudit_kit.operations.rehearsals.left_out import LeftOut, dependents, extension_entries, without
from pgaudit_kit.operations.rehearsals.load_archive import ArchiveLoad, local_archive
from pgaudit_kit.operations.rehearsals.load_script import load_script
from pgaudit_kit.operations.rehearsals.loaded import Loaded
from pgaudit_kit.operations.rehearsals.needs import Needs
from pgaudit_kit.operations.rehearsals.places import Place
from pgaudit_kit.operations.rehearsals.problems import Blame, blamed, of
from pgaudit_kit.operations.rehearsals.verdicts import (
    check_cannot_unpack,
    check_commands,
    check_extensions,
    check_left_out,
    check_no_server,
    check_not_told,
)
from pgaudit_kit.operations.restores.load_dump import pg_restore_for
from pgaudit_kit.operations.restores.unpacking import why_not_unpacked
from pgaudit_kit.operations.servers.scratch_folders import ScratchFolder
from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Check
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.snapshot import snapshot
from pgaudit_kit.server.targets import Target


@dataclass(frozen=True)
class Job:
    """What is rehearsed, what it must equal, and how."""

    dump: Dump
    expected: Source
    needs: Needs
    skip_missing_extensions: bool
    amcheck: bool
    jobs: int | None
    folder: Path | None


@dataclass(frozen=True)
class Found:
    """What came of loading and comparing in one place."""

    checks: tuple[Check, ...]
    loaded: Loaded | None = None
    left: LeftOut = field(default_factory=LeftOut)
    load_seconds: float = 0.0
    proof_seconds: float = 0.0
    restored_bytes: int = 0


@dataclass(frozen=True)
class _Archive:
    """A bare local file or folder, and a folder for temporary files. `own_rows`: no pg_restore here can unpack its rows."""

    path: Path
    scratch: Path
    own_rows: bool


def load_and_compare(job: Job, place: Place) -> Found:
    """Load the dump of *job* into the empty database of *place* and compare. Raises the errors of loading that are no finding."""
    checks = []
    if job.needs.major and place.major < job.needs.major:
        return Found((check_no_server(job.needs.major, [place.server]),))
    if job.needs.extensions:
        checks.append(check_extensions(job.needs.extensions, place.lacks, skipped=job.skip_missing_extensions))
        if place.lacks and not job.skip_missing_extensions:
            return Found(tuple(checks))
    empty = _size_of(place.target)
    begun = time.monotonic()
    skipped = dependents(job.dump.toc_entries, extension_entries(job.dump.toc_entries, place.lacks))
    with _unpackable(job, place) as archive:
        if isinstance(archive, Check):
            return Found((*checks, archive))
        loaded = _blamed(job, place, _load(job, place, archive, skipped))
    loading = time.monotonic() - begun
    left, proof = _compared(job, place, loaded, skipped)
    comparing = time.monotonic() - begun - loading
    checks += [check_commands(loaded.problems, loaded.carried_out), *proof]
    size = _size_of(place.target) - empty
    if job.amcheck:
        checks.append(check_amcheck(place.target))
    return Found(tuple(checks), loaded, left, loading, comparing, size)


def _blamed(job: Job, place: Place, loaded: Loaded) -> Loaded:
    newer = job.needs.major is None or place.major > job.needs.major
    lacking, other = bool(place.lacks), place.other_locale
    return replace(loaded, problems=blamed(loaded.problems, loaded.made, lacking=lacking, other_locale=other, newer=newer))


def _compared(job: Job, place: Place, loaded: Loaded, skipped: frozenset[int]) -> tuple[LeftOut, list[Check]]:
    """What is not compared, and the checks that compare the rest."""
    ignore = _ignored(job, place)
    with snapshot(place.target) as restored:
        expected, left = _remaining(job, loaded, skipped, restored)
        checks = [check_left_out(left)] if left.names else []
        told = [a for a in sorted(ignore & {"owner", "acl"}) if place.owners and _says(expected, a)]
        checks += [check_not_told(told)] if told else []
        checks += prove(expected, restored, ignore=ignore).check_list
    return left, checks


def _ignored(job: Job, place: Place) -> frozenset[str]:
    """The attributes that cannot have come back: the server lacks roles or tablespaces, or the dump was made without them."""
    spaces = frozenset() if place.tablespaces else frozenset({"tablespace"})
    if not place.owners:
        return spaces | {"owner", "acl"}
    owners = any(entry.owner for entry in job.dump.toc_entries) or not job.dump.toc_entries
    return spaces | frozenset(() if owners else {"owner"}) | (job.dump.inventory.not_told & {"acl"})


def _says(source: Source, attribute: str) -> bool:
    """Whether the manifest has it of something, and not that the dump was told to leave it out."""
    if not isinstance(source, Manifest) or attribute in source.leaves_out:
        return False
    return any(o.attributes.get(attribute) for o in source.inventory.objects)


@contextmanager
def _unpackable(job: Job, place: Place) -> Iterator[_Archive | Check | None]:
    """Give the archive, None for a script; a check when no pg_restore here can unpack it."""
    if job.dump.provenance.format == "plain":
        yield None
        return
    scratch = ScratchFolder(None, base=job.folder)
    try:
        archive = local_archive(job.dump, scratch.path)
        with connect(place.target) as connection:
            why_not = why_not_unpacked(job.dump, connection, archive=archive)
        if why_not and LARGE_OBJECT_ROWS in job.dump.table_data:
            yield check_cannot_unpack(job.dump.provenance.compression, why_not)
        else:
            yield _Archive(archive, scratch.path, own_rows=bool(why_not))
    finally:
        scratch.remove()


def _load(job: Job, place: Place, archive: _Archive | None, skipped: frozenset[int]) -> Loaded:
    if archive is None:
        return load_script(job.dump, place.target, tablespaces=place.tablespaces)
    pg_restore = pg_restore_for(job.dump, place.major)
    load = ArchiveLoad(
        job.dump,
        archive.path,
        place.target,
        pg_restore,
        archive.scratch,
        owners=place.owners,
        tablespaces=place.tablespaces,
        jobs=job.jobs,
        own_rows=archive.own_rows,
    )
    return load.run(leave_out=skipped)


def _remaining(job: Job, loaded: Loaded, skipped: frozenset[int], restored: Source) -> tuple[Source, LeftOut]:
    """What is to be compared: all, but for what is not there because of the server, and what depends on that."""
    lacking = {p.place for blame in (Blame.ENVIRONMENT, Blame.VERSIONS) for p in of(loaded.problems, blame)}
    if job.dump.provenance.format != "plain":
        lacking |= dependents(job.dump.toc_entries, skipped | lacking)
    if not lacking:
        return job.expected, LeftOut()
    tables = [name for name in loaded.tables_without if _is_lacking(name, loaded, lacking)]
    tables += [name for name in job.expected.table_data if name not in tables and _is_of_an_extension(name, job.dump, restored)]
    return without(job.dump, job.expected, lacking, tables, restored=restored.inventory)


def _is_of_an_extension(table: TableName, dump: Dump, restored: Source) -> bool:
    """Whether nothing in *dump* makes *table*, and the server did not either.

    Several connections may tell their errors in one another's words, so that it is not known by these.
    """
    key = ObjectKey("TABLE", table.schema, table.name)
    return table != LARGE_OBJECT_ROWS and key not in dump.inventory.by_key and table not in restored.table_data


def _is_lacking(table: TableName, loaded: Loaded, lacking: set[int]) -> bool:
    """Whether the rows of *table* did not get in because of the environment."""
    return any(p.place in lacking and table.name in p.what for p in loaded.problems)


def _size_of(target: Target) -> int:
    with connect(target) as connection:
        row = connection.execute("SELECT pg_catalog.pg_database_size(pg_catalog.current_database())").fetchone()
    return int(row[0]) if row else 0
