"""Before a backup begins: is anything in its way that can be known beforehand, and what would help?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from pgaudit_kit.checks.backup_preflight import check_direct, check_program, check_readable, check_space, check_standby
from pgaudit_kit.errors import BackupFailed, PgAuditError
from pgaudit_kit.operations.backups.job import Job
from pgaudit_kit.operations.backups.part import Part
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.table_locks import TableLock
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.catalog_query import query
from pgaudit_kit.server.snapshot import Snapshot, snapshot


def preflight(job: Job, folder: Path, last: Manifest | None) -> list[Check]:
    """Ask all of it, of a backup that is written in *folder*; *last* is the last one of the same database.

    Raises BackupFailed, with the checks, when one has failed: then nothing was written.
    """
    checks = list(_ask(job, folder, last))
    if failed := [c for c in checks if c.outcome is Outcome.FAILED]:
        told = "; ".join(c.found for c in failed)
        error = BackupFailed(
            f"no backup was written: {told}", resource=job.live.label, remedy=" ".join(dict.fromkeys(c.remedy for c in failed if c.remedy))
        )
        error.checks = tuple(checks)
        raise error
    return checks


def _ask(job: Job, folder: Path, last: Manifest | None) -> Iterator[Check]:
    live, part = job.live, job.part
    yield check_program(str(job.program), server=live.provenance.server_version or "")
    yield check_direct(live.label, pooled_by_url=live.target.pooled, pooled=live.is_pooled)
    chosen = [data for name, data in live.table_data.items() if part.has_rows_of(name)]
    if chosen:
        yield check_readable(chosen)
    same_kind = last if last and (last.partial, last.dump_form) == (part.to_partial(), job.options.form) else None
    yield check_space(
        free_bytes=shutil.disk_usage(folder).free,
        last_bytes=same_kind.dump_file.size_bytes if same_kind and same_kind.dump_file else None,
        table_bytes=sum(_sizes_of(live, part)),
        compressed=job.options.compresses,
    )
    standby = live.ask(query("standby", live.major))[0]
    if standby["standby"]:
        yield check_standby(feedback=standby["feedback"], delay=standby["delay"])


def locks_in_the_way(live: Snapshot, part: Part) -> list[TableLock]:
    """The sessions that keep pg_dump from tables of *part* at this moment."""
    return [lock for lock in _locks(live) if part.has_relation(lock.table.schema, lock.table.name)]


def who_was_in_the_way(live: Snapshot, part: Part) -> list[TableLock]:
    """As `locks_in_the_way`, over a connection of its own, after the one of *live* may be gone; none when that cannot be asked."""
    try:
        with snapshot(live.target) as another:
            return locks_in_the_way(another, part)
    except PgAuditError:
        return []


def _sizes_of(live: Snapshot, part: Part) -> Iterator[int]:
    for row in live.ask(query("table_pages", live.major)):
        if part.has_rows_of(TableName(row["schema"], row["name"])):
            yield row["size_bytes"]


def _locks(live: Snapshot) -> Sequence[TableLock]:
    rows = live.ask(query("locks_held", live.major))
    return [TableLock(TableName(r["schema"], r["name"]), r["pid"], r["granted"], r["user"], r["application"], r["seconds"]) for r in rows]
