"""Prisma Migrate: the table `_prisma_migrations`, and a folder with one migration.sql per migration."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pgaudit_kit.errors import hide_secrets
from pgaudit_kit.migration_tools.folders import checksums, read_bytes, sha256, text_of
from pgaudit_kit.migration_tools.prisma_status import PROVIDER, says
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Settled, Tool, settle_by_name
from pgaudit_kit.records.ledger import Ledger, Migration

TABLE = "_prisma_migrations"
SCRIPT = "migration.sql"
LOCK = "migration_lock.toml"
_OTHERS = ("mysql", "sqlite", "sqlserver", "cockroachdb", "mongodb")
_COLUMNS = ("id", "migration_name", "checksum", "started_at", "finished_at", "rolled_back_at", "applied_steps_count")


def is_ledger(table: LedgerTable) -> bool:
    """By its name, which Prisma does not let anyone choose."""
    return table.name.name == TABLE and table.has(*_COLUMNS)


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """The rows in the order started, as Prisma reads them."""
    found = [
        Migration(
            id=row["id"] or "",
            name=row["migration_name"] or "",
            checksum=row["checksum"],
            started_at=row["started_at"],
            finished_at=row["finished_at"],
            rolled_back_at=row["rolled_back_at"],
            applied_steps=int(row["applied_steps_count"] or 0),
            logs=_cause(row.get("logs")),
        )
        for row in rows
    ]
    return sorted(found, key=lambda m: (m.started_at or "", m.name, m.id))


def _cause(logs: str | None) -> str | None:
    """The line of PostgreSQL's error in *logs*, else the first one."""
    lines = [line.strip() for line in (logs or "").splitlines() if line.strip()]
    errors = [line[line.index("ERROR:") :] for line in lines if "ERROR:" in line]
    return hide_secrets((errors or lines)[0])[:300] if lines else None


def read_folder(folder: Path) -> MigrationFiles | None:
    """Each folder in *folder* is a migration (prisma/migrations), hidden ones as well, links not, as Prisma lists them.

    One without its script is broken; Prisma calls that P3015.
    """
    with os.scandir(folder) as entries:
        scripts = [folder / name for name in sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))]
    lock = folder / LOCK
    if not lock.is_file() and not any((entry / SCRIPT).is_file() for entry in scripts):
        return None
    provider, faults = _provider(lock)
    return MigrationFiles(folder, tuple(map(_read_script, scripts)), faults, provider=provider)


def _read_script(folder: Path) -> MigrationFile:
    path = f"{folder.name}/{SCRIPT}"
    if not (folder / SCRIPT).is_file():
        return MigrationFile(folder.name, path, broken=f"the folder has no {SCRIPT}")
    content = read_bytes(folder / SCRIPT)
    # Prisma reads text: what is not UTF-8 is replaced before it is hashed (Rust, String::from_utf8_lossy)
    own, converted = checksums(content.decode("utf-8", "replace").encode(), sha256)
    return MigrationFile(folder.name, path, own, converted, text_of(content))


def settle(ledger: Ledger, files: MigrationFiles | None) -> Settled:
    """One row per migration. What has no folder was squashed when one that was never run was recorded behind it, as `resolve` does."""
    rows = settle_by_name(ledger, files).migrations
    if files is None:
        return Settled(rows)
    named = files.by_name()
    began = {row.name for row in ledger.migrations if row.state != "applied"}
    squashed: dict[str, str] = {}
    gone: list[str] = []
    for row in rows:
        if row.name not in named:
            gone.append(row.name)
        elif row.state == "applied" and row.applied_steps == 0 and row.name not in began:
            squashed |= dict.fromkeys(gone, row.name)
            gone = []
    return Settled(rows, squashed=squashed)


def _provider(lock: Path) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """The provider that migration_lock.toml names, and what is wrong with it.

    Prisma reads it not as TOML but as one line, which must be written just so (measured): all else is another provider to it.
    """
    if not lock.is_file():
        return None, ()
    lines = read_bytes(lock).decode("utf-8", "replace").splitlines()
    provider = next((line for line in lines if line.startswith("provider")), "").removeprefix("provider = ").strip('"')
    if provider == PROVIDER:
        return provider, ()
    remedy = f'Write the line `provider = "{PROVIDER}"` into {LOCK}, with nothing before or behind it (Prisma: P3019).'
    if provider in _OTHERS:
        remedy = "This folder is of another database: give the one of this application, or begin a new history (Prisma: P3019)."
    return provider, ((f"{LOCK} says {provider}, not {PROVIDER}" if provider else f"{LOCK} names no provider", remedy),)


def checksums_of(folder: Path) -> dict[str, str]:
    """Map each migration in *folder* (prisma/migrations) to the checksum Prisma records: hex SHA-256 of its migration.sql."""
    return {file.parent.name: sha256(file.read_bytes()) for file in sorted(folder.glob(f"*/{SCRIPT}"))}


TOOL = Tool(
    name="prisma",
    title="Prisma Migrate",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=("prisma/migrations", "migrations", "prisma/schema/migrations"),
    settle=settle,
    says=says,
    checksums="SHA-256",
    late_ones="`prisma migrate deploy` applies it all the same, `prisma migrate dev` wants to reset the database",
    sql_in_ledger_schema=True,
    remedies={
        "pending": "`prisma migrate deploy`",
        "failed": "See how far it got. Undo that, then `prisma migrate resolve --rolled-back {name}`; "
        "or finish it by hand, then `prisma migrate resolve --applied {name}`.",
        "failed_nothing": "Nothing of it is there: `prisma migrate resolve --rolled-back {name}`, mend the script, then `migrate deploy`.",
        "failed_all": "All of it is there: `prisma migrate resolve --applied {name}`.",
        "rolled_back": "`prisma migrate deploy` runs it again.",
        "unknown": "Bring the folder {name} back from version control (of the release that applied it). Never delete its row.",
        "squashed": "Nothing, if {name} was squashed; else bring its folder back from version control.",
        "edited": "Bring the file back as it was applied (`git log -p -- '*/'{name}/migration.sql`); put the change into a new migration.",
        "broken": "Bring {name}/migration.sql back from version control; or remove the folder, when nobody meant it to be a migration.",
        "line_ends": "Write `*.sql text eol=lf` into .gitattributes, then `git add --renormalize .`",
        "in_catalog": "`prisma migrate resolve --applied {name}`",
        "half_in_catalog": "Finish it by hand, then `prisma migrate resolve --applied {name}`; "
        "or undo what is there, then `prisma migrate deploy`.",
        "not_in_catalog": "Find out who dropped it; put it back by hand (the statements are in {name}/migration.sql) or from a backup.",
    },
)
