"""Archives written by hand, byte by byte, as every version of pg_dump would have: what no server at hand can write."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

ALGORITHMS = {"none": 0, "gzip": 1, "lz4": 2, "zstd": 3}


def integer(value: int, size: int = 4) -> bytes:
    return bytes([value < 0]) + abs(value).to_bytes(size, "little")


def text(value: str | None) -> bytes:
    if value is None:
        return integer(-1)
    return integer(len(value.encode())) + value.encode()


def chunks(payload: bytes) -> bytes:
    """The payload in chunks of odd sizes, small ones where that is cheap: their borders carry no meaning."""
    size = 7 if len(payload) < 10_000 else 4093
    parts = [payload[i : i + size] for i in range(0, len(payload), size)]
    return b"".join(integer(len(part)) + part for part in parts) + integer(0)


@dataclass
class Entry:
    dump_id: int
    desc: str
    tag: str
    schema: str | None = "public"
    owner: str | None = "me"
    definition: str | None = None
    copy: str | None = None
    data: bytes | None = None
    objects: Sequence[tuple[int, bytes]] | None = None  # large objects: OID as it is written, content
    dependencies: Sequence[int] = field(default_factory=tuple)

    @property
    def has_data(self) -> bool:
        return self.data is not None or self.objects is not None


ENCODING = Entry(1, "ENCODING", "ENCODING", None, None, "SET client_encoding = 'UTF8';\n")
STRINGS = Entry(2, "STDSTRINGS", "STDSTRINGS", None, None, "SET standard_conforming_strings = 'on';\n")


def block(entry: Entry, compression: str) -> bytes:
    pack = zlib.compress if compression == "gzip" else bytes
    if entry.objects is not None:
        objects = b"".join(integer(oid) + chunks(pack(content)) for oid, content in entry.objects)
        return b"\x03" + integer(entry.dump_id) + objects + integer(0)
    return b"\x01" + integer(entry.dump_id) + chunks(pack(entry.data or b""))


def toc_entry(entry: Entry, minor: int, offset: int | None) -> bytes:
    parts = [integer(entry.dump_id), integer(entry.has_data), text("0"), text("0"), text(entry.tag), text(entry.desc)]
    if minor >= 11:
        parts.append(integer(3 if entry.has_data else 2))
    parts += [text(entry.definition), text(""), text(entry.copy), text(entry.schema), text(None)]
    if minor >= 14:
        parts.append(text("heap" if entry.desc == "TABLE" else None))
    if minor >= 16:
        parts.append(integer(ord("r") if entry.desc == "TABLE" else 0))
    parts += [text(entry.owner), text("false"), *map(text, map(str, entry.dependencies)), text(None)]
    flag = 3 if not entry.has_data else 1 if offset is None else 2
    return b"".join(parts) + bytes([flag]) + (offset or 0).to_bytes(8, "little")


def archive(entries: Sequence[Entry], *, minor: int = 16, compression: str = "gzip", offsets: bool = True, tail: bytes = b"") -> bytes:
    head = b"PGDMP" + bytes([1, minor, 0, 4, 8, 1])
    head += bytes([ALGORITHMS[compression]]) if minor >= 15 else integer(0 if compression == "none" else -1)
    head += b"".join(map(integer, (5, 4, 3, 31, 0, 126, 0))) + text("app") + text("15.1 (Debian 15.1-1)") + text("15.2")
    blocks = {entry.dump_id: block(entry, compression) for entry in entries if entry.has_data}
    size = len(head) + 5 + sum(len(toc_entry(entry, minor, 0)) for entry in entries)
    starts: dict[int, int] = {}
    for dump_id, content in blocks.items():
        starts[dump_id] = size
        size += len(content)
    toc = b"".join(toc_entry(entry, minor, starts.get(entry.dump_id) if offsets else None) for entry in entries)
    return head + integer(len(entries)) + toc + b"".join(blocks.values()) + tail


def second_toc(entries: Sequence[Entry], minor: int = 16) -> bytes:
    """What a redirected archive of 16 and later has behind its blocks."""
    return integer(len(entries)) + b"".join(toc_entry(entry, minor, 1000) for entry in entries)


def oversized_text(content: bytes, tag: str) -> bytes:
    """The archive with the length of *tag* blown up to 2 GiB."""
    at = content.index(text(tag))
    return content[: at + 1] + struct.pack("<I", 0x7FFFFFFF) + content[at + 5 :]
