"""Incremental backups of a store folder, made of what pg_dump writes to a pipe: the files without the operation around them."""

from __future__ import annotations

import io
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pgaudit_kit.dumps.incremental.index_file import write_index_file
from pgaudit_kit.dumps.incremental.put_back import put_back
from pgaudit_kit.operations.backups.chunk_sink import ChunkSink
from pgaudit_kit.operations.backups.stream_chunks import chunk_stream
from pgaudit_kit.operations.store.packs import PACKS, PackStore
from pgaudit_kit.operations.store.store_folder import LocalFolder
from pgaudit_kit.records.chunks import IncrementalIndex


@dataclass(frozen=True)
class StoreOfBackups:
    """A store in *folder*; *pg_dump* dumps into it."""

    folder: Path
    pg_dump: Path

    def backup(self, url: str, name: str, *options: str) -> Path:
        """Back up the database at *url* as *name*; what the packs hold already is not written again."""
        done = subprocess.run([self.pg_dump, "-Fc", "-Z0", *options, "-d", url], check=True, capture_output=True)
        return self.of_archive(done.stdout, name)

    def of_archive(self, archive: bytes, name: str) -> Path:
        """Make a backup of the uncompressed custom *archive*."""
        packs = PackStore(LocalFolder(self.folder / PACKS))
        known, seen = packs.known()
        with ChunkSink(packs, known, level=1) as sink:
            contents = chunk_stream(io.BytesIO(archive), sink, {})
            sink.finish()
        index = IncrementalIndex("test", tuple(contents.tables), tuple(contents.large_objects), tuple(sorted({*seen, *sink.written})))
        schema, _ = put_back(contents.toc, {}, resource="made")
        path = self.folder / f"{name}.inc"
        path.write_bytes(write_index_file(index, schema))
        return path

    def packs(self) -> list[Path]:
        """The packs, largest first."""
        return sorted((self.folder / PACKS).glob("*.pack"), key=lambda path: -path.stat().st_size)
