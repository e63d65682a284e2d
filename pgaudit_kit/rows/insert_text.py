"""COPY lines → the values of INSERT statements: every one a string, which the server reads as a value of the column's type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pgaudit_kit.rows.copy_text import NULL, lines_of, unescape

_ROWS_PER_INSERT = 500


def insert_blocks(blocks: Iterable[bytes], head: bytes) -> Iterator[bytes]:
    """Yield statements that begin with *head* (`INSERT INTO … VALUES`), of at most 500 rows; for standard_conforming_strings."""
    rows: list[bytes] = []
    for line in lines_of(blocks):
        rows.append(b"(" + b", ".join(map(_value, line.split(b"\t"))) + b")")
        if len(rows) == _ROWS_PER_INSERT:
            yield _statement(head, rows)
            rows = []
    if rows:
        yield _statement(head, rows)


def _statement(head: bytes, rows: list[bytes]) -> bytes:
    return head + b"\n  " + b",\n  ".join(rows) + b";\n"


def _value(field: bytes) -> bytes:
    return b"NULL" if field == NULL else b"'" + unescape(field).replace(b"'", b"''") + b"'"
