"""SQL identifiers as pg_dump writes them: reading names and lists of names, quoting, and the sanitised form of header comments."""

from __future__ import annotations

import re
from collections.abc import Sequence

_IDENTIFIER = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*))', re.ASCII)
_DOT = re.compile(r"\s*\.", re.ASCII)
_OPEN = re.compile(r"\s*\(", re.ASCII)
_COMMA = re.compile(r"\s*,", re.ASCII)
_CLOSE = re.compile(r"\s*\)", re.ASCII)
_LINE_ENDS = str.maketrans("\r\n", "  ")
# ASCII only: the server folds other letters only in single-byte encodings, and pg_dump quotes whatever is not lower case
_FOLD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def read_identifier(sql: str, at: int) -> tuple[str, int] | None:
    """Return the identifier at *at* (raw: unquoted, or folded to lower case) and the index after it; None when there is none."""
    match = _IDENTIFIER.match(sql, at)
    if not match:
        return None
    quoted, bare = match.groups()
    return (quoted.replace('""', '"') if quoted is not None else bare.translate(_FOLD)), match.end()


def read_name(sql: str, at: int) -> tuple[str | None, str, int] | None:
    """Return schema (None when not given), name, and the index after a possibly qualified name at *at*; None when there is none."""
    parts: list[str] = []
    while part := read_identifier(sql, at):
        parts.append(part[0])
        at = part[1]
        dot = _DOT.match(sql, at)
        if not dot:
            return (parts[-2] if len(parts) > 1 else None), parts[-1], at
        at = dot.end()
    return None


def read_names_in_parentheses(sql: str, at: int) -> tuple[tuple[str, ...], int] | None:
    """Return the identifiers of `(a, "B")` at *at* and the index after it; None when no such list stands there."""
    match = _OPEN.match(sql, at)
    names: list[str] = []
    while match:
        name = read_identifier(sql, match.end())
        if not name:
            return None
        names.append(name[0])
        if close := _CLOSE.match(sql, name[1]):
            return tuple(names), close.end()
        match = _COMMA.match(sql, name[1])
    return None


def read_parents(text: str) -> Sequence[tuple[str | None, str]]:
    """Return schema and name of every qualified name in a comma-separated list."""
    names = []
    at = 0
    while name := read_name(text, at):
        names.append(name[:2])
        comma = _COMMA.match(text, name[2])
        if not comma:
            break
        at = comma.end()
    return names


def sanitise(name: str) -> str:
    """Return *name* as pg_dump writes it in a comment: each line end becomes a space (pg_backup_archiver.c, sanitize_line)."""
    return name.translate(_LINE_ENDS)
