"""TypeORM: the table `migrations`, whose names are those of classes: CreateUsers1700000000000."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pgaudit_kit.migration_tools.folders import files_matching, read_bytes, text_of
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Tool
from pgaudit_kit.records.ledger import Migration

_FILE = re.compile(r".+\.(?:js|cjs|mjs|ts|cts|mts)")
_CLASS = re.compile(r"\bclass\s+(\w*?(\d{13}))\b(?=[^{]*\{)")
_NAME = re.compile(r"""^\s*(?:readonly\s+)?(?:this\.)?name\s*(?::\s*string\s*)?=\s*["'](\w*?(\d{13}))["']""", re.MULTILINE)


def is_ledger(table: LedgerTable) -> bool:
    """By its columns and a word: `migrationsTableName` may call it otherwise, but tables of events have these columns, too."""
    return (
        table.has_only("id", "timestamp", "name") and table.types["timestamp"] in ("", "bigint") and "migration" in table.name.name.lower()
    )


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """In the order of their ids; `timestamp` says when the migration was written, not applied."""
    rows = sorted(rows, key=lambda row: int(row["id"] or 0))
    return [Migration(row["id"] or "", row["name"] or "", said="applied") for row in rows]


def read_folder(folder: Path) -> MigrationFiles | None:
    """The scripts with classes that are named as migrations. They are TypeScript: what they do is not read."""
    found: dict[str, tuple[int, MigrationFile]] = {}
    for path, _ in files_matching(folder, _FILE):
        if path.name.endswith(".d.ts"):
            continue
        text = text_of(read_bytes(path))
        for match in _NAME.finditer(text) if _NAME.search(text) else _CLASS.finditer(text):
            found.setdefault(match[1], (int(match[2]), MigrationFile(match[1], path.name)))
    files = tuple(file for _, file in sorted(found.values(), key=lambda one: (one[0], one[1].name)))
    return MigrationFiles(folder, files) if files else None


TOOL = Tool(
    name="typeorm",
    title="TypeORM",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=("src/migrations", "src/migration", "migrations"),
    late_ones="`typeorm migration:run` applies it all the same",
    remedies={"pending": "`npx typeorm migration:run -d …`", "unknown": "Bring its file back from version control."},
)
