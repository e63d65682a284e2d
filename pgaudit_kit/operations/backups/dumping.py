"""pg_dump and our own reading, in one snapshot, at the same time: when one of them ends badly, the other is stopped."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pgaudit_kit.audits.taking import take_backup_manifest
from pgaudit_kit.dumps.archives.growing_archive import read_while_written
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.errors import PgAuditError, ProgramFailed, QueryFailed
from pgaudit_kit.operations.backups.job import Job
from pgaudit_kit.operations.backups.part import rows_to_record
from pgaudit_kit.operations.backups.stream_compression import CompressedOutput
from pgaudit_kit.operations.programs.pg_dump import pg_dump_argv
from pgaudit_kit.operations.programs.run_program import RunningProgram
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.server.snapshot import Snapshot
from pgaudit_kit.server.targets import Target

_LOOKED_AT_SECONDS = 0.2


def dump_and_record(job: Job, output: Path) -> tuple[Manifest, Dump | None]:
    """Run pg_dump into *output* and read the manifest, both in the snapshot of *job*; return it, and the dump if that was read already.

    A custom archive that pg_dump is still busy with when the manifest is done is read while it grows.
    Raises ProgramFailed, QueryFailed, and OSError when the output, compressed by us, cannot be written.
    """
    live, target = job.live, job.live.target
    argv = pg_dump_argv(job.program, job.options, database=target.database, output=output, snapshot_id=live.export_id())
    streamed = job.options.streamed(job.program)
    with ExitStack() as stack:
        stdout = subprocess.PIPE if streamed else subprocess.DEVNULL
        running = stack.enter_context(RunningProgram(argv, dump_environment(live, target), stdout=stdout))
        compressed = stack.enter_context(CompressedOutput(running.stdout, output, streamed)) if streamed else None
        try:
            with stopped_with(running, live):
                chosen = rows_to_record(live.table_data, job.part)
                manifest = take_backup_manifest(
                    live,
                    chosen,
                    prisma_schema=target.prisma_schema,
                    progress=lambda _: running.raise_if_failed(),
                    beside=job.options.is_slow,
                )
            if compressed:
                compressed.join()
            busy = job.options.format == "custom" and running.is_running
            dump = read_while_written(output, lambda: running.is_running) if busy else None
            running.wait()
        except ProgramFailed:
            if compressed:
                compressed.join()  # that its output could not be written is why it ended
            raise
    return manifest, dump


def dump_environment(live: Snapshot, target: Target) -> dict[str, str]:
    """The environment in which pg_dump prints the same text as *live* (PGDUMP_FORMATS.md 6.4: it does not set TimeZone itself)."""
    zone = live.provenance.settings.get("TimeZone")
    return target.libpq_env() | ({"PGTZ": zone} if zone else {})


@contextmanager
def stopped_with(running: RunningProgram, live: Snapshot) -> Iterator[None]:
    """When the program ends badly, stop what the block waits for in *live*, and raise what the program says."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOKED_AT_SECONDS):
            if running.failed:
                with suppress(PgAuditError, OSError):
                    live.cancel()

    watcher = threading.Thread(target=watch, name="pg_dump", daemon=True)
    watcher.start()
    try:
        yield
    except QueryFailed:
        running.raise_if_failed()
        raise
    finally:
        over.set()
        watcher.join()
