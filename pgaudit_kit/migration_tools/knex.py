"""Knex: the table `knex_migrations`, whose names are those of the files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pgaudit_kit.migration_tools.folders import files_matching
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Tool
from pgaudit_kit.records.ledger import Migration

_FILE = re.compile(r".+\.(?:js|cjs|mjs|ts|cts|mts|coffee|iced|litcoffee|ls|co|eg)")
_SAYS = re.compile(r"exports\.up\b|export\s+(?:async\s+)?function\s+up\b|export\s+const\s+up\b|\bup\s*[:(]")


def is_ledger(table: LedgerTable) -> bool:
    """By its columns, whatever `tableName` calls it."""
    return table.has_only("id", "name", "batch", "migration_time")


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """In the order of their ids."""
    rows = sorted(rows, key=lambda row: int(row["id"] or 0))
    return [Migration(row["id"] or "", row["name"] or "", finished_at=row["migration_time"], said="applied") for row in rows]


def read_folder(folder: Path) -> MigrationFiles | None:
    """The scripts that have a function `up`. They are JavaScript: what they do is not read."""
    files = [MigrationFile(path.name, path.name) for path, _ in files_matching(folder, _FILE) if is_script(path, _SAYS)]
    return MigrationFiles(folder, tuple(files)) if files else None


def is_script(path: Path, pattern: re.Pattern[str]) -> bool:
    """Whether *pattern* is in the text of *path*; declarations of types (.d.ts) are no scripts."""
    return not path.name.endswith(".d.ts") and bool(pattern.search(path.read_text(encoding="utf-8", errors="replace")))


TOOL = Tool(
    name="knex",
    title="Knex",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=("migrations", "db/migrations"),
    lock=("knex_migrations_lock", "is_locked"),
    late_ones="`knex migrate:latest` applies it all the same",
    remedies={
        "locked": "When no migration is running: `npx knex migrate:unlock`",
        "pending": "`npx knex migrate:latest`",
        "unknown": "Bring its file back from version control: Knex calls the migration directory corrupt and refuses to go on.",
    },
)
