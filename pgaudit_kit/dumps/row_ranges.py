"""Rows that lie bare in a local file, as ranges of bytes that any process can read for itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pgaudit_kit.dumps.text_encoding import whole_lines
from pgaudit_kit.errors import DumpNotFound
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.rows.copy_text import project
from pgaudit_kit.rows.fingerprint import fingerprint_of

# Small enough that processes end together, large enough that handing one over costs nothing.
RANGE_BYTES = 1 << 24
# What is read at once: it and its lines stay in the second-level cache, and in memory that the process has already.
_BLOCK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class RowRange:
    """Whole COPY lines of `columns` in `encoding`: `size_bytes` bytes of the file at `path` from `offset`."""

    path: str
    offset: int
    size_bytes: int
    encoding: str
    columns: tuple[str, ...]
    crlf: bool = False

    def cut(self) -> Iterator[RowRange]:
        """Yield the same rows as ranges of about RANGE_BYTES, cut at line ends. Raises DumpNotFound when the file is gone."""
        start, end = self.offset, self.offset + self.size_bytes
        try:
            with open(self.path, "rb") as file:  # noqa: PTH123  # a path as text is what other processes get
                while end - start > RANGE_BYTES:
                    file.seek(start + RANGE_BYTES)
                    file.readline()  # no multi-byte encoding has the line end as a trailing byte
                    border = min(file.tell(), end)
                    yield replace(self, offset=start, size_bytes=border - start)
                    start = border
        except OSError as error:
            raise DumpNotFound(f"cannot open {self.path}: {error.strerror or error}", resource=self.path) from error
        if end > start:
            yield replace(self, offset=start, size_bytes=end - start)

    def fingerprint(self, wanted: tuple[str, ...]) -> Fingerprint:
        """Count and fingerprint of the rows over the columns *wanted*. Raises OSError, DamagedDump."""
        blocks = whole_lines(self._pieces(), encoding=self.encoding, crlf=self.crlf, least=_BLOCK_BYTES)
        return fingerprint_of(project(blocks, self.columns, wanted))

    def _pieces(self) -> Iterator[bytes]:
        left = self.size_bytes
        with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123  # as above
            file.seek(self.offset)
            while left and (piece := file.read(min(left, _BLOCK_BYTES))):
                left -= len(piece)
                yield piece
