r"""Load a dump into an empty database, all or nothing, by PostgreSQL's own programs.

An archive goes through pg_restore; a plain script, and an archive whose script has a setting that the server does not
know, through psql.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.decompression import PIECE, DumpFile, PieceStream
from pgaudit_kit.errors import LoadFailed, ProgramFailed, UsageError
from pgaudit_kit.operations.programs.client_programs import Program, find_program, pg_restore_argv, pg_restore_script_argv, psql_argv
from pgaudit_kit.operations.programs.run_program import RunningProgram, run_program
from pgaudit_kit.operations.restores.benign_entries import RoomInScript, benign_entries, drop_schema_public, entry_list, public_entry
from pgaudit_kit.operations.restores.feed_psql import feed_locked
from pgaudit_kit.operations.restores.load_errors import load_failed
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
    """How a dump was loaded: the programs that did it, and what was left out.

    `left_out`: settings that the server does not know; `benign`: entries of what every database has from the beginning; `jobs`: over
    how many connections.
    """

    programs: tuple[Program, ...]
    left_out: tuple[str, ...] = ()
    benign: tuple[str, ...] = ()
    jobs: int = 1


def load_dump(
    dump: Dump,
    target: Target,
    connection: psycopg.Connection[Any],
    *,
    owners: bool = True,
    tablespaces: bool = True,
    jobs: int = 1,
) -> Loaded:
    """Load *dump* into the new, empty database of *target*; *connection* is to the same server.

    Without *owners* also without privileges. With several *jobs* an archive of format custom or directory is loaded over as many
    connections, unless the server does not know one of its settings.

    Raises ProgramNotFound, and LoadFailed, which says whose fault it is; drop the database then: with one job nothing of an archive
    is in it, but several jobs leave what they did, and a script may COMMIT itself.
    Raises UsageError for a dump that is no local file.
    """
    path = local_path(dump)
    if dump.provenance.format == "plain":
        return _load_script(dump, target, connection)
    pg_restore = pg_restore_for(dump, _major_of(connection))
    with _entries_to_restore(dump, target, connection) as (use_list, benign):
        loading = _Loading(dump, pg_restore, path, target, connection, owners=owners, tablespaces=tablespaces, use_list=use_list)
        left_out: tuple[str, ...] = ()
        programs: tuple[Program, ...] = (pg_restore,)
        if unknown_settings(_preamble_of(pg_restore, path), connection):
            psql, left_out = loading.by_script()
            programs, jobs = (pg_restore, psql), 1
        else:
            jobs = 1 if dump.provenance.format == "tar" else jobs
            loading.directly(jobs)
    return Loaded(programs, left_out, benign, jobs)


def _load_script(dump: Dump, target: Target, connection: psycopg.Connection[Any]) -> Loaded:
    """Load a plain script; what it brings although the database has it from the beginning is made room for, and it is begun again."""
    if not isinstance(dump.file, DumpFile):
        raise UsageError(f"{dump.label} is no file", resource=dump.label, remedy="Name the script itself.")
    psql = find_program("psql", near=_major_of(connection), restrict=True)
    room = RoomInScript()
    while True:
        with dump.file.open() as script:
            try:
                left_out = _run_script(
                    psql,
                    target,
                    connection,
                    room.without_lines(iter(lambda: script.read(PIECE), b"")),
                    newer_dump=is_newer(dump, connection),
                )
            except LoadFailed as error:
                if not room.make(error, target):
                    raise
            else:
                return Loaded((psql,), left_out, tuple(room.made))


@contextmanager
def _entries_to_restore(dump: Dump, target: Target, connection: psycopg.Connection[Any]) -> Iterator[tuple[Path | None, tuple[str, ...]]]:
    """Give the list for --use-list (None: everything), and the entries that are not in it."""
    left_out = benign_entries(dump, connection)
    public = public_entry(dump)
    if public and not drop_schema_public(target):
        left_out = (*left_out, public)
    if not left_out:
        yield None, ()
        return
    with TemporaryDirectory() as folder:
        wanted = Path(folder, "list")
        wanted.write_text(entry_list(dump, left_out), encoding="ascii")
        yield wanted, tuple(f"{e.desc} {e.tag}" for e in left_out)


@dataclass(frozen=True)
class _Loading:
    """One archive on its way into one database."""

    dump: Dump
    pg_restore: Program
    archive: Path
    target: Target
    connection: psycopg.Connection[Any]
    owners: bool
    tablespaces: bool
    use_list: Path | None

    def directly(self, jobs: int) -> None:
        """By pg_restore alone."""
        argv = pg_restore_argv(
            self.pg_restore,
            archive=self.archive,
            database=self.target.database,
            owners=self.owners,
            tablespaces=self.tablespaces,
            jobs=jobs,
            use_list=self.use_list,
        )
        with RunningProgram(argv, _environment(self.target, self.connection)) as running:
            _wait(running, self.target, newer_dump=is_newer(self.dump, self.connection))

    def by_script(self) -> tuple[Program, tuple[str, ...]]:
        """By psql, which is fed with the script that pg_restore makes; return it and the settings that were left out."""
        psql = find_program("psql", near=_major_of(self.connection), restrict=True)
        argv = pg_restore_script_argv(
            self.pg_restore, archive=self.archive, owners=self.owners, tablespaces=self.tablespaces, use_list=self.use_list
        )
        newer = is_newer(self.dump, self.connection)
        with RunningProgram(argv, {}, stdout=subprocess.PIPE) as writer:
            blocks = iter(lambda: writer.stdout.read(PIECE), b"")
            try:
                left_out = _run_script(psql, self.target, self.connection, blocks, newer_dump=newer)
            except LoadFailed:
                _raise_if_failed(writer, self.target, newer_dump=newer)  # then what psql missed is only what followed from it
                raise
            _wait(writer, self.target, newer_dump=newer)
        return psql, left_out


def _environment(target: Target, connection: psycopg.Connection[Any]) -> dict[str, str]:
    """What leads a program to *target*, where it gets English messages if we may ask for them."""
    environment = target.libpq_env()
    if option := english_messages(connection):
        environment["PGOPTIONS"] = " ".join(filter(None, [environment.get("PGOPTIONS", os.environ.get("PGOPTIONS", "")), option]))
    return environment


def english_messages(connection: psycopg.Connection[Any]) -> str:
    """Return the option for a session with English messages, which pg_restore prints without SQLSTATE; "" where they are, or we may not."""
    from psycopg import errors

    row = connection.execute("SELECT pg_catalog.current_setting('lc_messages')").fetchone()
    if row is None or row[0] in ("", "C", "POSIX") or row[0].startswith(("C.", "en")):
        return ""
    try:
        with connection.transaction():
            connection.execute("SELECT pg_catalog.set_config('lc_messages', 'C', true)")
    except errors.InsufficientPrivilege:
        return ""
    return "-c lc_messages=C"


def _wait(running: RunningProgram, target: Target, *, newer_dump: bool) -> None:
    """Wait until it ends. Raises LoadFailed when it failed."""
    try:
        running.wait()
    except ProgramFailed as error:
        raise load_failed(running.words, program=running.name, newer_dump=newer_dump, secrets=target.secrets) from error


def _raise_if_failed(running: RunningProgram, target: Target, *, newer_dump: bool) -> None:
    try:
        running.raise_if_failed()
    except ProgramFailed as error:
        raise load_failed(running.words, program=running.name, newer_dump=newer_dump, secrets=target.secrets) from error


def _major_of(connection: psycopg.Connection[Any]) -> int:
    return connection.info.server_version // 10_000


def is_newer(dump: Dump, connection: psycopg.Connection[Any]) -> bool:
    """Whether the server that was dumped is of a newer major version than this one."""
    match = re.match(r"\d+", dump.provenance.server_version or "")
    return match is not None and int(match[0]) > _major_of(connection)


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


def _preamble_of(pg_restore: Program, archive: Path) -> list[bytes]:
    """The lines of the script of *archive* with no entry in it."""
    argv = pg_restore_script_argv(pg_restore, archive=archive, use_list=Path(os.devnull))
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


def _run_script(
    psql: Program, target: Target, connection: psycopg.Connection[Any], blocks: Iterator[bytes], *, newer_dump: bool
) -> tuple[str, ...]:
    """Run the SQL of *blocks* with psql, without the settings in its preamble that the server does not know; return those.

    Raises LoadFailed.
    """
    preamble, rest = split_preamble(blocks)
    unknown = unknown_settings(preamble, connection)
    left_out = tuple(f"SET {name} = ".encode() for name in unknown)
    environment = _environment(target, connection)
    with RunningProgram(psql_argv(psql, database=target.database), environment, stdin=subprocess.PIPE) as running:
        try:
            # an empty line for each that is left out, so that psql counts lines as the file does
            kept = b"".join(b"\n" if left_out and line.startswith(left_out) else line for line in preamble)
            feed_locked(running.stdin, PieceStream(filter(None, chain([kept, rest], blocks))), resource=target.label)
            running.stdin.close()
        except BrokenPipeError:
            pass  # it stopped reading because it failed: its own words are worth more
        _wait(running, target, newer_dump=newer_dump)
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
