"""Rails (Active Record): the table `schema_migrations` beside `ar_internal_metadata`, and db/migrate/VERSION_name.rb."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pgaudit_kit.migration_tools.folders import files_matching
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Tool
from pgaudit_kit.records.ledger import Migration

TABLE = "schema_migrations"
BESIDE = "ar_internal_metadata"
INDEX = "unique_schema_migrations"
_FILE = re.compile(r"(\d+)_([_a-z0-9]*)(?:\.[_a-z0-9]+)?\.rb")


def is_ledger(table: LedgerTable) -> bool:
    """By the table that Rails 5 and later has beside it; before that, by the name of its index: dbmate has a primary key."""
    return table.name.name == TABLE and table.has_only("version") and (BESIDE in table.beside or INDEX in table.parts)


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """By version: the table knows no times."""
    versions = sorted((row["version"] or "" for row in rows), key=lambda version: (len(version), version))
    return [Migration(version, version, said="applied") for version in versions]


def read_folder(folder: Path) -> MigrationFiles | None:
    """The files of db/migrate, also in folders below it. They are Ruby: what they do is not read."""
    found = [(path, match) for path, match in files_matching(folder, _FILE, below=True)]
    files = [MigrationFile(match[1].lstrip("0") or "0", str(path.relative_to(folder))) for path, match in found]
    files.sort(key=lambda file: int(file.name))
    return MigrationFiles(folder, tuple(files)) if files else None


TOOL = Tool(
    name="rails",
    title="Rails",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=("db/migrate",),
    late_ones="`bin/rails db:migrate` applies it all the same",
    remedies={
        "pending": "`bin/rails db:migrate:up VERSION={name}`, or `bin/rails db:migrate` for all",
        "unknown": "Bring its file back from version control; `bin/rails db:migrate:status` calls it NO FILE.",
    },
)
