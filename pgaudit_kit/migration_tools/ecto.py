"""Ecto: the table `schema_migrations` with version and inserted_at, and priv/repo/migrations/VERSION_name.exs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pgaudit_kit.migration_tools.folders import files_matching
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Tool
from pgaudit_kit.records.ledger import Migration

_FILE = re.compile(r"(\d+)_.*\.exs")


def is_ledger(table: LedgerTable) -> bool:
    """By its columns and a word: `migration_source` may call it otherwise."""
    return table.has_only("version", "inserted_at") and "migration" in table.name.name


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """In the order inserted."""
    found = [Migration(row["version"] or "", row["version"] or "", finished_at=row["inserted_at"], said="applied") for row in rows]
    return sorted(found, key=lambda m: (m.finished_at or "", int(m.name or 0)))


def read_folder(folder: Path) -> MigrationFiles | None:
    """The .exs files, also in folders below. They are Elixir: what they do is not read."""
    files = [MigrationFile(str(int(match[1])), str(path.relative_to(folder))) for path, match in files_matching(folder, _FILE, below=True)]
    files.sort(key=lambda file: int(file.name))
    return MigrationFiles(folder, tuple(files)) if files else None


TOOL = Tool(
    name="ecto",
    title="Ecto",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=("priv/repo/migrations",),
    late_ones="`mix ecto.migrate` applies it all the same",
    remedies={
        "pending": "`mix ecto.migrate`",
        "unknown": "Bring its file back from version control; `mix ecto.migrations` calls it FILE NOT FOUND.",
    },
)
