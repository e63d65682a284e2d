"""An incremental backup: what has changed since the last one is read through pg_dump's pipe and cut into chunks, the rest taken over."""

from __future__ import annotations

import io
import subprocess
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from types import TracebackType
from typing import IO, Self, cast

from pgaudit_kit.audits.taking import take_incremental_manifest
from pgaudit_kit.dumps.files.age import sealed
from pgaudit_kit.dumps.files.byte_stream import ByteStream
from pgaudit_kit.dumps.incremental.index_file import write_index_file
from pgaudit_kit.dumps.incremental.put_back import put_back
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.dumps.text_encoding import codec_of
from pgaudit_kit.errors import BackupFailed, DamagedDump, ProgramFailed
from pgaudit_kit.operations.backups.chunk_sink import ChunkSink
from pgaudit_kit.operations.backups.dumping import dump_environment, stopped_with
from pgaudit_kit.operations.backups.incremental_base import Base, can_be_compared, choose_base, exclude_options, table_key, unchanged
from pgaudit_kit.operations.backups.job import Job
from pgaudit_kit.operations.backups.part import rows_to_record
from pgaudit_kit.operations.backups.stream_chunks import StreamContents, chunk_stream
from pgaudit_kit.operations.backups.written_chunks import WrittenChunks
from pgaudit_kit.operations.programs.pg_dump import pg_dump_stream_argv
from pgaudit_kit.operations.programs.run_program import RunningProgram
from pgaudit_kit.operations.store.known_chunks import KnownChunks
from pgaudit_kit.operations.store.packs import PackStore
from pgaudit_kit.operations.store.running_backups import RunningNote
from pgaudit_kit.operations.store.store import Incoming, Store
from pgaudit_kit.records.chunks import ChunkedTable, IncrementalIndex
from pgaudit_kit.records.fingerprint import Fingerprint, ServerHash
from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.server.row_hashes import can_hash, is_large, server_hashes

_USUAL_LEVEL = 2  # of chunks this small, 3 makes 2 % less and takes half as long again


@dataclass(frozen=True)
class Taken:
    """What an incremental backup holds: the index of its file, the archive of its schema, and how it came about.

    `read_twice`: the tables whose rows were read by ourselves, too; `reused`: those that were not read at all.
    """

    index: IncrementalIndex
    archive: bytes
    manifest: Manifest
    read_twice: frozenset[TableName] = frozenset()
    reused: frozenset[TableName] = frozenset()
    new_chunks: int = 0
    new_bytes: int = 0
    stored_bytes: int = 0

    @property
    def written(self) -> WrittenChunks:
        """It as a source."""
        return WrittenChunks(self.index, read_dump(io.BytesIO(self.archive)))

    def to_dict(self) -> dict[str, object]:
        """What `--json` prints of it."""
        return {
            "base": self.index.base or None,
            "tables_reused": sorted(map(str, self.reused)),
            "new_chunks": self.new_chunks,
            "new_bytes": self.new_bytes,
            "stored_bytes": self.stored_bytes,
        }


@dataclass
class IncrementalRun:
    """One incremental backup under way in *store*, whose running *note* is there."""

    job: Job
    store: Store
    note: RunningNote
    full_read: bool
    known: KnownChunks = field(default_factory=KnownChunks)

    def take(self, recent: Sequence[Manifest], incoming: Incoming) -> Taken:
        """Read what has changed, put it into packs, and write the file of the backup to *incoming*.

        Raises ProgramFailed, QueryFailed, StoreFailed, BackupFailed, OSError.
        """
        live = self.job.live
        self._check_encoding()
        self.known, _ = self.store.packs.known()
        base = choose_base(self.store, recent, self.known)
        self.note.builds_on(base.name)
        chosen = [name for name in rows_to_record(live.table_data, self.job.part) if not live.table_data[name].not_readable]
        asked = [] if self.full_read else can_be_compared(base, live, chosen)
        hashes = self._hashes(asked)
        same = unchanged(base, hashes)
        with ChunkSink(self.store.packs, self.known, level=self._level, sign_of_life=self.note.is_alive) as sink:
            manifest, contents, read_twice = self._stream(sink, base, chosen, hashes, same)
            sink.finish()
        archive, reused = self._archive(contents, base, same)
        read = {table.name: replace(table, server_hash=hashes.get(table.name)) for table in contents.tables}
        reused = {name: table for name, table in reused.items() if name not in read}
        tables = {**read, **reused}
        packs = {*sink.written, *sink.used_packs}.union(*(base.packs[name] for name in reused))
        index = IncrementalIndex(
            tool_version=version("pgaudit-kit"),
            tables=tuple(sorted(tables.values(), key=lambda table: table.name)),
            large_objects=tuple(contents.large_objects),
            packs=tuple(sorted(packs)),
            base=base.name if reused else "",
            reused=frozenset(table.dump_id for table in reused.values()),
        )
        incoming.path.write_bytes(sealed(write_index_file(index, archive), self.store.packs.recipients))
        _see_that_all_are_there(self.store.packs, index.packs)
        data = {name: _with_fingerprint(found, tables.get(name)) for name, found in manifest.table_data.items()}
        new = (sink.new_chunks, sink.new_bytes, sink.stored_bytes)
        return Taken(index, archive, replace(manifest, table_data=data), frozenset(read_twice), frozenset(reused), *new)

    @property
    def _level(self) -> int:
        compression = self.job.options.compression
        return (compression.level if compression else None) or _USUAL_LEVEL

    def _check_encoding(self) -> None:
        encoding = self.job.live.provenance.encoding or ""
        if codec_of(encoding) is None:
            raise BackupFailed(
                f"no backup was written: rows in {encoding} cannot be hashed here",
                resource=self.job.live.label,
                remedy="Leave --incremental out.",
            )

    def _hashes(self, names: Collection[TableName]) -> dict[TableName, ServerHash]:
        live = self.job.live
        if not names or not can_hash(live):
            return {}
        return dict(server_hashes(live, {name: live.table_data[name].columns for name in names if name != LARGE_OBJECT_ROWS}))

    def _stream(
        self,
        sink: ChunkSink,
        base: Base,
        chosen: Sequence[TableName],
        hashes: dict[TableName, ServerHash],
        same: Mapping[TableName, ChunkedTable],
    ) -> tuple[Manifest, StreamContents, Collection[TableName]]:
        """Run pg_dump without the rows of tables that are the *same*, and read the manifest meanwhile; add to *hashes*."""
        live = self.job.live
        target = live.target
        argv = pg_dump_stream_argv(
            self.job.program,
            self.job.options,
            database=target.database,
            encoding=live.provenance.encoding or "",
            snapshot_id=live.export_id(),
            left_out=exclude_options(same),
        )
        with (
            _Reading(lambda stream: chunk_stream(stream, sink, base.targets)) as reading,
            RunningProgram(argv, dump_environment(live, target), stdout=subprocess.PIPE) as running,
        ):
            reading.start(running.stdout)
            try:
                with stopped_with(running, live):
                    hashes |= self._hashes([name for name in chosen if name not in hashes])
                    read = [name for name in chosen if name not in same and (self.full_read or self._is_read_twice(name, hashes))]
                    manifest = take_incremental_manifest(
                        live,
                        chosen,
                        hashes=hashes,
                        read=read,
                        prisma_schema=target.prisma_schema,
                        progress=lambda _: running.raise_if_failed(),
                    )
                contents = reading.result()
                running.wait()
            except ProgramFailed:
                reading.raise_why_it_ended()  # a store that takes no more, which closed its output
                raise
            except DamagedDump as error:
                running.wait()  # that it failed is why its output ended
                raise ProgramFailed(f"what pg_dump wrote is no archive: {error.message}", resource="pg_dump") from error
        return manifest, contents, read

    def _is_read_twice(self, name: TableName, hashes: Mapping[TableName, ServerHash]) -> bool:
        """Small tables are read by ourselves, too, and those that the server does not hash."""
        return name not in hashes or not is_large(self.job.live, name)

    def _archive(
        self, contents: StreamContents, base: Base, same: Mapping[TableName, ChunkedTable]
    ) -> tuple[bytes, Mapping[TableName, ChunkedTable]]:
        """The archive of the schema, with the entries of tables that were left out; and these tables, with their ids in it."""
        left_out = {table_key(name): base.entries[name] for name in same}
        archive, ids = put_back(contents.toc, left_out, resource="pg_dump")
        return archive, {name: replace(table, dump_id=ids[table_key(name)]) for name, table in same.items()}


def _with_fingerprint(data: TableData, table: ChunkedTable | None) -> TableData:
    """What the manifest says of a table that we have not read: as many rows as the server counted, with the fingerprint of its chunks."""
    if data.fingerprint or data.rows is None or table is None:
        return data
    return replace(data, size_bytes=table.size_bytes, fingerprint=Fingerprint(data.rows, table.fingerprint.digest))


def _see_that_all_are_there(packs: PackStore, used: Collection[str]) -> None:
    if missing := set(used) - packs.ids():
        raise BackupFailed(
            f"no backup was written: {len(missing)} packs were deleted from {packs.folder.label} meanwhile",
            resource=packs.folder.label,
            remedy="Back up again, and find out who deletes there.",
        )


class _Reading:
    """A thread that reads a stream; what it raises, `result` raises. Its `with` block ends when it has ended."""

    def __init__(self, read: Callable[[ByteStream], StreamContents]) -> None:
        self._read = read
        self._result: StreamContents | None = None
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def start(self, stream: IO[bytes]) -> None:
        """Read *stream*, which is closed when that fails: so the program ends that writes to it."""
        self._thread = threading.Thread(target=self._run, args=[stream], name="pgaudit-chunks", daemon=True)
        self._thread.start()

    def _run(self, stream: IO[bytes]) -> None:
        try:
            self._result = self._read(cast("ByteStream", stream))  # a pipe is read through a buffer, which can do more
        except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs to the one who waits
            self._error = error
            stream.close()

    def result(self) -> StreamContents:
        """Wait for its end, and return what was read."""
        self._join()
        if self._error:
            raise self._error
        assert self._result  # noqa: S101  # one of both is there
        return self._result

    def raise_why_it_ended(self) -> None:
        """Wait for its end, and raise what it raised, unless that is only that the stream was cut short."""
        self._join()
        if self._error and not isinstance(self._error, DamagedDump):
            raise self._error

    def _join(self) -> None:
        if self._thread:
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._join()
