"""A whole backup, verified and with its manifest, against the pg_dump that it runs: same format, same compression, nothing else."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.data import Data
from benchmarks.job import Job, Peer
from benchmarks.measuring import Measured, inside, outside

BOUND = 1.15
MOST_MEMORY = 400_000_000
IMPORTS = """
import numpy
from pgaudit_kit.operations.backups.backup import backup
"""
BACKUP = """
made = backup({url!r}, store={store!r}, format={format!r}, compression={compression!r}, jobs={jobs})
assert made.verdict == "passed", made.checks
assert made.to_dict()["rows"] == {rows}
"""
KINDS = (("custom", "gzip:6", 1), ("directory", "gzip:6", 2), ("plain", "none", 1))


def backup_jobs(data: Data) -> Iterator[Job]:
    """The jobs; their database is made when they are first run."""
    for dump_format, compression, jobs in KINDS:
        how = f"{dump_format}, {compression}{f', {jobs} jobs' if jobs > 1 else ''}"
        yield Job(
            f"backup, verified, with its manifest: {how}",
            partial(_backup, data, dump_format, compression, jobs),
            peers=[Peer("pg_dump", BOUND, partial(_pg_dump, data, dump_format, compression, jobs))],
            most=MOST_MEMORY,
        )


def _backup(data: Data, dump_format: str, compression: str, jobs: int) -> Measured:
    with tempfile.TemporaryDirectory(dir=data.folder) as store:
        code = BACKUP.format(
            url=data.url("rows"), store=store, format=dump_format, compression=compression, jobs=jobs, rows=data.total_rows
        )
        return inside(IMPORTS, code, children=1)


def _pg_dump(data: Data, dump_format: str, compression: str, jobs: int) -> float:
    folder = Path(tempfile.mkdtemp(dir=data.folder))
    options = [f"--format={dump_format}", f"--compress={compression}", f"--jobs={jobs}", f"--file={folder / 'dump'}"]
    try:
        return outside([data.program("pg_dump"), *options, "-d", data.url("rows")])
    finally:
        shutil.rmtree(folder)
