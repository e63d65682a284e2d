"""Write down everything about a source as a Manifest: what is recorded beside a backup, and what `pgaudit snapshot` saves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version

from pgaudit_kit.audits.ledgers import first_ledger
from pgaudit_kit.errors import RowsNotAvailable
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.server.shared_work import count_together
from pgaudit_kit.server.snapshot import Snapshot

NOT_RECORDED = "its rows were not recorded (--schema-only)"


def take_manifest(
    source: Source, *, prisma_schema: str = "public", schema_only: bool = False, progress: Callable[[TableName], None] | None = None
) -> Manifest:
    """Read every row of *source* once and return its Manifest; with *schema_only* read none, which each table then says.

    A table whose rows this role may not read stays in it without a fingerprint, with the reason. Raises the errors of the source.
    """
    if isinstance(source, Snapshot):
        count_together(source, source.table_data)
    tables = {}
    for name, data in source.table_data.items():
        if schema_only:
            tables[name] = replace(data, not_readable=data.not_readable or NOT_RECORDED)
            continue
        if progress:
            progress(name)
        tables[name] = _counted(source, data)
    return Manifest(
        label=source.label,
        taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
        tool_version=version("pgaudit-kit"),
        provenance=source.provenance,
        inventory=source.inventory,
        table_data=tables,
        ledger=first_ledger(source, schema=prisma_schema),
    )


def _counted(source: Source, data: TableData) -> TableData:
    try:
        fingerprint = source.fingerprint(data.name)
    except RowsNotAvailable as error:
        return data if data.not_readable else replace(data, not_readable=error.message)
    return replace(source.table_data[data.name], rows=fingerprint.rows, fingerprint=fingerprint)
