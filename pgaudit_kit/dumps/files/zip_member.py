"""The one member of a .zip file, unpacked forward, without its directory (PKWARE APPNOTE.TXT, 4.3)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator

from pgaudit_kit.dumps.files.compression import PIECE, STEP, Algorithm, decoded
from pgaudit_kit.errors import DamagedDump, UnsupportedDump

_LOCAL, CENTRAL, _DESCRIPTOR = b"PK\3\4", b"PK\1\2", b"PK\7\b"
_HEAD = struct.Struct("<4s2xHH4xLLLHH")  # signature, flags, method, checksum, sizes packed and unpacked, lengths of name and extra
_ENCRYPTED, _SIZES_BEHIND = 0x0001, 0x0008
_STORED, _DEFLATED = 0, 8
_METHODS: dict[int, Algorithm] = {12: "bzip2", 93: "zstd", 95: "xz"}
IN_EXTRA = 0xFFFF_FFFF  # a size that does not fit stands in the extra field 1
OF_MACOS = b"__MACOSX/"  # what its Finder adds for the attributes of a file
END = b"PK\5\6"
END_HEAD = struct.Struct("<10xHLLH")  # entries, length and offset of the directory, length of the comment
END_AT_MOST = 1 << 17  # the end of a zip file has 22 bytes and a comment of at most 64 KiB
_UNPACK = "Unpack it first (unzip), and name the dump."


def zip_member(chunks: Iterable[bytes], *, resource: str) -> Iterator[bytes]:
    """Yield the bytes of the only file in a zip file, in pieces of about 1 MiB; folders before it are passed over.

    Raises DamagedDump when it is broken, cut short or fails its checksum; UnsupportedDump when it is encrypted, packed in an
    unusual way, or followed by a second one.
    """
    source = _Source(chunks, resource)
    files = 0
    while source.peek(4) == _LOCAL:
        name, pieces = _member(source)
        is_file = not name.endswith(b"/") and not name.startswith(OF_MACOS)
        files += is_file
        if files > 1:
            raise UnsupportedDump("a zip file with several members", resource=resource, remedy=_UNPACK)
        for piece in pieces:
            if is_file:
                yield piece
    end = source.rest(END_AT_MOST) if source.peek(4) == CENTRAL else b""
    at = end.rfind(END)
    if at < 0 or at + END_HEAD.size > len(end):
        raise DamagedDump("the zip file is cut short: its directory is not all there", resource=resource)
    *_, comment = END_HEAD.unpack_from(end, at)
    if at + END_HEAD.size + comment != len(end):
        raise DamagedDump("the zip file does not end where it says", resource=resource)


def _member(source: _Source) -> tuple[bytes, Iterator[bytes]]:
    """Name and content of the next member, which has to be read to its end."""
    _, flags, method, checksum, packed, size, name_length, extra_length = _HEAD.unpack(source.take(_HEAD.size))
    name, extra = source.take(name_length), source.take(extra_length)
    if flags & _ENCRYPTED:
        raise UnsupportedDump("an encrypted zip file", resource=source.resource, remedy=_UNPACK)
    if flags & _SIZES_BEHIND:
        return name, _checked(source, _unpacked(source, method, None), None)
    packed = _size_in(extra, size) if packed == IN_EXTRA else packed
    return name, _checked(source, _unpacked(source, method, packed), checksum)


def _checked(source: _Source, pieces: Iterator[bytes], expected: int | None) -> Iterator[bytes]:
    """The *pieces*, whose checksum is *expected*, or stands behind them."""
    found = 0
    for piece in pieces:
        found = zlib.crc32(piece, found)
        yield piece
    if found != (_checksum_behind(source) if expected is None else expected):
        raise DamagedDump("the checksum of the zip file does not fit what is in it", resource=source.resource)


def _size_in(extra: bytes, size: int) -> int:
    """The packed size from the extra field of zip64, where it stands behind the unpacked one when that does not fit either."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        sizes = extra[at + 4 : at + 4 + length]
        if kind == 1:
            return int.from_bytes(sizes[8:16] if size == IN_EXTRA else sizes[:8], "little")
        at += 4 + length
    return IN_EXTRA


def _unpacked(source: _Source, method: int, packed: int | None) -> Iterator[bytes]:
    if method == _DEFLATED:
        return _inflated(source)
    if packed is None or method not in (_STORED, *_METHODS):
        raise UnsupportedDump(f"a zip file packed in an unusual way (method {method})", resource=source.resource, remedy=_UNPACK)
    data = source.exactly(packed)
    return data if method == _STORED else decoded(data, _METHODS[method], resource=source.resource)


def _inflated(source: _Source) -> Iterator[bytes]:
    """The bytes of a bare deflate stream, which knows where it ends."""
    from isal.igzip_lib import DECOMP_DEFLATE, IgzipDecompressor, IsalError

    decoder = IgzipDecompressor(flag=DECOMP_DEFLATE)
    held: list[bytes] = []
    problem: DamagedDump | None = None
    while not decoder.eof and not problem:
        try:
            held.append(decoder.decompress(source.some() if decoder.needs_input else b"", STEP))
        except IsalError as error:  # type: ignore[misc]  # isal's stub declares an instance
            problem = DamagedDump(f"the zip file is broken before its byte {source.position:,} ({error})", resource=source.resource)
        except DamagedDump as error:
            problem = error
        if problem or decoder.eof or len(held) == PIECE // STEP:
            yield b"".join(held)
            held = []
    if problem:
        raise problem
    source.give_back(decoder.unused_data)


def _checksum_behind(source: _Source) -> int:
    """The checksum in the data descriptor, whose signature is optional and whose two sizes have 4 bytes each, or 8 (zip64)."""
    if source.peek(4) == _DESCRIPTOR:
        source.take(4)
    checksum = int.from_bytes(source.take(4), "little")
    source.take(8)
    if source.peek(4) not in (_LOCAL, CENTRAL):
        source.take(8)
    return checksum


class _Source:
    """The bytes of the zip file, forward."""

    def __init__(self, chunks: Iterable[bytes], resource: str) -> None:
        self.resource = resource
        self.position = 0  # how many bytes came
        self._chunks = iter(chunks)
        self._held = b""

    def some(self) -> bytes:
        """At least one byte. Raises DamagedDump at the end."""
        if not self._held and not self._more():
            raise DamagedDump(f"the zip file is cut short: its {self.position:,} bytes are not all", resource=self.resource)
        given, self._held = self._held, b""
        return given

    def give_back(self, data: bytes) -> None:
        self._held = data + self._held

    def take(self, size: int) -> bytes:
        """Exactly *size* bytes, which are few. Raises DamagedDump when there are fewer."""
        given = self.peek(size)
        if len(given) < size:
            self._held = b""
            self.some()
        self._held = self._held[size:]
        return given

    def peek(self, size: int) -> bytes:
        """The next *size* bytes, or as many as there are; they are still to come."""
        while len(self._held) < size and self._more():
            pass
        return self._held[:size]

    def exactly(self, size: int) -> Iterator[bytes]:
        """The next *size* bytes in pieces. Raises DamagedDump when there are fewer."""
        while size:
            piece = self.some()
            self.give_back(piece[size:])
            yield piece[:size]
            size -= min(size, len(piece))

    def rest(self, size: int) -> bytes:
        """Read to the end; return the last *size* bytes."""
        while self._more():
            self._held = self._held[-size:]
        return self._held

    def _more(self) -> bool:
        chunk = next(self._chunks, b"")
        self._held += chunk
        self.position += len(chunk)
        return bool(chunk)
