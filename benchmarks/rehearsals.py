"""Rehearsals, without the proof's own reads, against a bare restore into a server as initdb makes it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import psycopg

from benchmarks.data import Data
from benchmarks.job import Job, Peer
from benchmarks.measuring import Measured, inside, outside
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

MOST_MEMORY = 300_000_000
IMPORTS = "from pgaudit_kit.operations.rehearsals.rehearse import rehearse"
# What reading and comparing took is taken off: the harness subtracts `started`
REHEARSED = """
found = rehearse({dump!r}, "embedded")
assert found.verdict == "passed", found.checks.to_string()
started += found.proof_seconds
"""


def rehearsal_jobs(data: Data) -> Iterator[Job]:
    """The jobs; the server that the peers restore into is started when it is first used, and ends with us."""
    bare = _BareRestores(data)
    yield _job(data, "rehearsal without its proof: custom, gzip", "custom", Peer("pg_restore", 1.25, lambda: bare.pg_restore(data.custom)))
    yield _job(data, "rehearsal without its proof: plain", "plain", Peer("psql --single-transaction", 1.25, lambda: bare.psql(data.plain)))


def _job(data: Data, name: str, file: str, peer: Peer) -> Job:
    return Job(name, lambda: _rehearsed(getattr(data, file)), peers=[peer], most=MOST_MEMORY)


def _rehearsed(dump: Path) -> Measured:
    return inside(IMPORTS, REHEARSED.format(dump=str(dump)))


class _BareRestores:
    """A server with default settings, into which dumps are restored as by hand."""

    def __init__(self, data: Data) -> None:
        self._data = data

    @cached_property
    def _server(self) -> EmbeddedServer:
        return EmbeddedServer(durable=True).start()

    def pg_restore(self, dump: Path) -> float:
        return self._into_new(["pg_restore", "-d", self._server.url("bare"), str(dump)])

    def psql(self, dump: Path) -> float:
        return self._into_new(["psql", "-X", "-q", "--single-transaction", "-d", self._server.url("bare"), "-f", str(dump)])

    def _into_new(self, command: list[str]) -> float:
        with psycopg.connect(self._server.url(), autocommit=True) as connection:
            started = time.perf_counter()
            connection.execute("CREATE DATABASE bare TEMPLATE template0")
            made = time.perf_counter() - started
            try:
                return made + outside([self._data.program(command[0]), *command[1:]])
            finally:
                connection.execute("DROP DATABASE bare")
