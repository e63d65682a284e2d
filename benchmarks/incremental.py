"""Incremental backups against pg_dump and restic, on one series: a first backup, nothing changed, rows appended, rows updated.

    python -m benchmarks.incremental [--rows N] [--times N] [--pg-dump PROGRAM] [--folder FOLDER]

Times are those of `pk.backup` in a process that has loaded the package, and of `pg_dump` into a file; the fastest of so many runs
counts, and before each of ours the store is put back to what it was. Space is what a step adds to the store: packs, their indexes, the
backup's file and its manifest. restic (Debian's package) backs up plain dumps, which suit it better than compressed ones.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from math import isinf
from pathlib import Path

import platformdirs
import psycopg

from benchmarks.data import Data
from benchmarks.measuring import inside, outside

IMPORTS = "import numpy; from pgaudit_kit.operations.backups.backup import backup"
BACKUP = """
made = backup({url!r}, store={store!r}, incremental=True)
assert made.verdict == "passed", made.checks.to_string()
"""
APPENDED = """
INSERT INTO messages SELECT id + 100000000, user_id, thread, subject, body || ' again', sent_at, read, score
    FROM messages ORDER BY id LIMIT {rows}
"""
UPDATED = """
UPDATE messages SET score = score + 1 WHERE hashint8(id) % 1000 = 0;
UPDATE events SET amount = amount + 1 WHERE hashint8(id) % 1000 = 0;
UPDATE users SET balance = balance + 1 WHERE hashint8(id) % 1000 = 0;
UPDATE documents SET size = size + 1 WHERE hashint4(id) % 1000 = 0
"""
MOST_MEMORY = 300_000_000


@dataclass
class Step:
    """What one step took: ours, and the bounds as shares of pg_dump's time and of the first backup's space."""

    name: str
    most_time: float
    most_space: float
    sql: str = ""
    seconds: float = 0
    dump_seconds: float = 0
    peak_bytes: int = 0
    added_bytes: int = 0
    restic_bytes: int = 0


@dataclass
class Series:
    """The steps on one database, with a store and a repository of restic."""

    data: Data
    folder: Path
    times: int
    pg_dump: str
    url: str = ""
    steps: list[Step] = field(default_factory=list)

    def run(self, step: Step) -> None:
        """Change the database, then back it up with all three."""
        if step.sql:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(step.sql.encode())
        store, kept = self.folder / "store", self.folder / "store as it was"
        shutil.copytree(store, kept)
        runs = []
        for _ in range(self.times):
            shutil.rmtree(store)
            shutil.copytree(kept, store)
            step_run = inside(IMPORTS, BACKUP.format(url=self.url, store=str(store)), children=1)
            runs.append(step_run)
            step.dump_seconds = min(step.dump_seconds or 1e9, self._pg_dump())
        step.added_bytes = size_of(store) - size_of(kept)
        shutil.rmtree(kept)
        step.seconds, step.peak_bytes = min(run.seconds for run in runs), max(run.peak_bytes for run in runs)
        step.restic_bytes = self._restic()
        self.steps.append(step)

    def _pg_dump(self) -> float:
        file = self.folder / "dump"
        seconds = outside([self.pg_dump, "-Fc", f"--compress={self._compression}", "-f", str(file), "-d", self.url])
        file.unlink()
        return seconds

    @property
    def _compression(self) -> str:
        nowhere = [self.pg_dump, "-Fc", "--compress=zstd", "-f", "/dev/null", "-d", "host=/nowhere dbname=nothing"]
        said = subprocess.run(nowhere, check=False, capture_output=True, text=True).stderr
        return "gzip" if "does not support" in said else "zstd"

    def _restic(self) -> int:
        """What it adds to its repository; 0 when it is not installed."""
        if not shutil.which("restic"):
            return 0
        repository, plain = self.folder / "restic", self.folder / "plain.sql"
        own = {"RESTIC_PASSWORD": "x", "RESTIC_REPOSITORY": str(repository), "XDG_CACHE_HOME": str(self.folder / "cache")}
        environment = {**os.environ, **own}
        if not repository.exists():
            subprocess.run(["restic", "init", "-q", "--repository-version", "2"], check=True, env=environment)
        before = size_of(repository)
        subprocess.run([self.pg_dump, "-f", str(plain), "-d", self.url], check=True)
        subprocess.run(["restic", "backup", "-q", str(plain)], check=True, env=environment)
        plain.unlink()
        return size_of(repository) - before


def size_of(folder: Path) -> int:
    """Bytes of all files in it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Print the table, a line for each step."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.incremental", description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000_000, help="rows of all tables together (3000000)")
    parser.add_argument("--pg-dump", default="", help="the pg_dump to measure against, one with zstd (default: that of the wheel, without)")
    parser.add_argument("--times", type=int, default=3, help="runs of each step (3)")
    cache = Path(platformdirs.user_cache_dir("pgaudit-kit")) / "benchmarks"
    parser.add_argument("--folder", type=Path, default=cache, help=f"where the files are kept ({cache})")
    options = parser.parse_args()
    with Data(options.folder, options.rows) as data, tempfile.TemporaryDirectory(dir=data.folder) as folder:
        series = Series(data, Path(folder), options.times, options.pg_dump or data.program("pg_dump"), data.copy("rows", "series"))
        (Path(folder) / "store").mkdir()
        print(HEAD, flush=True)
        for step in (
            Step("first", 1.3, float("inf")),
            Step("nothing changed", 0.3, 0.005),
            Step("1 % appended to the largest table", 1.1, 0.02, APPENDED.format(rows=options.rows // 200)),
            Step("0.1 % updated at random places", float("inf"), 0.15, UPDATED),
        ):
            series.run(step)
            print(line(step, series.steps[0]), flush=True)


HEAD = """| step | ours | pg_dump -Fc | ratio | bound | space | of the first | bound | restic | peak memory |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"""


def line(step: Step, first: Step) -> str:
    """One line of the table."""
    ratio, share = step.seconds / step.dump_seconds, step.added_bytes / first.added_bytes
    kept = ratio <= step.most_time and share <= step.most_space and step.peak_bytes <= MOST_MEMORY
    restic = f"{step.restic_bytes / 1e6:.2f} MB" if step.restic_bytes else "not installed"
    cells = [
        step.name,
        f"{step.seconds:.2f} s",
        f"{step.dump_seconds:.2f} s",
        f"{ratio:.2f}",
        "" if isinf(step.most_time) else f"{step.most_time:g}",
        f"{step.added_bytes / 1e6:.2f} MB",
        f"{share:.2%}",
        "" if isinf(step.most_space) else f"{step.most_space:.1%}",
        restic,
        f"{step.peak_bytes / 1e6:.0f} MB{'' if kept else ' (over a bound)'}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
