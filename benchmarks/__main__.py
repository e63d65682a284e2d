"""Time our jobs and public tools on one generated database, and print the ratios.

    python -m benchmarks [--times N] [--rows N]

Each job runs N times, alternating with the tool it is measured against, each as a process of its own, and the
fastest run of each counts: on a shared machine the minimum is the figure that repeats. A ratio below 1 is faster.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from pgaudit_kit.operations.embedded_server import EmbeddedServer

CREATE = """
CREATE TABLE people (id bigint PRIMARY KEY, name text, email text, born date, active boolean, score numeric(10,2),
    seen timestamptz, profile jsonb)
"""
FILL = """
INSERT INTO people SELECT i, 'name ' || md5(i::text), md5((i * 7)::text) || '@example.org', date '1950-01-01' + (i %% 20000)::int,
    i %% 3 = 0, (i %% 100000) / 100.0, timestamptz '2020-01-01 00:00:00+00' + i * interval '1 second',
    jsonb_build_object('n', i, 'tag', md5((i + 1)::text))
FROM generate_series(1, %s) i
"""
# In batches: every table of one transaction holds locks until its end.
TABLES = """
DO $$ BEGIN FOR n IN {first}..{last} LOOP
    EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, a text NOT NULL DEFAULT ''x'', b jsonb, c timestamptz DEFAULT now(),'
                   ' d numeric(10,2) CHECK (d > 0), e uuid UNIQUE)', n);
    EXECUTE format('CREATE INDEX ON t%s (a, c)', n);
END LOOP; END $$
"""
COUNTS = """
from pgaudit_kit.dumps.read_dump import read_dump
d = read_dump({!r})
assert d.inventory.objects
assert sum(t.rows for t in d.table_data.values())
"""
PRINTS = """
from pgaudit_kit.dumps.read_dump import read_dump
d = read_dump({!r})
assert all(d.fingerprint(n).rows for n in d.table_data)
"""
LIVE = """
from pgaudit_kit.server.snapshot import snapshot
with snapshot({!r}) as s:
    assert all(s.fingerprint(n).rows for n in s.table_data)
"""
OBJECTS_OF_FILE = """
from pgaudit_kit.dumps.read_dump import read_dump
assert len(read_dump({!r}).inventory.of_kind("TABLE")) == 1000
"""
OBJECTS_LIVE = """
from pgaudit_kit.server.snapshot import snapshot
with snapshot({!r}) as s:
    assert len(s.inventory.of_kind("TABLE")) == 1000
"""


@dataclass(frozen=True)
class Job:
    """One of our jobs and the public tool it is measured against; both are shell-free command lines."""

    name: str
    ours: Sequence[str]
    tool: str
    theirs: Sequence[str]


def best(command: Sequence[str]) -> float:
    """Run *command* once and return its wall time in seconds; its output is thrown away."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def ours(code: str) -> list[str]:
    """A Python process that runs *code*."""
    return [sys.executable, "-c", code]


def jobs(server: EmbeddedServer, folder: Path, people: str, tables: str) -> list[Job]:
    """The jobs, over dumps of the databases at the URLs *people* (many rows) and *tables* (1,000 tables)."""
    pg_dump, pg_restore = str(server.bin_folder / "pg_dump"), str(server.bin_folder / "pg_restore")
    plain, custom, schema = (str(folder / name) for name in ("people.sql", "people.dump", "tables.dump"))
    for url, form, file in ((people, "plain", plain), (people, "custom", custom), (tables, "custom", schema)):
        subprocess.run([pg_dump, f"--format={form}", "-f", file, url], check=True)
    written = [pg_restore, "-f", os.devnull, custom]
    dumped = [pg_dump, "--data-only", "-f", os.devnull, people]
    return [
        Job("plain: objects and exact row counts", ours(COUNTS.format(plain)), "wc -l", ["wc", "-l", plain]),
        Job("plain: objects and exact row counts", ours(COUNTS.format(plain)), "md5sum", ["md5sum", plain]),
        Job("plain: fingerprint of every row", ours(PRINTS.format(plain)), "md5sum", ["md5sum", plain]),
        Job("custom, gzip: objects and exact row counts", ours(COUNTS.format(custom)), "pg_restore -f /dev/null", written),
        Job("live: counts and fingerprints", ours(LIVE.format(people)), "pg_dump --data-only", dumped),
        Job(
            "schema of 1,000 tables, custom",
            ours(OBJECTS_OF_FILE.format(schema)),
            "pg_restore -s",
            [pg_restore, "-s", "-f", os.devnull, schema],
        ),
        Job(
            "schema of 1,000 tables, live",
            ours(OBJECTS_LIVE.format(tables)),
            "pg_dump --schema-only",
            [pg_dump, "-s", "-f", os.devnull, tables],
        ),
    ]


def make_databases(server: EmbeddedServer, rows: int) -> tuple[str, str]:
    """Create the two databases and return their URLs."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE people TEMPLATE template0")
        connection.execute("CREATE DATABASE tables TEMPLATE template0")
    with psycopg.connect(server.url("people"), autocommit=True) as connection:
        connection.execute(CREATE)
        connection.execute(FILL, [rows])
        connection.execute("VACUUM ANALYZE")
    with psycopg.connect(server.url("tables"), autocommit=True) as connection:
        for first in range(1, 1000, 100):
            connection.execute(TABLES.format(first=first, last=first + 99).encode())
    return server.url("people"), server.url("tables")


def main() -> None:
    """Print one line per job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    with EmbeddedServer() as server, tempfile.TemporaryDirectory() as folder:
        people, tables = make_databases(server, options.rows)
        print(f"{options.rows:,} rows, PostgreSQL {server.version}, best of {options.times}\n")
        print(
            f"| {'job':44} | {'ours':>7} | {'against':24} | {'theirs':>7} | ratio |\n|{'-' * 46}|{'-' * 8}:|{'-' * 26}|{'-' * 8}:|------:|"
        )
        for job in jobs(server, Path(folder), people, tables):
            pairs = [(best(job.ours), best(job.theirs)) for _ in range(options.times)]
            mine, other = min(p[0] for p in pairs), min(p[1] for p in pairs)
            print(f"| {job.name:44} | {mine:5.2f} s | {job.tool:24} | {other:5.2f} s | {mine / other:5.2f} |")


if __name__ == "__main__":
    main()
