r"""One pass over a script of several dumps: what pg_dumpall writes itself, and one `PlainScan` for the dump of each database.

Where a dump begins and ends is told by pg_dump's own frame, between statements only. Which database it is of: the `\connect`
before it (template1, postgres; in releases up to 10 every database), else the one inside of it, else the comment
`-- Database "x" dump`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.scripts.cluster_globals import ClusterGlobals
from pgaudit_kit.dumps.scripts.foreign_text import VERB, foreign_damage
from pgaudit_kit.dumps.scripts.header_comment import NO_LINE_END, EntryLine, FrameLine, comment_lines
from pgaudit_kit.dumps.scripts.plain_scan import PlainScan
from pgaudit_kit.dumps.scripts.psql_connect import connected_database
from pgaudit_kit.dumps.scripts.script_pieces import Between, Foreign, MetaCommand, Piece, Statement
from pgaudit_kit.dumps.scripts.sql_script import ScriptSplitter
from pgaudit_kit.dumps.text_encoding import UTF8, decode_sql
from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.records.cluster import ClusterObjects
from pgaudit_kit.records.toc import Damage

_ENCODING = re.compile(rb"SET\s+client_encoding\s*(?:=|\bTO\b)\s*'?(\w+)", re.IGNORECASE)


@dataclass(slots=True)
class Section:
    r"""The dump of one database. `before`, `inside` and `announced` are the places that may name it.

    From `start` to `end` stands what psql would run inside of the database: what is behind the last `\connect`.
    """

    scan: PlainScan
    start: int
    end: int = 0
    before: str | None = None
    announced: str | None = None
    inside: str | None = None
    fresh: str | None = None  # a connection after which nothing was made yet: the next dump's, when this one has lost its end

    @property
    def database(self) -> str | None:
        """The name of the database; None when nothing says it."""
        return self.before or self.inside or self.scan.facts.get("database") or self.announced


class ClusterScan:
    """Reads the script in *file* once, when made.

    Attributes are what was found: `databases` by name, in the order of the script (a dump that names no database, out of files that
    were joined by hand, has its number as a name); `stretches`, offset and size of what is run inside of each; `objects`,
    outside of them; `damage` of the whole; `has_header`, `has_footer`; `encoding` and psql `commands` of pg_dumpall's own text.
    """

    def __init__(self, file: DumpFile) -> None:
        self.damage: list[Damage] = []
        self.commands: list[MetaCommand] = []
        self.has_header = False
        self.has_footer = False
        self.encoding = UTF8
        self._resource = file.resource
        self._globals = ClusterGlobals()
        self._sections: list[Section] = []
        self._current: Section | None = None
        self._before: str | None = None
        self._announced: str | None = None
        self._open: Statement | None = None
        self._end = (0, 1)
        self._read(file)
        self.objects: ClusterObjects = self._globals.build()
        named = self._named()
        self.databases = {name: section.scan for name, section in named.items()}
        self.stretches = {name: (section.start, section.end - section.start) for name, section in named.items()}
        self._check_end()

    # ---- the pass

    def _read(self, file: DumpFile) -> None:
        with file.open() as stream:
            splitter = ScriptSplitter(stream)
            try:
                for piece in splitter:
                    self._see(piece, standard_strings=splitter.standard_strings)
            except DamagedDump as error:
                self._note(Damage(error.message, offset=error.offset, line=error.line))
        self._end = (splitter.offset, splitter.line)
        if self._current:
            self._current.end = splitter.offset
            self._current.scan.end(*self._end, broken=splitter.broken)
        elif splitter.broken:
            offset = splitter.offset if splitter.broken.offset is None else splitter.broken.offset
            self.damage.append(Damage(splitter.broken.message, offset=offset, line=splitter.line))

    def _note(self, damage: Damage) -> None:
        (self._current.scan.damage if self._current else self.damage).append(damage)

    def _see(self, piece: Piece, *, standard_strings: bool) -> None:
        if isinstance(piece, Between):
            for line in comment_lines(piece, self._current.scan.encoding if self._current else self.encoding):
                self._see_line(line, piece)
        elif isinstance(piece, MetaCommand):
            self._see_command(piece)
        elif self._current:
            self._current.scan.see(piece, standard_strings=standard_strings)
        elif isinstance(piece, Statement):
            self._see_statement(piece, standard_strings=standard_strings)
        elif isinstance(piece, Foreign):
            self.damage += foreign_damage(piece)
        else:
            self.damage.append(Damage("rows outside of the dump of any database", offset=piece.offset, line=piece.line))

    def _see_line(self, line: FrameLine | EntryLine, piece: Between) -> None:
        fact = line.fact if isinstance(line, FrameLine) else ""
        if fact == "cluster":
            self.has_header = True
        elif fact == "cluster_footer":
            self.has_footer = True
            self._leave(piece)
        elif fact == "next_database" and isinstance(line, FrameLine):
            self._leave(piece)
            self._announced = line.value
        elif fact == "header" and not (self._current and line == FrameLine("header", NO_LINE_END)):
            self._begin(piece)
            self._current_section(piece).scan.see_line(line, piece.line)
        elif self._current or isinstance(line, EntryLine):
            section = self._current_section(piece)
            section.fresh = None
            section.scan.see_line(line, piece.line)

    def _see_command(self, command: MetaCommand) -> None:
        whole = command.text.endswith(b"\n")  # a script cut short names half a database
        database = connected_database(decode_sql(command.text, self.encoding)) if whole else None
        if database is not None and self._current and self._current.scan.has_footer:
            self._leave(command)
        if self._current is None:
            self.commands.append(command)
            self._before = database if database is not None else self._before
            return
        if database is not None:
            self._current.inside = self._current.inside or database
            self._current.fresh = database
            self._current.start = command.offset + len(command.text)
        self._current.scan.see(command, standard_strings=True)

    def _see_statement(self, piece: Statement, *, standard_strings: bool) -> None:
        self.commands += piece.commands
        self._open = None if piece.ends else piece
        if not piece.ends:
            return
        if not VERB.match(piece.text):
            self.damage += foreign_damage(piece)
            return
        if setting := _ENCODING.match(piece.text):
            self.encoding = setting[1].decode("ascii")
        sql = decode_sql(piece.text.replace(b"\r\n", b"\n"), self.encoding)
        self._globals.feed(sql, escapes=not standard_strings)

    # ---- the dumps

    def _current_section(self, piece: Between) -> Section:
        """The dump that is being read; a new one when its first line has gone lost."""
        if self._current is None:
            self._begin(piece)
            what = "the line 'PostgreSQL database dump' before it is missing"
            self._sections[-1].scan.damage.append(Damage(what, offset=piece.offset, line=piece.line))
        return self._sections[-1]

    def _begin(self, piece: Between) -> None:
        before = self._before or (self._current.fresh if self._current and not self._current.scan.has_footer else None)
        self._leave(piece)
        crlf = b"\r\n" in piece.text
        self._current = Section(PlainScan(self._resource, crlf=crlf), piece.offset, before=before, announced=self._announced)
        self._sections.append(self._current)
        self._before = self._announced = None

    def _leave(self, piece: Between | MetaCommand) -> None:
        if self._current:
            self._current.end = piece.offset + (len(piece.text) if isinstance(piece, Between) else 0)
            self._current.scan.end(piece.offset, piece.line)
            self._current = None

    def _named(self) -> dict[str, Section]:
        named: dict[str, Section] = {}
        for number, section in enumerate(self._sections, start=1):
            name = section.database or str(number)
            if name in named:  # of one database, dumped more than once into the same file
                name = next(free for n in range(2, number + 2) if (free := f"{name} ({n})") not in named)
            section.scan.facts.setdefault("database", name)
            section.scan.commands = [command for command in section.scan.commands if command.offset >= section.start]
            named[name] = section
        return named

    # ---- the end

    def _check_end(self) -> None:
        offset, line = self._end
        if self._open:
            self.damage.append(Damage("the last statement does not end", offset=self._open.offset, line=self._open.line))
        if self.has_header and not self.has_footer:
            lost = "" if self._announced is None or self._current else f", where the dump of database {self._announced!r} would stand"
            what = f"the script ends before the line 'PostgreSQL database cluster dump complete'{lost}"
            self.damage.append(Damage(what, offset=offset, line=line))
        known = {section.database for section in self._sections}
        for name in self.objects.databases:
            if known and name not in known:
                self.damage.append(Damage(f"database {name!r} is created, but its dump is not in the script", offset=offset, line=line))


def names_of(file: DumpFile, scan: ClusterScan) -> str:
    """How a person names each database of *scan* to a command."""
    return ", ".join(f"{file.resource}#{name}" for name in scan.databases)
