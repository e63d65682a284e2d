"""Which PostgreSQL a dump is rehearsed in: found on this machine, chosen by a rule, and the reason is told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pgaudit_kit.operations.programs.client_programs import programs_of
from pgaudit_kit.operations.programs.server_binaries import (
    EXECUTABLE_SUFFIX,
    Account,
    can_run,
    extensions_of,
    server_bin_folder,
    unprivileged_account,
)
from pgaudit_kit.operations.rehearsals.needs import Needs

WHEEL = "wheel"
# What initdb makes in every database
_ALWAYS_THERE = frozenset({"plpgsql"})


@dataclass(frozen=True, slots=True)
class Installed:
    """A PostgreSQL server program of this machine. `origin`: PGBIN, system, PATH, or wheel; `extensions`: what it can create."""

    version: str
    origin: str
    bin_folder: Path
    extensions: frozenset[str]

    @property
    def major(self) -> int:
        """Major version (18)."""
        return int(self.version.split(".")[0])

    def __str__(self) -> str:
        return f"PostgreSQL {self.version} ({'embedded' if self.origin == WHEEL else self.origin})"


@dataclass(frozen=True, slots=True)
class Choice:
    """The server that was chosen, why, and the extensions of the dump that it lacks."""

    server: Installed
    why: str
    lacks: tuple[str, ...] = ()


def installed_servers(*, only_embedded: bool = False) -> Iterator[Installed]:
    """Yield the servers of this machine that our account for servers can run, the embedded one last. Raises OperationError."""
    account = unprivileged_account()
    for program in programs_of("postgres"):
        if only_embedded and program.origin != WHEEL:
            continue
        folder = server_bin_folder(account) if program.origin == WHEEL else program.path.parent
        if _is_whole(folder, account):
            yield Installed(program.version, program.origin, folder, extensions_of(folder, account) | _ALWAYS_THERE)


def _is_whole(folder: Path, account: Account | None) -> bool:
    return (folder / f"initdb{EXECUTABLE_SUFFIX}").is_file() and (account is None or can_run(folder, account))


def choose_server(found: Iterable[Installed], needs: Needs) -> Choice | None:
    """Return the best of *found* for *needs*; None when none is as new as the server that was dumped.

    First counts how few extensions it lacks, then the folder of PGBIN, then the system before the wheel, then how near its version is.
    """
    fitting = [s for s in found if needs.major is None or s.major >= needs.major]
    if not fitting:
        return None
    lacking = {s: missing(needs.extensions, s.extensions) for s in fitting}

    def rank(server: Installed) -> tuple[int, bool, bool, int]:
        distance = server.major - needs.major if needs.major is not None else -server.major
        return (len(lacking[server]), server.origin != "PGBIN", server.origin == WHEEL, distance)

    best = min(fitting, key=rank)
    return Choice(best, _why(best, fitting, needs), lacking[best])


def missing(wanted: Collection[str], there: Collection[str]) -> tuple[str, ...]:
    """Return those of *wanted* that are not *there*, in their order."""
    return tuple(name for name in wanted if name not in there)


def _why(best: Installed, fitting: list[Installed], needs: Needs) -> str:
    dumped = f"PostgreSQL {needs.major}" if needs.major is not None else "an unknown version"
    lacks = missing(needs.extensions, best.extensions)
    extensions = "" if not needs.extensions else f"; it lacks {', '.join(lacks)}" if lacks else "; it has every extension"
    if best.origin == "PGBIN":
        return f"PGBIN names it, the dump is of {dumped}{extensions}"
    if best.origin != WHEEL:
        return f"the system's own that fits a dump of {dumped} best{extensions}"
    others = [s for s in fitting if s.origin != WHEEL]
    reason = "no system server lacks fewer extensions" if others else "no system server is as new as the dump's" if needs.major else ""
    return f"the dump is of {dumped}{extensions}" + (f"; {reason}" if reason else "")
