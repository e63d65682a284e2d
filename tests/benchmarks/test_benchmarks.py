"""The benchmarks run, and every job gives a line. How long things take is not asserted: that depends on the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import line
from benchmarks.data import Data
from benchmarks.jobs import jobs

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_small_run_gives_a_line_for_every_job_and_peer(tmp_path: Path) -> None:
    twice = "PostgreSQL 15"  # the jobs of another version are the same
    command = [sys.executable, "-m", "benchmarks", "--rows", "3000", "--times", "1", "--skip", twice, "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [text.split(" | ") for text in done.stdout.splitlines() if text.startswith("| ")][1:]
    with Data(tmp_path, 3000) as data:
        assert [row[0][2:] for row in rows] == [
            job.name for job in jobs(data) if twice not in job.name for _ in range(max(len(job.peers), 1))
        ]
    assert {row[8].strip() for row in rows} <= {"ok", "over", ""}
    assert all(row[1].endswith(" s") for row in rows)
    assert not list(tmp_path.rglob("*.unfinished"))


def test_a_line_says_whether_time_and_memory_keep_the_bound() -> None:
    def verdict(ours: float, theirs: float | None, bound: float, memory: int = 10**6) -> str:
        peer = "" if theirs is None else "peer"
        found = line(job="x", ours=[ours], peer=peer, theirs=[] if theirs is None else [theirs], bound=bound, memory=memory)
        return found.split(" | ")[8]

    assert verdict(1, 2, 0.5) == "ok"
    assert verdict(1.1, 2, 0.5) == "over"
    assert verdict(1, None, 1) == "ok"
    assert verdict(1.1, None, 1) == "over"
    assert verdict(1, 2, 0.5, memory=201 * 10**6) == "over"


def test_a_ratio_is_the_median_of_what_each_turn_gave() -> None:
    """A machine that was twice as slow in one turn, for both, and in another for the peer alone: neither counts."""
    found = line(job="x", ours=[1, 2, 1], commands=[3, 6, 3], peer="y", theirs=[2, 4, 8], bound=0.5, memory=10**6)
    assert found == "| x | 1.00 s | 3.00 s | y | 4.00 s | 0.50 | 1.50 | 0.50 | ok | 1 MB |"
    assert "| 0.25 |" in line(job="x", ours=[1, 2], peer="y", theirs=[4], bound=0.5, memory=10**6)  # a peer that is slow is run once
