"""All that is measured: against what, and the bound that it has to keep."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from math import inf

from benchmarks.data import Data
from benchmarks.job import Job, Peer
from benchmarks.live_backup import backup_jobs
from benchmarks.live_objects import live_jobs
from benchmarks.live_rows import row_jobs
from benchmarks.measuring import Measured, inside, outside
from benchmarks.rehearsals import rehearsal_jobs

# What a notebook has loaded when it opens its second dump; the whole command has to load what it needs itself.
IMPORTS = """
import numpy
import pgaudit_kit.dumps.archives.archive, pgaudit_kit.dumps.archives.open_archive
import pgaudit_kit.dumps.ddl.builder, pgaudit_kit.dumps.scripts.plain
from pgaudit_kit.dumps.read_dump import read_dump
"""
FRAMES = """
import duckdb, pandas, pyarrow.csv
"""
COUNTS = """
dump = read_dump({0!r})
assert dump.inventory.objects and not dump.damage
assert sum(table.rows for table in dump.table_data.values()) == {1}
"""
PRINTS = """
dump = read_dump({0!r})
assert sum(found.rows for found in dump.fingerprints().values()) == {1}
"""
PROCESSES = 2


def jobs(data: Data) -> Iterator[Job]:
    """All jobs; each makes its file when it is first run."""
    yield Job(
        "objects, exact row counts: plain",
        lambda: _counts(data, data.plain),
        lambda: _inspect(data.plain),
        [
            Peer("wc -l", 4.0, lambda: outside(["wc", "-l", str(data.plain)])),
            Peer("md5sum", 1 / 3, lambda: outside(["md5sum", str(data.plain)])),
        ],
    )
    yield Job(
        "objects, exact row counts: plain .gz",
        lambda: _counts(data, data.gzipped),
        lambda: _inspect(data.gzipped),
        [Peer("gzip -dc > /dev/null", 0.6, lambda: outside(["gzip", "-dc", str(data.gzipped)]))],
    )
    yield Job(
        "objects, exact row counts: custom, gzip",
        lambda: _counts(data, data.custom),
        lambda: _inspect(data.custom),
        [
            Peer("pg_restore -f /dev/null", 0.6, lambda: outside([data.program("pg_restore"), "-f", os.devnull, str(data.custom)])),
            Peer("pgdumplib.load", 0.1, lambda: _pgdumplib(data)),
        ],
    )
    yield Job(
        "TOC of 2,000 entries: custom",
        lambda: inside(IMPORTS, f"assert len(read_dump({str(data.many_entries)!r}).toc_entries) >= 2000"),
        bound=0.05,
    )
    yield Job(
        "fingerprint of every row: plain",
        lambda: _prints(data, data.plain),
        lambda: _inspect(data.plain, "--fingerprints"),
        [Peer("md5sum", 1.0, lambda: outside(["md5sum", str(data.plain)]))],
    )
    for name, file in (("--inserts", lambda: data.inserts), ("--rows-per-insert", lambda: data.many_rows_per_insert)):
        yield Job(
            f"objects, exact row counts: {name}",
            lambda file=file: _counts(data, file()),  # type: ignore[misc]
            lambda file=file: _inspect(file()),  # type: ignore[misc]
            [Peer("md5sum", 8.0, lambda file=file: outside(["md5sum", str(file())]))],  # type: ignore[misc]
        )
    yield Job(
        "objects of 1,000 tables: plain",
        lambda: inside(IMPORTS, f"assert len(read_dump({str(data.schema)!r}).inventory.of_kind('TABLE')) == 1000"),
        lambda: _inspect(data.schema),
        bound=2.0,
    )
    yield Job(
        "read_table, 8 mixed columns",
        lambda: inside(IMPORTS + FRAMES, f"assert read_dump({str(data.people)!r}).read_table('people').shape == ({data.rows // 3}, 8)"),
        peers=[Peer('pandas.read_csv(engine="pyarrow")', 2.0, lambda: _read_csv(data))],
        most=inf,
    )
    yield from backup_jobs(data)
    yield from row_jobs(data)
    yield from live_jobs(data)
    yield from rehearsal_jobs(data)


def _counts(data: Data, path: object) -> Measured:
    return inside(IMPORTS, COUNTS.format(str(path), data.total_rows))


def _prints(data: Data, path: object) -> Measured:
    os.environ["PGAUDIT_PROCESSES"] = str(PROCESSES)
    return inside(IMPORTS, PRINTS.format(str(path), data.total_rows), children=PROCESSES)


def _inspect(path: object, *options: str) -> float:
    return outside([sys.executable, "-c", "from pgaudit_kit.cli.app import main; main()", "inspect", str(path), "--json", *options])


def _pgdumplib(data: Data) -> float | None:
    if not importlib.util.find_spec("pgdumplib"):
        return None
    return inside("import pgdumplib", f"assert pgdumplib.load({str(data.custom)!r}).entries").seconds


def _read_csv(data: Data) -> float:
    job = f"assert pandas.read_csv({str(data.people_csv)!r}, engine='pyarrow').shape == ({data.rows // 3}, 8)"
    return inside(FRAMES, job).seconds
