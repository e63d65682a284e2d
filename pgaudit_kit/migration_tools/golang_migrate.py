"""golang-migrate: the table `schema_migrations` with one row, the version reached and whether it is dirty; VERSION_title.up.sql."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pgaudit_kit.migration_tools.folders import files_matching, read_bytes, text_of
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Settled, Tool
from pgaudit_kit.records.ledger import Ledger, Migration

_FILE = re.compile(r"(\d+)_.*\.up\.sql")


def is_ledger(table: LedgerTable) -> bool:
    """By its columns, whatever `x-migrations-table` calls it."""
    return table.has_only("version", "dirty") and table.types["version"] in ("", "bigint")


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """The version reached. Dirty: it failed, or was interrupted."""
    states = {"t": "failed", "true": "failed"}
    return [Migration(row["version"] or "", row["version"] or "", said=states.get(row["dirty"] or "", "applied")) for row in rows]


def read_folder(folder: Path) -> MigrationFiles | None:
    """The .up.sql files, by the number of their version."""
    files = [MigrationFile(str(int(match[1])), path.name, sql=text_of(read_bytes(path))) for path, match in files_matching(folder, _FILE)]
    files.sort(key=lambda file: int(file.name))
    return MigrationFiles(folder, tuple(files)) if files else None


def settle(ledger: Ledger, files: MigrationFiles | None) -> Settled:
    """All that stand before the version reached are applied: the table does not say it, the tool takes it so."""
    rows = ledger.migrations
    if not rows or files is None:
        return Settled(rows)
    reached = int(rows[0].name)
    before = [Migration(file.name, file.name, said="applied") for file in files.files if int(file.name) < reached]
    return Settled((*before, *rows))


TOOL = Tool(
    name="golang-migrate",
    title="golang-migrate",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=("migrations", "db/migrations"),
    settle=settle,
    sql_in_ledger_schema=True,
    remedies={
        "pending": "`migrate -path … -database … up`",
        "failed": "Dirty: see how far it got, finish or undo it by hand, then `migrate … force {name}` (finished) "
        "or `migrate … force` with the version before it (undone).",
        "unknown": "Bring its file back from version control: `migrate` refuses to go on without it.",
        "in_catalog": "`migrate … force {name}`",
        "half_in_catalog": "Finish it by hand, then `migrate … force {name}`; or undo what is there.",
        "not_in_catalog": "Find out who dropped it; put it back by hand or from a backup.",
    },
)
