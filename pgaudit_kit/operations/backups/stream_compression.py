"""Compressing what pg_dump writes to its standard output, where it cannot do so itself."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pgaudit_kit.dumps.files.compressors import compressor
from pgaudit_kit.operations.programs.pg_dump import Compression

_PIECE = 1 << 20


class CompressedOutput:
    """Writes all of *source* compressed to the existing file *path* in a thread, since meanwhile the snapshot is read.

    When the disk does not take it, *source* is closed, which ends the program that writes to it; `join` then raises the OSError.
    """

    def __init__(self, source: IO[bytes], path: Path, compression: Compression) -> None:
        self._source = source
        self._path = path
        self._compression = compression
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="compression", daemon=True)

    def join(self) -> None:
        """Wait for its end. Raises OSError when not all could be written."""
        self._thread.join()
        if self._error:
            raise self._error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:  # else the program is about to be ended, and with it what this waits for
            self._thread.join()

    def _run(self) -> None:
        try:
            with self._path.open("wb", buffering=0) as file:
                packing = compressor(self._compression.algorithm, self._compression.level)
                while piece := self._source.read(_PIECE):
                    _write(file, packing.compress(piece))
                _write(file, packing.flush())
        except OSError as error:
            self._error = error
            with suppress(OSError):
                self._source.close()


def _write(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
