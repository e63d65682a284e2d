"""The PostgreSQL installations that the tests can use, by major version.

They are looked for in the folder that `tests/fetch_servers.py` fills (environment: PGAUDIT_TEST_SERVERS), then in Debian's places, then
in the wheel that the package brings along. The fetched ones come first: 16 and later have lz4 and zstd there, which the wheel lacks.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from pgaudit_kit.errors import ProgramFailed, ProgramNotFound
from pgaudit_kit.operations.programs.server_binaries import program_version, wheel_bin_folder
from tests.fetch_servers import cache_folder

KNOWN = (13, 14, 15, 16, 17, 18)
REQUIRED = (14, 15, 16, 17, 18)  # the package registry keeps these for good; 13 is only where its distribution still has it

FORMATS: Mapping[str, str] = {"plain": "p", "custom": "c", "directory": "d", "tar": "t"}


@dataclass(frozen=True)
class Installation:
    """One PostgreSQL with server and client programs."""

    major: int
    bin_folder: Path

    @cached_property
    def version(self) -> str:
        """Full version (`16.15`)."""
        return program_version(self.bin_folder / "pg_dump")

    @property
    def compressions(self) -> tuple[str, ...]:
        """What its pg_dump can compress with (the fetched builds; a distribution may build without)."""
        return ("none", "gzip", "lz4", "zstd") if self.major >= 16 else ("none", "gzip")

    def run(self, program: str, *arguments: str | os.PathLike[str]) -> bytes:
        """Run a client program and return its output. Fails with the program's own words."""
        done = subprocess.run(
            [self.bin_folder / program, *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
            env={key: value for key, value in os.environ.items() if not key.startswith("PG")},
        )
        assert done.returncode == 0, f"{program} {self.version}: {done.stderr.decode('utf-8', 'replace')[-2000:]}"
        return done.stdout

    def dump(
        self, url: str, path: Path, *options: str, dump_format: str = "custom", compression: str = "none", jobs: int | None = None
    ) -> Path:
        """Dump the database at *url* into *path*, in one of FORMATS, compressed with one of `compressions`; return *path*."""
        algorithm = {"none": "0", "gzip": "6"}.get(compression, compression)
        compress = () if dump_format == "tar" else (f"--compress={algorithm}",)
        parallel = () if jobs is None else (f"--jobs={jobs}",)
        self.run("pg_dump", f"--format={FORMATS[dump_format]}", *compress, *parallel, *options, f"--file={path}", f"--dbname={url}")
        return path


@cache
def installations() -> Mapping[int, Installation]:
    """Every usable installation, by major version: pg_dump, pg_restore and the server are there and run."""
    found: dict[int, Installation] = {}
    for folder in _bin_folders():
        try:
            versions = [program_version(folder / name) for name in ("postgres", "pg_dump", "pg_restore", "psql")]
        except (OSError, ProgramFailed):
            continue  # clients only, or libraries missing: as good as absent
        found.setdefault(int(versions[0].split(".")[0]), Installation(int(versions[0].split(".")[0]), folder))
    return dict(sorted(found.items()))


def _bin_folders() -> list[Path]:
    fetched = cache_folder()
    folders = [*sorted(fetched.glob("*/bin")), *sorted(fetched.glob("*/usr/lib/postgresql/*/bin"))]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    with contextlib.suppress(ProgramNotFound):
        folders.append(wheel_bin_folder())
    return folders


def installation(major: int, missing: Callable[[str], None]) -> Installation:
    """The installation of *major*, or what *missing* does (skip; in CI fail if it is one of REQUIRED)."""
    import pytest

    found = installations().get(major)
    if found is None:
        reason = f"PostgreSQL {major} (run tests/fetch_servers.py)"
        if major in REQUIRED:
            missing(reason)
        pytest.skip(f"{reason} is missing")
    return found
