"""pg_dump: what it is asked for, and the command line that asks for it. Who compresses is told apart: it, or we its output."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast, get_args

from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.programs.client_programs import Program, database_argument, words_of

Format = Literal["custom", "directory", "plain", "tar", "incremental"]
Algorithm = Literal["none", "gzip", "lz4", "zstd"]

# The levels that pg_dump 16 takes (src/common/compression.c, validate_compress_specification); zstd's negative ones nobody needs here
LEVELS: Mapping[str, int] = {"gzip": 9, "lz4": 12, "zstd": 22}
_COMPRESSION = re.compile(r"(none)|(gzip|lz4|zstd)(?::(\d{1,2}))?")
_KNOWS_METHODS = 16  # pg_dump up to 15 takes a number, which is gzip's level, and up to 14 takes a word for level 0
_SUFFIXES: Mapping[str, str] = {"custom": ".dump", "directory": ".dir", "plain": ".sql", "tar": ".tar", "incremental": ".inc"}
_STREAM_SUFFIXES: Mapping[str, str] = {"none": "", "gzip": ".gz", "lz4": ".lz4", "zstd": ".zst"}
_ONE_STREAM = frozenset({"plain", "tar"})  # formats whose output as a whole can be compressed and read again


@dataclass(frozen=True, slots=True)
class Compression:
    """How a dump is compressed; `level` None is the method's own default."""

    algorithm: Algorithm
    level: int | None = None

    @classmethod
    def parse(cls, text: str) -> Compression:
        """Read `none`, `gzip`, `lz4:9` … Raises UsageError."""
        match = _COMPRESSION.fullmatch(text)
        algorithm = cast("Algorithm", match[1] or match[2]) if match else "none"
        level = int(match[3]) if match and match[3] else None
        if not match or (level is not None and not 1 <= level <= LEVELS[algorithm]):
            levels = ", ".join(f"{name}:1 to {name}:{most}" for name, most in LEVELS.items())
            message = f"compression {text!r} is not known"
            raise UsageError(message, resource="compression", remedy=f"Give none, gzip, lz4 or zstd, with a level if you like: {levels}.")
        return cls(algorithm, level)

    def __str__(self) -> str:
        return self.algorithm if self.level is None else f"{self.algorithm}:{self.level}"


@dataclass(frozen=True, slots=True)
class DumpOptions:
    """What pg_dump is asked for. `compression` None: what pg_dump does of its own. `lock_timeout`: in seconds, None waits for ever.

    Without *full* owners and privileges are left out. `part`: its options that choose what to dump. Raises UsageError for what cannot be.
    """

    format: Format = "custom"
    compression: Compression | None = None
    jobs: int = 1
    full: bool = False
    part: tuple[str, ...] = ()
    lock_timeout: float | None = None

    def __post_init__(self) -> None:
        if self.format not in get_args(Format):
            known = ", ".join(name for name in get_args(Format) if name != "incremental")
            raise UsageError(f"format {self.format!r} is not known", resource="format", remedy=f"Give one of {known}.")
        if self.format == "incremental" and self.compression and self.compression.algorithm != "zstd":
            message = f"an incremental backup is compressed with zstd, not with {self.compression.algorithm}"
            raise UsageError(message, resource="compression", remedy="Leave it out, or give a level: zstd:9.")
        if self.format == "incremental" and self.jobs > 1:
            remedy = "Leave --jobs out: the next one reads only what has changed."
            raise UsageError("an incremental backup is read by one job only", resource="jobs", remedy=remedy)
        if self.jobs < 1:
            raise UsageError("jobs is less than 1", resource="jobs", remedy="Give how many tables to dump at a time.")
        if self.jobs > 1 and self.format != "directory":
            remedy = "Add --format directory, or leave --jobs out."
            raise UsageError(f"pg_dump writes the {self.format} format with one job only", resource="jobs", remedy=remedy)
        if self.lock_timeout is not None and self.lock_timeout <= 0:
            raise UsageError("the lock timeout is not above 0", resource="lock timeout", remedy="Give seconds, such as 60.")

    @property
    def suffix(self) -> str:
        """What the name of the dump ends in (`.dump`, `.sql.zst`)."""
        wrapped = _STREAM_SUFFIXES[self.compression.algorithm] if self.compression and self.format in _ONE_STREAM else ""
        return _SUFFIXES[self.format] + wrapped

    @property
    def compresses(self) -> bool:
        """Whether the dump will be compressed; archives are of themselves, scripts and tar are not."""
        return self.compression.algorithm != "none" if self.compression else self.format not in _ONE_STREAM

    @property
    def is_slow(self) -> bool:
        """Whether pg_dump will be busy for much longer than it takes to read the same rows: gzip packs some 20 MB/s."""
        return self.compresses and (self.compression is None or self.compression.algorithm == "gzip")

    @property
    def form(self) -> str:
        """What decides the size of a dump besides what is in it: `custom`, `plain, zstd:9`."""
        return f"{self.format}, {self.compression}" if self.compression else self.format

    def streamed(self, program: Program) -> Compression | None:
        """The compression that we put around the output of *program*, None when it does all itself."""
        wanted = self.compression
        if not wanted or wanted.algorithm == "none" or self.format not in _ONE_STREAM:
            return None
        return wanted if self.format == "tar" or not can_compress(program, wanted.algorithm) else None

    def fits(self, program: Program) -> bool:
        """Whether *program* can do what is asked, or we for it."""
        return not self.compression or self.format in (*_ONE_STREAM, "incremental") or can_compress(program, self.compression.algorithm)


def can_compress(program: Program, algorithm: str) -> bool:
    """Whether *program* compresses with *algorithm* itself. lz4 and zstd: from 16, where its build has them, which it is asked."""
    if algorithm in ("none", "gzip"):
        return True
    if program.major < _KNOWS_METHODS:
        return False
    # It checks this before it connects, and there is no server where it is told to look
    nowhere = ["--format=custom", f"--compress={algorithm}", f"--host={Path(program.path).parent / 'no server'}", "--no-password"]
    return "does not support compression" not in words_of([str(program.path), *nowhere, "--dbname=nothing"])


def pg_dump_argv(program: Program, options: DumpOptions, *, database: str, output: Path, snapshot_id: str) -> list[str]:
    """Return the command line that dumps *database* into *output* as it is in the exported snapshot *snapshot_id*.

    To standard output when its output is for us to compress (`DumpOptions.streamed`).
    """
    streamed = options.streamed(program)
    argv = [str(program.path), f"--format={options.format}", f"--snapshot={snapshot_id}", "--no-password"]
    if not streamed:
        argv.append(f"--file={output}")
        argv += _compress(program, options)
    if options.jobs > 1:
        argv.append(f"--jobs={options.jobs}")
    if not options.full:
        argv += ["--no-owner", "--no-privileges"]
    if options.lock_timeout is not None:
        argv.append(f"--lock-wait-timeout={round(options.lock_timeout * 1000)}")
    return [*argv, *options.part, database_argument(database)]


def pg_dump_stream_argv(
    program: Program, options: DumpOptions, *, database: str, encoding: str, snapshot_id: str, left_out: Sequence[str]
) -> list[str]:
    """Return the command line that writes *database* to standard output as an uncompressed custom archive; *left_out*: further options.

    *encoding*: otherwise pg_dump takes what `ALTER DATABASE … SET client_encoding` says at that time, for each backup anew.
    """
    part = (*options.part, f"--encoding={encoding}", *left_out)
    plain = replace(options, format="custom", compression=Compression("none"), part=part)
    argv = pg_dump_argv(program, plain, database=database, output=Path("unused"), snapshot_id=snapshot_id)
    return [argument for argument in argv if not argument.startswith("--file=")]


def pg_dumpall_argv(program: Program, *, database: str, passwords: bool) -> list[str]:
    """Return the command line that writes roles and tablespaces to standard output, hashes of passwords only with *passwords*."""
    without = [] if passwords else ["--no-role-passwords"]
    return [str(program.path), "--globals-only", *without, "--no-password", database_argument(database)]


def _compress(program: Program, options: DumpOptions) -> list[str]:
    wanted = options.compression
    if wanted is None or (options.format == "tar" and wanted.algorithm == "none"):
        return []
    if program.major >= _KNOWS_METHODS:
        return [f"--compress={wanted}"]
    return ["--compress=0" if wanted.algorithm == "none" else f"--compress={wanted.level or 6}"]
