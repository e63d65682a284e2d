"""Restoring the last of a series of incremental backups, against restoring an ordinary dump of the same database.

    python -m benchmarks.restoring [--rows N] [--backups N] [--folder FOLDER] [--times N]

Between two backups rows are updated at random places and appended, so that the chunks of the last one lie in packs of all of them. Both
restores are `pk.restore` with its verification and proof, into a new database, in a process that has loaded the package; they take turns,
and the fastest of each counts. pg_restore alone is there to compare with.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
import psycopg
from psycopg.conninfo import make_conninfo

import pgaudit_kit as pk
from benchmarks.data import Data
from benchmarks.measuring import Measured, inside, outside

BOUND = 1.2
IMPORTS = "import numpy, pyarrow, psycopg; from pgaudit_kit.operations.restores.restore import restore"
RESTORE = """
done = restore({path!r}, {url!r}, confirm=lambda _: True)
assert done.verdict == "passed", done.checks.to_string()
"""
CHANGE = """
UPDATE messages SET score = score + 1 WHERE hashint8(id + {number}) % 1000 = 0;
INSERT INTO messages SELECT id + {number} * 10000000, user_id, thread, subject, body || ' again', sent_at, read, score
    FROM messages ORDER BY id LIMIT {rows};
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.restoring", description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000_000, help="rows of all tables together (3000000)")
    parser.add_argument("--backups", type=int, default=30, help="how many backups the series has (30)")
    parser.add_argument("--times", type=int, default=3, help="runs of each restore (3)")
    cache = Path(platformdirs.user_cache_dir("pgaudit-kit")) / "benchmarks"
    parser.add_argument("--folder", type=Path, default=cache, help=f"where the files are kept ({cache})")
    options = parser.parse_args()
    with Data(options.folder, options.rows) as data, tempfile.TemporaryDirectory(dir=data.folder) as folder:
        url = data.copy("rows", "series")
        last = series(url, Path(folder) / "store", options.backups, options.rows // 2000)
        ordinary = pk.backup(url, store=Path(folder) / "ordinary").path
        packs = len(list((Path(folder) / "store" / "packs").glob("*.pack")))
        print(f"{data.total_rows:,} rows, {options.backups} backups in {packs} packs, the fastest of {options.times} runs\n", flush=True)
        report(url, {"incremental": str(last), "ordinary": str(ordinary)}, data, options.times)


def series(url: str, store: Path, backups: int, rows: int) -> Path:
    """Back up so many times, with changes between; return the last one."""
    store.mkdir()
    for number in range(1, backups + 1):
        made = pk.backup(url, store=store, incremental=True)
        if number < backups:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(CHANGE.format(number=number, rows=rows).encode())
    return Path(str(made.path))


def report(url: str, paths: dict[str, str], data: Data, times: int) -> None:
    """Restore each in turn, and print what it took."""
    runs: dict[str, list[Measured]] = {name: [] for name in paths}
    bare = []
    for _ in range(times):
        for name, path in paths.items():
            with new_name(url) as into:
                runs[name].append(inside(IMPORTS, RESTORE.format(path=path, url=into), children=2))
        with new_name(url, create=True) as into:
            bare.append(outside([data.program("pg_restore"), "-d", into, paths["ordinary"]]))
    seconds = {name: min(run.seconds for run in found) for name, found in runs.items()}
    ratio = seconds["incremental"] / seconds["ordinary"]
    print("| restore | seconds | ratio | bound | peak memory |\n|---|---:|---:|---:|---:|")
    for name, found in runs.items():
        cells = (f"{ratio:.2f}", str(BOUND)) if name == "incremental" else ("1", "")
        print(f"| {name} | {seconds[name]:.2f} | {cells[0]} | {cells[1]} | {max(r.peak_bytes for r in found) / 1e6:.0f} MB |")
    print(f"| pg_restore alone | {min(bare):.2f} | {min(bare) / seconds['ordinary']:.2f} | | |")


@contextmanager
def new_name(url: str, *, create: bool = False) -> Iterator[str]:
    """Give the URL of a database that is not there (or, with *create*, empty), and drop it afterwards."""
    with psycopg.connect(url, autocommit=True) as connection:
        if create:
            connection.execute("CREATE DATABASE restored TEMPLATE template0")
        yield make_conninfo(url, dbname="restored") if create else url.replace("/series", "/restored")
        connection.execute("DROP DATABASE IF EXISTS restored WITH (FORCE)")


if __name__ == "__main__":
    main()
