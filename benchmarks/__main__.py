"""Time our jobs and public tools on the same generated files, in turn, and print the ratios and what each job held in memory.

    python -m benchmarks [--rows N] [--times N] [--only TEXT] [--skip TEXT] [--folder FOLDER]

The files are made once, by a real server, in FOLDER (3,000,000 rows: 5 GB, some minutes). A job runs in a process that has loaded
the package, as a notebook has, and again as a whole command, with the start of Python. Ours and theirs take turns, so that
what else the machine does hits both: a ratio is of one turn, and the median of all turns counts (a peer that takes more than
30 seconds is run once). Seconds are medians too. A ratio below 1 is faster.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import platformdirs

from benchmarks.data import Data
from benchmarks.job import MOST_MEMORY, Job
from benchmarks.jobs import jobs

SLOW_PEER = 30.0  # seconds after which a peer is run once only
HEAD = "| job | ours | as command | peer | theirs | ratio | as command | bound | | peak memory |"
RULE = "|---|---:|---:|---|---:|---:|---:|---:|---|---:|"


def main() -> None:
    """Print the table, a line for each job and peer."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_000_000, help="rows of all tables together (3000000)")
    parser.add_argument("--times", type=int, default=3, help="runs of each job and each peer (3)")
    parser.add_argument("--only", default="", help="jobs with this text in their name")
    parser.add_argument("--skip", metavar="TEXT", help="no jobs with this text in their name")
    cache = Path(platformdirs.user_cache_dir("pgaudit-kit")) / "benchmarks"
    parser.add_argument("--folder", type=Path, default=cache, help=f"where the files are kept ({cache})")
    options = parser.parse_args()
    with Data(options.folder, options.rows) as data:
        print(
            f"{data.total_rows:,} rows, Python {platform.python_version()}, medians of {options.times} runs\n\n{HEAD}\n{RULE}",
            flush=True,
        )
        for job in jobs(data):
            if options.only in job.name and not (options.skip and options.skip in job.name):
                print("\n".join(lines(job, options.times)), flush=True)


def lines(job: Job, times: int) -> list[str]:
    """Run *job* and its peers in turn, and return their lines of the table."""
    ours, commands = [], []
    theirs: list[list[float]] = [[] for _ in job.peers]
    for _ in range(times):
        ours.append(job.ours())
        if job.command:
            commands.append(job.command())
        for seconds, peer in zip(theirs, job.peers, strict=True):
            if seconds and seconds[0] > SLOW_PEER:
                continue
            if (took := peer.run()) is not None:
                seconds.append(took)
    mine = [run.seconds for run in ours]
    memory = max(run.peak_bytes for run in ours)
    if not job.peers:
        return [line(job=job.name, ours=mine, commands=commands, bound=job.bound, memory=memory, most=job.most)]
    return [
        line(
            job=job.name,
            ours=mine,
            commands=commands,
            peer=peer.name if seconds else f"{peer.name} (not installed)",
            theirs=seconds,
            bound=peer.bound,
            memory=memory,
            most=job.most,
        )
        for peer, seconds in zip(job.peers, theirs, strict=True)
    ]


def line(
    *,
    job: str,
    ours: Sequence[float],
    commands: Sequence[float] = (),
    peer: str = "",
    theirs: Sequence[float] = (),
    bound: float | None,
    memory: int,
    most: float = MOST_MEMORY,
) -> str:
    """Return one line. Without a peer the bound is in seconds; the bound is for the job itself, not for the start of Python."""
    ratio = _ratio(ours, theirs)
    measured = ratio if peer else median(ours)
    kept = "" if measured is None or bound is None else "ok" if measured <= bound and memory <= most else "over"
    cells = [
        job,
        _seconds(ours),
        _seconds(commands),
        peer,
        _seconds(theirs),
        "" if ratio is None else f"{ratio:.2f}",
        "" if (whole := _ratio(commands, theirs)) is None else f"{whole:.2f}",
        "" if bound is None else f"{bound:.2f}" if peer else _shown(bound),
        kept,
        f"{memory / 1e6:.0f} MB",
    ]
    return f"| {' | '.join(cells)} |"


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    """The median of each turn's ratio: how fast the machine is changes from turn to turn, and less within one."""
    return median(mine / other for mine, other in zip(ours, theirs, strict=False)) if ours and theirs else None


def _seconds(runs: Sequence[float]) -> str:
    return _shown(median(runs)) if runs else ""


def _shown(value: float) -> str:
    return f"{value:.3f} s" if value < 1 else f"{value:.2f} s"


if __name__ == "__main__":
    main()
