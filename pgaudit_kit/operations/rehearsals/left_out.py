"""What a rehearsal leaves out because the server lacks something, and what is left of the source that the result must equal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pgaudit_kit.audits.verify_file import tables_without_rows
from pgaudit_kit.dumps.ddl.builder import InventoryBuilder
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.scripts.plain_scan import PlainScan
from pgaudit_kit.dumps.scripts.script_pieces import Statement
from pgaudit_kit.dumps.scripts.sql_script import ScriptSplitter
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.toc import TocEntry
from pgaudit_kit.records.wrapped_source import WrappedSource

_CRLF_HEAD = 4096


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is not compared: objects that are not there, objects of which a part is not there, tables without their rows."""

    objects: tuple[ObjectKey, ...] = ()
    in_part: tuple[ObjectKey, ...] = ()
    tables: tuple[TableName, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of it in words."""
        parts = [f"a part of {key}" for key in self.in_part]
        return (*map(str, self.objects), *parts, *(f"rows of {name}" for name in self.tables))


def dependents(entries: Sequence[TocEntry], roots: Collection[int]) -> frozenset[int]:
    """Return the dump ids of *roots* and of all *entries* that depend on them, directly or not: what restoring them would fail on."""
    gone = set(roots)
    grows = True
    while grows:
        more = {e.dump_id for e in entries if e.dump_id is not None and e.dump_id not in gone and not gone.isdisjoint(e.dependencies)}
        gone |= more
        grows = bool(more)
    return frozenset(gone)


def extension_entries(entries: Iterable[TocEntry], names: Collection[str]) -> frozenset[int]:
    """Return the dump ids of the entries of the extensions *names*."""
    return frozenset(e.dump_id for e in entries if e.desc == "EXTENSION" and e.tag in names and e.dump_id is not None)


def without(
    dump: Dump, expected: Source, places: Collection[int], tables_without: Collection[TableName], *, restored: Inventory
) -> tuple[Source, LeftOut]:
    """Return what is left of *expected* without what stands at *places* of *dump* (dump ids, or bytes of a script), and what is not.

    *tables_without*: tables whose rows did not get in for the same reason. What is *restored* all the same is compared.
    """
    left = _script_without(dump, places) if dump.provenance.format == "plain" else _archive_without(dump, places)
    whole = dump.inventory
    gone = [key for key in whole.by_key if key not in left.by_key and key not in restored.by_key]
    in_part = [key for key, item in left.by_key.items() if key in whole.by_key and item != whole.by_key[key]]
    objects = [o for o in expected.inventory.objects if o.key not in gone]
    objects = [left.by_key[o.key] if o.key in in_part else o for o in objects]
    inventory = replace(expected.inventory, objects=tuple(objects))
    relations = {(key.schema or "", key.name) for key in gone if key.kind in ("TABLE", "MATERIALIZED VIEW", "FOREIGN TABLE")}
    tables = [name for name in expected.table_data if (name.schema, name.name) in relations or name in tables_without]
    kept = {name: data for name, data in expected.table_data.items() if name not in tables}
    told = LeftOut(tuple(gone), tuple(in_part), tuple(tables))
    if isinstance(expected, Manifest):
        return replace(expected, inventory=inventory, table_data=kept), told
    return RemainingSource(expected, inventory, kept), told


def _archive_without(dump: Dump, places: Collection[int]) -> Inventory:
    builder = InventoryBuilder()
    for entry in dump.toc_entries:
        if entry.definition and entry.dump_id not in places:
            builder.feed(entry.definition, entry)
    facts = dump.provenance
    return builder.build(pg_dump_version=facts.pg_dump_version, server_version=facts.server_version)


def _script_without(dump: Dump, places: Collection[int]) -> Inventory:
    file = dump.file
    if not isinstance(file, DumpFile):
        raise TypeError("a script is one file")
    with file.open() as head:
        crlf = b"\r\n" in head.read(_CRLF_HEAD)
    scan = PlainScan(file.resource, crlf=crlf)
    with file.open() as stream:
        splitter = ScriptSplitter(stream)
        for piece in splitter:
            if not (isinstance(piece, Statement) and piece.offset in places):
                scan.see(piece, standard_strings=splitter.standard_strings)
    scan.end(splitter.offset, splitter.line)
    return scan.inventory


def with_empty_tables(dump: Dump) -> tuple[Source, tuple[TableName, ...]]:
    """Return *dump* with the tables that it has without rows (--schema-only, --exclude-table-data) as empty ones, and their names.

    A restore of such a dump must give them empty.
    """
    empty = {name: TableData(name, of, rows=0, fingerprint=Fingerprint()) for name, of in tables_without_rows(dump).items()}
    if not empty:
        return dump, ()
    return RemainingSource(dump, dump.inventory, {**dump.table_data, **empty}), tuple(empty)


class RemainingSource(WrappedSource):
    """The dump *source* with other objects and tables. A table that it has no rows of is empty."""

    def __init__(self, source: Source, inventory: Inventory, table_data: Mapping[TableName, TableData]) -> None:
        super().__init__(source)
        self._inventory = inventory
        self._table_data = table_data

    @property
    def inventory(self) -> Inventory:
        """The other objects."""
        return self._inventory

    @property
    def table_data(self) -> Mapping[TableName, TableData]:
        """The other tables."""
        return self._table_data

    def fingerprint(self, name: TableName, columns: Sequence[str] | None = None) -> Fingerprint:
        """That of the whole."""
        return self.whole.fingerprint(name, columns) if name in self.whole.table_data else Fingerprint()

    def row_blocks(self, name: TableName, columns: Sequence[str] | None = None) -> Iterator[bytes]:
        """Those of the whole."""
        return self.whole.row_blocks(name, columns) if name in self.whole.table_data else iter(())
