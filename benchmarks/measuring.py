"""Time and memory of one job, measured from inside of a process of its own and from outside."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

# `ru_maxrss` counts kilobytes on Linux, bytes on macOS. Of several children it is the largest one's.
HARNESS = """
import json, os, resource, sys, time
{before}
started = time.perf_counter()
{job}
seconds = time.perf_counter() - started
unit = 1 if sys.platform == "darwin" else 1024
own, child = (resource.getrusage(who).ru_maxrss * unit for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps({{"seconds": seconds, "peak_bytes": own + {children} * child}}))
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of the job itself, and the most memory that its processes can have held together (an upper bound: they share pages)."""

    seconds: float
    peak_bytes: int


def inside(before: str, job: str, *, children: int = 0) -> Measured:
    """Run *job* in a Python process after *before*, which is not timed: imports. *children*: how many processes it starts."""
    code = HARNESS.format(before=before, job=job, children=children)
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE)
    found = json.loads(done.stdout)
    return Measured(found["seconds"], found["peak_bytes"])


def outside(command: Sequence[str]) -> float:
    """Run *command* and return its wall time in seconds, with all that starting it takes. Its output is thrown away."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
