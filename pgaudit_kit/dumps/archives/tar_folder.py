"""A tar file as a folder of files: the members of a tar archive (pg_dump -Ft), or of a packed directory archive.

Python's tarfile is not used, because it stops without a word at a broken header in the middle, reads whatever size a pax header
claims into memory, needs a file that can seek backward, and does not tell what follows the end; here all of that is damage with
its place. What is read of the format is what pg_dump, GNU tar and bsdtar write (POSIX.1-2001 pax, 10.1.1): regular files, names
of any length, sizes in octal or base 256. Links and devices are named and never followed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from pgaudit_kit.dumps.files.compression import PIECE
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.errors import DamagedDump

BLOCK = 512
_ZEROS = bytes(BLOCK)
_MAGIC_AT, _MAGIC, _POSIX_MAGIC = 257, b"ustar", b"ustar\0"
_CHECKSUM = slice(148, 156)
_FILES, _DIRECTORY, _LONG_NAME, _LONG_LINK, _PAX, _PAX_OF_ALL = (b"0", b"\0", b"7"), b"5", b"L", b"K", b"x", b"g"
_LONGEST_EXTRA = 1 << 20  # a long name or a pax header: the longest path has 4 KiB
_KINDS = {b"1": "a hard link", b"2": "a symbolic link", b"3": "a device", b"4": "a device", b"6": "a FIFO"}
_BASE_256, _OCTAL_DIGITS = 0x80, b"01234567"


@dataclass(frozen=True, slots=True)
class _Member:
    """A header, and what long names and pax headers before it say. `start` is where its data begin."""

    name: str
    size: int
    kind: bytes
    start: int

    @property
    def end(self) -> int:
        return self.start + self.size


class TarFolder:
    """The members of the tar file *file*: a `folders.Folder`. It is looked through when and as far as needed.

    `problems` says what is broken in the frame of the tar file, as far as it was looked through.
    """

    def __init__(self, file: DumpFile) -> None:
        self.resource = file.resource
        self.path: Path | None = file.path
        self.label = file.label
        self.problems: list[DamagedDump] = []
        self._file = file
        self._members: dict[str, _Member] = {}
        self._directory: str | None = None
        self._begins_with_folder = False
        self._scan = self._scanned()

    @property
    def size_bytes(self) -> int:
        """Size of the tar file as it lies there. Raises DumpNotFound when it is not there any more."""
        return self._file.size_bytes

    @property
    def is_packed_directory(self) -> bool:
        """Whether it was made by packing a directory archive.

        pg_dump -Ft begins with toc.dat, without any folder, and packs no member: what follows has no suffix (pg_backup_tar.c).
        """
        while len(self._members) < 2 and next(self._scan, False):  # noqa: PLR2004  # the first, and one that may be packed
            pass
        names = list(self._members)
        if self._begins_with_folder or self._directory or names[:1] not in ([], ["toc.dat"]):
            return True
        return any(".dat." in name for name in names[1:2])

    def names(self) -> frozenset[str]:
        """The names of all members; the name of a packed directory itself is left out of them."""
        for _ in self._scan:
            pass
        return frozenset(self._members)

    def file(self, name: str) -> DumpFile:
        """The member called *name*. Raises DamagedDump when there is none, or not all of it."""
        while name not in self._members and next(self._scan, False):
            pass
        if name not in self._members:
            raise DamagedDump(f"its file {name} is missing", resource=self.resource)
        member = self._members[name]
        if self._is_cut(member):
            raise self._damaged(f"its file {name} is cut short", member.start)
        return self._file.part(member.start, member.size, resource=f"{self.resource}/{name}")

    def position_of(self, name: str) -> int:
        """Where the data of the member called *name* begin in the tar file."""
        return self._members[name].start

    # ---- one way through all headers

    def _scanned(self) -> Iterator[bool]:
        """Note member after member; yields True after each."""
        position: int | None = 0
        while position is not None:
            try:
                position = yield from self._run(position)
            except DamagedDump as error:  # of what the tar file is wrapped in
                self.problems.append(error)
                return

    def _run(self, position: int) -> Generator[bool, None, int | None]:
        """Note members from *position* on, to the end of the tar file or to a broken header; return where to go on behind that."""
        block = self._read(position, BLOCK)
        said: dict[str, str] = {}
        while block != _ZEROS:
            member = _member_of(block, position + BLOCK, said)
            if not member:
                return self._lost(block, position)
            next_said = self._note(member, said)
            padding = -member.size % BLOCK
            behind = self._read(member.end, padding + BLOCK)
            if len(behind) < padding or self._is_cut(member):
                self._tell(f"the tar file ends within member {member.name}, which has {member.size:,} bytes", self._bare_size)
                return None
            if behind[:padding].strip(b"\0"):
                self._tell(f"what fills up the block behind member {member.name} is not zero", member.end)
            if next_said is None:
                yield True
            said = next_said or {}
            position = member.end + padding
            block = behind[padding:]
        self._check_end(position + BLOCK)
        return None

    def _lost(self, block: bytes, position: int) -> int | None:
        """No header where one should be: say so, and return where the next one is."""
        if len(block) < BLOCK:
            self._tell(f"the tar file ends at byte {position + len(block):,}, without the two blocks of zeros that end it", position)
            return None
        self._tell(f"the header of a member at byte {position:,} is broken", position)
        position += BLOCK
        held = b""
        with self._file.open(position) as stream:
            while more := stream.read(PIECE):
                held += more
                at = held.find(_MAGIC, _MAGIC_AT)
                while at >= 0 and at - _MAGIC_AT + BLOCK <= len(held):
                    start = at - _MAGIC_AT
                    if start % BLOCK == 0 and _member_of(held[start : start + BLOCK], 0, {}):
                        return position + start
                    at = held.find(_MAGIC, at + 1)
                done = len(held) // BLOCK * BLOCK
                held = held[done:]
                position += done
        return None

    def _note(self, member: _Member, said: dict[str, str]) -> dict[str, str] | None:
        """Remember a member, and return None. Of a header for the next member return what it says, with what was *said* before."""
        if member.kind in (_LONG_NAME, _LONG_LINK, _PAX, _PAX_OF_ALL):
            if member.size > _LONGEST_EXTRA:
                raise self._damaged(f"a header of {member.size:,} bytes for the next member", member.start)
            text = self._read(member.start, member.size)
            if member.kind == _LONG_NAME:
                return said | {"path": text.rstrip(b"\0").decode("utf-8", "surrogateescape")}
            return said | _pax_records(text) if member.kind == _PAX else said
        name = self._inside(member)
        if member.kind in _FILES:
            if name in self._members:
                self._tell(f"two members are called {name}", member.start - BLOCK)
            else:
                self._members[name] = member
        elif member.kind != _DIRECTORY:
            what = _KINDS.get(member.kind, f"of an unknown kind {member.kind!r}")
            self._tell(f"the member {name} is {what}, and not a file", member.start - BLOCK)
        return None

    def _inside(self, member: _Member) -> str:
        """The name of *member* in the folder that was packed, which is that of the first member; all of it when it is elsewhere."""
        name = member.name.removeprefix("./")
        if self._directory is None:
            self._begins_with_folder = member.kind == _DIRECTORY
            self._directory = name if member.kind == _DIRECTORY and name else name.rpartition("/")[0]
            self._directory = self._directory.rstrip("/")
        return name.removeprefix(f"{self._directory}/") if self._directory else name

    def _check_end(self, position: int) -> None:
        """The first of two blocks of zeros ends before *position*: nothing but zeros may follow the second one."""
        with self._file.open(position) as stream:
            size = 0
            while piece := stream.read(PIECE):
                if piece.strip(b"\0"):
                    at = position + size + len(piece) - len(piece.lstrip(b"\0"))
                    self._tell(f"something follows the end of the tar file, at byte {at:,}", at)
                    return
                size += len(piece)
        if size < BLOCK:
            self._tell(f"the tar file ends at byte {position + size:,}, within the two blocks of zeros that end it", position + size)

    @property
    def _bare_size(self) -> int | None:
        """Where the tar file ends; None when that is known only after unwrapping all of it."""
        return None if self._file.wrappings else self._file.size_bytes

    def _is_cut(self, member: _Member) -> bool:
        size = self._bare_size
        return size is not None and member.end > size

    def _read(self, position: int, size: int) -> bytes:
        """The *size* bytes from *position*; fewer when the tar file ends before."""
        data = b""
        with self._file.open(position) as stream:
            while len(data) < size and (more := stream.read(size - len(data))):
                data += more
        return data

    def _tell(self, what: str, offset: int | None) -> None:
        self.problems.append(self._damaged(what, offset))

    def _damaged(self, what: str, offset: int | None) -> DamagedDump:
        return DamagedDump(what, resource=self.resource, offset=offset)


def is_tar(head: bytes) -> bool:
    """Whether a file that begins with *head* (512 bytes of it) is a tar file, whatever is in it."""
    return head[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC


def _member_of(block: bytes, start: int, extra: dict[str, str]) -> _Member | None:
    """The member whose header is *block* and whose data begin at *start*; None when it is no header, or its checksum does not fit."""
    size = _number(block[124:136])
    if len(block) < BLOCK or not is_tar(block) or size is None:
        return None
    if sum(block) - sum(block[_CHECKSUM]) + 8 * ord(" ") != _number(block[_CHECKSUM]):
        return None
    name = block[:100].split(b"\0", 1)[0]
    if block[_MAGIC_AT : _MAGIC_AT + 6] == _POSIX_MAGIC and (prefix := block[345:500].split(b"\0", 1)[0]):
        name = prefix + b"/" + name
    said = extra.get("size", "")
    size = int(said) if said.isdigit() and len(said) < 20 else size  # noqa: PLR2004  # digits of 2^64
    return _Member(extra.get("path") or name.decode("utf-8", "surrogateescape"), size, block[156:157], start)


def _number(field: bytes) -> int | None:
    """A number of a header: octal digits, or base 256 where it does not fit; None when it is neither."""
    if field and field[0] == _BASE_256:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    return int(digits, 8) if digits and not digits.strip(_OCTAL_DIGITS) else None


def _pax_records(text: bytes) -> dict[str, str]:
    """The records of a pax header (`length key=value`); what does not look like one ends them."""
    records = {}
    while match := text.partition(b" "):
        length = int(match[0]) if match[0].isdigit() and len(match[0]) < 10 else 0  # noqa: PLR2004  # far above the longest header
        record, text = text[:length], text[length:]
        key, sign, value = record.partition(b" ")[2].partition(b"=")
        if not sign or not record.endswith(b"\n"):
            break
        records[key.decode("utf-8", "surrogateescape")] = value[:-1].decode("utf-8", "surrogateescape")
    return records
