"""Snapshots of live databases against `pg_dump --schema-only` of the same, on PostgreSQL 15 and 18."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from benchmarks.data import Data
from benchmarks.job import Job, Peer
from benchmarks.live_data import LiveDatabase, databases, fill
from benchmarks.measuring import Measured, inside, outside
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.postgres_versions import installations

MAJORS = (15, 18)
ROWS_OF_ONE_TABLE = 3000  # 1,000 tables beside 3,000,000 rows
# What a notebook has loaded when it takes its second snapshot
BEFORE = """
from pgaudit_kit.server.snapshot import snapshot
with snapshot({another!r}) as live:
    live.inventory
"""
SNAPSHOT = """
with snapshot({url!r}) as live:
    assert len(live.inventory.objects) >= {objects} and live.table_data
"""


def live_jobs(data: Data) -> Iterator[Job]:
    """One job per version that is here and database; a server is started when its first job runs, and stopped after the last."""
    with ExitStack() as started:
        for major in MAJORS:
            if major in installations():
                yield from _jobs_of(_Live(major, started, data.folder), scale=max(data.rows // ROWS_OF_ONE_TABLE, 10))


class _Live:
    """A server of one version, with the databases that were asked for."""

    def __init__(self, major: int, started: ExitStack, folder: Path) -> None:
        self.major = major
        self._folder = folder
        self.pg_dump = str(installations()[major].bin_folder / "pg_dump")
        self._started = started
        self.url = cache(self._filled)
        self._server = cache(self._start)

    def _start(self) -> EmbeddedServer:
        return self._started.enter_context(EmbeddedServer(bin_folder=installations()[self.major].bin_folder))

    def _filled(self, database: LiveDatabase) -> str:
        return fill(self._server(), database)

    def snapshot(self, database: LiveDatabase) -> Measured:
        """A snapshot of it: connect, read the objects, list the tables."""
        before = BEFORE.format(another=self._server().url())
        return inside(before, SNAPSHOT.format(url=self.url(database), objects=database.count))

    def command(self, database: LiveDatabase) -> float:
        """The same as a whole command, which writes it to a file."""
        start = "from pgaudit_kit.cli.app import main; main()"
        return outside(
            [sys.executable, "-c", start, "snapshot", self.url(database), "--schema-only", "-o", str(self._folder / "live.json")]
        )

    def dump(self, database: LiveDatabase) -> float:
        """What pg_dump takes."""
        return outside([self.pg_dump, "--schema-only", "--file", os.devnull, self.url(database)])


def _jobs_of(live: _Live, *, scale: int) -> Iterator[Job]:
    for name, database in databases(scale=scale).items():
        yield Job(
            f"snapshot of {name}: PostgreSQL {live.major}",
            lambda database=database: live.snapshot(database),  # type: ignore[misc]
            lambda database=database: live.command(database),  # type: ignore[misc]
            [Peer("pg_dump --schema-only", 1.0, lambda database=database: live.dump(database))],  # type: ignore[misc]
        )
