"""Write down everything about a source as a Manifest: what is recorded beside a backup, and what `pgaudit snapshot` saves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version

from pgaudit_kit.audits.ledgers import first_ledger
from pgaudit_kit.errors import QueryFailed, RowsNotAvailable
from pgaudit_kit.records.fingerprint import ServerHash
from pgaudit_kit.records.ledger import Ledger
from pgaudit_kit.records.manifest import Manifest, Needs
from pgaudit_kit.records.server_facts import ServerFacts
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.server.catalog_query import query
from pgaudit_kit.server.facts import server_facts
from pgaudit_kit.server.row_hashes import can_hash, is_large, server_hash
from pgaudit_kit.server.shared_work import CONNECTIONS, count_together
from pgaudit_kit.server.snapshot import Snapshot

NOT_RECORDED = "its rows were not recorded (--schema-only)"
_OF_EVERY_SERVER = frozenset({"pg_database_owner"})
_NOT_CHOSEN = "its rows were not to be backed up"

Progress = Callable[[TableName], None]


def take_manifest(
    source: Source, *, prisma_schema: str = "public", schema_only: bool = False, progress: Progress | None = None
) -> Manifest:
    """Read every row of *source* once and return its Manifest; with *schema_only* read none, which each table then says.

    A table whose rows this role may not read stays in it without a fingerprint, with the reason. Raises the errors of the source.
    """
    chosen: Collection[TableName] = () if schema_only else source.table_data.keys()
    if isinstance(source, Snapshot) and chosen:
        count_together(source, chosen)
    tables = _tables(source, chosen, NOT_RECORDED, progress)
    return _manifest(source, tables, first_ledger(source, schema=prisma_schema))


def take_backup_manifest(
    live: Snapshot, chosen: Collection[TableName], *, prisma_schema: str = "public", progress: Progress | None = None, beside: bool = False
) -> Manifest:
    """As `take_manifest`, of the rows of the tables *chosen* only, with what a restore needs to know besides.

    Large tables are hashed by the server, too (PostgreSQL 14+), which proves a restored database several times faster than its rows do.
    *beside*: something runs meanwhile that takes longer, and is not to be held up: one connection and no parallel workers will do.
    """
    count_together(live, chosen, connections=1 if beside else CONNECTIONS)
    tables = _tables(live, chosen, _NOT_CHOSEN, progress)
    for name, data in tables.items() if can_hash(live) else ():
        if progress:
            progress(name)
        if data.fingerprint and data.columns and is_large(live, name):
            tables[name] = replace(data, server_hash=server_hash(live, name, data.columns, workers=not beside))
    return _backup_manifest(live, tables, chosen, prisma_schema)


def take_incremental_manifest(
    live: Snapshot,
    chosen: Collection[TableName],
    *,
    hashes: Mapping[TableName, ServerHash],
    read: Collection[TableName],
    prisma_schema: str = "public",
    progress: Progress | None = None,
) -> Manifest:
    """As `take_backup_manifest`, where of the tables *chosen* only those in *read* are read.

    The others have the count and the hash that the server has made of them; who knows their fingerprints adds those.
    """
    count_together(live, read)
    tables = _tables(live, read, _NOT_CHOSEN, progress)
    for name, hashed in hashes.items():
        data = tables[name]
        if name not in read:
            data = replace(live.table_data[name], rows=hashed.rows)
        tables[name] = replace(data, server_hash=hashed)
    return _backup_manifest(live, tables, chosen, prisma_schema)


def _backup_manifest(live: Snapshot, tables: dict[TableName, TableData], chosen: Collection[TableName], prisma_schema: str) -> Manifest:
    facts = live.ask(query("backup_facts", live.major))[0]
    manifest = _manifest(live, tables, first_ledger(live, schema=prisma_schema, among=chosen))
    # The owner that initdb made is in no list of dependencies; of large objects, many owners share one text, and the list has them
    owners = {owner for o in manifest.inventory.objects if o.key.kind != "BLOB" and (owner := o.attributes.get("owner"))}
    roles = {*facts["roles"], *owners} - _OF_EVERY_SERVER
    needs = Needs(tuple(sorted(roles)), tuple(sorted(facts["tablespaces"])))
    return replace(manifest, needs=needs, wal_lsn=facts["wal_lsn"], target=live.target.place)


def _manifest(source: Source, tables: dict[TableName, TableData], ledger: Ledger | None) -> Manifest:
    return Manifest(
        label=source.label,
        taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
        tool_version=version("pgaudit-kit"),
        provenance=source.provenance,
        inventory=source.inventory,
        table_data=tables,
        ledger=ledger,
        server=_facts(source),
    )


def _facts(source: Source) -> ServerFacts | None:
    if not isinstance(source, Snapshot):
        return source.server if isinstance(source, Manifest) else None
    try:
        return server_facts(source)
    except QueryFailed:  # a host that has closed these catalogs: a manifest without them says nothing of them
        return None


def _tables(source: Source, chosen: Collection[TableName], why_not: str, progress: Progress | None) -> dict[TableName, TableData]:
    tables = {}
    for name, data in source.table_data.items():
        if name not in chosen:
            tables[name] = replace(data, not_readable=data.not_readable or why_not)
            continue
        if progress:
            progress(name)
        tables[name] = _counted(source, data)
    return tables


def _counted(source: Source, data: TableData) -> TableData:
    try:
        fingerprint = source.fingerprint(data.name)
    except RowsNotAvailable as error:
        return data if data.not_readable else replace(data, not_readable=error.message)
    return replace(source.table_data[data.name], rows=fingerprint.rows, fingerprint=fingerprint)
