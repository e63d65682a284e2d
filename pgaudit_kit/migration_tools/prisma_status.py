"""What `prisma migrate status` says of a ledger and a folder: facts measured with Prisma's own engine, 6.19 and 7.10.

It stays green on three states that matter after a restore: an edited file, an applied migration without a folder, and, up to 7.8,
one that was rolled back and never applied again. `ToolSays.blind_to` names what it does not tell.
"""

from __future__ import annotations

from pgaudit_kit.migration_tools.tool import MigrationFile, MigrationFiles
from pgaudit_kit.records.ledger import Ledger, ToolSays

PROVIDER = "postgresql"
STATUS = "prisma migrate status"
FROM_7_9 = f"{STATUS} (7.9 and later)"
UP_TO_7_8 = f"{STATUS} (up to 7.8)"
UP_TO_DATE = "Database schema is up to date!"


def says(ledger: Ledger | None, files: MigrationFiles, schema: str | None) -> tuple[ToolSays, ...]:
    """Foretell it: one answer, or two when the releases of Prisma differ. *schema*: where `?schema=` makes it look."""
    if files.provider not in (PROVIDER, None):
        return (ToolSays(STATUS, 1, f"P3019: migration_lock.toml says {files.provider or 'nothing'}"),)
    seen = ledger if ledger is None or schema is None or ledger.table.schema == schema else None
    if not files.files:
        return ()  # what it says then was not measured
    old, new = _of(seen, files, UP_TO_7_8, rolled_back_is_pending=False), _of(seen, files, FROM_7_9, rolled_back_is_pending=True)
    if (old.exit_code, old.says, old.blind_to) == (new.exit_code, new.says, new.blind_to):
        return (ToolSays(STATUS, new.exit_code, new.says, new.blind_to),)
    return old, new


def _of(ledger: Ledger | None, files: MigrationFiles, command: str, *, rolled_back_is_pending: bool) -> ToolSays:
    rows = ledger.migrations if ledger else ()
    applied = {row.name for row in rows if row.state == "applied"}
    failed = {row.name for row in rows if row.state == "failed"}
    there = applied | failed if rolled_back_is_pending else {row.name for row in rows}
    named = files.by_name()
    if broken := [name for name in named if named[name].broken and name in applied]:
        return ToolSays(command, 1, f"P3015: no migration.sql in {broken[0]}")
    pending = [name for name in named if name not in there]
    unknown = [name for name in dict.fromkeys(row.name for row in rows if row.state != "rolled_back") if name not in named]
    blind = _blind(ledger, files, [*failed] if pending else [], unknown)
    if pending and unknown:
        return ToolSays(command, 1, "Your local migration history and the migrations table from your database are different", blind)
    if pending:
        return ToolSays(command, 1, f"not yet applied: {', '.join(pending)}", blind)
    if failed:
        return ToolSays(command, 1, f"have failed: {', '.join(sorted(failed))}", blind)
    rolled_back = [name for name in named if name not in applied]
    blind = "; ".join([blind] * bool(blind) + [f"rolled back and not applied again: {', '.join(rolled_back)}"] * bool(rolled_back))
    return ToolSays(command, 0, UP_TO_DATE, blind)


def _blind(ledger: Ledger | None, files: MigrationFiles, failed: list[str], unknown: list[str]) -> str:
    named = files.by_name()
    last = {row.name: row.checksum for row in (ledger.migrations if ledger else ()) if row.state == "applied"}
    edited = [n for n, checksum in last.items() if n in named and not _unedited(named[n], checksum)]
    told = [("edited", edited), ("failed", failed), ("without a folder", unknown)]
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in told if names)


def _unedited(file: MigrationFile, checksum: str | None) -> bool:
    return not file.checksums or checksum in file.checksums | file.converted
