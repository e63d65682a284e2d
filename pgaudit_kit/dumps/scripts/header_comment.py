"""The comments that pg_dump writes between statements: TOC entries, the dump's frame, versions (pg_backup_archiver.c)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from pgaudit_kit.dumps.scripts.script_pieces import Between
from pgaudit_kit.dumps.text_encoding import decode_sql
from pgaudit_kit.records.table_data import quote_identifier
from pgaudit_kit.records.toc import TocEntry

Fact = Literal[
    "header", "footer", "cluster", "cluster_footer", "next_database", "server_version", "pg_dump_version", "started", "not_creating"
]

_LINE = re.compile(
    r"^-- ((?:Data for |Statistics for )?Name: .*|PostgreSQL database .*|Dumped .*|Started on .*|\*not\* .*|TOC entry .*|Depend.*"
    r'|Database ".*" dump)$',
    re.MULTILINE,
)
_FRAME: dict[str, Fact] = {
    "PostgreSQL database dump": "header",
    "PostgreSQL database dump complete": "footer",
    "PostgreSQL database cluster dump": "cluster",
    "PostgreSQL database cluster dump complete": "cluster_footer",
}
_FACTS: dict[str, Fact] = {
    "Dumped from database version ": "server_version",
    "Dumped by pg_dump version ": "pg_dump_version",
    "Started on ": "started",
    "*not* creating schema": "not_creating",  # the whole SQL of schema public, which initdb made (15 and later)
}
_TOC_LINE = re.compile(r"TOC entry (\d+) \(class \d+ OID \d+\)\Z")
_DESC = re.compile(r"[A-Z<pg_][A-Za-z_ >]*\Z")
NO_LINE_END = "no line end"  # behind a frame line: a footer that was cut short may look like a header
_NEXT_DATABASE = re.compile(r'Database "(.*)" dump\Z')
_NO_VALUE = ("", "-")
# Always in a schema (pg_dump.c, the ArchiveEntry calls with a namespace): for these a schema "-" is one that is called so.
_ALWAYS_IN_A_SCHEMA = frozenset(
    {
        *("TABLE", "TABLE DATA", "TABLE ATTACH", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "MATERIALIZED VIEW DATA", "SEQUENCE"),
        *("SEQUENCE SET", "SEQUENCE OWNED BY", "DEFAULT", "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "INDEX", "INDEX ATTACH"),
        *("STATISTICS", "STATISTICS DATA", "RULE", "TRIGGER", "POLICY", "ROW SECURITY", "FUNCTION", "PROCEDURE", "AGGREGATE", "OPERATOR"),
        *("TYPE", "SHELL TYPE", "DOMAIN", "COLLATION", "CONVERSION"),
    }
)
_DATA_KINDS, _STATISTICS_KINDS = ("TABLE DATA", "BLOBS", "BLOB COMMENTS"), ("STATISTICS DATA", "EXTENDED STATISTICS DATA")
_DATA, _STATISTICS = "Data for ", "Statistics for "
_NAMED = ("Name: ", f"{_DATA}Name: ", f"{_STATISTICS}Name: ")


@dataclass(frozen=True, slots=True)
class FrameLine:
    """A line of the dump's frame: which one, and its value."""

    fact: Fact
    value: str = ""


@dataclass(frozen=True, slots=True)
class EntryLine:
    """A TOC entry's line. Names in it are not quoted, so it may read in more than one way: the likeliest reading first."""

    readings: tuple[TocEntry, ...]

    def reading(self, sql: str = "") -> TocEntry:
        """Return the first reading whose names are in *sql*, the entry's own statement; the likeliest one when none is."""
        if len(self.readings) == 1:
            return self.readings[0]
        return next((r for r in self.readings if _is_named(r.tag, sql) and _is_likely_schema(r.schema, sql)), self.readings[0])


def comment_lines(piece: Between, encoding: str) -> Iterator[FrameLine | EntryLine]:
    """Yield the frame lines and entry lines in *piece*."""
    if b"--" in piece.text:
        yield from lines_that_matter(decode_sql(piece.text, encoding))


def lines_that_matter(text: str) -> Iterator[FrameLine | EntryLine]:
    """Yield the frame lines and entry lines of *text*, which stands between two statements."""
    dump_id: int | None = None
    dependencies: tuple[int, ...] = ()
    text = text.replace("\r\n", "\n")
    for match in _LINE.finditer(text):
        line = match[1]
        if readings := _readings(line):
            if dump_id is not None or dependencies:
                readings = [replace(r, dump_id=dump_id, dependencies=dependencies) for r in readings]
            yield EntryLine(tuple(readings))
            dump_id, dependencies = None, ()
        elif line in _FRAME:
            yield FrameLine(_FRAME[line], "" if match.end() < len(text) else NO_LINE_END)
        elif toc := _TOC_LINE.match(line):
            dump_id = int(toc[1])
            dependencies = ()
        elif line.startswith("Dependencies: "):
            dependencies = tuple(int(n) for n in line.split()[1:] if n.isdecimal())
        elif database := _NEXT_DATABASE.match(line):
            yield FrameLine("next_database", database[1])
        elif fact := next((f for f in _FACTS if line.startswith(f)), None):
            yield FrameLine(_FACTS[fact], line.removeprefix(fact))


def _readings(line: str) -> list[TocEntry]:
    """All ways to read `Name: TAG; Type: DESC; Schema: NS; Owner: OWNER[; Tablespace: TS]`: the one with the longest tag first."""
    if not line.startswith(_NAMED):
        return []
    has_data = line.startswith(_DATA)
    rest = line.removeprefix(_DATA).removeprefix(_STATISTICS).removeprefix("Name: ")
    readings = [
        TocEntry(desc=desc, tag=tag, schema=_schema(schema, desc), owner=_value(owner), tablespace=_value(tablespace), has_data=has_data)
        for tag, after_type in _splits(rest, "; Type: ")
        for desc, after_schema in [after_type.split("; Schema: ", 1)] * ("; Schema: " in after_type)
        if _DESC.match(desc)
        for schema, after_owner in _splits(after_schema, "; Owner: ")
        for owner, _, tablespace in [after_owner.partition("; Tablespace: ")]
    ]
    announced = _STATISTICS_KINDS if line.startswith(_STATISTICS) else _DATA_KINDS if has_data else ()
    return [reading for reading in readings if reading.desc in announced] or readings


def _splits(text: str, separator: str) -> Iterator[tuple[str, str]]:
    """Yield both sides of *separator* at every place where it stands, from the last to the first."""
    at = len(text)
    while (at := text.rfind(separator, 0, at)) >= 0:
        yield text[:at], text[at + len(separator) :]


def _schema(text: str, desc: str) -> str | None:
    return text if text == "-" and desc in _ALWAYS_IN_A_SCHEMA else _value(text)


def _value(text: str) -> str | None:
    return None if text in _NO_VALUE else text


def _is_named(tag: str, sql: str) -> bool:
    """Whether *sql* holds the name that *tag* is, or both names of a tag like `table constraint`."""
    if quote_identifier(tag) in sql:
        return True
    spaces = [i for i, character in enumerate(tag) if character == " "]
    return any(quote_identifier(tag[:i]) in sql and quote_identifier(tag[i + 1 :]) in sql for i in spaces)


def _is_likely_schema(schema: str | None, sql: str) -> bool:
    """Whether the schema is no part of the comment, as far as one can tell: releases before March 2018 leave it out of the SQL."""
    return not schema or "; " not in schema or quote_identifier(schema) in sql
