"""Plain scripts (pg_dump -Fp, pg_restore -f): one pass finds everything but the rows, which are read again where they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from pgaudit_kit.display.progress import reading_file
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.reader import Contents, StoredRows
from pgaudit_kit.dumps.row_text import damaged_table, located
from pgaudit_kit.dumps.scripts.cluster_scan import ClusterScan, names_of
from pgaudit_kit.dumps.scripts.plain_large_objects import read_large_objects
from pgaudit_kit.dumps.scripts.plain_scan import PlainScan, SeveralDumps, scan_script
from pgaudit_kit.dumps.scripts.plain_tables import ScriptTable
from pgaudit_kit.dumps.scripts.script_pieces import MetaCommand
from pgaudit_kit.errors import RowsNotAvailable, UnsupportedDump
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.toc import Damage, TocEntry


class PlainReader:
    """A plain script, or one dump in a script of several. Nothing is read before it is asked for; then the whole script is, once.

    *scan*: what the pass found, when somebody else has made it. Raises UnsupportedDump when the script is read and several dumps
    are in it.
    """

    format = "plain"
    counted: Contents | None = None
    hashes_rows = False  # rows that lie bare are hashed by several processes; in the pass that counts them it would be one

    def __init__(self, file: DumpFile, *, crlf: bool = False, scan: PlainScan | None = None) -> None:
        self._file = file
        self._resource = file.resource
        self._crlf = crlf
        self._given = scan

    @cached_property
    def _scan(self) -> PlainScan:
        try:
            if self._given:
                return self._given
            with reading_file(self._file.label, lambda: self._file.place.size_bytes):
                return scan_script(self._file, crlf=self._crlf)
        except SeveralDumps:
            names = names_of(self._file, ClusterScan(self._file))
        what = "a script that holds the dumps of several databases, or of one several times"
        raise UnsupportedDump(what, resource=self._resource, remedy=f"Name one of them: {names}.")

    @cached_property
    def _tables(self) -> dict[TableName, ScriptTable]:
        """The tables by their exact names."""
        named: dict[TableName, ScriptTable] = {}
        for table in self._scan.tables.values():
            name = table.name_in(self._scan.inventory)
            if name in named:
                named[name].join(table)
            else:
                named[name] = table
        return named

    @cached_property
    def provenance(self) -> Provenance:
        """What the comments and settings of the script say."""
        scan = self._scan
        return Provenance(
            format=self.format,
            database=scan.facts.get("database"),
            server_version=scan.facts.get("server_version"),
            pg_dump_version=scan.facts.get("pg_dump_version"),
            compression=self._file.compression,
            encoding=scan.encoding,
            created_at=scan.facts.get("started"),
            size_bytes=self._file.size_bytes,
            settings={"client_encoding": scan.encoding, "standard_conforming_strings": "on" if scan.standard_strings else "off"},
        )

    @property
    def toc_entries(self) -> tuple[TocEntry, ...]:
        """The entries that the header comments name."""
        return tuple(self._scan.entries)

    @property
    def inventory(self) -> Inventory:
        """The objects."""
        return self._scan.inventory

    @property
    def script_commands(self) -> tuple[MetaCommand, ...]:
        """The psql commands."""
        return tuple(self._scan.commands)

    @property
    def end_is_known(self) -> bool:
        """Whether header or footer are there."""
        return self._scan.has_header or self._scan.has_footer

    @property
    def table_names(self) -> tuple[TableName, ...]:
        """The tables that it holds rows of."""
        return tuple(self._tables)

    @cached_property
    def contents(self) -> Contents:
        """The tables, and all damage."""
        dump_copies = any(table.copies for table in self._tables.values())
        tables: dict[TableName, TableData] = {}
        damaged: dict[TableName, Damage] = {}
        for name, table in self._tables.items():
            tables[name] = table.table_data(name, self._scan.inventory, dump_copies=dump_copies)
            if table.damage:
                damaged[name] = Damage(table.damage.what, offset=table.damage.offset, line=table.damage.line, table=str(name))
        objects = self._scan.large_objects
        found = objects.rows if objects.rows.rows or objects.broken else None
        return Contents(tables, (*self._scan.damage, *damaged.values()), damaged, found, objects.broken)

    def rows(self, name: TableName) -> StoredRows:
        """The rows of *name*, from where the pass found them."""
        data = self.contents.tables.get(name)
        table = str(name)
        if not data:
            raise RowsNotAvailable(f"no rows of {table} in this dump", resource=self._resource, table=table)
        if damage := self.contents.damaged.get(name):
            raise damaged_table(damage.what, table=table, resource=self._resource, offset=damage.offset, line=damage.line)
        if data.not_readable:
            raise RowsNotAvailable(f"the rows of {table} cannot be read: {data.not_readable}", resource=self._resource, table=table)
        stored = self._tables[name]
        blocks = located(self._blocks(stored), table=table, resource=self._resource, offset=None, line=stored.line)
        ranges = [stretch.range_in(self._file, data.columns) for stretch in stored.stretches]
        return StoredRows(data.columns, blocks, tuple(found for found in ranges if found) if all(ranges) else ())

    def large_objects(self) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Yield OID and content, in pieces, of each large object, in the order of the script.

        The pieces of one are to be read before the next is asked for. Raises DamagedDump, at the object that is broken.
        """
        return read_large_objects(self._file, self._scan.large_objects.stretches)

    def _blocks(self, table: ScriptTable) -> Iterator[bytes]:
        for stretch in table.stretches:
            yield from stretch.blocks(self._file)
