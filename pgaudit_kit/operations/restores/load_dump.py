r"""Load a dump into an empty database, all or nothing, by PostgreSQL's own programs.

An archive goes through pg_restore; a plain script, and an archive whose script has a setting that the server does not
know, through psql.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
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
from pgaudit_kit.operations.programs.run_program import RunningProgram
from pgaudit_kit.operations.restores.benign_entries import RoomInScript, benign_entries, drop_schema_public, entry_list, public_entry
from pgaudit_kit.operations.restores.feed_psql import feed_locked
from pgaudit_kit.operations.restores.load_errors import load_failed
from pgaudit_kit.operations.restores.local_dump import local_path
from pgaudit_kit.operations.restores.script_preamble import preamble_of, split_preamble, unknown_settings
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg

# The archive version that each pg_restore reads at most (PGDUMP_FORMATS.md 1.1)
_READS_FROM = {"1.15": 16, "1.16": 17}


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
        if unknown_settings(preamble_of(pg_restore, path), connection):
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


def pg_restore_for(dump: Dump, major: int) -> Program:
    """The pg_restore that can read the archive, near to the server's version. Raises ProgramNotFound."""
    oldest = _READS_FROM.get(".".join((dump.provenance.archive_version or "").split(".")[:2]))
    return find_program("pg_restore", at_least=oldest, near=max(major, oldest or 0))


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
