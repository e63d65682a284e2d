"""Roles and tablespaces, which no dump of a database has: in a script beside it."""

from __future__ import annotations

from pathlib import Path

from pgaudit_kit.errors import ProgramFailed, ProgramNotFound
from pgaudit_kit.operations.programs.client_programs import find_program
from pgaudit_kit.operations.programs.pg_dump import pg_dumpall_argv
from pgaudit_kit.operations.programs.run_program import run_program
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.targets import Target

_END = b"-- PostgreSQL database cluster dump complete"
_TAIL_BYTES = 256
_QUESTION = "Are roles and tablespaces beside it?"
_EXPECTED = "the script of pg_dumpall --globals-only, to its end"


def write_globals(target: Target, path: Path, *, server_major: int, passwords: bool) -> Check:
    """Write them to *path*; hashes of passwords only with *passwords*. `backup.globals` says whether the server allowed it."""
    try:
        program = find_program("pg_dumpall", at_least=server_major)
        run_program(pg_dumpall_argv(program, database=target.database, output=path, passwords=passwords), target.libpq_env())
    except (ProgramNotFound, ProgramFailed) as error:
        return Check("backup.globals", _QUESTION, Outcome.NOT_CHECKED, expected=_EXPECTED, found=error.message, remedy=error.remedy)
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
        complete = _END in file.read()
    return Check(
        "backup.globals",
        _QUESTION,
        Outcome.PASSED if complete else Outcome.FAILED,
        expected=_EXPECTED,
        found=f"written by {program}{', with hashes of passwords' if passwords else ''}" if complete else "its end is missing",
        compared=1,
        remedy="" if complete else "Make another backup.",
    )
