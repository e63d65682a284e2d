"""Frames of Zstandard, block by block, with the interface of the decoders of Python's bz2 and lzma."""

from __future__ import annotations

from typing import Literal

_SKIPPABLE_HEAD = 8  # magic, size
_FRAME_HEAD = 5  # magic, descriptor; what follows has a size that the descriptor tells
_BLOCK_HEAD = 3
_RUN_OF_ONE_BYTE = 1  # a type of block


class SkippedFrame:
    """One frame of zstd or lz4 that holds no data of the stream: four bytes, its size, what is skipped."""

    def __init__(self) -> None:
        self.eof = False
        self.needs_input = True
        self.unused_data = b""
        self._head = b""
        self._left = 0

    def decompress(self, data: bytes, _max_length: int) -> bytes:
        """Give nothing."""
        if len(self._head) < _SKIPPABLE_HEAD:
            self._head += data
            if len(self._head) < _SKIPPABLE_HEAD:
                return b""
            self._left, data = int.from_bytes(self._head[4:8], "little"), self._head[_SKIPPABLE_HEAD:]
        self.unused_data = data[self._left :]
        self._left -= min(self._left, len(data))
        self.eof = not self._left
        return b""


class ZstdDecoder:
    """One frame of zstd, decoded block by block (RFC 8878, 3.1.1).

    The library's own object for streams gives whatever its input makes, without a bound: four bytes can stand for 128 KiB.
    Its reader has a bound, but takes the end of the input for the end of the frame.
    """

    def __init__(self) -> None:
        from zstandard import ZstdDecompressor

        self.eof = False
        self.needs_input = True
        self.unused_data = b""
        self._frame = ZstdDecompressor().decompressobj()
        self._data = b""
        self._at = 0
        self._next: Literal["head", "block", "checksum"] = "head"
        self._has_checksum = False

    def decompress(self, data: bytes, _max_length: int) -> bytes:
        """Give the bytes of the next part: nothing, or those of a block, at most 128 KiB. Raises ZstdError."""
        if data:
            self._data, self._at = self._data[self._at :] + data, 0
        start = self._at
        size = self._size_of_part()
        self.needs_input = not size or len(self._data) - start < size
        if self.needs_input:
            return b""
        self._at += size
        self._pass(start)
        return self._frame.decompress(self._data[start : self._at])

    def _size_of_part(self) -> int:
        """Bytes of the next part; 0 when there are too few to tell."""
        if self._next == "checksum":
            return 4
        head = self._data[self._at : self._at + _FRAME_HEAD]
        if self._next == "block":
            if len(head) < _BLOCK_HEAD:
                return 0
            value = int.from_bytes(head[:_BLOCK_HEAD], "little")
            return _BLOCK_HEAD + (1 if value >> 1 & 3 == _RUN_OF_ONE_BYTE else value >> 3)
        if len(head) < _FRAME_HEAD:
            return 0
        single_segment = head[4] >> 5 & 1
        size_of_size = (single_segment, 2, 4, 8)[head[4] >> 6]
        return _FRAME_HEAD + (1 - single_segment) + (0, 1, 2, 4)[head[4] & 3] + size_of_size

    def _pass(self, start: int) -> None:
        """Know what follows the part that begins at *start*."""
        if self._next == "head":
            self._has_checksum = bool(self._data[start + 4] & 4)
            self._next = "block"
        elif self._next == "block" and self._data[start] & 1 and self._has_checksum:
            self._next = "checksum"
        elif self._next == "checksum" or self._data[start] & 1:
            self.eof = True
            self.unused_data = self._data[self._at :]
