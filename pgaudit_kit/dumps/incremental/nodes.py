"""Nodes: the bytes of `list` chunks, each an ordered list of what a part of a table, or of the large objects, consists of.

node    := 1 (chunks) or 2 (large objects), records
chunk   := digest (32 bytes), bytes, rows (8 bytes each, little endian), fingerprint (16 bytes, big endian)
object  := OID, bytes, count of pieces (8 bytes each, little endian), xxh3_128 (16 bytes), pieces: digest (32 bytes), bytes
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from pgaudit_kit.errors import DamagedDump
from pgaudit_kit.records.chunks import Chunk, StoredObject
from pgaudit_kit.records.fingerprint import Fingerprint

_OF_CHUNKS, _OF_OBJECTS = b"\1", b"\2"
_CHUNK = struct.Struct("<32sQQ16s")
_OBJECT = struct.Struct("<QQQ16s")
_PIECE = struct.Struct("<32sQ")


def write_chunk_list(chunks: Iterable[Chunk]) -> bytes:
    """Return the node that lists *chunks*."""
    return _OF_CHUNKS + b"".join(
        _CHUNK.pack(c.digest, c.size_bytes, c.fingerprint.rows, c.fingerprint.digest.to_bytes(16, "big")) for c in chunks
    )


def read_chunk_list(node: bytes, *, resource: str) -> tuple[Chunk, ...]:
    """Read what `write_chunk_list` wrote. Raises DamagedDump."""
    if node[:1] != _OF_CHUNKS or (len(node) - 1) % _CHUNK.size:
        raise DamagedDump("a list of chunks is none", resource=resource)
    return tuple(
        Chunk(digest, size, Fingerprint(rows, int.from_bytes(total, "big"))) for digest, size, rows, total in _CHUNK.iter_unpack(node[1:])
    )


def write_object_list(objects: Iterable[StoredObject]) -> bytes:
    """Return the node that lists *objects*."""
    parts = [_OF_OBJECTS]
    for item in objects:
        parts.append(_OBJECT.pack(item.oid, item.size_bytes, len(item.pieces), item.xxh3_128))
        parts += [_PIECE.pack(piece.digest, piece.size_bytes) for piece in item.pieces]
    return b"".join(parts)


def read_object_list(node: bytes, *, resource: str) -> tuple[StoredObject, ...]:
    """Read what `write_object_list` wrote. Raises DamagedDump."""
    if node[:1] != _OF_OBJECTS:
        raise DamagedDump("a list of large objects is none", resource=resource)
    found = []
    at = 1
    try:
        while at < len(node):
            oid, size, count, content = _OBJECT.unpack_from(node, at)
            at += _OBJECT.size
            end = at + count * _PIECE.size
            pieces = tuple(Chunk(digest, length) for digest, length in _PIECE.iter_unpack(node[at:end]))
            if len(pieces) != count:
                raise DamagedDump("a list of large objects is cut short", resource=resource)
            found.append(StoredObject(oid, size, content, pieces))
            at = end
    except struct.error as error:
        raise DamagedDump("a list of large objects is cut short", resource=resource) from error
    return tuple(found)


def chunks_listed(node: bytes, *, resource: str) -> tuple[Chunk, ...]:
    """All chunks that *node*, of either sort, names. Raises DamagedDump."""
    if node[:1] == _OF_OBJECTS:
        return tuple(piece for item in read_object_list(node, resource=resource) for piece in item.pieces)
    return read_chunk_list(node, resource=resource)
