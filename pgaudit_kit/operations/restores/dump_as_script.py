"""A dump of any format as the script that restores it: a plain one is it, of an archive pg_restore writes it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.byte_stream import PieceStream
from pgaudit_kit.dumps.files.decompression import PIECE, DumpFile
from pgaudit_kit.dumps.scripts.sql_script import Readable
from pgaudit_kit.operations.programs.client_programs import pg_restore_script_argv
from pgaudit_kit.operations.programs.run_program import RunningProgram
from pgaudit_kit.operations.restores.load_dump import pg_restore_for
from pgaudit_kit.operations.restores.local_dump import local_path


@contextmanager
def dump_as_script(dump: Dump, *, server_major: int, owners: bool) -> Iterator[tuple[Readable, tuple[str, ...]]]:
    """Give *dump* as a stream of SQL, and the programs that write it, near to the server's version.

    Of an archive owners and privileges are left out without *owners*; in a plain script they stand. Raises ProgramNotFound, UsageError (no
    local file), and on leaving ProgramFailed when pg_restore failed.
    """
    if dump.provenance.format == "plain" and isinstance(dump.file, DumpFile):
        with dump.file.open() as script:
            yield script, ()
        return
    pg_restore = pg_restore_for(dump, server_major)
    argv = pg_restore_script_argv(pg_restore, archive=local_path(dump), owners=owners)
    with RunningProgram(argv, {}, stdout=subprocess.PIPE) as writer:
        yield PieceStream(iter(lambda: writer.stdout.read(PIECE), b"")), (str(pg_restore),)
        writer.wait()
