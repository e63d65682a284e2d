"""Prisma's ledger, the table `_prisma_migrations`: read from any source, and the migration files on disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pgaudit_kit.records.ledger import Ledger, Migration
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import decode_line, lines_of

TABLE = "_prisma_migrations"
_COLUMNS = ("id", "migration_name", "checksum", "started_at", "finished_at", "rolled_back_at", "applied_steps_count")


def read_ledger(source: Source, *, schema: str = "public") -> Ledger | None:
    """Return Prisma's ledger as *source* holds it, None when the source has no such table.

    Raises RowsNotAvailable when the table is there but its rows cannot be read.
    """
    name = TableName(schema, TABLE)
    data = source.table_data.get(name)
    if data is None or not set(_COLUMNS) <= set(data.columns):
        return None
    rows = [decode_line(line) for line in lines_of(source.row_blocks(name, _COLUMNS))]
    migrations = [
        Migration(
            id=row[0] or "",
            name=row[1] or "",
            checksum=row[2],
            started_at=row[3],
            finished_at=row[4],
            rolled_back_at=row[5],
            applied_steps=int(row[6]) if row[6] else None,
        )
        for row in rows
    ]
    return Ledger("prisma", name, tuple(sorted(migrations, key=lambda m: (m.started_at or "", m.name, m.id))))


def checksums_of(folder: Path) -> dict[str, str]:
    """Map each migration in *folder* (prisma/migrations) to the checksum Prisma records: hex SHA-256 of its migration.sql."""
    return {file.parent.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.glob("*/migration.sql"))}
