"""Whether the pg_restore at hand can unpack an archive: not every build has every compression."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.errors import ProgramFailed
from pgaudit_kit.operations.programs.run_program import run_program
from pgaudit_kit.operations.restores.load_dump import pg_restore_for
from pgaudit_kit.operations.restores.local_dump import local_path
from pgaudit_kit.records.toc import TocEntry

if TYPE_CHECKING:
    import psycopg

_NOT_IN_EVERY_BUILD = frozenset({"lz4", "zstd"})


def why_not_unpacked(dump: Dump, connection: psycopg.Connection[Any], *, archive: Path | None = None) -> str:
    """Why the pg_restore that would load the archive *dump* cannot unpack its data, in its own words; "" when it can.

    Not every build has lz4 and zstd. It is asked by having it print the smallest table in each of these compressions. *archive*: where
    it lies bare, when that is not its own path.
    Raises ProgramNotFound, UsageError.
    """
    if not _NOT_IN_EVERY_BUILD & set((dump.provenance.compression or "").split(", ")):
        return ""
    pg_restore = pg_restore_for(dump, connection.info.server_version // 10_000)
    archive = archive or local_path(dump)
    with TemporaryDirectory() as folder:
        wanted = Path(folder, "list")
        wanted.write_text("".join(f"{dump_id};\n" for dump_id in _smallest_tables(dump, archive)), encoding="ascii")
        try:
            run_program([str(pg_restore.path), f"--file={os.devnull}", f"--use-list={wanted}", str(archive)], {})
        except ProgramFailed as error:
            return error.message
    return ""


def _smallest_tables(dump: Dump, archive: Path) -> list[int]:
    """The dump ids of one small table in each compression."""
    tables = {f"{entry.dump_id}.dat": entry for entry in dump.toc_entries if entry.desc == "TABLE DATA" and entry.has_data}
    if not archive.is_dir():
        sizes = {(name.schema, name.name): data.size_bytes or 0 for name, data in dump.table_data.items()}
        return sorted((e.dump_id or 0 for e in tables.values()), key=lambda i: sizes.get(_key(tables[f"{i}.dat"]), 0))[:1]
    smallest: dict[str, tuple[int, int]] = {}
    for file in archive.iterdir():
        bare, _, suffix = file.name.partition(".dat")
        if entry := tables.get(f"{bare}.dat"):
            smallest[suffix] = min(smallest.get(suffix, (1 << 62, 0)), (file.stat().st_size, entry.dump_id or 0))
    return [dump_id for _, dump_id in smallest.values()]


def _key(entry: TocEntry) -> tuple[str, str]:
    return entry.schema or "", entry.tag
