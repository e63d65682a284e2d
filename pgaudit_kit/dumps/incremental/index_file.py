"""The file of an incremental backup: what its tables consist of, and the archive of its schema.

file := magic, length (8 bytes, little endian), one frame of zstd: JSON
length, one frame of zstd: a custom archive without rows, as pg_dump wrote it
sha256 of all that
"""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

from pgaudit_kit.errors import DamagedDump, UnsupportedDump
from pgaudit_kit.records.chunks import DIGEST_BYTES, Chunk, ChunkedObjects, ChunkedTable, IncrementalIndex
from pgaudit_kit.records.fingerprint import Fingerprint, ServerHash
from pgaudit_kit.records.table_data import TableName

MAGIC = b"PGAUDIT-INC "
_VERSION = b"1\n"
_LENGTH = struct.Struct("<Q")
_MOST_BYTES = 1 << 32
_LEVEL = 9  # once per backup, of what has some megabytes
_TAKE_AGAIN = "Take the backup again, or fetch the file again if it was copied."


def write_index_file(index: IncrementalIndex, archive: bytes) -> bytes:
    """Return the file that says *index* and holds *archive*."""
    sections = (json.dumps(_to_plain(index)).encode("ascii"), archive)
    body = MAGIC + _VERSION + b"".join(map(_section, sections))
    return body + hashlib.sha256(body).digest()


def read_index_file(stored: bytes, *, resource: str) -> tuple[IncrementalIndex, bytes]:
    """Read what `write_index_file` wrote. Raises DamagedDump, UnsupportedDump for one of a newer release."""
    head = len(MAGIC) + len(_VERSION)
    if not stored.startswith(MAGIC):
        raise _damaged("it is no incremental backup", resource)
    if stored[len(MAGIC) : head] != _VERSION:
        remedy = "Use the pgaudit that wrote it, or a newer one."
        raise UnsupportedDump("an incremental backup of a newer release", resource=resource, remedy=remedy)
    body = stored[:-DIGEST_BYTES]
    if len(stored) < head + DIGEST_BYTES or hashlib.sha256(body).digest() != stored[-DIGEST_BYTES:]:
        raise _damaged("it is cut short or was changed: its digest is not that of its bytes", resource)
    plain, at = _read_section(body, head, resource)
    archive, at = _read_section(body, at, resource)
    if at != len(body):
        raise _damaged("something follows its last section", resource)
    try:
        return _from_plain(json.loads(plain)), archive
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(f"what it says of its tables is incomplete ({error!r})", resource) from error


def _section(content: bytes) -> bytes:
    import zstandard

    frame = zstandard.ZstdCompressor(level=_LEVEL).compress(content)
    return _LENGTH.pack(len(frame)) + frame


def _read_section(body: bytes, at: int, resource: str) -> tuple[bytes, int]:
    import zstandard

    start = at + _LENGTH.size
    if start > len(body):
        raise _damaged("a section is missing", resource)
    end = start + _LENGTH.unpack_from(body, at)[0]
    try:
        if end > len(body) or zstandard.get_frame_parameters(body[start:end]).content_size > _MOST_BYTES:
            raise _damaged("a section is larger than it can be", resource)
        return zstandard.ZstdDecompressor().decompress(body[start:end]), end
    except zstandard.ZstdError as error:
        raise _damaged(f"a section cannot be unpacked ({error})", resource) from error


def _to_plain(index: IncrementalIndex) -> dict[str, Any]:
    return {
        "tool_version": index.tool_version,
        "base": index.base,
        "tables": [_table_entry(table, reused=table.dump_id in index.reused) for table in index.tables],
        "large_objects": [{"dump_id": o.dump_id, "nodes": list(map(_node_entry, o.nodes))} for o in index.large_objects],
        "packs": list(index.packs),
    }


def _table_entry(table: ChunkedTable, *, reused: bool) -> dict[str, Any]:
    hashed = table.server_hash
    return {
        "dump_id": table.dump_id,
        "schema": table.name.schema,
        "name": table.name.name,
        "columns": list(table.columns),
        "copy_statement": table.copy_statement,
        "target_bytes": table.target_bytes,
        "rows": table.fingerprint.rows,
        "fingerprint": str(table.fingerprint),
        "size_bytes": table.size_bytes,
        "reused": reused,
        "server_hash": {"rows": hashed.rows, "sum": str(hashed.total), "expression": hashed.expression} if hashed else None,
        "nodes": list(map(_node_entry, table.nodes)),
    }


def _node_entry(node: Chunk) -> list[Any]:
    return [node.digest.hex(), node.size_bytes, node.fingerprint.rows, str(node.fingerprint)]


def _from_plain(plain: dict[str, Any]) -> IncrementalIndex:
    return IncrementalIndex(
        tool_version=plain["tool_version"],
        tables=tuple(map(_table_from, plain["tables"])),
        large_objects=tuple(ChunkedObjects(o["dump_id"], tuple(map(_node_from, o["nodes"]))) for o in plain["large_objects"]),
        packs=tuple(plain["packs"]),
        base=plain["base"],
        reused=frozenset(t["dump_id"] for t in plain["tables"] if t["reused"]),
    )


def _table_from(entry: dict[str, Any]) -> ChunkedTable:
    hashed = entry["server_hash"]
    table = ChunkedTable(
        dump_id=entry["dump_id"],
        name=TableName(entry["schema"], entry["name"]),
        columns=tuple(entry["columns"]),
        copy_statement=entry["copy_statement"],
        target_bytes=entry["target_bytes"],
        nodes=tuple(map(_node_from, entry["nodes"])),
        server_hash=ServerHash(hashed["rows"], int(hashed["sum"]), hashed["expression"]) if hashed else None,
    )
    if table.fingerprint != Fingerprint(entry["rows"], int(entry["fingerprint"], 16)) or table.size_bytes != entry["size_bytes"]:
        message = f"the nodes of {table.name} do not add up"
        raise ValueError(message)
    return table


def _node_from(entry: list[Any]) -> Chunk:
    digest, size, rows, total = entry
    return Chunk(bytes.fromhex(digest), size, Fingerprint(rows, int(total, 16)))


def _damaged(what: str, resource: str) -> DamagedDump:
    return DamagedDump(what, resource=resource, remedy=_TAKE_AGAIN)
