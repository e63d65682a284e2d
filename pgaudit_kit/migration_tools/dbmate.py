"""dbmate: the table `schema_migrations` with a version alone, and VERSION_name.sql with `-- migrate:up`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pgaudit_kit.migration_tools import rails
from pgaudit_kit.migration_tools.folders import between_marks, files_matching, read_bytes, text_of
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Tool
from pgaudit_kit.records.ledger import Migration

_FILE = re.compile(r"(\d+).*\.sql")
_UP = re.compile(r"^--\s*migrate:up\b.*$", re.MULTILINE)
_DOWN = re.compile(r"^--\s*migrate:down\b", re.MULTILINE)


def is_ledger(table: LedgerTable) -> bool:
    """Has the shape of Rails' table, and nothing of Rails."""
    return table.name.name == rails.TABLE and table.has_only("version") and not rails.is_ledger(table)


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """By version: the table knows no times."""
    return [Migration(version, version, said="applied") for version in sorted(row["version"] or "" for row in rows)]


def read_folder(folder: Path) -> MigrationFiles | None:
    """The .sql files that say `-- migrate:up`."""
    files = []
    for path, match in files_matching(folder, _FILE):
        text = text_of(read_bytes(path))
        if _UP.search(text):
            files.append(MigrationFile(match[1], path.name, sql=between_marks(text, _UP, _DOWN)))
    return MigrationFiles(folder, tuple(files)) if files else None


TOOL = Tool(
    name="dbmate",
    title="dbmate",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=("db/migrations", "migrations"),
    late_ones="`dbmate up` applies it all the same, unless `--strict`",
    sql_in_ledger_schema=True,
    remedies={
        "pending": "`dbmate up`",
        "unknown": "Bring its file back from version control.",
        "in_catalog": "Add its row by hand: INSERT INTO schema_migrations (version) VALUES ('{name}');",
        "half_in_catalog": "Finish it by hand and add its row, or undo what is there, then `dbmate up`.",
        "not_in_catalog": "Find out who dropped it; put it back by hand or from a backup.",
    },
)
