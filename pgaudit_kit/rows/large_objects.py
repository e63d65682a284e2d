"""Large objects as COPY lines: OID, size and hash of the content, which is never held (records.large_objects)."""

from __future__ import annotations

from collections.abc import Iterable

from xxhash import xxh3_128

from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.large_objects import LARGE_OBJECT_COLUMNS, LARGE_OBJECT_ROWS
from pgaudit_kit.records.table_data import TableData
from pgaudit_kit.rows.fingerprint import fingerprint_of

_BLOCK_BYTES = 1 << 20


class ContentHash:
    """Size and hash of the content of one large object, piece by piece."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._hash = xxh3_128()

    def add(self, piece: bytes) -> None:
        """Take in the next piece."""
        self.size_bytes += len(piece)
        self._hash.update(piece)

    @property
    def digest(self) -> bytes:
        """The hash, 16 bytes."""
        return self._hash.digest()

    def line(self, oid: int) -> bytes:
        """The row of the object."""
        return _line(oid, self.size_bytes, self._hash.hexdigest())


def fingerprint_of_objects(objects: Iterable[tuple[int, int, bytes]]) -> Fingerprint:
    """The fingerprint of the rows of *objects*: OID, size and hash of the content of each."""
    return fingerprint_of([b"".join(_line(oid, size_bytes, xxh3_128.hex()) for oid, size_bytes, xxh3_128 in objects)])


class LargeObjectRows:
    """The rows of the large objects of a source, kept: about 50 bytes for each, and contents are read once.

    Attributes: `content_bytes`, the size of all contents.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.content_bytes = 0
        self._blocks: list[bytes] = []
        self._open: list[bytes] = []
        self._open_bytes = 0

    def add(self, oid: int, content: ContentHash) -> None:
        """Add an object whose content was read to its end."""
        self._add_line(content.line(oid), content.size_bytes)

    def add_known(self, oid: int, size_bytes: int, xxh3_128: bytes) -> None:
        """Add an object of whose content size and hash are known."""
        self._add_line(_line(oid, size_bytes, xxh3_128.hex()), size_bytes)

    def _add_line(self, line: bytes, size_bytes: int) -> None:
        self.rows += 1
        self.content_bytes += size_bytes
        self._open.append(line)
        self._open_bytes += len(line)
        if self._open_bytes >= _BLOCK_BYTES:
            self._close_block()

    def read(self, oid: int, pieces: Iterable[bytes]) -> None:
        """Read the object's content and add it. Raises what *pieces* raise; then it is not added."""
        content = ContentHash()
        for piece in pieces:
            content.add(piece)
        self.add(oid, content)

    @property
    def blocks(self) -> list[bytes]:
        """The rows as blocks of whole lines."""
        self._close_block()
        return list(self._blocks)

    def table_data(self, *, not_readable: str = "") -> TableData:
        """What is known of the rows; nothing but *not_readable*, when that says why they are not all there."""
        if not_readable:
            return TableData(LARGE_OBJECT_ROWS, LARGE_OBJECT_COLUMNS, not_readable=not_readable)
        blocks = self.blocks
        fingerprint: Fingerprint = fingerprint_of(blocks)
        return TableData(LARGE_OBJECT_ROWS, LARGE_OBJECT_COLUMNS, self.rows, sum(map(len, blocks)), fingerprint)

    def _close_block(self) -> None:
        if self._open:
            self._blocks.append(b"".join(self._open))
            self._open.clear()
            self._open_bytes = 0


def _line(oid: int, size_bytes: int, xxh3_128: str) -> bytes:
    return b"%d\t%d\t%s\n" % (oid, size_bytes, xxh3_128.encode())
