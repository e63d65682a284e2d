"""Sqitch: the table `changes` of its registry (schema `sqitch`), sqitch.plan and the deploy scripts beside it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from pgaudit_kit.migration_tools.folders import checksums, read_bytes, text_of
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Settled, Tool, settle_by_name
from pgaudit_kit.records.ledger import Ledger, Migration

PLAN = "sqitch.plan"
_CHANGE = re.compile(r"([^\s\[\]%@#:+-][^\s\[\]:]*)\s+(?:\[[^\]]*\]\s+)?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\s")
_TAG = re.compile(r"@(\S+)\s")
_PROJECT = re.compile(r"^%project=(\S+)", re.MULTILINE)


def is_ledger(table: LedgerTable) -> bool:
    """By its columns, whatever schema the registry is in."""
    return table.name.name == "changes" and table.has("change_id", "script_hash", "change", "project", "committed_at", "planned_at")


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """In the order committed; named `project:change`. A change that was reverted has no row."""
    found = [
        Migration(
            row["change_id"] or "", f"{row['project']}:{row['change']}", row["script_hash"], finished_at=row["committed_at"], said="applied"
        )
        for row in rows
    ]
    return sorted(found, key=lambda m: m.finished_at or "")


def read_folder(folder: Path) -> MigrationFiles | None:
    """The changes of the plan, with deploy/NAME.sql; one that was reworked is there several times, as NAME@TAG before."""
    if not (folder / PLAN).is_file():
        return None
    plan = text_of(read_bytes(folder / PLAN))
    project = found[1] if (found := _PROJECT.search(plan)) else ""
    planned: list[list[str]] = []  # change, name of its script
    for line in plan.splitlines():
        if tag := _TAG.match(line):
            for one in planned:
                one.append(tag[1])
        elif change := _CHANGE.match(line):
            planned.append([change[1]])
    files = tuple(_read_change(folder, project, number, planned) for number in range(len(planned)))
    return MigrationFiles(folder, files, scope=lambda name: name.startswith(f"{project}:"))


def _read_change(folder: Path, project: str, number: int, planned: list[list[str]]) -> MigrationFile:
    change, *tags = planned[number]
    again = any(later[0] == change for later in planned[number + 1 :])
    before = sum(1 for earlier in planned[:number] if earlier[0] == change)
    script = f"deploy/{change}@{tags[0]}.sql" if again and tags else f"deploy/{change}.sql"
    name = f"{project}:{change}" + (f" (reworked {before})" if before else "")
    if not (folder / script).is_file():
        return MigrationFile(name, script, broken="it is not there")
    content = read_bytes(folder / script)
    own, converted = checksums(content, lambda text: hashlib.sha1(text, usedforsecurity=False).hexdigest())
    return MigrationFile(name, script, own, converted, text_of(content))


def settle(ledger: Ledger, files: MigrationFiles | None) -> Settled:
    """Tell the reworkings of a change apart, in the order committed."""
    seen: dict[str, int] = {}
    rows = []
    for row in ledger.migrations:
        number = seen[row.name] = seen.get(row.name, -1) + 1
        name = f"{row.name} (reworked {number})" if number else row.name
        rows.append(Migration(row.id, name, row.checksum, finished_at=row.finished_at, said=row.said))
    return settle_by_name(Ledger(ledger.tool, ledger.table, tuple(rows)), files)


TOOL = Tool(
    name="sqitch",
    title="Sqitch",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=("sqitch",),
    settle=settle,
    checksums="SHA-1",
    late_ones="`sqitch deploy` goes on behind the last one and leaves it out",
    remedies={
        "pending": "`sqitch deploy`",
        "late": "`sqitch rebase` from the change before it, or plan it behind the last one",
        "unknown": "Bring the plan back from version control; `sqitch check` finds where they part.",
        "edited": "Bring the script back as it was deployed; change a change by `sqitch rework`.",
        "line_ends": "Write `*.sql text eol=lf` into .gitattributes, then `git add --renormalize .`",
        "in_catalog": "`sqitch deploy --log-only` records what is there without running it.",
        "half_in_catalog": "Undo by hand what is there, then `sqitch deploy`.",
        "not_in_catalog": "Find out who dropped it; put it back by hand or from a backup.",
    },
)
