"""What a job is: what is timed, against what, and the bounds that it has to keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.measuring import Measured

MOST_MEMORY = 200_000_000


@dataclass(frozen=True)
class Peer:
    """What a job is measured against: `run` gives seconds, None when it is not installed. `bound`: the most that the ratio may be."""

    name: str
    bound: float
    run: Callable[[], float | None]


@dataclass(frozen=True)
class Job:
    """One job: in a process that has loaded the package, and as a whole command (None: there is no such command).

    `bound`: the most seconds that it may take, of a job without a peer. `most`: the most bytes of memory; no
    bound for what holds its result.
    """

    name: str
    ours: Callable[[], Measured]
    command: Callable[[], float] | None = None
    peers: Sequence[Peer] = ()
    bound: float | None = None
    most: float = MOST_MEMORY
