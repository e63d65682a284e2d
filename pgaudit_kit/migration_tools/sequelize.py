"""Sequelize: the table "SequelizeMeta", whose names are those of the files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pgaudit_kit.migration_tools.folders import files_matching
from pgaudit_kit.migration_tools.knex import is_script
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Tool
from pgaudit_kit.records.ledger import Migration

_FILE = re.compile(r".+\.(?:js|cjs|mjs|ts|cts|mts|sql)")
_SAYS = re.compile(r"queryInterface|QueryInterface")


def is_ledger(table: LedgerTable) -> bool:
    """By its name; projects with timestamps have two columns more."""
    return table.name.name == "SequelizeMeta" and table.has("name")


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """By name, which is the order in which they are applied; most projects record no times."""
    found = [Migration(row["name"] or "", row["name"] or "", finished_at=row.get("createdAt"), said="applied") for row in rows]
    return sorted(found, key=lambda m: m.name)


def read_folder(folder: Path) -> MigrationFiles | None:
    """The scripts that speak of a queryInterface. They are JavaScript: what they do is not read."""
    files = [MigrationFile(path.name, path.name) for path, _ in files_matching(folder, _FILE) if is_script(path, _SAYS)]
    return MigrationFiles(folder, tuple(files)) if files else None


TOOL = Tool(
    name="sequelize",
    title="Sequelize",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=("migrations", "db/migrations"),
    late_ones="`sequelize-cli db:migrate` applies it all the same",
    remedies={"pending": "`npx sequelize-cli db:migrate`", "unknown": "Bring its file back from version control."},
)
