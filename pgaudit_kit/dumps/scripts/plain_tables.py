"""The tables of a plain script while it is read: where their rows are, how many, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pgaudit_kit.dumps.copy_statement import CopyStatement
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.row_ranges import RowRange
from pgaudit_kit.dumps.row_text import inserted_lines, run_text, shape_problem
from pgaudit_kit.dumps.scripts.insert_rows import InsertReader, NotCopyable
from pgaudit_kit.dumps.scripts.script_pieces import CopyData, Statement
from pgaudit_kit.dumps.text_encoding import BLOCK, UNCHECKED, codec_of, to_utf8, whole_lines
from pgaudit_kit.records.identifiers import sanitise
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.table_columns import columns_of
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.records.toc import Damage


@dataclass(slots=True)
class Stretch:
    """Rows that stand together: `size_bytes` bytes from `offset`, COPY lines or INSERT statements."""

    offset: int
    size_bytes: int
    encoding: str
    crlf: bool = False
    inserts: bool = False
    standard_strings: bool = True

    def blocks(self, file: DumpFile) -> Iterator[bytes]:
        """Yield the rows as blocks of COPY lines in UTF-8. Raises DamagedDump."""
        if not self.inserts:
            yield from whole_lines(self._pieces(file), encoding=self.encoding, crlf=self.crlf)
            return
        reader = InsertReader(standard_strings=self.standard_strings, crlf=self.crlf)
        yield from whole_lines(inserted_lines(self._pieces(file), reader, self.encoding), encoding=UNCHECKED)

    def range_in(self, file: DumpFile, columns: tuple[str, ...]) -> RowRange | None:
        """Return where the rows lie in *file*, None when they are wrapped, or no COPY lines, or *file* is no local one."""
        if self.inserts or file.wrappings or not file.path:
            return None
        return RowRange(str(file.path), file.skip + self.offset, self.size_bytes, self.encoding, columns, self.crlf)

    def _pieces(self, file: DumpFile) -> Iterator[bytes]:
        left = self.size_bytes
        with file.open(self.offset) as stream:
            while left and (piece := stream.read(min(left, BLOCK))):
                left -= len(piece)
                yield piece


@dataclass(slots=True)
class ScriptTable:
    """One table. `schemas` are where it may be, the likeliest first; the names of a header comment lack line ends (`sanitised`)."""

    table: str
    schemas: tuple[str, ...]
    sanitised: bool = False
    line: int = 1
    stretches: list[Stretch] = field(default_factory=list)
    columns: tuple[str, ...] | None = None
    rows: int = 0
    size_bytes: int = 0
    inserts: InsertReader | None = None
    copies: bool = False
    not_readable: str = ""
    damage: Damage | None = None

    def add_copy(self, statement: CopyStatement, data: CopyData, encoding: str) -> None:
        """Take the rows after a COPY statement."""
        self.copies = True
        self._set_columns(statement.columns)
        self.stretches.append(Stretch(data.offset, data.size_bytes, encoding, crlf=data.crlf))
        self.rows += data.rows
        self.size_bytes += data.size_bytes - (data.rows if data.crlf else 0)
        if not data.ends:
            self.spoil(r"the script ends before the end mark \. of its rows", data.end, data.line)
        elif statement.other_format:
            self.not_readable = f"its rows are not in COPY's text format ({statement.other_format})"
        elif problem := shape_problem(data.rows, data.tabs, statement.columns):
            self.spoil(problem, data.offset, data.line)

    def add_insert(self, statement: Statement, stretch: Stretch) -> None:
        """Take the rows of an INSERT statement, or of the next part of a long one; *stretch* it belongs to."""
        self.inserts = self.inserts or InsertReader(standard_strings=stretch.standard_strings, crlf=stretch.crlf)
        stretch.size_bytes = statement.offset + len(statement.text) - stretch.offset
        if self.not_readable or codec_of(stretch.encoding) is None:
            return
        try:
            if statement.shape:
                shape, text = run_text(statement, stretch.encoding, crlf=stretch.crlf)
                self.inserts.skip(statement.rows, width=shape.width, defaults=shape.defaults)
                self.rows += statement.rows
                self.size_bytes += shape.size_of_lines(text, is_open=not statement.begins)
                return
            for line in self.inserts.lines(to_utf8(statement.text, stretch.encoding)):
                self.rows += 1
                self.size_bytes += len(line)
        except NotCopyable as error:
            self.refuse_insert(error)

    def refuse_insert(self, error: NotCopyable) -> None:
        """Note that rows come in a form that cannot be read: then none can, for nobody would know which are missing."""
        self.not_readable = f"its INSERT statements cannot be turned into rows: {error}"

    def continues(self, statement: Statement) -> bool:
        """Whether *statement* is one more INSERT like the last one."""
        return self.inserts is not None and self.inserts.begins_alike(statement.text)

    def spoil(self, what: str, offset: int | None, line: int | None) -> None:
        """Note that the rows are broken; the first damage is the one that is told."""
        self.damage = self.damage or Damage(what, offset=offset, line=line, table=f"{self.schemas[0]}.{self.table}")

    def join(self, other: ScriptTable) -> None:
        """Take the rows of *other*, which turned out to be the same table."""
        self.not_readable = self.not_readable or other.not_readable
        if self.columns != other.columns or self.inserts or other.inserts:
            self.not_readable = self.not_readable or "its rows come in several parts of different shapes"
        self.damage = self.damage or other.damage
        self.stretches += other.stretches
        self.copies |= other.copies
        self.rows += other.rows
        self.size_bytes += other.size_bytes

    def name_in(self, inventory: Inventory) -> TableName:
        """Return the table's exact name: the one that the inventory knows, else the likeliest."""
        for schema in self.schemas:
            if ObjectKey("TABLE", schema, self.table) in inventory.by_key:
                return TableName(schema, self.table)
        if self.sanitised:
            for key in inventory.by_key:
                if key.kind == "TABLE" and (sanitise(key.schema or ""), sanitise(key.name)) == (self.schemas[0], self.table):
                    return TableName(key.schema or "", key.name)
        return TableName(self.schemas[0], self.table)

    def table_data(self, name: TableName, inventory: Inventory, *, dump_copies: bool) -> TableData:
        """Return what is known of the rows at the end of the script. *dump_copies*: its rows are COPY data, not INSERTs."""
        columns = self.columns
        if self.inserts and not self.not_readable:
            columns = self.inserts.columns(columns_of(inventory, name), columns_of(inventory, name, generated=False))
            if columns is None or (self.copies and columns != self.columns):
                self.not_readable = "its INSERT statements do not name their columns, and the table's own do not fit"
        elif not self.stretches:
            columns = columns_of(inventory, name, generated=False)
            if dump_copies:
                self.spoil("the COPY statement of its rows is missing", None, self.line)
        if unknown := next((s.encoding for s in self.stretches if codec_of(s.encoding) is None), None):
            self.not_readable = f"its encoding {unknown} is not known to Python"
        if self.damage:
            return TableData(name, columns or (), not_readable=f"damaged: {self.damage.what}")
        if self.not_readable:
            return TableData(name, columns or (), not_readable=self.not_readable)
        return TableData(name, columns or (), rows=self.rows, size_bytes=self.size_bytes)

    def _set_columns(self, columns: tuple[str, ...]) -> None:
        if self.columns not in (None, columns):
            self.not_readable = "its rows come in several parts with different columns"
        self.columns = columns
