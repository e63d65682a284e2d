"""A table as a holder of rows (its definition is a `DatabaseObject`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgaudit_kit.records.fingerprint import Fingerprint, ServerHash

_BARE = re.compile(r"[a-z_][a-z0-9_]*\Z")


def quote_identifier(name: str) -> str:
    """Quote *name* for display and SQL unless it is plainly lower case; keywords stay bare, so never build DDL with it."""
    return name if _BARE.match(name) else '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """Schema and name, raw. `str()` gives `schema.name`, quoted where SQL would need it."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.name)}"


@dataclass(frozen=True, slots=True)
class TableData:
    """The rows that a source holds of one table.

    `columns` are the columns of its COPY lines, in order. `rows`, `size_bytes` (of COPY text, line ends
    included) and `fingerprint` are None while they are not known. `not_readable` says why rows cannot be
    read although the source has them ("" when they can). `server_hash`: what a backup recorded beside the fingerprint of a large table.
    """

    name: TableName
    columns: tuple[str, ...]
    rows: int | None = None
    size_bytes: int | None = None
    fingerprint: Fingerprint | None = None
    not_readable: str = ""
    server_hash: ServerHash | None = None
