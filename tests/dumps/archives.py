"""Archives written by hand, byte by byte, as every version of pg_dump would have: what no server at hand can write."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import lz4.frame  # type: ignore[import-untyped]
import zstandard

from pgaudit_kit.dumps.read_dump import read_dump

ALGORITHMS = {"none": 0, "gzip": 1, "lz4": 2, "zstd": 3}
SUFFIXES = {"none": "", "gzip": ".gz", "lz4": ".lz4", "zstd": ".zst"}


def integer(value: int, size: int = 4) -> bytes:
    return bytes([value < 0]) + abs(value).to_bytes(size, "little")


def text(value: str | None, size: int = 4) -> bytes:
    if value is None:
        return integer(-1, size)
    return integer(len(value.encode()), size) + value.encode()


def packed(content: bytes, compression: str, *, in_file: bool) -> bytes:
    """The content as pg_dump compresses it: gzip in files of their own, bare zlib in a custom archive."""
    if compression == "gzip":
        return gzip.compress(content, mtime=0) if in_file else zlib.compress(content)
    if compression == "lz4":
        return bytes(lz4.frame.compress(content))
    return zstandard.ZstdCompressor(write_content_size=False).compress(content) if compression == "zstd" else content


def chunks(payload: bytes, size: int = 4) -> bytes:
    """The payload in chunks of odd sizes, small ones where that is cheap: their borders carry no meaning."""
    step = 7 if len(payload) < 10_000 else 4093
    parts = [payload[i : i + step] for i in range(0, len(payload), step)]
    return b"".join(integer(len(part), size) + part for part in parts) + integer(0, size)


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
    oid: int = 0

    @property
    def has_data(self) -> bool:
        return self.data is not None or self.objects is not None


ENCODING = Entry(1, "ENCODING", "ENCODING", None, None, "SET client_encoding = 'UTF8';\n")
STRINGS = Entry(2, "STDSTRINGS", "STDSTRINGS", None, None, "SET standard_conforming_strings = 'on';\n")


@dataclass(frozen=True)
class Layout:
    """What an archive's version and the machine that wrote it make of its bytes."""

    minor: int = 16
    compression: str = "gzip"
    int_size: int = 4
    offset_size: int = 8
    format_code: int = 1

    def integer(self, value: int) -> bytes:
        return integer(value, self.int_size)

    def text(self, value: str | None) -> bytes:
        return text(value, self.int_size)

    def head(self) -> bytes:
        start = b"PGDMP" + bytes([1, self.minor, 0, self.int_size, self.offset_size, self.format_code])
        none = self.compression == "none"
        start += bytes([ALGORITHMS[self.compression]]) if self.minor >= 15 else self.integer(0 if none else -1)
        times = b"".join(map(self.integer, (5, 4, 3, 31, 0, 126, 0)))
        return start + times + self.text("app") + self.text("15.1 (Debian 15.1-1)") + self.text("15.2")

    def entry(self, entry: Entry, extra: bytes) -> bytes:
        text, integer = self.text, self.integer
        parts = [integer(entry.dump_id), integer(entry.has_data), text("0"), text(str(entry.oid)), text(entry.tag), text(entry.desc)]
        if self.minor >= 11:
            parts.append(integer(3 if entry.has_data else 2))
        parts += [text(entry.definition), text(""), text(entry.copy), text(entry.schema), text(None)]
        if self.minor >= 14:
            parts.append(text("heap" if entry.desc == "TABLE" else None))
        if self.minor >= 16:
            parts.append(integer(ord("r") if entry.desc == "TABLE" else 0))
        parts += [text(entry.owner), text("false"), *map(text, map(str, entry.dependencies)), text(None)]
        return b"".join(parts) + extra

    def custom_entry(self, entry: Entry, offset: int | None) -> bytes:
        flag = 3 if not entry.has_data else 1 if offset is None else 2
        return self.entry(entry, bytes([flag]) + (offset or 0).to_bytes(self.offset_size, "little"))

    def block(self, entry: Entry) -> bytes:
        def content(data: bytes) -> bytes:
            return chunks(packed(data, self.compression, in_file=False), self.int_size)

        if entry.objects is not None:
            objects = b"".join(self.integer(oid) + content(data) for oid, data in entry.objects)
            return b"\x03" + self.integer(entry.dump_id) + objects + self.integer(0)
        return b"\x01" + self.integer(entry.dump_id) + content(entry.data or b"")


def archive(
    entries: Sequence[Entry],
    *,
    minor: int = 16,
    compression: str = "gzip",
    offsets: bool = True,
    tail: bytes = b"",
    int_size: int = 4,
    offset_size: int = 8,
) -> bytes:
    """A custom archive; *tail* stands behind its last block."""
    layout = Layout(minor, compression, int_size, offset_size)
    head = layout.head()
    blocks = {entry.dump_id: layout.block(entry) for entry in entries if entry.has_data}
    starts = block_starts(entries, layout, blocks) if offsets else {}
    toc = b"".join(layout.custom_entry(entry, starts.get(entry.dump_id)) for entry in entries)
    return head + layout.integer(len(entries)) + toc + b"".join(blocks.values()) + tail


def block_starts(entries: Sequence[Entry], layout: Layout, blocks: Mapping[int, bytes]) -> dict[int, int]:
    size = len(layout.head()) + layout.int_size + 1 + sum(len(layout.custom_entry(entry, 0)) for entry in entries)
    starts: dict[int, int] = {}
    for dump_id, content in blocks.items():
        starts[dump_id] = size
        size += len(content)
    return starts


def second_toc(entries: Sequence[Entry], minor: int = 16, compression: str = "gzip") -> bytes:
    """What a redirected archive of 16 and later has behind its blocks: the whole table again, now with offsets."""
    layout = Layout(minor, compression)
    starts = block_starts(entries, layout, {entry.dump_id: layout.block(entry) for entry in entries if entry.has_data})
    return integer(len(entries)) + b"".join(layout.custom_entry(entry, starts.get(entry.dump_id)) for entry in entries)


def members(entries: Sequence[Entry], *, minor: int = 16, compression: str = "none", in_tar: bool = False) -> dict[str, bytes]:
    """The files of a directory archive, or the members of a tar archive, in the order in which pg_dump writes them."""
    layout = Layout(minor, compression, format_code=3)
    suffix = SUFFIXES[compression]
    toc, files = b"", {}
    for entry in entries:
        name = f"{entry.dump_id}.dat" if entry.has_data else ""
        listed = f"blobs_{entry.dump_id}.toc" if minor >= 16 else "blobs.toc"
        if entry.objects is not None and not in_tar and minor >= 14:
            name = listed
        toc += layout.entry(entry, layout.text(name))
        if entry.data is not None:
            files[f"{entry.dump_id}.dat{suffix}"] = packed(entry.data, compression, in_file=True)
        if entry.objects is not None:
            objects = {oid % (1 << 32): content for oid, content in entry.objects}
            files |= {f"blob_{oid}.dat{suffix}": packed(content, compression, in_file=True) for oid, content in objects.items()}
            files[listed] = "".join(f"{oid} blob_{oid}.dat\n" for oid in objects).encode()
    return {"toc.dat": layout.head() + layout.integer(len(entries)) + toc} | files


def write_directory(folder: Path, files: Mapping[str, bytes]) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def tar(files: Mapping[str, bytes], *, script: bool = True, old_magic: bool = False) -> bytes:
    """A tar archive with the headers that pg_dump writes."""
    content = b""
    for name, data in (dict(files) | ({"restore.sql": b"--\n-- NOTE:\n--\n"} if script else {})).items():
        content += tar_header(name, len(data), old_magic=old_magic) + data + bytes(-len(data) % 512)
    return content + bytes(1024)


def tar_header(name: str, size: int, *, kind: bytes = b"0", link: bytes = b"", old_magic: bool = False, binary: bool = False) -> bytes:
    """As _tarWriteHeader does; *old_magic* as 9.0 to 9.2 did; *binary*: the size as that of a member above 8 GiB."""
    head = bytearray(512)
    head[:100] = name.encode().ljust(100, b"\0")
    head[100:124] = b"000600 \0" + b"004000 \0" + b"002000 \0"
    head[124:136] = b"\x80" + size.to_bytes(11, "big") if binary or size >= 8 << 30 else b"%011o " % size
    head[136:148] = b"%011o " % 1_700_000_000
    head[148:156] = b" " * 8
    head[156:157] = kind
    head[157:257] = link.ljust(100, b"\0")
    head[257:265] = b"ustar00\0" if old_magic else b"ustar\x0000"
    head[265:273] = head[297:305] = b"postgres"
    head[148:156] = b"%06o \0" % sum(head)
    return bytes(head)


def packed_directory(files: Mapping[str, bytes], folder: str = "app", *, format: int = tarfile.GNU_FORMAT) -> bytes:  # noqa: A002
    """A directory archive as people pack it: `tar -cf app.tar app`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as out:
        top = tarfile.TarInfo(folder)
        top.type = tarfile.DIRTYPE
        out.addfile(top)
        for name, data in sorted(files.items()):
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def oversized_text(content: bytes, tag: str) -> bytes:
    """The archive with the length of *tag* blown up to 2 GiB."""
    at = content.index(text(tag))
    return content[: at + 1] + struct.pack("<I", 0x7FFFFFFF) + content[at + 5 :]


def without(entries: Sequence[Entry], dump_id: int) -> list[Entry]:
    """The entries, that of *dump_id* without its data."""
    return [replace(entry, data=None, objects=None) if entry.dump_id == dump_id else entry for entry in entries]


def damage_of(path: Path) -> list[tuple[str | None, str | None]]:
    """Table and member of each thing that is broken."""
    dump = read_dump(path)
    assert dump.provenance.complete is (not dump.damage)
    return [(damage.table, damage.member) for damage in dump.damage]


def told(script: bytes) -> list[bytes]:
    """A script without the token that is another one each time."""
    return [line for line in script.splitlines(keepends=True) if not line.startswith((b"\\restrict", b"\\unrestrict"))]
