"""`COPY schema.table (columns) FROM stdin;`: the head of a block of rows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgaudit_kit.records.identifiers import read_name, read_names_in_parentheses

_HEAD = re.compile(r"\s*COPY\s+", re.IGNORECASE | re.ASCII)
_TAIL = re.compile(r"\s*(WITH\s+OIDS\s+)?FROM\s+stdin\s*([^;]*);\s*\Z", re.IGNORECASE | re.ASCII)
_TAIL_OF_TEXT = re.compile(r"(?:WITH)?\s*(?:\(\s*FORMAT\s+'?text'?\s*\))?\s*\Z", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class CopyStatement:
    """Where the rows go and what fields their lines have. `other_format` is the option text when they are not plain COPY text."""

    schema: str | None
    table: str
    columns: tuple[str, ...]
    other_format: str = ""


def parse_copy(sql: str) -> CopyStatement | None:
    """Return the COPY … FROM stdin that *sql* is, None when it is anything else.

    WITH OIDS (PostgreSQL ≤ 11) puts a field `oid` before the columns.
    """
    head = _HEAD.match(sql)
    name = read_name(sql, head.end()) if head else None
    if not name:
        return None
    schema, table, at = name
    columns, at = read_names_in_parentheses(sql, at) or ((), at)
    tail = _TAIL.match(sql, at)
    if not tail:
        return None
    other_format = "" if _TAIL_OF_TEXT.match(tail[2]) else tail[2].strip()
    return CopyStatement(schema, table, ("oid", *columns) if tail[1] else columns, other_format)
