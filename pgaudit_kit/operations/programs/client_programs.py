"""pg_dump, pg_restore and psql: find one of a fitting version, and build command lines (of pg_dump: pg_dump.py).

Building is pure and apart from running. Passwords go by environment only, never by argument.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pgaudit_kit.errors import ProgramFailed, ProgramNotFound
from pgaudit_kit.operations.programs.server_binaries import EXECUTABLE_SUFFIX, program_version, wheel_bin_folder

Name = Literal["pg_dump", "pg_dumpall", "pg_restore", "psql", "postgres"]

_USUAL_FOLDERS = {
    "linux": ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/opt/postgresql/*/bin"),
    "darwin": (
        "/opt/homebrew/opt/postgresql@*/bin",
        "/opt/homebrew/opt/libpq/bin",
        "/usr/local/opt/postgresql@*/bin",
        "/usr/local/opt/libpq/bin",
        "/Applications/Postgres.app/Contents/Versions/*/bin",
    ),
    "win32": ("C:/Program Files/PostgreSQL/*/bin",),
}
# Minor releases whose psql knows \restrict (CVE-2025-8714); from 18 all do.
_KNOWS_RESTRICT = {13: 22, 14: 19, 15: 14, 16: 10, 17: 6}


@dataclass(frozen=True, slots=True)
class Program:
    """A client program; `origin` is `PGBIN`, `system`, `PATH` or `wheel`."""

    path: Path
    version: str
    origin: str

    @property
    def major(self) -> int:
        """Major version (18)."""
        return int(self.version.split(".")[0])

    @property
    def knows_restrict(self) -> bool:
        r"""Whether this psql knows the `\restrict` line of newer plain dumps."""
        minor = int(self.version.split(".")[1]) if "." in self.version else 0
        return self.major >= 18 or minor >= _KNOWS_RESTRICT.get(self.major, 1_000)  # noqa: PLR2004  # first major that always does

    def __str__(self) -> str:
        return f"{self.path.name.removesuffix('.exe')} {self.version} ({self.origin})"


def find_program(
    name: Name,
    *,
    at_least: int | None = None,
    near: int | None = None,
    restrict: bool = False,
    fits: Callable[[Program], bool] | None = None,
    need: str = "",
) -> Program:
    r"""Return the client program *name* whose major version is *at_least* that and nearest to *near* (default: to *at_least*).

    A folder named by PGBIN comes first if it fits; then what the system has; the wheel's copy last. With neither bound the newest
    of the system. *restrict*: only one that knows `\restrict`. *fits*: only one for which that is true, *need* says what it asks
    for (` with zstd`). Raises ProgramNotFound that names the versions found.
    """
    found = list(programs_of(name))
    able = [p for p in found if p.knows_restrict or not restrict]
    while (program := choose(able, at_least=at_least, near=near)) is not None:
        if fits is None or fits(program):
            return program
        able.remove(program)
    have = ", ".join(dict.fromkeys(f"{p.version} ({p.origin})" for p in found)) or "none"
    version = f" of version {at_least} or newer" if at_least else " of August 2025 or newer" if restrict else ""
    raise ProgramNotFound(
        f"no {name}{version}{need} on this machine; found: {have}",
        resource=name,
        remedy=f"Install the PostgreSQL {at_least or ''} client programs, or set PGBIN to their folder.".replace("  ", " "),
    )


def choose(found: Iterable[Program], *, at_least: int | None, near: int | None) -> Program | None:
    """Choose among *found* by the rule of `find_program`; None when none fits."""
    fitting = [p for p in found if at_least is None or p.major >= at_least]
    goal = near or at_least

    def rank(program: Program) -> tuple[bool, bool, int, int]:
        distance = -program.major if goal is None else abs(program.major - goal)
        below = 1 if goal is not None and program.major < goal else 0  # of two as near, the newer
        return (program.origin != "PGBIN", program.origin == "wheel", distance, below)

    return min(fitting, key=rank, default=None)


def programs_of(name: Name) -> Iterator[Program]:
    """Every *name* on this machine that runs, with its version; the same file only once."""
    seen: set[Path] = set()
    for folder, origin in _folders(name):
        path = folder / f"{name}{EXECUTABLE_SUFFIX}"
        if path in seen or not path.is_file() or not os.access(path, os.X_OK):
            continue
        seen.add(path)
        try:
            yield Program(path, program_version(path), origin)
        except ProgramFailed:
            continue  # broken, or a wrapper without a program behind it: as good as absent


def _folders(name: Name) -> Iterator[tuple[Path, str]]:
    if chosen := os.environ.get("PGBIN"):
        if name != "postgres" and not (Path(chosen) / f"{name}{EXECUTABLE_SUFFIX}").is_file():
            raise ProgramNotFound(
                f"PGBIN names {chosen}, and there is no {name} in it",
                resource=name,
                remedy="Correct PGBIN, or unset it to search this machine.",
            )
        yield Path(chosen), "PGBIN"
    for pattern in _USUAL_FOLDERS.get(sys.platform, ()):
        anchor, _, rest = pattern.partition("/" if pattern.startswith("/") else ":/")
        yield from ((folder, "system") for folder in sorted(Path(f"{anchor}/" if not anchor else f"{anchor}:/").glob(rest)))
    on_path = shutil.which(name)
    if on_path:
        yield Path(on_path).parent, "PATH"
    try:
        yield wheel_bin_folder(), "wheel"
    except ProgramNotFound:
        return


def words_of(argv: Sequence[str]) -> str:
    """Return what a program that is only asked what it can do says on standard error; "" when it does not start."""
    english = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30, stdin=subprocess.DEVNULL, env=english)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stderr


def database_argument(database: str) -> str:
    """Return the `--dbname` argument for exactly *database*: a bare name with `=` in it would be read as a connection string."""
    escaped = re.sub(r"(['\\])", r"\\\1", database)
    return f"--dbname=dbname='{escaped}'"


def pg_restore_argv(
    program: Program,
    *,
    archive: Path,
    database: str,
    owners: bool = True,
    tablespaces: bool = True,
    jobs: int = 1,
    use_list: Path | None = None,
    goes_on: bool = False,
) -> list[str]:
    """Return the command line that restores *archive* into *database*, and names the entry at which it stops.

    In one transaction, so all or nothing; with several *jobs* it stops at the first error, and what it did until then stays. *goes_on*: it
    goes on after errors instead. Without *owners* also without privileges. *use_list*: a file with the entries to restore.
    """
    over = "--single-transaction" if jobs == 1 and not goes_on else f"--jobs={jobs}"
    how = [over] if goes_on else [over, "--exit-on-error", "--verbose"]
    chosen = [] if use_list is None else [f"--use-list={use_list}"]
    without = _left_out(owners=owners, tablespaces=tablespaces)
    return [str(program.path), *how, "--no-password", *chosen, *without, database_argument(database), str(archive)]


def pg_restore_script_argv(
    program: Program, *, archive: Path | None, owners: bool = True, tablespaces: bool = True, use_list: Path | None = None
) -> list[str]:
    """Return the command line that writes *archive* (None: what comes through standard input) as an SQL script to standard output."""
    chosen = [] if use_list is None else [f"--use-list={use_list}"]
    given = [] if archive is None else [str(archive)]
    return [str(program.path), "--file=-", *chosen, *_left_out(owners=owners, tablespaces=tablespaces), *given]


def _left_out(*, owners: bool, tablespaces: bool) -> list[str]:
    return [*([] if owners else ["--no-owner", "--no-privileges"]), *([] if tablespaces else ["--no-tablespaces"])]


def psql_argv(program: Program, *, database: str) -> list[str]:
    """Return the command line that runs the script on standard input in *database*, all or nothing, whatever the user's psqlrc says.

    Errors come with their SQLSTATE.
    """
    stop = ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=verbose", "--single-transaction"]
    return [str(program.path), *stop, "--file=-", database_argument(database)]
