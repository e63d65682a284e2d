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
CREATE TABLE people (id bigint PRIMARY KEY, name text, email text, born date, active boolean, score numeric(10,2), seen timestamptz, profile jsonb)
"""
FILL = """
INSERT INTO people SELECT i, 'name ' || md5(i::text), md5((i * 7)::text) || '@example.org', date '1950-01-01' + (i %% 20000)::int, i %% 3 = 0,
    (i %% 100000) / 100.0, timestamptz '2020-01-01 00:00:00+00' + i * interval '1 second', jsonb_build_object('n', i, 'tag', md5((i + 1)::text))
FROM generate_series(1, %s) i
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


def jobs(server: EmbeddedServer, folder: Path, url: str) -> list[Job]:
    """The jobs, over a plain and a custom dump of the database at *url*."""
    plain, custom = folder / "people.sql", folder / "people.dump"
    pg_dump, pg_restore = str(server.bin_folder / "pg_dump"), str(server.bin_folder / "pg_restore")
    subprocess.run([pg_dump, "-Fp", "-f", str(plain), url], check=True)
    subprocess.run([pg_dump, "-Fc", "-f", str(custom), url], check=True)
    counts = "from pgaudit_kit.dumps.read_dump import read_dump\nd = read_dump({!r})\nassert d.inventory.objects\nassert sum(t.rows for t in d.table_data.values())"
    prints = (
        "from pgaudit_kit.dumps.read_dump import read_dump\nd = read_dump({!r})\nassert all(d.fingerprint(n).rows for n in d.table_data)"
    )
    live = f"from pgaudit_kit.server.snapshot import snapshot\nwith snapshot({url!r}) as s:\n    assert all(s.fingerprint(n).rows for n in s.table_data)"
    return [
        Job("plain: objects and exact row counts", ours(counts.format(str(plain))), "wc -l", ["wc", "-l", str(plain)]),
        Job("plain: objects and exact row counts", ours(counts.format(str(plain))), "md5sum", ["md5sum", str(plain)]),
        Job("plain: fingerprint of every row", ours(prints.format(str(plain))), "md5sum", ["md5sum", str(plain)]),
        Job("custom, gzip: objects and exact row counts", ours(counts.format(str(custom))), "pg_restore -f /dev/null", [pg_restore, "-f", os.devnull, str(custom)]),
        Job("live: counts and fingerprints", ours(live), "pg_dump --data-only", [pg_dump, "--data-only", "-f", os.devnull, url]),
    ]  # fmt: skip


def main() -> None:
    """Print one line per job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    with EmbeddedServer() as server, tempfile.TemporaryDirectory() as folder:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench TEMPLATE template0")
        url = server.url("bench")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(CREATE)
            connection.execute(FILL, [options.rows])
            connection.execute("ANALYZE")
        print(f"{options.rows:,} rows, PostgreSQL {server.version}, best of {options.times}\n")
        print(
            f"| {'job':44} | {'ours':>7} | {'against':24} | {'theirs':>7} | ratio |\n|{'-' * 46}|{'-' * 8}:|{'-' * 26}|{'-' * 8}:|------:|"
        )
        for job in jobs(server, Path(folder), url):
            pairs = [(best(job.ours), best(job.theirs)) for _ in range(options.times)]
            mine, other = min(p[0] for p in pairs), min(p[1] for p in pairs)
            print(f"| {job.name:44} | {mine:5.2f} s | {job.tool:24} | {other:5.2f} s | {mine / other:5.2f} |")


if __name__ == "__main__":
    main()
