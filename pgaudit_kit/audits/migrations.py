"""Which migrations has this database had? What its ledgers say, what the files say, what the catalog holds: `pk.migrations`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgaudit_kit.audits.asking import ask
from pgaudit_kit.audits.ledgers import ledger_of
from pgaudit_kit.audits.result import AuditResult
from pgaudit_kit.audits.sources import open_source
from pgaudit_kit.checks.migration_catalog import needs_later, with_catalog
from pgaudit_kit.checks.migrations import check_catalog, check_files, check_ledger_state, check_no_ledger, check_order
from pgaudit_kit.display import frames, html
from pgaudit_kit.errors import PgAuditError, RowsNotAvailable, UsageError
from pgaudit_kit.migration_tools.folders import read_folder
from pgaudit_kit.migration_tools.ledgers import find_ledgers, lock_fault
from pgaudit_kit.migration_tools.states import statuses_of
from pgaudit_kit.migration_tools.tool import MigrationFiles, Tool
from pgaudit_kit.migration_tools.tools import NAMES, TOOLS, tool_named
from pgaudit_kit.records.ledger import Ledger, MigrationStatus, ToolSays
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check
from pgaudit_kit.server.snapshot import Snapshot

if TYPE_CHECKING:
    from pandas import DataFrame

QUESTION = "Has this database had the migrations that it should?"
WITHOUT_FOLDER = "Without a folder nothing says which migrations are pending, missing or edited."


@dataclass(frozen=True)
class MigrationsResult(AuditResult):
    """The checks, and every migration as seen three ways. `tool_says`: what the tools' own commands would say, and what they do not see."""

    migrations: tuple[MigrationStatus, ...] = ()
    tool_says: tuple[ToolSays, ...] = ()

    @property
    def frame(self) -> DataFrame:
        """Frame `migrations` (display.frames): one row per migration, in the order applied, then the pending ones."""
        return frames.records_frame("migrations", self.migrations)

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What to do next, each once, and one step for each migration that needs one of its own."""
        steps = [str(e["remedy"]) for c in self.check_list for e in c.evidence if e.get("remedy")]
        return tuple(dict.fromkeys(steps)) or super().next_steps

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        says = [{"command": s.command, "exit_code": s.exit_code, "says": s.says, "blind_to": s.blind_to} for s in self.tool_says]
        return {**super().to_dict(), "migrations": [m.to_dict() for m in self.migrations], "tool_says": says}

    def _repr_html_(self) -> str:
        """The result for a notebook: verdict, what to do next, every check, every migration."""
        said = [f"{s.command} says: {s.says} (exit code {s.exit_code}){_not_told(s)}" for s in self.tool_says]
        return html.fragment(
            html.banner(str(self.verdict), self.sentence),
            html.next_steps(self.next_steps),
            html.frame_table(self.checks, caption=self.question),
            html.frame_table(self.frame, caption="Migrations"),
            *(html.table(["tool"], [(line,) for line in said], caption="What the tool itself would say"),) * bool(said),
        )

    def __repr__(self) -> str:
        return f"<MigrationsResult {self.subject}: {self.verdict}, {many(len(self.migrations), 'migration')}>"


def _not_told(says: ToolSays) -> str:
    return f"; it does not tell: {says.blind_to}" if says.blind_to else ""


def migrations(source: Any, folder: str | os.PathLike[str] | None = None, *, tool: str | None = None) -> MigrationsResult:
    """Say which migrations *source* has had: a dump, a live target, a saved snapshot, a Source.

    The ledgers of all known tools are looked for, in every schema; with *tool* (`prisma`, `alembic` …) only its own. *folder* is that
    of the migrations, or of the project; its files are read, never run. With it the catalog is asked, too, where scripts are SQL.
    Raises the errors of open_source; UsageError for a tool that is not known, or a folder that cannot be read or holds no migration.
    """
    wanted = tool_named(tool) if tool else None
    if folder is not None and not Path(folder).is_dir():
        raise UsageError("no such folder", resource=str(folder), remedy="Give the folder of the migrations, or that of the project.")
    with open_source(source) as opened:
        return ask_migrations(opened, Path(folder) if folder is not None else None, wanted)


def ask_migrations(source: Source, folder: Path | None = None, wanted: Tool | None = None) -> MigrationsResult:
    """As `migrations`, of an open *source*."""
    ledgers = find_ledgers(source, tool=wanted.name if wanted else None)
    tables: list[tuple[Tool, TableName | None]] = list(ledgers)
    tables += [(one, None) for one in _without_ledger(folder, wanted, {t.name for t, _ in ledgers})] if folder else []
    if not tables:
        return _nothing(source, folder, wanted)
    owners = _owners(source, ledgers, folder) if folder else {}
    parts = [_ask_ledger(source, one, table, folder if owners.get(one.name, table) == table else None) for one, table in tables]
    if folder and not any(part.files for part in parts):
        names = ", ".join(sorted({one.title for one, _ in tables}))
        remedy = "Give the folder in which the migrations are, or that of the project."
        raise UsageError(f"no migration of {names} is in it", resource=str(folder), remedy=remedy)
    checks = [replace(c, id=f"{c.id}#{part.label}") if len(parts) > 1 else c for part in parts for c in part.checks]
    skipped = [said for part in parts for said in part.skipped]
    skipped += [f"The folder was held against {table}, not against other ledgers of {name}." for name, table in owners.items()]
    return MigrationsResult(
        QUESTION,
        source.label,
        tuple(checks),
        tuple(dict.fromkeys(skipped)),
        tuple(status for part in parts for status in part.statuses),
        tuple(says for part in parts for says in part.says),
    )


@dataclass(frozen=True)
class _Part:
    """What was found of one ledger."""

    label: str
    checks: Sequence[Check]
    statuses: Sequence[MigrationStatus] = ()
    skipped: Sequence[str] = ()
    says: Sequence[ToolSays] = ()
    files: MigrationFiles | None = None


def _ask_ledger(source: Source, tool: Tool, table: TableName | None, folder: Path | None) -> _Part:
    files = read_folder(tool, folder) if folder else None
    label = f"{tool.name} {table}" if table else tool.name
    try:
        ledger = ledger_of(source, tool, table) if table else None
    except PgAuditError as error:
        return _Part(label, [check_no_ledger(f"{table} of {tool.title} cannot be read: {error.message}", error.remedy)], files=files)
    statuses = statuses_of(tool, str(table or ""), ledger, files)
    skipped: list[str] = []
    if files is None:
        return _Part(label, [_ask_state(source, tool, ledger, statuses)], statuses, [WITHOUT_FOLDER])
    statuses, asked = _ask_catalog(source, tool, table, files, statuses)  # before the others: what is there decides what to do
    faults = [*files.faults, *(tool.settle(ledger, files).notes if ledger else ()), *_elsewhere(source, tool, table)]
    checks = [_ask_state(source, tool, ledger, statuses), check_files(statuses, faults, checksums=tool.checksums), *asked]
    if not asked:
        skipped.append(f"The catalog was not asked: migrations of {tool.title} are programs, and are not run.")
    schema = source.target.prisma_schema if isinstance(source, Snapshot) else table.schema if table else None
    return _Part(label, checks, statuses, skipped, tool.says(ledger, files, schema), files)


def _ask_state(source: Source, tool: Tool, ledger: Ledger | None, statuses: Sequence[MigrationStatus]) -> Check:
    if ledger is None:
        return check_no_ledger(f"there is no ledger of {tool.title}", "Is this the right database? Then nothing was applied to it.")
    return check_ledger_state(statuses, lock_fault(source, tool, ledger.table))


def _owners(source: Source, ledgers: Sequence[tuple[Tool, TableName]], folder: Path) -> dict[str, TableName]:
    """Of each tool that has several ledgers: the one that the folder belongs to, by the names that both have.

    Of a live database Prisma's is the one in the schema of `?schema=`, when it has one there.
    """
    owners = {}
    for tool in {one.name: one for one, _ in ledgers}.values():
        tables = [table for one, table in ledgers if one is tool]
        files = read_folder(tool, folder) if len(tables) > 1 else None
        if files is not None:
            owners[tool.name] = max(tables, key=partial(_nearness, source, tool, files))
    return owners


def _nearness(source: Source, tool: Tool, files: MigrationFiles, table: TableName) -> tuple[bool, int]:
    """How likely it is that *files* are those of the ledger *table*."""
    wanted = tool.name == "prisma" and isinstance(source, Snapshot) and source.target.prisma_schema == table.schema
    try:
        rows = tool.settle(ledger_of(source, tool, table), files).migrations
    except PgAuditError:
        return wanted, 0
    return wanted, len({row.name for row in rows} & set(files.by_name()))


def _ask_catalog(
    source: Source, tool: Tool, table: TableName | None, files: MigrationFiles, statuses: list[MigrationStatus]
) -> tuple[list[MigrationStatus], list[Check]]:
    """Statuses with what the catalog says, and the check, when any script is SQL."""
    scripts = {file.name: file.sql for file in files.files}
    if not any(sql is not None for sql in scripts.values()):
        return statuses, []
    home = table.schema if table and tool.sql_in_ledger_schema else "public"
    seen = statuses

    def answer() -> Check:
        nonlocal seen
        inventory = source.inventory
        if not inventory.objects and source.table_data:
            raise RowsNotAvailable("no objects are in it, rows alone", resource=source.label, remedy="Give a dump with its schema.")
        seen = with_catalog(statuses, scripts, inventory, tool, home)
        return check_catalog(seen)

    check = ask("migrations.catalog", answer)
    order = [check_order(needs_later(scripts, home), sum(sql is not None for sql in scripts.values()))] if tool.by_order else []
    return seen, [check, *order]


def _elsewhere(source: Source, tool: Tool, table: TableName | None) -> list[tuple[str, str]]:
    """Prisma looks for its table in one schema alone."""
    if tool.name != "prisma" or table is None or not isinstance(source, Snapshot) or source.target.prisma_schema == table.schema:
        return []
    looks = source.target.prisma_schema
    return [(f"Prisma looks in schema {looks} (?schema=), and this ledger is {table}", f"Write ?schema={table.schema} into the URL.")]


def _without_ledger(folder: Path, wanted: Tool | None, seen: set[str]) -> list[Tool]:
    """The tools of which *folder* has migrations and the source has no ledger: the one asked for, or when no ledger at all was found."""
    if wanted is not None:
        return [wanted] if wanted.name not in seen and read_folder(wanted, folder) else []
    return [] if seen else [one for one in TOOLS if read_folder(one, folder)][:1]


def _nothing(source: Source, folder: Path | None, wanted: Tool | None) -> MigrationsResult:
    said = f"no ledger of {wanted.title if wanted else 'a migration tool that is known'} is in it"
    remedy = "" if wanted else f"Looked for: {', '.join(NAMES)}."
    if folder:
        said += f", and no migration in {folder}"
    return MigrationsResult(QUESTION, source.label, (check_no_ledger(said, remedy),))
