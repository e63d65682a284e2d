"""Opening an archive: where its table of contents is, and where its data are, in each of the three formats."""

from __future__ import annotations

from dataclasses import replace

from pgaudit_kit.dumps.archives.archive import ArchiveReader
from pgaudit_kit.dumps.archives.archive_toc import Archive, read_archive
from pgaudit_kit.dumps.archives.byte_cursor import ByteCursor
from pgaudit_kit.dumps.archives.data_blocks import DataBlocks
from pgaudit_kit.dumps.archives.folder_data import SUFFIXES, TOC_NAME, FolderData
from pgaudit_kit.dumps.archives.raw_toc import Container, RawToc, read_raw_entries, read_raw_header
from pgaudit_kit.dumps.archives.tar_folder import TarFolder
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.dumps.files.folders import Folder
from pgaudit_kit.dumps.files.wrapping import wrapping_of
from pgaudit_kit.errors import DamagedDump, UnsupportedDump

# What a tar archive of pg_dump has besides: a script made of the rest of it, which is not read (PGDUMP_FORMATS.md 3.3)
_RESTORE_SCRIPT = "restore.sql"
_HEAD = 6


def custom_archive(file: DumpFile) -> ArchiveReader:
    """Open the custom archive *file*. Raises DamagedDump, UnsupportedDump for its header and its table of contents."""
    with file.open() as stream:
        archive = read_archive(ByteCursor(stream, resource=file.resource), "custom")
    data = DataBlocks(file, archive)
    return ArchiveReader(
        archive, data, format="custom", resource=file.resource, size_bytes=lambda: file.size_bytes, raw_toc=lambda: raw_toc(file, "custom")
    )


def directory_archive(folder: Folder) -> ArchiveReader:
    """Open the directory archive in *folder*. Raises DamagedDump, UnsupportedDump for its table of contents."""
    toc = _file_of_toc(folder, _name_of_toc(folder))
    archive = _toc_in(folder, toc)
    data = FolderData(folder, archive)
    return ArchiveReader(
        archive,
        data,
        format="directory",
        resource=folder.resource,
        size_bytes=lambda: folder.size_bytes,
        raw_toc=lambda: raw_toc(toc, "folder"),
    )


def tar_archive(folder: TarFolder) -> ArchiveReader:
    """Open the tar archive *folder*; a directory archive that was packed with tar is one of format `directory`.

    Raises DamagedDump, UnsupportedDump for its table of contents.
    """
    packed = folder.is_packed_directory
    toc = _file_of_toc(folder, _name_of_toc(folder) if packed else TOC_NAME)
    archive = _toc_in(folder, toc)
    besides = None if packed else frozenset({_RESTORE_SCRIPT})
    data = FolderData(folder, archive, in_order=folder.position_of, besides=besides, frame=folder.problems)
    dump_format = "directory" if packed else "tar"
    return ArchiveReader(
        archive,
        data,
        format=dump_format,
        resource=folder.resource,
        size_bytes=lambda: folder.size_bytes,
        raw_toc=lambda: raw_toc(toc, "folder"),
    )


def raw_toc(file: DumpFile, container: Container) -> RawToc:
    """Read header and entries of *file* once more, byte for byte: they are kept by nobody, since only who writes an archive needs them."""
    with file.open() as stream:
        cursor = ByteCursor(stream, resource=file.resource)
        header = read_raw_header(cursor, container)
        return header, read_raw_entries(cursor, header)


def _name_of_toc(folder: Folder) -> str:
    there = folder.names()
    for suffix in SUFFIXES:
        if TOC_NAME + suffix in there:
            return TOC_NAME + suffix
    raise DamagedDump(f"it has no {TOC_NAME}", resource=folder.resource)


def _file_of_toc(folder: Folder, name: str) -> DumpFile:
    file = folder.file(name)
    with file.open() as stream:
        head = stream.read(_HEAD)
    wrapping = wrapping_of(head)
    return file.unpacked(wrapping) if wrapping else file


def _toc_in(folder: Folder, file: DumpFile) -> Archive:
    """Header and TOC from a file of their own, behind which nothing follows."""
    name = file.label
    try:
        with file.open() as stream:
            cursor = ByteCursor(stream, resource=folder.resource)
            archive = read_archive(cursor, "folder")
            if cursor.at_end():
                return archive
    except (DamagedDump, UnsupportedDump) as error:
        message = f"{name}: {error.message}"
        raise type(error)(message, resource=folder.resource, remedy=error.remedy, offset=error.offset) from error
    what = f"something follows the last entry of {name}, at byte {archive.toc_end:,}"
    return replace(archive, oddities=(*archive.oddities, DamagedDump(what, resource=folder.resource, offset=archive.toc_end)))
