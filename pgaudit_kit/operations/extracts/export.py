"""A dump in another form: any archive as a custom one, a directory or a plain script, for plain pg_restore and psql."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal, get_args

from pgaudit_kit.audits.sources import open_dump
from pgaudit_kit.display import html
from pgaudit_kit.dumps.archives.archive import ArchiveReader
from pgaudit_kit.dumps.archives.archive_writer import CustomArchive, DataCompression, entries_with_data
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.compressors import compressed
from pgaudit_kit.errors import DumpError, UsageError
from pgaudit_kit.operations.extracts.output_file import Place, output_place, path_of
from pgaudit_kit.operations.extracts.output_folder import output_folder
from pgaudit_kit.operations.extracts.write_archive import write_custom, write_directory
from pgaudit_kit.operations.programs.client_programs import Program, pg_restore_script_argv
from pgaudit_kit.operations.programs.pg_dump import Compression
from pgaudit_kit.operations.programs.run_program import RunningProgram
from pgaudit_kit.operations.restores.load_dump import pg_restore_for

ExportFormat = Literal["custom", "directory", "plain"]
_PIECE = 1 << 20
_BARE = DataCompression()


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `entries`: how many have data; `program`: the pg_restore that wrote a script.

    `path` and `size_bytes` are None when it went into a stream.
    """

    path: Path | None
    format: ExportFormat
    compression: str
    size_bytes: int | None
    entries: int
    program: str = ""

    def __repr__(self) -> str:
        size = "" if self.size_bytes is None else f", {self.size_bytes:,} bytes"
        return f"<Exported {self.path or 'to a stream'}: {self.format}, compression {self.compression}{size}>"

    def _repr_html_(self) -> str:
        """For a notebook: what was written, and how."""
        return html.fragment(html.summary(asdict(self)))


def export(
    dump: Any,
    path: Place,
    *,
    format: ExportFormat = "custom",  # noqa: A002  # the word of pg_dump
    compression: str | Compression | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write *dump*, an archive of any format or an incremental backup, to *path* as an archive of *format* or as a script.

    Entries, names, SQL and rows stay byte for byte what they are, and so does the version of archives: the pg_restore that reads *dump*
    reads what is written. *compression*: none, gzip, lz4 or zstd, with a level if you like (`zstd:9`); by default gzip for archives, as
    pg_dump has it, and none for scripts. *path* is whole or not there; *overwrite*: a file may be replaced, a folder never.
    It may be a stream of bytes, too, for a custom archive or a script. A script is written by pg_restore, from what it is given through
    a pipe.

    Raises UsageError (a script, which is no archive; a compression that came later than the archive's version), DamagedDump,
    ProgramNotFound, ProgramFailed, OperationError, and the errors of read_dump.
    """
    if format not in get_args(ExportFormat):
        known = ", ".join(get_args(ExportFormat))
        raise UsageError(f"format {format!r} cannot be written", resource="format", remedy=f"Give one of {known}.")
    wanted = _compression(compression, format)
    opened = open_dump(dump)
    reader = opened.archive
    if reader is None:
        remedy = "psql runs it as it is; to have an archive, restore it and dump that database with pg_dump -Fc."
        raise UsageError(f"{opened.label} is a script, and no archive can be made of one", resource=opened.label, remedy=remedy)
    place = path_of(path)
    program = ""
    if format == "directory":
        if place is None:
            raise UsageError("a directory cannot be written to a stream", resource="format", remedy="Name a folder, or take custom.")
        with output_folder(place) as folder:
            write_directory(reader, folder, wanted)
    else:
        with output_place(path, overwrite=overwrite) as file:
            if format == "custom":
                write_custom(reader, file, wanted, seekable=place is not None and file.seekable())
            else:
                program = _write_script(opened, reader, file, wanted)
    compressed_by = str(Compression(wanted.algorithm, wanted.level))
    return Exported(place, format, compressed_by, _size_of(place) if place else None, len(entries_with_data(reader)), program)


def _compression(given: str | Compression | None, wanted_format: ExportFormat) -> DataCompression:
    if given is None:
        return DataCompression("none" if wanted_format == "plain" else "gzip")
    parsed = Compression.parse(given) if isinstance(given, str) else given
    return DataCompression(parsed.algorithm, parsed.level)


def _write_script(dump: Dump, reader: ArchiveReader, file: IO[bytes], compression: DataCompression) -> str:
    """Have pg_restore write the script of *dump*; return which one did."""
    match = re.match(r"\d+", dump.told.server_version or "")
    pg_restore = pg_restore_for(dump, int(match[0]) if match else 0)
    file.writelines(compressed(_script(pg_restore, reader), compression.algorithm, compression.level))
    return str(pg_restore)


def _script(pg_restore: Program, reader: ArchiveReader) -> Iterator[bytes]:
    """What *pg_restore* makes of the archive, which it reads from a pipe in the order that it wants: that of the entries."""
    with RunningProgram(pg_restore_script_argv(pg_restore, archive=None), {}, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        feeding = _Feeding(reader, running)
        feeding.start()
        yield from iter(lambda: running.stdout.read(_PIECE), b"")
        feeding.join()
        running.wait()


class _Feeding(threading.Thread):
    """Gives the custom archive of *reader* to *running*, beside whoever reads what that writes."""

    def __init__(self, reader: ArchiveReader, running: RunningProgram) -> None:
        super().__init__(name="export", daemon=True)
        self._reader = reader
        self._running = running
        self._error: DumpError | UsageError | None = None

    def run(self) -> None:
        """Feed it all, or until it has left."""
        pipe = self._running.stdin
        try:
            with suppress(BrokenPipeError):  # it has ended, and its words say why
                archive = CustomArchive(self._reader, _BARE)
                pipe.write(archive.toc())
                pipe.writelines(archive.blocks())
        except (DumpError, UsageError) as error:
            self._error = error
        finally:
            with suppress(BrokenPipeError):
                pipe.close()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end. Raises what broke."""
        super().join(timeout)
        if self._error:
            raise self._error


def _size_of(path: Path) -> int:
    return sum(file.stat().st_size for file in path.iterdir()) if path.is_dir() else path.stat().st_size
