"""The data of a directory or tar archive: one file per table, one per large object (src/bin/pg_dump/pg_backup_directory.c, _tar.c).

A large object is found through a list, `blobs.toc` or from archive version 1.16 on one `blobs_<dump id>.toc` per entry; the
entries' own names for those are no help (PGDUMP_FORMATS.md 3.2). A name as it stands in the table of contents is that of a bare
file; with a suffix for a compression behind it, the file's first bytes tell which one, since people compress files by hand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from pgaudit_kit.dumps.archives.archive_data import Problem, Visit
from pgaudit_kit.dumps.archives.archive_toc import Archive, ArchiveEntry
from pgaudit_kit.dumps.archives.toc_contradictions import GROUPS_SINCE
from pgaudit_kit.dumps.files.compression import PIECE, Algorithm, decoded
from pgaudit_kit.dumps.files.decompression import ByteStream
from pgaudit_kit.dumps.files.folders import Folder
from pgaudit_kit.errors import DamagedDump

TOC_NAME = "toc.dat"
SUFFIXES: dict[str, str] = {"": "none", ".gz": "gzip", ".lz4": "lz4", ".zst": "zstd"}
_MAGICS: dict[bytes, Algorithm] = {b"\x1f\x8b": "gzip", b"\x04\x22\x4d\x18": "lz4", b"\x28\xb5\x2f\xfd": "zstd"}
_LONGEST_MAGIC = 4
# The names of files that pg_dump makes: other ones in a directory are nobody's business
_OF_PG_DUMP = re.compile(r"(?:toc|\d+|blob_\d+)\.dat(?:\.gz|\.lz4|\.zst)?|blobs(?:_\d+)?\.toc(?:\.gz|\.lz4|\.zst)?")
_LINE = re.compile(rb"(\d{1,10}) blob_(\d{1,10})\.dat")
_LONGEST_LINE = 64
_TEXT_ENDS = (b"\\.\n\n\n", b";\n\n\n")
_MOST_TOLD = 100  # of files of one kind that should not be there


@dataclass(frozen=True, slots=True)
class _File:
    """A file with data: of a table, or (with its OID) of a large object."""

    name: str
    entry: ArchiveEntry
    oid: int | None = None


class FolderData:
    """The data files of *archive* in *folder*: an `archive_data.ArchiveData`.

    *in_order*: where a file stands among the others, for a folder that is read best in one direction. *besides*: names of
    all further files that belong to it; None: any that pg_dump does not make. *frame*: what is broken around the files.
    """

    def __init__(
        self,
        folder: Folder,
        archive: Archive,
        *,
        in_order: Callable[[str], int] | None = None,
        besides: frozenset[str] | None = None,
        frame: Sequence[DamagedDump] = (),
    ) -> None:
        self._folder = folder
        self._archive = archive
        self._in_order = in_order
        self._besides = besides
        self._frame = frame
        self._expected = [entry for entry in archive.entries if entry.toc.has_data]

    @property
    def compression(self) -> str:
        """How the files with data are compressed, by their names; more than one when people compressed some of them."""
        found = Counter(
            algorithm
            for suffix, algorithm in SUFFIXES.items()
            for name in self._folder.names()
            if name.endswith(f".dat{suffix}") and not name.startswith(TOC_NAME)
        )
        return ", ".join(algorithm for algorithm, _ in found.most_common()) or self._archive.compression

    def read_all(self, visit: Visit) -> list[Problem]:
        """Read every file with data; see `ArchiveData.read_all`. Missing files and such that belong to nothing are problems, too."""
        problems: list[Problem] = []
        files = list(self._files(problems))
        if self._in_order:
            files.sort(key=lambda file: self._in_order(file.name) if self._in_order else 0)
        for file in files:
            try:
                visit(file.entry, file.oid, self._pieces(file))
            except DamagedDump as error:
                problems.append(Problem(_at_start(error), file.entry, file.name))
        problems += self._strangers({file.name for file in files}, problems)
        return [*problems, *map(Problem, self._frame)]

    def place_of(self, entry: ArchiveEntry) -> tuple[int | None, str]:
        """Return 0 and the name of the file of *entry*. Raises DamagedDump when there is none."""
        return 0, self._find(entry.file_name)

    def pieces_of(self, entry: ArchiveEntry) -> Iterator[bytes]:
        """Yield the decoded bytes of the table *entry*. Raises DamagedDump."""
        return self._pieces(_File(self._find(entry.file_name), entry))

    def large_objects_of(self, entry: ArchiveEntry) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Yield OID and decoded bytes of each large object of *entry*. Raises DamagedDump."""
        for oid, name in self._listed(self._find(self._list_name(entry))):
            yield oid, self._pieces(_File(self._find(name), entry, oid))

    # ---- which files

    def _files(self, problems: list[Problem]) -> Iterator[_File]:
        """The files with data, in the order of the entries; what is missing goes to *problems*."""
        for entry in self._expected:
            if entry.toc.desc == "BLOBS":
                yield from self._large_objects(entry, problems)
            elif name := self._found(entry.file_name, entry, problems):
                yield _File(name, entry)

    def _large_objects(self, entry: ArchiveEntry, problems: list[Problem]) -> Iterator[_File]:
        list_name = self._found(self._list_name(entry), entry, problems)
        if not list_name:
            return
        try:
            for oid, bare_name in self._listed(list_name):
                if name := self._found(bare_name, entry, problems):
                    yield _File(name, entry, oid)
        except DamagedDump as error:
            problems.append(Problem(_at_start(error), entry, list_name))

    def _list_name(self, entry: ArchiveEntry) -> str:
        return list_name(entry.dump_id, self._archive.version)

    def _listed(self, name: str) -> Iterator[tuple[int, str]]:
        """OID and file name, without suffix, from each line of a list of large objects. Raises DamagedDump for any other line."""
        for number, line in enumerate(_lines(self._decoded(name, lambda _head: False)), start=1):
            match = _LINE.fullmatch(line)
            if not match or match[1] != match[2]:
                raise self._damaged(f"line {number:,} of the list of large objects {name} names none")
            yield int(match[1]), f"blob_{int(match[2])}.dat"

    def _found(self, bare_name: str, entry: ArchiveEntry, problems: list[Problem]) -> str:
        """The name under which a file is there; "" without one. It being there twice is a problem, too."""
        names = self._names_of(bare_name)
        if len(names) != 1:
            what = f"its file is there twice: {' and '.join(names)}" if names else self._why_missing(bare_name)
            problems.append(Problem(self._damaged(what), entry, names[0] if names else bare_name))
        return names[0] if names else ""

    def _find(self, bare_name: str) -> str:
        if names := self._names_of(bare_name):
            return names[0]
        raise self._damaged(self._why_missing(bare_name))

    def _why_missing(self, bare_name: str) -> str:
        missing = f"its file {bare_name} is missing"
        for suffix in SUFFIXES:
            try:
                self._folder.file(bare_name + suffix)
            except DamagedDump as error:  # a link that leads out is there, and says where to look
                if "link" in error.message:
                    return error.message
        return missing

    def _names_of(self, bare_name: str) -> list[str]:
        there = self._folder.names()
        return [name for suffix in SUFFIXES if (name := bare_name + suffix) in there]

    def _strangers(self, read: set[str], problems: list[Problem]) -> Iterator[Problem]:
        """Files that no entry names."""
        told = {problem.member for problem in problems}
        named = read | {bare_name(name) + suffix for name in told for suffix in SUFFIXES}
        lists = {self._list_name(entry) for entry in self._expected if entry.toc.desc == "BLOBS"}
        for name in (TOC_NAME, *lists):
            named |= set(self._names_of(name)[:1])
        there = self._folder.names()
        strange = sorted(there - named - (self._besides or frozenset()))
        if self._besides is None:
            strange = [name for name in strange if _OF_PG_DUMP.fullmatch(name)]
        for name in sorted((self._besides or frozenset()) - there):
            yield Problem(self._damaged(f"the file {name}, which pg_dump always writes, is missing"), member=name)
        for name in strange[:_MOST_TOLD]:
            yield Problem(self._damaged(f"the file {name} belongs to no entry"), member=name)

    # ---- what is in them

    def _pieces(self, file: _File) -> Iterator[bytes]:
        """The decoded bytes of *file*."""
        return self._decoded(file.name, lambda head: file.oid is None and not self._ends_as_text(file.name, head))

    def _decoded(self, name: str, compressed_without_suffix: Callable[[bytes], bool]) -> Iterator[bytes]:
        """The decoded bytes of a file. Raises DamagedDump."""
        file = self._folder.file(name)
        with file.open() as stream:
            head = _head(stream)
            algorithm = next((algorithm for magic, algorithm in _MAGICS.items() if head.startswith(magic)), None)
            if name.endswith((".dat", ".toc")):
                algorithm = algorithm if algorithm and compressed_without_suffix(head) else None
            elif not head and name.endswith((".lz4", ".zst")):
                return  # an empty large object: both begin their stream with the first byte (compress_lz4.c, compress_zstd.c)
            elif not algorithm:
                raise self._damaged(f"{name} is not compressed, although its name says so")
            chunks = _Counted(chain((head,) if head else (), iter(lambda: stream.read(PIECE // 4), b"")))
            try:
                yield from file.limited(decoded(chunks, algorithm, resource=file.resource)) if algorithm else chunks
            except DamagedDump as error:
                if error.offset is None:
                    error.offset = chunks.size
                raise

    def _ends_as_text(self, name: str, head: bytes) -> bool:
        """Whether rows whose first bytes *head* look like those of a compressed stream are text all the same: it is in how they end."""
        file = self._folder.file(name)
        with file.open(max(file.size_bytes - len(_TEXT_ENDS[0]), 0)) as stream:
            end = head if file.size_bytes <= len(head) else stream.read(len(_TEXT_ENDS[0]))
        return end.endswith(_TEXT_ENDS)

    def _damaged(self, what: str) -> DamagedDump:
        return DamagedDump(what, resource=self._folder.resource)


class _Counted:
    """Pieces of bytes; `size` is that of those that were given."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.size = 0
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.size += len(piece)
            yield piece


def list_name(dump_id: int, version: tuple[int, ...]) -> str:
    """The file that lists the large objects of an entry, in an archive of *version*."""
    return f"blobs_{dump_id}.toc" if version[:2] >= GROUPS_SINCE else "blobs.toc"


def bare_name(name: str) -> str:
    """*name* without the suffix of a compression."""
    return next((name.removesuffix(suffix) for suffix in SUFFIXES if suffix and name.endswith(suffix)), name)


def _head(stream: ByteStream) -> bytes:
    """The first bytes of a file; fewer only when it ends."""
    head = b""
    while len(head) < _LONGEST_MAGIC and (more := stream.read(PIECE // 4)):
        head += more
    return head


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a small text; one that does not end, or is longer than any should be, is given as it is so far."""
    held = b""
    for piece in pieces:
        *lines, held = (held + piece).split(b"\n")
        yield from lines
        if len(held) > _LONGEST_LINE:
            break
    if held:
        yield held + b" (without its end)"


def _at_start(error: DamagedDump) -> DamagedDump:
    """The error with a place in its file: the beginning, when it has none of its own."""
    if error.offset is None:
        error.offset = 0
    return error
