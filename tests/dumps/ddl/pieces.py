"""A plain dump in pieces, as the readers of dumps feed them: the SQL between two header comments, with the entry that the comment names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgaudit_kit.dumps.ddl.builder import InventoryBuilder
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.toc import TocEntry

_HEADER = re.compile(
    r"-- (?:Data for |Statistics for )?Name: (.*?); Type: ([A-Z ]+); Schema: (.*?); Owner: ?(.*?)(?:; Tablespace: (.*))?\Z"
)
_COMMENT_FRAME = re.compile(r"--(?: TOC entry .*| Dependencies: .*)?\Z")


def pieces_of(script: str) -> Iterator[tuple[TocEntry | None, str]]:
    """Yield entry and SQL; rows of COPY are left out."""
    entry: TocEntry | None = None
    lines: list[str] = []
    before = ""
    in_rows = False
    for line in script.split("\n"):
        if in_rows:
            in_rows = line != "\\."
        elif (header := _HEADER.match(line)) and _COMMENT_FRAME.match(before):
            yield entry, "\n".join(lines)
            tag, desc, schema, owner, tablespace = (None if value in ("", "-", None) else value for value in header.groups())
            entry, lines = TocEntry(desc or "", tag or "", schema, owner, tablespace=tablespace), []
        elif line.startswith("COPY ") and line.endswith(" FROM stdin;"):
            in_rows = True
        else:
            lines.append(line)
        before = line
    yield entry, "\n".join(lines)


def inventory_of(script: str) -> Inventory:
    """The inventory of a plain dump."""
    builder = InventoryBuilder()
    for entry, sql in pieces_of(script):
        builder.feed(sql, entry)
    return builder.build()


def inventory_of_statements(*statements: str, entry: TocEntry | None = None) -> Inventory:
    """The inventory of statements of one entry."""
    builder = InventoryBuilder()
    for statement in statements:
        builder.feed(statement, entry)
    return builder.build()
