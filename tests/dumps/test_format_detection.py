"""What a file is, told from its bytes: dumps under any name, and everything that is none, with a sentence that helps."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import shutil
import socket
import sqlite3
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import lz4.frame  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgaudit_kit.dumps.files.decompression import MOST_TIMES
from pgaudit_kit.dumps.format_detection import detect_format
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, DumpNotFound, NotADump, PgAuditError, UnsupportedDump, UsageError
from pgaudit_kit.records.table_data import TableName
from tests.conftest import missing
from tests.dumps.conftest import TO_FILE, NastyDatabase

Write = Callable[[bytes], Path]
TINY = b"""--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET client_min_messages = warning;

--
-- Name: t; Type: TABLE; Schema: public; Owner: me
--

CREATE TABLE public.t (
    a integer,
    b text
);


--
-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: me
--

COPY public.t (a, b) FROM stdin;
1\tone
2\t\\N
\\.


--
-- PostgreSQL database dump complete
--

"""
T = TableName("public", "t")


def sqlite_file(folder: Path) -> bytes:
    path = folder / "app.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.commit()
    connection.close()
    return path.read_bytes()


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(*names: str, content: bytes = b"x") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


NO_DUMPS = {
    "an empty file": b"",
    "a gzip file with nothing in it": gzip.compress(b""),
    "a zip file with nothing in it": zipped(a=b""),
    "an HTML page": b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>",
    "an HTML page ": b"\n\n<HTML><body>Sign in</body></html>",
    "an HTML page  ": gzip.compress(b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>"),
    "an XML document": b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>',
    "an XML document ": b"<Error><Code>NoSuchKey</Code></Error>",
    "a JSON document": b'{"error": "not found"}\n',
    "a JSON document ": b"[\n  1, 2]",
    "a dump of MySQL": b"-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: localhost    Database: app\n",
    "a dump of MySQL or MariaDB": b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n",
    "a dump of SQLite": b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE t (a);\nCOMMIT;\n",
    "a pointer of Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "the message of a program that failed": b'pg_dump: error: connection to server at "db" failed: FATAL:  no such role\n',
    "the messages of pg_dump -v": b"pg_dump: last built-in OID is 16383\npg_dump: reading extensions\npg_dump: reading schemas\n",
    "what a program prints about itself": b"pg_dump is a tool for dumping a database.\n\nUsage:\n",
    "zero bytes": bytes(5000),
    "binary data": b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 4,
    "binary data ": b"\x01\x02\x03" + bytes(range(256)) * 4,
    "an image (PNG)": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "an image (JPEG)": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "nothing but white space": b"\n\n   \n",
    "plain text": b"Dear all,\nthe dump is on the other disk.\n",
    "a table as text": b"id,name,price\n1,one,1.5\n2,two,2.5\n3,three,3.5\n",
    "a table as text ": b"id\tname\n1\tone\n2\ttwo\n3\tthree\n",
    "SQL statements that pg_dump did not write": b'-- CreateTable\nCREATE TABLE "User" ("id" SERIAL);\nSET statement_timeout = 0;\n',
    "a PDF": b"%PDF-1.7\n...",
    "Word, Excel or PowerPoint": zipped(**{"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}),
    "OpenDocument": zipped(mimetype=b"application/vnd.oasis.opendocument.text", **{"content.xml": b"<x/>"}),
    "an empty zip file": zipped(),
    "without a file in it": zipped(**{"folder/": b""}),
    "a physical backup (pg_basebackup)": tarred("backup_label", "PG_VERSION", "base/1/2619"),
    "a physical backup (pg_basebackup) ": gzip.compress(tarred("base/1/2619", "PG_VERSION")),
    "the backup_manifest of a physical backup": b'{ "PostgreSQL-Backup-Manifest-Version": 1,\n"Files": [',
    "the backup_label of a physical backup": b"START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\n",
    "a dump of MongoDB": b"\x6d\xe2\x99\x81" + bytes(20),
}


@pytest.mark.parametrize("what", NO_DUMPS)
def test_what_is_no_dump_is_named(written: Write, what: str) -> None:
    path = written(NO_DUMPS[what])
    with pytest.raises(NotADump) as caught:
        read_dump(path)
    assert what.strip() in caught.value.message
    assert str(path) in str(caught.value)
    assert caught.value.remedy
    assert caught.value.exit_code == 2


def test_a_database_file_of_sqlite_is_named(written: Write, tmp_path: Path) -> None:
    with pytest.raises(NotADump, match="database file of SQLite"):
        read_dump(written(sqlite_file(tmp_path)))


def test_folders_that_are_no_dumps_are_named(tmp_path: Path) -> None:
    def refused(match: str, *names: str) -> None:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        for name in names:
            (folder / name).write_bytes(b"x")
        with pytest.raises((NotADump, UnsupportedDump), match=match) as caught:
            read_dump(folder)
        assert caught.value.remedy
        assert str(folder) in str(caught.value)

    refused("directory without any file in it")
    refused(r"directory without a toc\.dat \(in it: app\.dump\)", "app.dump")
    refused("data folder of a server", "PG_VERSION", "postgresql.conf")
    refused(r"physical backup \(pg_basebackup -Ft\)", "base.tar.gz", "pg_wal.tar.gz", "backup_manifest")


UNSUPPORTED = {
    "several members (a.sql, b.sql": zipped(**{"a.sql": TINY, "b.sql": TINY}),
    "a zip file of a directory archive": zipped(**{"app/toc.dat": b"PGDMP", "app/3.dat": b""}),
    "a packed folder": tarred("home/me/app.sql"),
    "wrapped more than 4 times": gzip.compress(bz2.compress(gzip.compress(bz2.compress(gzip.compress(TINY))))),
    "changed for ever": b"\xff\xfe" + "PGDMP\x01\x10\x00\x04\x08\x01".encode("utf-16-le") + bytes(500),
    "7-Zip": b"7z\xbc\xaf\x27\x1c\0\4" + bytes(20),
    "RAR": b"Rar!\x1a\x07\x01\0" + bytes(20),
    "LZ4 in its legacy format": b"\x02\x21\x4c\x18" + bytes(20),
    "LZMA in its old format": lzma.compress(TINY, lzma.FORMAT_ALONE),
    "encrypted with age": b"age-encryption.org/v1\n-> X25519 abc\n",
    "encrypted with age ": b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n",
    "encrypted with PGP": b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n",
    "encrypted with PGP ": bytes.fromhex("8c0d040703028c0a0f3b6b6b6b6bffd2") + bytes(range(60)),
    "encrypted with PGP  ": bytes.fromhex("85010c03a1b2c3d4e5f6071801") + bytes(range(200)),
    "encrypted with openssl": b"Salted__12345678" + bytes(range(100)),
    "encrypted with openssl ": gzip.compress(b"Salted__12345678" + bytes(range(100))),
    "restore.sql": b"--\n-- NOTE:\n--\n-- File paths need to be edited.\n" + TINY,
    "newer": b"PGDMP\x01\x11\x00\x04\x08\x01\x01" + bytes(400),
    "older": b"PGDMP\x01\x07\x00\x04\x08\x01\x01" + bytes(400),
    "toc.dat": b"PGDMP\x01\x10\x00\x04\x08\x03\x01" + bytes(400),
}


@pytest.mark.parametrize("what", UNSUPPORTED)
def test_a_dump_in_a_form_that_is_not_read_says_which_and_what_to_do(written: Write, what: str) -> None:
    path = written(UNSUPPORTED[what])
    with pytest.raises(UnsupportedDump) as caught:
        read_dump(path)
    assert what.strip() in caught.value.message + caught.value.remedy
    assert caught.value.remedy
    assert caught.value.resource == str(path)
    assert caught.value.exit_code == 3


def test_a_zip_file_with_a_password_is_refused(written: Write) -> None:
    content = bytearray(zipped(**{"app.sql": TINY}))
    content[6] |= 1
    with pytest.raises(UnsupportedDump, match="encrypted zip file"):
        read_dump(written(bytes(content)))


def test_a_folder_of_a_development_versions_cluster_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "toc.glo").write_bytes(b"PGDMP")
    with pytest.raises(UnsupportedDump, match="cluster archive of a development version"):
        read_dump(tmp_path)


def test_a_toc_dat_by_itself_names_the_folder_to_give(nasty: NastyDatabase, tmp_path: Path) -> None:
    nasty.run("pg_dump", "-Fd", "-t", "app.empty", "-f", str(tmp_path / "folder"), "-d", nasty.url)
    assert detect_format(tmp_path / "folder").format == "directory"
    with pytest.raises(UnsupportedDump, match=r"toc\.dat, the table of contents .*Name the folder"):
        read_dump(tmp_path / "folder" / "toc.dat")


def test_two_dumps_in_one_script_are_told_apart_by_name(written: Write) -> None:
    dump = read_dump(written(TINY + TINY))
    with pytest.raises(UnsupportedDump, match="dumps of several databases"):
        _ = dump.table_data


def test_a_path_that_is_not_there_or_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "missing.dump", "", "a\0b", tmp_path / ("x" * 300)):
        with pytest.raises(DumpNotFound) as caught:
            read_dump(path)
        assert caught.value.exit_code == 2
    there = tmp_path / "there"
    there.write_bytes(TINY)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(DumpNotFound, match="Permission denied"):
        read_dump(there)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for path, what in ((tmp_path / "pipe", "a named pipe"), (tmp_path / "socket", "a socket"), (Path(os.devnull), "a device")):
            with pytest.raises(NotADump, match=f"no regular file but {what}"):
                read_dump(path)


def test_a_link_that_leads_nowhere_says_so(tmp_path: Path) -> None:
    (tmp_path / "latest.dump").symlink_to("2024-01-01.dump")
    with pytest.raises(DumpNotFound, match=r"is a link to 2024-01-01\.dump, which is not there"):
        read_dump(tmp_path / "latest.dump")
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(DumpNotFound):
        read_dump(tmp_path / "circle")


def test_the_name_of_a_file_means_nothing(tmp_path: Path) -> None:
    for name in ("x.dump", "x.gz", "x.tar", "x", "x.json"):
        (tmp_path / name).write_bytes(TINY)
        assert read_dump(tmp_path / name).provenance.format == "plain"
        (tmp_path / name).write_bytes(gzip.compress(TINY))
        assert read_dump(tmp_path / name).provenance.compression == "gzip"


def check_tiny(path: Path, *, complete: bool | None = True, entries: int = 2) -> None:
    dump = read_dump(path)
    assert b"".join(dump.row_blocks(T)) == b"1\tone\n2\t\\N\n"
    assert (dump.table_data[T].rows, dump.table_data[T].size_bytes, dump.table_data[T].columns) == (2, 11, ("a", "b"))
    assert [o.key.name for o in dump.inventory.objects] == ["t"]
    assert (dump.damage, dump.provenance.complete, len(dump.toc_entries)) == ((), complete, entries)


def test_a_script_reads_the_same_with_two_byte_line_ends_and_with_a_byte_order_mark(written: Write) -> None:
    check_tiny(written(TINY))
    check_tiny(written(TINY.replace(b"\n", b"\r\n")))
    check_tiny(written(b"\xef\xbb\xbf" + TINY))
    check_tiny(written(gzip.compress(b"\xef\xbb\xbf" + TINY.replace(b"\n", b"\r\n"))))


def test_a_dump_without_its_comments_is_still_one_and_its_completeness_is_not_known(written: Write) -> None:
    bare = b"\n".join(line for line in TINY.split(b"\n") if not line.startswith(b"--"))
    check_tiny(written(bare), complete=None, entries=0)


def test_a_dump_that_lost_its_first_lines_is_still_one(written: Write) -> None:
    check_tiny(written(TINY[TINY.index(b"SET statement_timeout") :]))


def test_a_gzip_file_that_breaks_at_once_is_damaged(written: Write) -> None:
    with pytest.raises(DamagedDump):
        read_dump(written(gzip.compress(TINY)[:12]))


STARTS = (
    b"PGDMP",
    b"PGDMP\x01\x10\x00\x04\x08\x01",
    b"PGDMP\x01\x10\x00\x04\x08\x03",
    b"\x1f\x8b",
    b"\x1f\x8b\x08\x00",
    b"BZh9",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
    b"\x50\x2a\x4d\x18",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"7z\xbc\xaf\x27\x1c",
    b"\x85\x01",
    b"-",
    b"--\n",
    b"--\n-- PostgreSQL database dump\n--\n",
    b"-\0-\0",
    b"\0-\0-",
    b"\xff\xfe",
    b"\xfe\xff-",
    b"\xef\xbb\xbf",
    b"<",
    b"{",
    b"PG",
)


def opens(content: bytes, path: Path) -> None:
    """Open it, and read all of it: whatever it is, it ends in an answer or in an error of this package."""
    path.write_bytes(content)
    with contextlib.suppress(PgAuditError):
        dump = read_dump(path, unpacked_limit=1 << 26)
        list(dump.table_data)
        list(dump.inventory.objects)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from((b"", *STARTS)), rest=st.binary(max_size=700))
def test_no_bytes_end_in_a_traceback(start: bytes, rest: bytes, tmp_path: Path) -> None:
    opens(start + rest, tmp_path / "file")
    opens(start + rest * 20 + bytes(512), tmp_path / "file")


WRAPPED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "lz4": lambda content: lz4.frame.compress(content, content_checksum=True),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zip": lambda content: zipped(**{"app.sql": content}),
    "utf-16": lambda content: content.decode().encode("utf-16"),
}


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_a_wrapping_that_was_cut_anywhere_ends_in_a_sentence_or_in_damage(tmp_path: Path, wrapping: str) -> None:
    whole = WRAPPED[wrapping](TINY)
    path = tmp_path / "file"
    for cut in range(len(whole) - (0 if wrapping != "utf-16" else 12)):  # what follows the last line of a script means nothing
        path.write_bytes(whole[:cut])
        try:
            assert read_dump(path).damage, cut
        except PgAuditError as error:
            assert error.message.strip()  # noqa: PT017  # most cuts end here, the rest above


@pytest.mark.parametrize("wrapping", [w for w in WRAPPED if w != "utf-16"])
def test_a_changed_byte_in_a_wrapping_is_damage_or_means_nothing(tmp_path: Path, wrapping: str) -> None:
    whole = WRAPPED[wrapping](TINY)
    path = tmp_path / "file"
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        with contextlib.suppress(PgAuditError):
            dump = read_dump(path)
            assert dump.damage or b"".join(dump.row_blocks(T)) == b"1\tone\n2\t\\N\n", at


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_a_wrapped_script_reads_as_the_bare_one(written: Write, wrapping: str) -> None:
    check_tiny(written(WRAPPED[wrapping](TINY)))
    check_tiny(written(WRAPPED[wrapping](TINY.replace(b"\n", b"\r\n"))))
    assert read_dump(written(WRAPPED[wrapping](TINY))).provenance.compression == ("none" if wrapping == "utf-16" else wrapping)


@pytest.mark.parametrize("inner", WRAPPED)
@pytest.mark.parametrize("outer", [w for w in WRAPPED if w != "utf-16"])
def test_a_script_in_two_wrappings_reads_as_the_bare_one(written: Write, outer: str, inner: str) -> None:
    check_tiny(written(WRAPPED[outer](WRAPPED[inner](TINY))))


def test_utf_16_of_either_order_with_and_without_its_mark(written: Write) -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        check_tiny(written(TINY.decode().encode(encoding)))
        check_tiny(written(("\ufeff" + TINY.decode()).encode(encoding)))
        check_tiny(written(("\ufeff" + TINY.decode().replace("\n", "\r\n")).encode(encoding)))
    wide = TINY.replace(b"one", "Grüße 🎉".encode())
    dump = read_dump(written(wide.decode().encode("utf-16")))
    assert b"".join(dump.row_blocks(T)) == "1\tGrüße 🎉\n2\t\\N\n".encode()
    broken = TINY.decode().encode("utf-16-le").replace(b"o\0n\0e\0", b"o\0\x00\xdce\0")
    assert "UTF-16-LE" in read_dump(written(broken)).damage[0].what


FORMATS = ("plain", "custom-gzip", "custom-none", "tar")


@pytest.mark.parametrize("dump_format", FORMATS)
@pytest.mark.parametrize("wrapping", [w for w in WRAPPED if w != "utf-16"])
def test_every_format_reads_the_same_in_every_wrapping(nasty: NastyDatabase, tmp_path: Path, dump_format: str, wrapping: str) -> None:
    bare = tmp_path / "bare"
    arguments = ("-Ft",) if dump_format == "tar" else TO_FILE[dump_format]
    nasty.run("pg_dump", *arguments, "-T", "app.big", "-f", str(bare), "-d", nasty.url)
    wrapped = tmp_path / "wrapped"
    wrapped.write_bytes(WRAPPED[wrapping](bare.read_bytes()))
    expected, found = read_dump(bare), read_dump(wrapped)
    assert found.damage == ()
    assert found.provenance.format == expected.provenance.format == dump_format.partition("-")[0]
    assert found.listed_entries == expected.listed_entries
    assert found.inventory.objects == expected.inventory.objects
    assert dict(found.table_data) == dict(expected.table_data)
    tables = list(expected.table_data.items())
    for name, data in tables if wrapping != "gzip" else reversed(tables):  # backward is slow for what can only be read forward
        assert data.not_readable or found.fingerprint(name) == expected.fingerprint(name)


def zip_of(*members: tuple[str, bytes], method: int, streamed: bool) -> bytes:
    class Pipe(io.BytesIO):
        """Python then writes the sizes behind the data, as zip does to a pipe."""

        def seekable(self) -> bool:
            return not streamed

        def seek(self, offset: int, whence: int = 0) -> int:
            if streamed:
                raise io.UnsupportedOperation
            return super().seek(offset, whence)

        def tell(self) -> int:
            if streamed:
                raise io.UnsupportedOperation
            return super().tell()

    buffer = Pipe()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_zip_file_is_read_however_it_was_written(written: Write, method: int) -> None:
    check_tiny(written(zip_of(("app.sql", TINY), method=method, streamed=False)))
    check_tiny(written(zip_of(("backups/", b""), ("backups/app.sql", TINY), method=method, streamed=False)))
    check_tiny(written(zip_of(("app.sql", TINY), ("__MACOSX/._app.sql", b"attributes"), method=method, streamed=False)))
    check_tiny(written(gzip.compress(zip_of(("app.sql", TINY), method=method, streamed=False))))
    two = zip_of(("a.sql", TINY), ("b.sql", TINY), method=method, streamed=False)
    with pytest.raises(UnsupportedDump, match="several members"):
        read_dump(written(two))
    with pytest.raises(UnsupportedDump, match="several members"):
        _ = read_dump(written(gzip.compress(two))).damage


def test_a_zip_file_with_its_sizes_behind_the_data_is_read(written: Write) -> None:
    check_tiny(written(zip_of(("app.sql", TINY), method=zipfile.ZIP_DEFLATED, streamed=True)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("app.sql", "w", force_zip64=True) as member:
        member.write(TINY)
    check_tiny(written(buffer.getvalue()))


def test_what_zip_writes_into_a_pipe_is_read(written: Write) -> None:
    if not shutil.which("zip"):
        missing("the program zip")
    check_tiny(written(subprocess.run(["zip", "-q", "-", "-"], input=TINY, capture_output=True, check=True).stdout))


def test_what_explodes_is_stopped_by_a_limit_that_can_be_raised(written: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = b"1\tone\n" * 500_000
    path = written(gzip.compress(TINY.replace(b"1\tone\n", rows)))
    assert read_dump(path).table_data[T].rows == 500_001
    with pytest.raises(UnsupportedDump, match=r"unpacks to more than 1,000,000, .*unpacked_limit=BYTES.*PGAUDIT_UNPACKED_LIMIT"):
        _ = read_dump(path, unpacked_limit=1_000_000).table_data
    monkeypatch.setenv("PGAUDIT_UNPACKED_LIMIT", "1000000")
    with pytest.raises(UnsupportedDump, match="unpacks to more than"):
        _ = read_dump(path).table_data
    assert read_dump(path, unpacked_limit=10**7).table_data[T].rows == 500_001
    for nonsense in ("many", "-1", "0", "1.5"):
        monkeypatch.setenv("PGAUDIT_UNPACKED_LIMIT", nonsense)
        with pytest.raises(UsageError, match="PGAUDIT_UNPACKED_LIMIT is no number of bytes"):
            read_dump(path)
    for wrong in (0, -5, True, 1.5):
        with pytest.raises(UsageError, match="unpacked_limit"):
            read_dump(path, unpacked_limit=wrong)  # type: ignore[arg-type]


def test_rows_that_explode_inside_of_an_archive_are_stopped_by_the_same_limit(nasty: NastyDatabase) -> None:
    for name in ("custom-gzip", "custom-none"):
        dump = read_dump(nasty.dump(name), unpacked_limit=1000)
        if name == "custom-none":
            assert dump.damage == ()
        else:
            with pytest.raises(UnsupportedDump, match="unpacks to more than 1,000, "):
                _ = dump.damage


def test_the_limit_of_today_is_far_above_the_strongest_honest_packing(written: Write) -> None:
    content = TINY.replace(b"1\tone\n", b"1\tone\n" * 1_000_000)
    path = written(lzma.compress(content, preset=1))
    assert len(content) / path.stat().st_size < MOST_TIMES * 4
    assert read_dump(path).damage == ()
