"""Roles and tablespaces, which no dump of a database has: in a script beside it."""

from __future__ import annotations

import subprocess

from pgaudit_kit.errors import ProgramFailed, ProgramNotFound
from pgaudit_kit.operations.programs.client_programs import find_program
from pgaudit_kit.operations.programs.pg_dump import pg_dumpall_argv
from pgaudit_kit.operations.programs.run_program import RunningProgram
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.targets import Target

_END = b"-- PostgreSQL database cluster dump complete"
_TAIL_BYTES = 256
_QUESTION = "Are roles and tablespaces beside it?"
_EXPECTED = "the script of pg_dumpall --globals-only, to its end"


def read_globals(target: Target, *, server_major: int, passwords: bool) -> tuple[bytes | None, Check]:
    """Return the script, with hashes of passwords only with *passwords*, or None; `backup.globals` says whether the server allowed it."""
    try:
        program = find_program("pg_dumpall", at_least=server_major)
        argv = pg_dumpall_argv(program, database=target.database, passwords=passwords)
        with RunningProgram(argv, target.libpq_env(), stdout=subprocess.PIPE) as running:
            script = running.stdout.read()
            running.wait()
    except (ProgramNotFound, ProgramFailed) as error:
        return None, Check("backup.globals", _QUESTION, Outcome.NOT_CHECKED, expected=_EXPECTED, found=error.message, remedy=error.remedy)
    complete = _END in script[-_TAIL_BYTES:]
    check = Check(
        "backup.globals",
        _QUESTION,
        Outcome.PASSED if complete else Outcome.FAILED,
        expected=_EXPECTED,
        found=f"written by {program}{', with hashes of passwords' if passwords else ''}" if complete else "its end is missing",
        compared=1,
        remedy="" if complete else "Make another backup.",
    )
    return (script if complete else None), check
