"""One pass over a plain script: entries, objects, tables, psql commands, damage."""

from __future__ import annotations

import re
from dataclasses import replace

from pgaudit_kit.dumps.copy_statement import CopyStatement, parse_copy
from pgaudit_kit.dumps.ddl.builder import InventoryBuilder
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.populated import with_known_populated
from pgaudit_kit.dumps.scripts.foreign_text import VERB, foreign_damage, glimpse
from pgaudit_kit.dumps.scripts.header_comment import EntryLine, FrameLine, comment_lines
from pgaudit_kit.dumps.scripts.insert_rows import InsertTarget, NotCopyable, read_target
from pgaudit_kit.dumps.scripts.plain_large_objects import LARGE_OBJECT_CALL, LargeObjectScan
from pgaudit_kit.dumps.scripts.plain_tables import ScriptTable, Stretch
from pgaudit_kit.dumps.scripts.script_pieces import Between, CopyData, Foreign, MetaCommand, Piece, Statement
from pgaudit_kit.dumps.scripts.sql_script import ScriptSplitter
from pgaudit_kit.dumps.text_encoding import UNCHECKED, UTF8, decode_sql, not_utf8, to_utf8
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.records.identifiers import read_name, read_parents, sanitise
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import Unmodelled
from pgaudit_kit.records.toc import Damage, TocEntry

_INSERT = re.compile(rb"INSERT\s+INTO\b", re.IGNORECASE)
_SETTING = re.compile(r"SET\s+(\w+)\s*(?:=|\bTO\b)\s*(.*?)\s*;\s*\Z", re.IGNORECASE | re.DOTALL | re.ASCII)
_SET_CONFIG = re.compile(r"SELECT\s+pg_catalog\.set_config\('search_path',\s*'([^']*)'", re.IGNORECASE)
_CREATE_DATABASE = re.compile(r"CREATE DATABASE\s+")
# What pg_dump may put around the rows of a table, besides the rows (--disable-triggers, --use-set-session-authorization, -1)
_AROUND_ROWS = re.compile(r"(?:SET|RESET|ALTER\s+TABLE|TRUNCATE|BEGIN|COMMIT|SELECT\s+pg_catalog\.)\b", re.IGNORECASE)
_STATE = re.compile(r"(?:SET|RESET)\b|SELECT\s+pg_catalog\.set_config\(", re.IGNORECASE)
_NO_SCHEMA = ("pg_catalog", "$user")
# pg_dump writes a handful. Rows without their COPY look like commands (\N …), and there may be millions of them.
MOST_COMMANDS = 1_000
BEHIND_THE_END = "stands after the end of the dump, where pg_dump writes nothing"
_TABLE_DATA = "TABLE DATA"
_SHOWN = 5


def scan_script(file: DumpFile, *, crlf: bool = False) -> PlainScan:
    """Read the script in *file* once. Raises SeveralDumps."""
    scan = PlainScan(file.resource, crlf=crlf)
    with file.open() as stream:
        splitter = ScriptSplitter(stream)
        try:
            for piece in splitter:
                scan.see(piece, standard_strings=splitter.standard_strings)
        except DamagedDump as error:
            scan.damage.append(Damage(error.message, offset=error.offset, line=error.line))
    scan.end(splitter.offset, splitter.line, broken=splitter.broken)
    return scan


class SeveralDumps(Exception):
    """A second dump begins in a script that should hold one. Never leaves this room."""


class PlainScan:
    """What one dump in a script holds; its pieces are given to it one after another. Raises SeveralDumps.

    Attributes are what was found: `entries`, `inventory`, `tables`, `large_objects`, `commands`, `damage` (that of tables is in `tables`),
    `facts` (server_version, pg_dump_version, started, database), `encoding`, `standard_strings`, `has_header`, `has_footer`.
    Offsets and lines are those of the file, also where it holds more than this dump.
    """

    def __init__(self, resource: str, *, crlf: bool = False) -> None:
        self.entries: list[TocEntry] = []
        self.tables: dict[tuple[tuple[str, ...], str], ScriptTable] = {}
        self.commands: list[MetaCommand] = []
        self.damage: list[Damage] = []
        self.facts: dict[str, str] = {}
        self.encoding = UTF8
        self._checked = UNCHECKED  # the encoding, once the script has said it
        self.standard_strings = True
        self.has_header = False
        self.has_footer = False
        self.inventory = Inventory()
        self._resource = resource
        self._crlf = crlf
        self._builder = InventoryBuilder()
        self._line: EntryLine | None = None  # the entry's comment, while its statement was not seen
        self._entry: TocEntry | None = None
        self._entry_line = 1
        self._table: ScriptTable | None = None  # of the current TABLE DATA entry, once rows came
        self._copy: CopyStatement | None = None
        self._insert: tuple[ScriptTable, Stretch] | None = None  # where the last statement, an INSERT, put its rows
        self._search_path: tuple[str, ...] = ()
        self._headers = 0
        self.large_objects = LargeObjectScan()
        self._open: Statement | None = None
        self._behind: list[Unmodelled] = []

    # ---- the pass

    def see(self, piece: Piece, *, standard_strings: bool) -> None:
        """Take in the next piece; *standard_strings* as the splitter says it is now. Raises DamagedDump when it makes no sense to go on."""
        if isinstance(piece, Between):
            for line in comment_lines(piece, self.encoding):
                self.see_line(line, piece.line)
        elif isinstance(piece, CopyData):
            self._see_rows(piece)
        elif isinstance(piece, MetaCommand):
            self._see_command(piece)
        elif isinstance(piece, Foreign):
            self.damage += foreign_damage(piece)
        else:
            self.standard_strings = standard_strings
            self._see_statement(piece, standard_strings=standard_strings)

    def see_line(self, line: FrameLine | EntryLine, number: int) -> None:
        """Take in a comment; *number*: the line where the comments begin that it stands in."""
        if isinstance(line, FrameLine):
            self._see_frame(line)
        else:
            self._close_entry()
            self._line = line
            self._entry = line.reading()
            self._entry_line = number
            self.entries.append(self._entry)

    def _see_frame(self, line: FrameLine) -> None:
        if line.fact == "cluster":
            raise SeveralDumps
        if line.fact == "header":
            self.has_header = True
            self._headers += 1
        elif line.fact == "footer":
            self.has_footer = True
            self._close_entry()
        elif line.fact == "not_creating":
            self._builder.feed(f"-- *not* creating schema{line.value}", self._entry)
        else:
            self.facts.setdefault(line.fact, line.value)

    def _see_command(self, command: MetaCommand) -> None:
        self.commands.append(command)
        self._insert = None
        if len(self.commands) > MOST_COMMANDS:
            what = f"more than {MOST_COMMANDS:,} commands for psql: rows that have lost their COPY statement"
            raise DamagedDump(what, offset=command.offset, line=command.line)
        if command.text.startswith(b"\\."):
            self.damage.append(Damage(r"an end mark \. without a COPY before it", offset=command.offset, line=command.line))

    def _see_statement(self, piece: Statement, *, standard_strings: bool) -> None:
        if self._headers > 1:
            raise SeveralDumps
        for command in piece.commands:
            self._see_command(command)
        self._open = None if piece.ends else piece
        if not piece.begins or _INSERT.match(piece.text):
            self._see_insert(piece, standard_strings=standard_strings)
            return
        self._insert = None
        if not piece.ends:
            return
        if LARGE_OBJECT_CALL.match(piece.text):
            self._see_large_object(piece, standard_strings=standard_strings)
            return
        sql = decode_sql(piece.text.replace(b"\r\n", b"\n") if self._crlf else piece.text, self.encoding)
        self._settle_entry(sql)
        if problem := not_utf8(sql, self._checked):
            self.damage.append(Damage(f"a statement with {problem}", offset=piece.offset, line=piece.line))
        if _STATE.match(sql):
            self._see_setting(sql)
            self._builder.feed(sql)
            return
        self._copy = parse_copy(sql)
        if not self._copy:
            self._see_sql(sql, piece)

    def _see_sql(self, sql: str, piece: Statement) -> None:
        """Take in a statement that is neither a setting nor one of rows."""
        if self._entry and self._entry.desc == _TABLE_DATA and not _AROUND_ROWS.match(sql):
            self._spoil("something that is neither COPY nor INSERT stands among its rows", piece)
            return
        if not VERB.match(piece.text):
            self.damage += foreign_damage(piece)
            return
        if self.has_footer and not _AROUND_ROWS.match(sql):
            self._behind.append(Unmodelled("SQL", None, glimpse(piece.text), BEHIND_THE_END, sql))
        if database := _CREATE_DATABASE.match(sql):
            self.facts["database"] = (read_name(sql, database.end()) or ("", "", 0))[1]
        self.large_objects.see_created(sql)
        self._builder.feed(sql, self._entry)

    def _see_large_object(self, piece: Statement, *, standard_strings: bool) -> None:
        self._settle_entry("")
        problem, made = self.large_objects.see(piece, standard_strings=standard_strings, entry=self._entry)
        if problem:
            self.damage.append(Damage(problem, offset=piece.offset, line=piece.line))
        if made is not None:
            self._builder.feed(f"SELECT pg_catalog.lo_create('{made}');", self._entry)

    def _see_setting(self, sql: str) -> None:
        if path := _SET_CONFIG.match(sql):
            self._search_path = tuple(name for _, name in read_parents(path[1]))
        elif setting := _SETTING.match(sql):
            name, value = setting[1].lower(), setting[2]
            if name == "client_encoding":
                self.encoding = self._checked = value.strip("'\"")
            elif name == "search_path":
                self._search_path = tuple(name for _, name in read_parents(value) if name not in _NO_SCHEMA)

    # ---- rows

    def _see_rows(self, data: CopyData) -> None:
        if self._copy:
            table = self._table_of(self._copy.schema, self._copy.table)
            table.add_copy(self._copy, data, self._checked)
        self._copy = None

    def _see_insert(self, piece: Statement, *, standard_strings: bool) -> None:
        try:
            if piece.begins and not (self._insert and self._insert[0].continues(piece)):
                self._settle_entry("")
                target, _, _ = read_target(to_utf8(piece.text, self._checked))
                self._begin_insert(piece, target, standard_strings=standard_strings)
            if self._insert:
                table, stretch = self._insert
                table.add_insert(piece, stretch)
        except NotCopyable as error:
            self._insert = None
            if error.target:
                self._table_of(error.target.schema, error.target.table).refuse_insert(error)
            else:
                self._spoil(f"an INSERT that makes no sense: {error}", piece)
        except DamagedDump as error:
            self._insert = None
            self._spoil(error.message, piece, at=error.__cause__.start if isinstance(error.__cause__, UnicodeDecodeError) else 0)

    def _spoil(self, what: str, piece: Statement, *, at: int = 0) -> None:
        """Note damage *at* that byte of *piece*: of the current table, or of the script when no table's rows are being read."""
        offset, line = piece.offset + at, piece.line + piece.text.count(b"\n", 0, at)
        if self._entry and self._entry.desc == _TABLE_DATA:
            self._data_table().spoil(what, offset, line)
        else:
            self.damage.append(Damage(what, offset=offset, line=line))

    def _begin_insert(self, piece: Statement, target: InsertTarget, *, standard_strings: bool) -> None:
        table = self._table_of(target.schema, target.table)
        if self._insert and self._insert[0] is table:
            return
        stretch = Stretch(piece.offset, 0, self._checked, crlf=self._crlf, inserts=True, standard_strings=standard_strings)
        table.stretches.append(stretch)
        self._insert = (table, stretch)

    def _table_of(self, schema: str | None, table: str) -> ScriptTable:
        """The table that rows for *schema*.*table* belong to: that of the TABLE DATA entry, for a partition loaded through its root too."""
        entry = self._entry
        if not entry or entry.desc != _TABLE_DATA:
            return self._table_named((schema,) if schema else self._search_path or ("public",), table)
        entry_schema = entry.schema or ""
        if sanitise(table) == entry.tag and sanitise(schema or entry_schema) == entry_schema:
            self._table = self._table_named((schema or entry_schema,), table)
            return self._table
        return self._data_table()

    def _data_table(self) -> ScriptTable:
        """The table of the current TABLE DATA entry, by the names of its comment."""
        if not self._table:
            entry = self._entry
            self._table = self._table_named((entry.schema or "" if entry else "",), entry.tag if entry else "", sanitised=True)
        return self._table

    def _table_named(self, schemas: tuple[str, ...], table: str, *, sanitised: bool = False) -> ScriptTable:
        return self.tables.setdefault((schemas, table), ScriptTable(table, schemas, sanitised=sanitised, line=self._entry_line))

    # ---- entries

    def _settle_entry(self, sql: str) -> None:
        """Choose how to read the entry's comment, now that its statement is known."""
        if self._line and not _STATE.match(sql):
            self._entry = self.entries[-1] = self._line.reading(sql)
            self._line = None

    def _close_entry(self) -> None:
        """End the current entry; a TABLE DATA entry without rows is one of an empty table (with --inserts nothing is written then)."""
        if self._entry and self._entry.desc == _TABLE_DATA and not self._table:
            self._data_table()
        self._line = self._entry = self._table = self._copy = self._insert = None

    def end(self, offset: int, line: int, *, broken: DamagedDump | None = None) -> None:
        """Conclude, when the script or this dump in it ends at *offset*, *line*; *broken*: why no more of it could be had."""
        if broken:
            # a stream that breaks knows its place in what it was unpacked from, not in the script
            self.damage.append(Damage(broken.message, offset=offset if broken.offset is None else broken.offset, line=line))
        if self._open and not self._open.commands:
            what = "the last statement does not end"
            self.damage.append(Damage(what, offset=self._open.offset, line=self._open.line))
        self._end_large_objects(offset, line)
        if self.has_header and not self.has_footer:
            what = "the script ends before the line 'PostgreSQL database dump complete'"
            self.damage.append(Damage(what, offset=offset, line=line))
            self._spoil_last_table()
        elif self._entry:
            self._spoil_last_table()
        self._close_entry()
        self._check_restrict(offset, line)
        versions = {"pg_dump_version": self.facts.get("pg_dump_version"), "server_version": self.facts.get("server_version")}
        inventory = self._builder.build(**versions)
        if self.has_footer and not self.damage:
            inventory = with_known_populated(inventory, self.entries)
        self.inventory = replace(inventory, unmodelled=(*inventory.unmodelled, *self._behind)) if self._behind else inventory

    def _end_large_objects(self, offset: int, line: int) -> None:
        objects = self.large_objects
        what = ""
        if objects.open is not None:
            what = f"large object {objects.open} does not end"
        elif missing := objects.without_content():
            more = f" and {len(missing) - _SHOWN:,} more" if len(missing) > _SHOWN else ""
            what = f"no content of large object {', '.join(map(str, missing[:_SHOWN]))}{more}"
        if what:
            objects.broken = objects.broken or what
            self.damage.append(Damage(what, offset=offset, line=line))

    def _spoil_last_table(self) -> None:
        """The rows of a TABLE DATA entry that the script ends in may be fewer than there were, unless COPY ended them."""
        if self._entry and self._entry.desc == _TABLE_DATA and not (self._table and self._table.copies):
            self._data_table().spoil("the script ends among its rows", None, self._entry_line)

    def _check_restrict(self, offset: int, line: int) -> None:
        keys = {
            kind: [c.text.split()[1:2] for c in self.commands if c.text.split()[:1] == [kind]] for kind in (b"\\restrict", b"\\unrestrict")
        }
        if len(keys[b"\\restrict"]) > len(keys[b"\\unrestrict"]) and self.has_footer:
            self.damage.append(Damage(r"the script ends before its last \unrestrict line", offset=offset, line=line))
