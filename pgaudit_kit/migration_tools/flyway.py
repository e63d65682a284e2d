"""Flyway: the table `flyway_schema_history`, and V1__name.sql, R__name.sql and B1__name.sql; checksums are CRC32 of the lines."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pgaudit_kit.migration_tools.folders import files_matching, read_bytes, text_of
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Settled, Tool, settle_by_name
from pgaudit_kit.records.ledger import Ledger, Migration

_FILE = re.compile(r"(?:([VB])(\d+(?:[._]\d+)*)|R)__(.*)\.sql")
_LINES = re.compile(r"\r\n|\r|\n")
_OF_FLYWAY = frozenset({"SCHEMA", "UNDO_SQL", "UNDO_JDBC", "UNDO_SCRIPT", "DELETE"})
_BASELINE = "baseline"


def is_ledger(table: LedgerTable) -> bool:
    """By its columns, whatever `table` calls it (`schema_version` up to Flyway 4)."""
    return table.has("installed_rank", "version", "description", "type", "script", "checksum", "installed_on", "success")


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """By rank; what was undone is rolled back, what `repair` deleted is not there. Repeatable ones are named by their script."""
    found: dict[str, Migration] = {}
    for row in sorted(rows, key=lambda row: int(row["installed_rank"] or 0)):
        kind, version = row["type"] or "", _version(row["version"])
        name = version or row["script"] or ""
        if kind.startswith("UNDO") and name in found:
            undone = found.pop(name)
            found[name] = replace(undone, finished_at=None, rolled_back_at=row["installed_on"], said="rolled_back")
        elif kind == "DELETE":
            found.pop(name, None)
        elif kind not in _OF_FLYWAY:
            said = "applied" if row["success"] in ("t", "true") else "failed"
            named = _BASELINE + " " + name if kind == "BASELINE" else name
            found.pop(named, None)
            when = row["installed_on"]
            found[named] = Migration(row["installed_rank"] or "", named, row["checksum"], when, when, said=said)
    return list(found.values())


def _version(text: str | None) -> str:
    """`1.0`, `1_0` and `01` are one version: numbers, without zeros before them or empty parts at the end."""
    parts = [str(int(part)) for part in re.split(r"[._]", text or "") if part.isdigit()]
    while len(parts) > 1 and parts[-1] == "0":
        parts.pop()
    return ".".join(parts)


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def read_folder(folder: Path) -> MigrationFiles | None:
    """The versioned ones by version, then the repeatable ones, also in folders below; scripts that undo are left out."""
    versioned, repeatable = [], []
    for path, match in files_matching(folder, _FILE, below=True):
        content = text_of(read_bytes(path))
        own, where = frozenset({crc32(content)}), str(path.relative_to(folder))
        if match[1] == "V":
            versioned.append(MigrationFile(_version(match[2]), where, own, sql=content))
        elif match[1] is None:
            repeatable.append(MigrationFile(where, where, own, again=True))
    versioned.sort(key=lambda file: _order(file.name))
    files = (*versioned, *repeatable)
    return MigrationFiles(folder, files) if files else None


def crc32(text: str) -> str:
    """The signed CRC32 of the lines of *text* without their ends, so that LF and CRLF are the same."""
    value = zlib.crc32("".join(_LINES.split(text)).encode("utf-8"))
    return str(value - (1 << 32) if value >= 1 << 31 else value)


def settle(ledger: Ledger, files: MigrationFiles | None) -> Settled:
    """What stands up to a baseline is not run: it counts as applied."""
    settled = settle_by_name(ledger, files).migrations
    baselines = [row for row in settled if row.name.startswith(_BASELINE)]
    if not baselines or files is None:
        return Settled(tuple(row for row in settled if row not in baselines))
    limit = max(_order(row.name.removeprefix(_BASELINE + " ")) for row in baselines if row.name != _BASELINE + " ")
    own = {row.name for row in settled}
    below = [file.name for file in files.files if not file.again and _order(file.name) <= limit and file.name not in own]
    based = [Migration(name, name, finished_at=baselines[-1].finished_at, said="applied") for name in below]
    return Settled((*based, *(row for row in settled if row not in baselines)))


TOOL = Tool(
    name="flyway",
    title="Flyway",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=("src/main/resources/db/migration", "db/migration", "sql", "migrations"),
    settle=settle,
    checksums="CRC32",
    late_ones="`flyway migrate` ignores it or refuses to go on, unless outOfOrder=true",
    sql_in_ledger_schema=True,
    remedies={
        "pending": "`flyway migrate`",
        "late": "`flyway migrate -outOfOrder=true`, or give it a version behind the last one",
        "failed": "See how far it got and undo that, then `flyway repair`, mend the script, `flyway migrate`.",
        "rolled_back": "`flyway migrate` runs it again.",
        "unknown": "Bring its file back from version control; or, if it is gone for good, `flyway repair` marks it deleted.",
        "edited": "Bring the file back as it was applied; or, if the change changes nothing, `flyway repair` takes the new checksum.",
        "in_catalog": "`flyway baseline -baselineVersion={name}` without a history; else undo it by hand and `flyway migrate`.",
        "half_in_catalog": "Undo by hand what is there, then `flyway migrate`.",
        "not_in_catalog": "Find out who dropped it; put it back by hand or from a backup.",
    },
)
