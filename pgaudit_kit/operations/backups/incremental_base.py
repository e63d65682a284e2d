"""What a new incremental backup can take over from an earlier one: the lists of tables that have not changed, as the server shows."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

from pgaudit_kit.dumps.archives.raw_toc import RawEntry
from pgaudit_kit.dumps.incremental.chunk_bytes import unpack_chunk
from pgaudit_kit.dumps.incremental.nodes import chunks_listed
from pgaudit_kit.dumps.incremental.put_back import Name, read_toc
from pgaudit_kit.errors import DumpError, StoreFailed
from pgaudit_kit.operations.store.known_chunks import KnownChunks
from pgaudit_kit.operations.store.store import Store
from pgaudit_kit.operations.store.used_chunks import read_incremental
from pgaudit_kit.records.chunks import ChunkedTable, ChunkKind
from pgaudit_kit.records.fingerprint import ServerHash
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_columns import declared_columns
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.chunk_cutting import target_for
from pgaudit_kit.server.snapshot import Snapshot

INCREMENTAL_FORM: Literal["incremental"] = "incremental"
_PRINTED_BY = ("TimeZone", "bytea_output", "lc_monetary", "quote_all_identifiers", "client_encoding")


@dataclass(frozen=True)
class Base:
    """The last incremental backup of the same database: `name` of its file, its tables with all their chunks still there, by name.

    `entries`: those of their data in its table of contents; `targets`: how large chunks of each table are to be cut now; `manifest`: its.
    """

    name: str = ""
    manifest: Manifest | None = None
    tables: Mapping[TableName, ChunkedTable] = field(default_factory=dict)
    entries: Mapping[TableName, RawEntry] = field(default_factory=dict)
    targets: Mapping[TableName, int] = field(default_factory=dict)
    packs: Mapping[TableName, frozenset[str]] = field(default_factory=dict)


def choose_base(store: Store, recent: Iterable[Manifest], known: KnownChunks) -> Base:
    """Return the newest of the *recent* backups that is incremental and can be read; an empty one when there is none. Raises StoreFailed.

    One that holds a part only comes behind those of the whole database, of which it lacks most tables.
    A table of which a chunk is lost, damaged, or about to be swept is not among its tables, and so will be read.
    """
    for manifest in sorted(recent, key=lambda m: bool(m.partial)):
        if not manifest.dump_form.startswith(INCREMENTAL_FORM) or not manifest.dump_file:
            continue
        try:
            index, archive = read_incremental(store, manifest.dump_file.name)
            _, entries = read_toc(archive, resource=manifest.dump_file.name)
        except (DumpError, OSError):
            continue
        by_id = {entry.dump_id: entry for entry in entries}
        whole: dict[TableName, ChunkedTable] = {}
        targets, packs = {}, {}
        for table in index.tables:
            chunks = _chunks_of(table, store, known)
            there = None if chunks is None else known.packs_of(chunks)
            if there is not None and table.dump_id in by_id:
                whole[table.name] = table
                packs[table.name] = there
            targets[table.name] = target_for(len(chunks or ()), table.target_bytes)
        found = {table.name: by_id[table.dump_id] for table in whole.values()}
        return Base(manifest.dump_file.name, manifest, whole, found, targets, packs)
    return Base()


def _chunks_of(table: ChunkedTable, store: Store, known: KnownChunks) -> set[bytes] | None:
    """The digests of all chunks and lists of *table*; None when one of the lists is not there, or not what it should be.

    Such a list is not *known* from then on: the table will be read, and mostly have the very same one.
    """
    found: set[bytes] = set()
    for node in table.nodes:
        place = known.nodes.get(node.digest)
        if place is None:
            return None
        pack, chunk = place
        try:
            raw = unpack_chunk(
                store.packs.read(pack, chunk), digest=node.digest, kind=ChunkKind.LIST, size_bytes=chunk.size_bytes, resource=pack
            )
            found |= {node.digest, *(c.digest for c in chunks_listed(raw, resource=pack))}
        except (DumpError, StoreFailed, FileNotFoundError):
            known.forget(node.digest)
            return None
    return found


def can_be_compared(base: Base, live: Snapshot, chosen: Iterable[TableName]) -> list[TableName]:
    """The *chosen* tables whose rows the server can be asked whether they are those of *base*: same columns, types and ways of printing.

    Hashes are of values and of bytes: another release may print the values otherwise, in another encoding the bytes are other characters.
    """
    before = base.manifest
    if before is None or _printed_by(before.provenance) != _printed_by(live.provenance):
        return []
    found = []
    for name in chosen:
        table, data = base.tables.get(name), live.table_data[name]
        same = table and table.server_hash and table.columns == data.columns and not data.not_readable
        if same and _shape(before.inventory, name) == _shape(live.inventory, name) and _can_be_named(name, live):
            found.append(name)
    return found


def _printed_by(source: Provenance) -> tuple[str | None, ...]:
    return (source.server_version, source.encoding, *map(source.settings.get, _PRINTED_BY))


def unchanged(base: Base, hashes: Mapping[TableName, ServerHash]) -> dict[TableName, ChunkedTable]:
    """The tables of *base* whose rows are still the same, by *hashes* that the server has made in the snapshot of the new backup.

    Without the smallest of tens of thousands: pg_dump is told what to leave out on its command line, which has an end.
    """
    found = {name: base.tables[name] for name in hashes if name in base.tables and base.tables[name].server_hash == hashes[name]}
    largest = sorted(found, key=lambda name: found[name].size_bytes, reverse=True)
    ends = accumulate(len(option.encode("utf-8", "surrogateescape")) for name in largest for option in exclude_options([name]))
    return {name: found[name] for name, end in zip(largest, ends, strict=True) if end <= _MOST_ARGUMENT_BYTES}


def exclude_options(names: Iterable[TableName]) -> list[str]:
    """The options of pg_dump that leave out the rows of these tables: one pattern names many, since pg_dump asks a query for each."""
    plain: dict[str, list[str]] = {}
    options = []
    for name in names:
        if _is_plain(name.schema) and _is_plain(name.name):
            plain.setdefault(name.schema, []).append(name.name)
        else:
            options.append(f"--exclude-table-data={_quoted(name.schema)}.{_quoted(name.name)}")
    for schema, tables in plain.items():
        groups = (tables[at : at + _IN_ONE_PATTERN] for at in range(0, len(tables), _IN_ONE_PATTERN))
        options += [f"--exclude-table-data={schema}.({'|'.join(group)})" for group in groups]
    return options


_MOST_ARGUMENT_BYTES = 24_000 if sys.platform == "win32" else 1 << 20  # of 32 KiB there (CreateProcess), mostly 2 MiB elsewhere (execve)
_IN_ONE_PATTERN = 500  # of 63 bytes each at most: an argument may have 128 KiB


def table_key(name: TableName) -> Name:
    """Schema and name as an archive has them."""
    return name.schema.encode("utf-8", "surrogateescape"), name.name.encode("utf-8", "surrogateescape")


def _can_be_named(name: TableName, live: Snapshot) -> bool:
    """Whether a pattern of pg_dump can name it: arguments are taken in the encoding of the database."""
    text = name.schema + name.name
    return text.isascii() or live.provenance.encoding == "UTF8"


def _is_plain(name: str) -> bool:
    return name.isascii() and name.replace("_", "a").isalnum() and name == name.lower() and not name[0].isdigit()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _shape(inventory: Inventory, name: TableName) -> list[tuple[str, str | None, str | None]]:
    columns = declared_columns(inventory, name) or []
    return [(c.name, c.attributes.get("type"), c.attributes.get("generated")) for c in columns]
