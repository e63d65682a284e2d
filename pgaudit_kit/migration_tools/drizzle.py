"""Drizzle: the table `drizzle.__drizzle_migrations`, and a folder with meta/_journal.json and one .sql file per entry.

The migrator asks for the newest `created_at` alone and applies the entries behind it: one that is older is never applied, and
nothing says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from pgaudit_kit.migration_tools.folders import checksums, read_bytes, sha256, text_of
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Settled, Tool, settle_by_name
from pgaudit_kit.records.ledger import Ledger, Migration

JOURNAL = "meta/_journal.json"
_TAG = re.compile(r"[^/\\]+")


def is_ledger(table: LedgerTable) -> bool:
    """By its name and columns; `migrationsTable` may call it otherwise, which is not found then."""
    return table.name.name == "__drizzle_migrations" and table.has("id", "hash", "created_at")


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """In the order of their ids. `name` is `created_at`, when it was written: the journal's `when`, until the folder says the tag."""
    rows = sorted(rows, key=lambda row: int(row["id"] or 0))
    return [Migration(row["id"] or "", row["created_at"] or "", row["hash"], said="applied") for row in rows]


def read_folder(folder: Path) -> MigrationFiles | None:
    """The entries of the journal, in its order; `depends` holds their `when`."""
    journal = folder / JOURNAL
    if not journal.is_file():
        return None
    try:
        entries = [(str(entry["tag"]), int(entry["when"])) for entry in json.loads(read_bytes(journal))["entries"]]
    except (ValueError, KeyError, TypeError) as error:
        fault = (f"{JOURNAL} cannot be understood ({type(error).__name__})", f"Bring {JOURNAL} back from version control.")
        return MigrationFiles(folder, faults=(fault,))
    return MigrationFiles(folder, tuple(_read_entry(folder, tag, when) for tag, when in entries))


def _read_entry(folder: Path, tag: str, when: int) -> MigrationFile:
    path = f"{tag}.sql"
    if not _TAG.fullmatch(tag) or not (folder / path).is_file():
        return MigrationFile(tag, path, depends=(str(when),), broken="the journal names it, and it is not there")
    content = read_bytes(folder / path)
    own, converted = checksums(content, sha256)
    return MigrationFile(tag, path, own, converted, text_of(content), (str(when),))


def settle(ledger: Ledger, files: MigrationFiles | None) -> Settled:
    """Give the rows the tags that the journal has for their times; when a time is not in it, for their hashes."""
    tags = {when: file.name for file in (files.files if files else ()) for when in file.depends}
    hashes = {checksum: file.name for file in (files.files if files else ()) for checksum in file.checksums}
    named = [
        Migration(row.id, tags.get(row.name) or hashes.get(row.checksum or "") or row.name, row.checksum, said=row.said)
        for row in ledger.migrations
    ]
    return settle_by_name(Ledger(ledger.tool, ledger.table, tuple(named)), files)


TOOL = Tool(
    name="drizzle",
    title="Drizzle",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=("drizzle", "drizzle/migrations", "migrations"),
    settle=settle,
    checksums="SHA-256",
    late_ones="Drizzle never applies it, and does not say so",
    remedies={
        "pending": "`npx drizzle-kit migrate`",
        "late": "Generate it anew (`npx drizzle-kit drop`, then `generate`), so that it stands behind the last one.",
        "unknown": "Bring its file and its entry in the journal back from version control.",
        "edited": "Bring the file back as it was applied; put the change into a new migration. Drizzle itself does not look.",
        "line_ends": "Write `*.sql text eol=lf` into .gitattributes, then `git add --renormalize .`",
        "in_catalog": "Add its row by hand: INSERT INTO drizzle.__drizzle_migrations (hash, created_at) with the SHA-256 of {name}.sql "
        "and its `when` in the journal.",
        "half_in_catalog": "Finish it by hand and add its row, or undo what is there, then `npx drizzle-kit migrate`.",
        "not_in_catalog": "Find out who dropped it; put it back by hand or from a backup.",
    },
)
