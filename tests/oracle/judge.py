"""What pg_restore says of an archive, taken apart with nothing of the package: the oracle must not share its reader's mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.records.table_data import TableName
from tests.postgres_versions import Installation

_LISTED = re.compile(rb"(\d+); \d+ \d+ (.*)", re.DOTALL)
_BETWEEN_ROWS = re.compile(rb"""--[^\n]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|^COPY """, re.MULTILINE)
_DATA_ONLY = ("--section=data", "--no-comments", "--file=-")


def listed_by_pg_restore(program: Installation, archive: Path) -> list[tuple[int, str]]:
    """The lines of `pg_restore -l`: dumpId, and `desc schema tag owner` as it prints them."""
    lines = program.run("pg_restore", "-l", archive).split(b"\n")
    return [(int(m[1]), m[2].decode("utf-8", "surrogateescape")) for line in lines if (m := _LISTED.fullmatch(line))]


def dependencies_by_pg_restore(program: Installation, archive: Path) -> dict[int, tuple[int, ...]]:
    """What `pg_restore -l -v`, which lists all entries, says each depends on; those that depend on nothing are left out."""
    found: dict[int, tuple[int, ...]] = {}
    dump_id = 0
    for line in program.run("pg_restore", "-l", "-v", archive).split(b"\n"):
        if entry := _LISTED.fullmatch(line):
            dump_id = int(entry[1])
        elif depends := re.fullmatch(rb";\tdepends on: ([\d ]+)", line):
            found[dump_id] = tuple(map(int, depends[1].split()))
    return found


def listed_by_us(dump: Dump) -> list[tuple[int | None, str]]:
    """The frame `toc` in the words of `pg_restore -l` (pg_backup_archiver.c, PrintTOCSummary and sanitize_line)."""
    frame = dump.toc
    columns = (frame[name] for name in ("dump_id", "desc", "schema", "tag", "owner"))
    lines = []
    for dump_id, desc, schema, tag, owner in zip(*columns, strict=True):
        texts = (str(desc), _one_line(schema) or "-", _one_line(tag), _one_line(owner))
        lines.append((None if dump_id is None else int(dump_id), " ".join(texts)))
    return lines


def _one_line(value: object) -> str:
    return re.sub("[\r\n]", " ", value) if isinstance(value, str) else ""


@dataclass(frozen=True)
class Copied:
    """One COPY of a script: its statement and its rows with their line ends, without the end mark."""

    statement: bytes
    rows: bytes


def copied_by_pg_restore(program: Installation, archive: Path) -> list[Copied]:
    """Every COPY in what `pg_restore -f -` prints of the data section, in its order."""
    options = (*_DATA_ONLY, "--no-statistics") if program.major >= 18 else _DATA_ONLY
    return list(split_copies(program.run("pg_restore", *options, archive)))


def split_copies(script: bytes) -> Iterator[Copied]:
    r"""Split a script that holds data only: outside of literals, names and comments COPY starts a line; a line `\.` ends its rows."""
    position = 0
    while found := next((match for match in _BETWEEN_ROWS.finditer(script, position) if match[0] == b"COPY "), None):
        start = found.start()
        end = script.index(b" FROM stdin;\n", start)
        while script.count(b'"', start, end) % 2:  # inside a quoted name
            end = script.index(b" FROM stdin;\n", end + 1)
        statement_end = end + len(b" FROM stdin;\n")
        mark = script.index(b"\n\\.\n", statement_end - 1)
        yield Copied(script[start:statement_end], script[statement_end : mark + 1])
        position = mark + 3


def differing_tables(dump: Dump, copied: list[Copied]) -> list[str]:
    """Which tables' rows are not, byte for byte, those that pg_restore printed; [] when all are. Entry by entry, in order."""
    entries = [e for e in dump.toc_entries if e.desc == "TABLE DATA" and e.copy_statement]
    problems = [] if len(entries) == len(copied) else [f"{len(entries)} entries, {len(copied)} COPYs of pg_restore"]
    for entry, expected in zip(entries, copied, strict=False):
        name = TableName(entry.schema or "", entry.tag)
        data = dump.table_data[name]
        if (entry.copy_statement or "").encode() != expected.statement:
            problems.append(f"{name}: statement {entry.copy_statement!r}, not {expected.statement!r}")
        if b"".join(dump.row_blocks(name)) != expected.rows:
            problems.append(f"{name}: other rows")
        if (data.rows, data.size_bytes) != (expected.rows.count(b"\n"), len(expected.rows)):
            problems.append(f"{name}: counted {data.rows} rows, {data.size_bytes} bytes")
    return problems
