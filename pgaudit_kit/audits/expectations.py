"""The checks that a project's settings, and what lies beside a dump, give rise to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

from pgaudit_kit.audits.asking import ask
from pgaudit_kit.audits.beside import Beside, last_rehearsal
from pgaudit_kit.audits.file_digest import dump_digest
from pgaudit_kit.checks.backup_history import FEW_BYTES
from pgaudit_kit.checks.dump_size import check_dump_size
from pgaudit_kit.checks.required_tables import (
    all_tables,
    check_last_tables,
    check_prisma_tables,
    check_required_tables,
    tables_with_rows,
)
from pgaudit_kit.checks.times import check_age, check_duration
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.migration_tools.prisma_schema import model_tables
from pgaudit_kit.records.config import Config, load_config
from pgaudit_kit.records.evidence import Evidence
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.verdict import Check

Settings = Config | str | os.PathLike[str] | None


def settings_of(given: Settings) -> Config:
    """The settings *given*, or those in the file of that name; of None none: a library does not look around. Raises UsageError."""
    if given is None:
        return Config()
    return given if isinstance(given, Config) else load_config(given)


def ask_tables(source: Source, require: Sequence[str], config: Config) -> Iterator[Check]:
    """Whether the tables are there that a list and a Prisma schema name. *require* wins over the list of the settings."""
    wanted = require or config.required_tables
    if wanted:
        yield ask("tables.required", lambda: check_required_tables(wanted, tables_with_rows(source), all_tables(source)))
    if schema := config.prisma_schema:
        yield ask("tables.prisma", lambda: check_prisma_tables(model_tables(schema), tables_with_rows(source)))


def ask_dump(dump: Dump, manifest: Manifest | None, config: Config, here: Beside | None, before: Sequence[Manifest]) -> Iterator[Check]:
    """How old, how large, how soon restored. *here*: what is beside the dump, None when that cannot be looked at, or is not to be.

    *before*: the backups before it, the newest first.
    """
    if rpo := config.rpo:
        yield ask("dump.age", lambda: check_age(taken_at(dump, manifest), rpo=rpo, now=datetime.now(UTC)))
    yield from _ask_size(dump, manifest, before, config)
    if before:
        yield ask("tables.last_backup", lambda: check_last_tables(before[0], tables_with_rows(dump)))
    if rto := config.rto:
        yield ask("restore.duration", lambda: _duration(dump, here, rto))


def _ask_size(dump: Dump, manifest: Manifest | None, before: Sequence[Manifest], config: Config) -> Iterator[Check]:
    form = manifest.dump_form if manifest else ""
    sizes = [m.held_bytes for m in before if m.held_bytes is not None and m.dump_form == form]
    smallest, share = config.smallest_size_bytes, config.smallest_share
    if share is None and sizes and median(sizes) < FEW_BYTES:
        sizes = []  # small sizes say nothing
    if sizes or smallest is not None:
        size = _rows_bytes(dump) if dump.provenance.format == "incremental" else dump.provenance.size_bytes
        if size is None and manifest:
            size = manifest.held_bytes
        yield ask("dump.size", lambda: check_dump_size(size, smallest=smallest, before=sizes, share=share))


def _rows_bytes(dump: Dump) -> int | None:
    """Its rows as COPY text, as `Manifest.held_bytes` counts them."""
    return sum(data.size_bytes or 0 for data in dump.table_data.values())


def _duration(dump: Dump, here: Beside | None, rto: timedelta) -> Check:
    found = last_rehearsal(here, dump_digest(dump).sha256) if here else "no rehearsal beside it can be looked for"
    if isinstance(found, Evidence):
        return check_duration(found.seconds, rto=rto, of=_told(found))
    return check_duration(None, rto=rto, of=found)


def _told(evidence: Evidence) -> str:
    return f"the rehearsal of {evidence.at} on {evidence.by.rpartition('@')[2]} ({evidence.server})"


def taken_at(dump: Source, manifest: Manifest | None) -> datetime | None:
    """When the snapshot of *dump* was taken: by its manifest, else by the file, which knows no zone; None: neither says."""
    if manifest:
        return datetime.fromisoformat(manifest.taken_at)
    at_all = (dump.provenance.created_at or "").split(" ")  # a script of pg_dump --verbose names a zone, by an abbreviation
    text, zone = " ".join(at_all[:2]), " ".join(at_all[2:])
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if zone in ("UTC", "GMT") and at.tzinfo is None else at
