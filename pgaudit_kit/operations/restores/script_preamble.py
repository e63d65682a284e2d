"""The settings at the beginning of a script, of which a server may not know every one."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgaudit_kit.operations.programs.client_programs import Program, pg_restore_script_argv
from pgaudit_kit.operations.programs.run_program import RunningProgram

if TYPE_CHECKING:
    import psycopg

_SETTING = re.compile(rb"SET (\w+) = ")
# What may stand before the first object of a script: comments, blanks, settings, \restrict (PGDUMP_FORMATS.md 5.1, 5.2)
_PREAMBLE = re.compile(rb"(--.*|SET \w+ = .*;|SELECT pg_catalog\.set_config\('search_path', '', false\);|\\restrict \w+|)\r?\n")


def preamble_of(pg_restore: Program, archive: Path) -> list[bytes]:
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
