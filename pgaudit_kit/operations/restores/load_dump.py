r"""Load a dump into an empty database, all or nothing, by PostgreSQL's own programs.

An archive goes through pg_restore; a plain script, and an archive whose script has a setting that the server does not
know, through psql.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.decompression import PIECE, DumpFile
from pgaudit_kit.errors import ProgramFailed
from pgaudit_kit.operations.programs.client_programs import Program, find_program, pg_restore_argv, pg_restore_script_argv, psql_argv
from pgaudit_kit.operations.programs.run_program import RunningProgram, run_program
from pgaudit_kit.operations.restores.local_dump import local_path
from pgaudit_kit.records.toc import TocEntry
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg

# The archive version that each pg_restore reads at most (PGDUMP_FORMATS.md 1.1)
_READS_FROM = {"1.15": 16, "1.16": 17}
_NOT_IN_EVERY_BUILD = frozenset({"lz4", "zstd"})
_SETTING = re.compile(rb"SET (\w+) = ")
# What may stand before the first object of a script: comments, blanks, settings, \restrict (PGDUMP_FORMATS.md 5.1, 5.2)
_PREAMBLE = re.compile(rb"(--.*|SET \w+ = .*;|SELECT pg_catalog\.set_config\('search_path', '', false\);|\\restrict \w+|)\r?\n")


@dataclass(frozen=True, slots=True)
class Loaded:
    """How a dump was loaded: the programs that did it, and the settings that were left out because the server does not know them."""

    programs: tuple[Program, ...]
    left_out: tuple[str, ...] = ()


def load_dump(dump: Dump, target: Target, connection: psycopg.Connection[Any], *, owners: bool = True) -> Loaded:
    """Load *dump* into the empty database of *target*; *connection* is to the same server. Without *owners* also without privileges.

    Raises ProgramNotFound, ProgramFailed; then nothing of it is in the database (a script may COMMIT itself: drop the database then).
    Raises UsageError for a dump that is no local file.
    """
    major = connection.info.server_version // 10_000
    archive = local_path(dump)
    if dump.provenance.format == "plain" and isinstance(dump.file, DumpFile):
        psql = find_program("psql", near=major, restrict=bool(dump.script_commands))
        with dump.file.open() as script:
            return Loaded((psql,), _run_script(psql, target, connection, iter(lambda: script.read(PIECE), b"")))
    pg_restore = pg_restore_for(dump, major)
    if not unknown_settings(_preamble_of(pg_restore, archive, owners=owners), connection):
        argv = pg_restore_argv(pg_restore, archive=archive, database=target.database, owners=owners)
        run_program(argv, target.libpq_env())
        return Loaded((pg_restore,))
    psql = find_program("psql", near=major, restrict=pg_restore.knows_restrict)
    with RunningProgram(pg_restore_script_argv(pg_restore, archive=archive, owners=owners), {}, stdout=subprocess.PIPE) as writer:
        left_out = _run_script(psql, target, connection, iter(lambda: writer.stdout.read(PIECE), b""))
        writer.wait()
    return Loaded((pg_restore, psql), left_out)


def why_not_unpacked(dump: Dump, connection: psycopg.Connection[Any], *, archive: Path | None = None) -> str:
    """Why the pg_restore that would load the archive *dump* cannot unpack its data, in its own words; "" when it can.

    Not every build has lz4 and zstd. It is asked by having it print the smallest table in each of these compressions. *archive*: where
    it lies bare, when that is not its own path.
    Raises ProgramNotFound, UsageError.
    """
    if not _NOT_IN_EVERY_BUILD & set((dump.provenance.compression or "").split(", ")):
        return ""
    pg_restore = pg_restore_for(dump, connection.info.server_version // 10_000)
    archive = archive or local_path(dump)
    with TemporaryDirectory() as folder:
        wanted = Path(folder, "list")
        wanted.write_text("".join(f"{dump_id};\n" for dump_id in _smallest_tables(dump, archive)), encoding="ascii")
        try:
            run_program([str(pg_restore.path), f"--file={os.devnull}", f"--use-list={wanted}", str(archive)], {})
        except ProgramFailed as error:
            return error.message
    return ""


def _smallest_tables(dump: Dump, archive: Path) -> list[int]:
    """The dump ids of one small table in each compression."""
    tables = {f"{entry.dump_id}.dat": entry for entry in dump.toc_entries if entry.desc == "TABLE DATA" and entry.has_data}
    if not archive.is_dir():
        sizes = {(name.schema, name.name): data.size_bytes or 0 for name, data in dump.table_data.items()}
        return sorted((e.dump_id or 0 for e in tables.values()), key=lambda i: sizes.get(_key(tables[f"{i}.dat"]), 0))[:1]
    smallest: dict[str, tuple[int, int]] = {}
    for file in archive.iterdir():
        bare, _, suffix = file.name.partition(".dat")
        if entry := tables.get(f"{bare}.dat"):
            smallest[suffix] = min(smallest.get(suffix, (1 << 62, 0)), (file.stat().st_size, entry.dump_id or 0))
    return [dump_id for _, dump_id in smallest.values()]


def _key(entry: TocEntry) -> tuple[str, str]:
    return entry.schema or "", entry.tag


def pg_restore_for(dump: Dump, major: int) -> Program:
    """The pg_restore that can read the archive, near to the server's version. Raises ProgramNotFound."""
    oldest = _READS_FROM.get(".".join((dump.provenance.archive_version or "").split(".")[:2]))
    return find_program("pg_restore", at_least=oldest, near=max(major, oldest or 0))


def _preamble_of(pg_restore: Program, archive: Path, *, owners: bool) -> list[bytes]:
    """The lines of the script of *archive* with no entry in it."""
    argv = [*pg_restore_script_argv(pg_restore, archive=archive, owners=owners), f"--use-list={os.devnull}"]
    with RunningProgram(argv, {}, stdout=subprocess.PIPE) as script:
        lines = script.stdout.read().splitlines(keepends=True)
        script.wait()
    return lines


def unknown_settings(lines: Iterable[bytes], connection: psycopg.Connection[Any]) -> tuple[str, ...]:
    """Return the settings that *lines* set and the server does not know (transaction_timeout before 17)."""
    names = [match[1].decode() for line in lines if (match := _SETTING.match(line))]
    rows = connection.execute(
        "SELECT name FROM unnest(%s::text[]) AS name WHERE name NOT IN (SELECT s.name FROM pg_catalog.pg_settings s)"
        "   AND name <> 'role' ORDER BY 1",
        [names],
    )
    return tuple(name for (name,) in rows)


def _run_script(psql: Program, target: Target, connection: psycopg.Connection[Any], blocks: Iterator[bytes]) -> tuple[str, ...]:
    """Run the SQL of *blocks* with psql, without the settings in its preamble that the server does not know; return those."""
    preamble, rest = split_preamble(blocks)
    unknown = unknown_settings(preamble, connection)
    left_out = tuple(f"SET {name} = ".encode() for name in unknown)
    with RunningProgram(psql_argv(psql, database=target.database), target.libpq_env(), stdin=subprocess.PIPE) as running:
        try:
            running.stdin.write(b"".join(line for line in preamble if not left_out or not line.startswith(left_out)))
            running.stdin.write(rest)
            for block in blocks:
                running.stdin.write(block)
            running.stdin.close()
        except BrokenPipeError:
            pass  # it stopped reading because it failed: its own words are worth more
        running.wait()
    return unknown


def split_preamble(blocks: Iterator[bytes]) -> tuple[list[bytes], bytes]:
    """Take the leading settings off a script: return its lines up to the first other statement, and what else was read so far."""
    lines: list[bytes] = []
    text = b""
    for block in blocks:
        text += block
        while match := _PREAMBLE.match(text):
            lines.append(match[0])
            text = text[match.end() :]
        if b"\n" in text:
            break
    return lines, text
