"""Write the result of a query to a Parquet file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgaudit_kit.audits.query import open_query
from pgaudit_kit.operations.extracts.output_file import output_file
from pgaudit_kit.sql.parquet import write_parquet


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """How many rows the file at `path` holds; `notes` are about columns that had to become text."""

    path: Path
    rows: int
    notes: tuple[str, ...]


def save_query(
    sources: Mapping[str, Any], sql: str, path: Path, *, limit: int | None = None, overwrite: bool = False, progress: bool | None = None
) -> SavedQuery:
    """Write the result of *sql* over *sources* (see `pk.query`) to *path*, typed, whole or not at all; it is never held in memory."""
    with output_file(path, overwrite=overwrite) as file, open_query(sources, sql, limit=limit, progress=progress) as asked:
        rows, notes = write_parquet(asked, file)
    return SavedQuery(path, rows, notes)
