"""Reading an archive's primitive values forward through a stream that may end, or lie, at any byte."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pgaudit_kit.dumps.archives.row_chunks import joined_rows
from pgaudit_kit.dumps.files.decompression import PIECE, ByteStream
from pgaudit_kit.errors import DamagedDump

# sign and length of a chunk, in the one size of integers that every known build of PostgreSQL writes
_CHUNK_HEAD = struct.Struct("<BI")
_WORTH_A_LOOK = 1 << 16
CUT_SHORT = "It was cut short: take the dump again, or fetch the file again if it was copied."


class ByteCursor:
    """The next bytes of *stream*, whose first byte is at *position* of the file.

    `int_size` is that of the archive's integers, without their sign byte. `in_chunks` is True from the first of a run of
    chunks to the zero that closes it, also when what is between is broken.
    """

    def __init__(self, stream: ByteStream, *, resource: str, position: int = 0, int_size: int = 4) -> None:
        self.resource = resource
        self.set_int_size(int_size)
        self.in_chunks = False
        self._stream = stream
        self._data = b""
        self._at = 0
        self._base = position

    def set_int_size(self, size: int) -> None:
        """Say how many bytes an integer has, which the header of an archive tells, and which holds from there on."""
        self.int_size = size
        self._null = b"\1\1" + bytes(size - 1)  # -1, the length of a text that is NULL

    @property
    def position(self) -> int:
        """Offset in the file of the next byte."""
        return self._base + self._at

    def at_end(self) -> bool:
        """Whether there is no further byte."""
        return self._at == len(self._data) and not self._fill(1)

    def byte(self) -> int:
        """Return the next byte. Raises DamagedDump at the end."""
        if self._at == len(self._data):
            self._need(1)
        self._at += 1
        return self._data[self._at - 1]

    def peek(self) -> int:
        """Return the next byte without passing it. Raises DamagedDump at the end."""
        if self._at == len(self._data):
            self._need(1)
        return self._data[self._at]

    def take(self, size: int) -> bytes:
        """Return the next *size* bytes. Raises DamagedDump when there are fewer."""
        if len(self._data) - self._at < size:
            self._need(size)
        self._at += size
        return self._data[self._at - size : self._at]

    def up_to(self, size: int) -> bytes:
        """Return at least one and at most *size* of the next bytes. Raises DamagedDump at the end."""
        if self._at == len(self._data):
            self._need(1)
        given = self._data[self._at : self._at + size]
        self._at += len(given)
        return given

    def integer(self) -> int:
        """Return the next Int: a sign byte, then the magnitude, least significant byte first (ReadInt).

        Raises DamagedDump at the end, and for a sign that WriteInt never writes.
        """
        size = self.int_size + 1
        if len(self._data) - self._at < size:
            self._need(size)
        at = self._at
        self._at = at + size
        value = int.from_bytes(self._data[at + 1 : at + size], "little")
        sign = self._data[at]
        if sign:
            if sign > 1 or not value:
                raise self._damaged("a number with an impossible sign", self.position - size)
            return -value
        return value

    def text(self, longest: int) -> bytes | None:
        """Return the next Str: its length, then its bytes; None for NULL. Raises DamagedDump at the end, and above *longest* bytes."""
        start = self._at + self.int_size + 1
        length = self._data[self._at : start]
        if length == self._null:
            self._at = start
            return None
        if start <= len(self._data) and not length[0]:  # as `integer`, which is not called: 2,000 entries have 30,000 texts
            size = int.from_bytes(length[1:], "little")
            self._at = start
        else:
            size = self.integer()
        if not 0 <= size <= longest:
            if size == -1:
                return None
            raise self._damaged(f"what claims to be a text of {size:,} bytes", self.position)
        at = self._at
        end = at + size
        if end > len(self._data):
            return self.take(size)
        self._at = end
        return self._data[at:end]

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the next chunks, up to the zero that closes them, in pieces of at most about 1 MiB.

        The borders of chunks carry no meaning: uncompressed data has one chunk per row, so whole windows are joined.
        Raises DamagedDump for a length that cannot be, and at the end of the file.
        """
        self.in_chunks = True
        while True:
            if self.int_size == _CHUNK_HEAD.size - 1 and (joined := self._whole_chunks()):
                yield joined
            size = self.integer()  # of the one chunk that is not whole in the window, or the closing zero
            if not size:
                break
            if size < 0:
                raise self._damaged("a chunk of impossible length", self.position)
            while size:
                piece = self.up_to(min(size, PIECE))
                size -= len(piece)
                yield piece
        self.in_chunks = False

    def _whole_chunks(self) -> bytes:
        """The bytes of all chunks that are whole in the window: this is run once per row of an uncompressed table."""
        data, at = self._data, self._at
        end = len(data)
        if end - at >= _WORTH_A_LOOK and (found := joined_rows(data, at)):
            rows, self._at = found
            return rows
        pieces = []
        read_head, head = _CHUNK_HEAD.unpack_from, _CHUNK_HEAD.size
        while at + head <= end:
            sign, size = read_head(data, at)
            start = at + head
            if not size or sign or start + size > end:
                break
            at = start + size
            pieces.append(data[start:at])
        self._at = at
        return b"".join(pieces)

    def _damaged(self, what: str, offset: int) -> DamagedDump:
        return DamagedDump(f"{what} at byte {offset:,}", resource=self.resource, offset=offset)

    def _need(self, size: int) -> None:
        if not self._fill(size):
            end = self._base + len(self._data)
            wanted = "a byte" if size == 1 else f"{size:,} bytes"
            what = f"the archive ends at byte {end:,}, where {wanted} from byte {self.position:,} on should follow"
            raise DamagedDump(what, resource=self.resource, remedy=CUT_SHORT, offset=end)

    def _fill(self, size: int) -> bool:
        """Have *size* bytes ahead; False when the stream ends before. Memory grows only with bytes that are really there."""
        pieces = [self._data[self._at :]]
        have = len(pieces[0])
        self._base += self._at
        self._at = 0
        try:
            while have < size and (more := self._stream.read(PIECE)):
                pieces.append(more)
                have += len(more)
        finally:
            self._data = b"".join(pieces)
        return have >= size
