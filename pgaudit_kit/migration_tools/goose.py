"""goose: the table `goose_db_version`, and VERSION_name.sql with `-- +goose Up`, or VERSION_name.go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pgaudit_kit.migration_tools.folders import between_marks, files_matching, read_bytes, text_of
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Tool
from pgaudit_kit.records.ledger import Migration

_FILE = re.compile(r"(\d+)_.*\.(sql|go)")
_UP = re.compile(r"^--\s*\+goose\s+Up\b.*$", re.MULTILINE | re.IGNORECASE)
_DOWN = re.compile(r"^--\s*\+goose\s+Down\b", re.MULTILINE | re.IGNORECASE)


def is_ledger(table: LedgerTable) -> bool:
    """By its columns, whatever `-table` calls it."""
    return table.has("version_id", "is_applied", "tstamp")


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """The last row of a version counts; version 0 is goose's own beginning."""
    last: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: int(row.get("id") or 0)):
        version = row["version_id"] or "0"
        last.pop(version, None)
        last[version] = row
    return [
        Migration(
            id=row.get("id") or version,
            name=version,
            finished_at=row["tstamp"],
            said="applied" if row["is_applied"] in ("t", "true") else "rolled_back",
        )
        for version, row in last.items()
        if version != "0"
    ]


def read_folder(folder: Path) -> MigrationFiles | None:
    """The .sql files that say `-- +goose Up`, and the .go files beside them, which are not read."""
    files = []
    for path, match in files_matching(folder, _FILE):
        if path.name.endswith("_test.go"):
            continue
        text = text_of(read_bytes(path)) if match[2] == "sql" else ""
        if match[2] == "go" or _UP.search(text):
            files.append(MigrationFile(str(int(match[1])), path.name, sql=between_marks(text, _UP, _DOWN) if text else None))
    files.sort(key=lambda file: int(file.name))
    return MigrationFiles(folder, tuple(files)) if any(file.sql is not None for file in files) else None


TOOL = Tool(
    name="goose",
    title="goose",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=("migrations", "db/migrations"),
    late_ones="`goose up` refuses to go on without `-allow-missing`",
    sql_in_ledger_schema=True,
    remedies={
        "pending": "`goose up`",
        "late": "`goose -allow-missing up`, or give it a version behind the last one",
        "rolled_back": "`goose up` runs it again.",
        "unknown": "Bring its file back from version control.",
        "in_catalog": "Add its row by hand: INSERT INTO goose_db_version (version_id, is_applied) VALUES ({name}, true);",
        "half_in_catalog": "Finish it by hand and add its row, or undo what is there, then `goose up`.",
        "not_in_catalog": "Find out who dropped it; put it back by hand or from a backup.",
    },
)
