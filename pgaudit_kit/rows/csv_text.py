r"""COPY lines → CSV as the server writes it: COPY … TO … WITH (FORMAT csv, HEADER) (PostgreSQL: src/backend/commands/copyto.c).

NULL is nothing, an empty text is `""`; values are the text that the server printed, so that COPY … FROM reads back the very same rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pgaudit_kit.rows.copy_text import NULL, unescape

# The fields that are not CSV as they stand: empty ones, and those with an escape, a quote, a comma or a carriage return
_FIELD = re.compile(rb'(?<![^\t\n])(?:(?=[\t\n])|[^\t\n\\",\r]*[\\",\r][^\t\n]*)')
_QUOTED = re.compile(rb'[",\r\n]')
_END_MARK = rb"\."
_TAB = b"\0"  # no text in PostgreSQL holds one: stands for a tab inside of a value until those between values are commas


def csv_blocks(blocks: Iterable[bytes], columns: Sequence[str]) -> Iterator[bytes]:
    """Yield *blocks* (whole lines of these *columns*) as CSV, behind a line of names."""
    single = len(columns) == 1
    yield b",".join(_field(name.encode("utf-8", "surrogateescape"), single=single) for name in columns) + b"\n"

    def csv_field(match: re.Match[bytes]) -> bytes:
        field = match[0]
        return b"" if field == NULL else _field(unescape(field), single=single).replace(b"\t", _TAB)

    for block in blocks:
        if columns:
            yield _FIELD.sub(csv_field, block).replace(b"\t", b",").replace(_TAB, b"\t")
        else:
            yield block


def _field(value: bytes, *, single: bool) -> bytes:
    if not value or _QUOTED.search(value) or (single and value == _END_MARK):
        return b'"' + value.replace(b'"', b'""') + b'"'
    return value
