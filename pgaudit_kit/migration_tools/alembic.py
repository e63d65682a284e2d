"""Alembic: the table `alembic_version`, which holds the heads alone, and scripts that name the one before them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pgaudit_kit.migration_tools.folders import files_matching
from pgaudit_kit.migration_tools.python_source import assigned, is_worth_a_look, literal, names, parse
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Settled, Tool
from pgaudit_kit.records.ledger import Ledger, Migration

_FILE = re.compile(r".+\.py")


def is_ledger(table: LedgerTable) -> bool:
    """By its column, whatever `version_table` calls it."""
    return table.has_only("version_num")


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """The heads: nothing says when they were applied, nor which ones before them."""
    return [Migration(head, head, said="applied") for head in sorted(row["version_num"] or "" for row in rows)]


def read_folder(folder: Path) -> MigrationFiles | None:
    """The scripts of versions/, each behind those that it depends on."""
    found = [file for path, _ in files_matching(folder, _FILE, below=True) if (file := _read_script(folder, path))]
    if not found:
        return None
    return MigrationFiles(folder, tuple(_in_order({file.name: file for file in found})))


def _heads(files: MigrationFiles) -> list[str]:
    below = {name for file in files.files for name in file.depends}
    return [file.name for file in files.files if file.name not in below and not file.broken]


def _read_script(folder: Path, path: Path) -> MigrationFile | None:
    if not is_worth_a_look(path):
        return None
    tree, where = parse(path), str(path.relative_to(folder))
    if isinstance(tree, str):
        return MigrationFile(path.stem, where, broken=tree)
    values = assigned(tree.body)
    if "revision" not in values or "down_revision" not in values:
        return None
    try:
        revision = literal(values["revision"])
        before = (*names(literal(values["down_revision"])), *names(literal(values.get("depends_on"))))
    except ValueError:
        return MigrationFile(path.stem, where, broken="its revision is no literal")
    return MigrationFile(str(revision), where, depends=before)


def _in_order(files: dict[str, MigrationFile]) -> Iterator[MigrationFile]:
    """Those before first. Of a circle, which Alembic refuses, each comes once all the same."""
    done: set[str] = set()
    for root in files:
        waiting = [root]
        while waiting:
            name = waiting[-1]
            ahead = [b for b in files[name].depends if b in files and b not in done and b not in waiting]
            if ahead:
                waiting.append(ahead[0])
                continue
            waiting.pop()
            if name not in done:
                done.add(name)
                yield files[name]


def settle(ledger: Ledger, files: MigrationFiles | None) -> Settled:
    """All that stand before a head are applied. Several heads are no fault where all are: branches may be kept apart on purpose."""
    if files is None:
        return Settled(ledger.migrations)
    named, heads = files.by_name(), {row.name: row for row in ledger.migrations}
    applied: set[str] = set()
    waiting = list(heads)
    while waiting:
        name = waiting.pop()
        if name not in applied:
            applied.add(name)
            waiting += named[name].depends if name in named else ()
    before = [Migration(file.name, file.name, said="applied") for file in files.files if file.name in applied]
    lost = [replace(heads.get(name) or Migration(name, name, said="applied")) for name in sorted(applied - set(named))]
    ends = _heads(files)
    several = len(ends) > 1 and not applied >= set(ends)
    notes = ((f"{len(ends)} heads: {', '.join(ends)}", "`alembic merge heads`, or `alembic upgrade heads`"),) if several else ()
    gone = ", ".join(sorted(set(heads) - set(named)))
    doubt = f"whether it is applied cannot be told: it may stand before {gone}, which has no script" if gone else ""
    return Settled((*before, *lost), notes, doubt=doubt)


TOOL = Tool(
    name="alembic",
    title="Alembic",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=("alembic/versions", "migrations/versions", "versions"),
    settle=settle,
    by_order=False,
    remedies={
        "pending": "`alembic upgrade heads`",
        "unknown": "Bring its script back from version control: Alembic cannot locate the revision. "
        "Only if it is gone for good: `alembic stamp --purge REVISION` with the one that the schema has.",
    },
)
