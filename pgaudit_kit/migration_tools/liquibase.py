"""Liquibase: the table `databasechangelog`, and changelogs in XML, YAML, JSON or formatted SQL; a name here is `file::id::author`.

Its checksums are of changes as Liquibase's own parser understands them, and are not verified here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import yaml
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from pgaudit_kit.migration_tools.folders import files_matching, read_bytes, text_of
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Settled, Tool, settle_by_name
from pgaudit_kit.records.ledger import Ledger, Migration

_FILE = re.compile(r".+\.(xml|ya?ml|json|sql)", re.IGNORECASE)
_FORMATTED = re.compile(r"\s*--\s*liquibase formatted sql\b", re.IGNORECASE)
_CHANGESET = re.compile(r"^--\s*changeset\s+([^\s:]+|\"[^\"]*\"):([^\s:]+|\"[^\"]*\")(.*)$", re.MULTILINE | re.IGNORECASE)
_ROLLBACK = re.compile(r"^--.*$", re.MULTILINE)
_STATES = {"EXECUTED": "applied", "RERAN": "applied", "MARK_RAN": "applied", "FAILED": "failed", "SKIPPED": "rolled_back"}


def is_ledger(table: LedgerTable) -> bool:
    """By its columns, whatever `databaseChangeLogTableName` calls it."""
    return table.has("id", "author", "filename", "dateexecuted", "orderexecuted", "exectype", "md5sum")


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """In the order executed."""
    rows = sorted(rows, key=lambda row: int(row["orderexecuted"] or 0))
    return [
        Migration(
            id=str(number),
            name=f"{(row['filename'] or '').removeprefix('classpath:')}::{row['id']}::{row['author']}",
            finished_at=row["dateexecuted"],
            said=_STATES.get(row["exectype"] or "", "applied"),
        )
        for number, row in enumerate(rows)
    ]


def read_folder(folder: Path) -> MigrationFiles | None:
    """All changesets in *folder* and below. Files that they include are read where they lie; other XML, YAML, JSON, SQL is passed over."""
    files: list[MigrationFile] = []
    faults: list[tuple[str, str]] = []
    for path, match in files_matching(folder, _FILE, below=True):
        where, kind = path.relative_to(folder).as_posix(), match[1].lower()
        try:
            files += _changesets(where, kind, text_of(read_bytes(path)))
        except (ParseError, DefusedXmlException, yaml.YAMLError, ValueError, RecursionError) as error:
            faults.append((f"{where} cannot be read: {type(error).__name__}", "Mend it, or give the folder of the changelogs alone."))
    return MigrationFiles(folder, tuple(files), tuple(faults)) if files else None


def _changesets(where: str, kind: str, text: str) -> Iterator[MigrationFile]:
    if kind == "sql":
        yield from _of_sql(where, text)
    elif kind == "xml":
        if "databaseChangeLog" in text:
            root = fromstring(text, forbid_dtd=True)
            for node in root.iter():
                if node.tag.rpartition("}")[2] == "changeSet":
                    yield _file(where, node.get("id"), node.get("author"))
    elif "databaseChangeLog" in text:
        told = json.loads(text) if kind == "json" else yaml.safe_load(text)
        yield from _of_entries(where, told)


def _of_entries(where: str, told: Any) -> Iterator[MigrationFile]:
    entries = told.get("databaseChangeLog") if isinstance(told, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        changeset = entry.get("changeSet") if isinstance(entry, dict) else None
        if isinstance(changeset, dict):
            yield _file(where, changeset.get("id"), changeset.get("author"))


def _of_sql(where: str, text: str) -> Iterator[MigrationFile]:
    if not _FORMATTED.match(text):
        return
    found = list(_CHANGESET.finditer(text))
    for number, match in enumerate(found):
        end = found[number + 1].start() if number + 1 < len(found) else len(text)
        yield _file(where, match[2].strip('"'), match[1].strip('"'), _ROLLBACK.sub("", text[match.end() : end]))


def _file(where: str, changeset: object, author: object, sql: str | None = None) -> MigrationFile:
    return MigrationFile(f"{where}::{changeset}::{author}", where, sql=sql)


def settle(ledger: Ledger, files: MigrationFiles | None) -> Settled:
    """The ledger says files as Liquibase was told them: one that ends as a file of the folder does, or the other way round, is that one."""
    rows = []
    for row in ledger.migrations:
        same = [file.name for file in files.files if _is_same(row.name, file.name)] if files else []
        rows.append(Migration(row.id, same[0] if len(same) == 1 else row.name, finished_at=row.finished_at, said=row.said))
    return settle_by_name(Ledger(ledger.tool, ledger.table, tuple(rows)), files)


def _is_same(one: str, other: str) -> bool:
    (left, _, rest), (right, _, wanted) = one.partition("::"), other.partition("::")
    return rest == wanted and (left == right or left.endswith("/" + right) or right.endswith("/" + left))


TOOL = Tool(
    name="liquibase",
    title="Liquibase",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=("src/main/resources/db/changelog", "db/changelog"),
    settle=settle,
    lock=("databasechangeloglock", "locked"),
    by_order=False,
    remedies={
        "locked": "When no update is running: `liquibase release-locks`",
        "pending": "`liquibase update`",
        "failed": "See how far it got, then `liquibase update`.",
        "rolled_back": "`liquibase update` runs it again.",
        "unknown": "Bring its changeset back from version control; `liquibase unexpected-changesets --verbose` lists them.",
        "in_catalog": "`liquibase changelog-sync` marks all pending ones as ran, `changelog-sync-to-tag` some.",
        "half_in_catalog": "Undo by hand what is there, then `liquibase update`.",
        "not_in_catalog": "Find out who dropped it; put it back by hand or from a backup.",
    },
)
