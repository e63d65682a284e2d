"""What a file is, told from its bytes: dumps under any name, and everything that is none, with a sentence that helps."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pgaudit_kit.dumps.format_detection import detect_format
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, DumpNotFound, NotADump, PgAuditError, UnsupportedDump
from pgaudit_kit.records.table_data import TableName
from tests.dumps.conftest import NastyDatabase

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


NO_DUMPS = {
    "an empty file": b"",
    "a gzip file with nothing in it": gzip.compress(b""),
    "an HTML page": b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>",
    "an HTML page ": b"\n\n<HTML><body>Sign in</body></html>",
    "an XML document": b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>',
    "an XML document ": b"<Error><Code>NoSuchKey</Code></Error>",
    "a JSON document": b'{"error": "not found"}\n',
    "a JSON document ": b"[\n  1, 2]",
    "a dump of MySQL": b"-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: localhost    Database: app\n",
    "a dump of MySQL or MariaDB": b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n",
    "a dump of SQLite": b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE t (a);\nCOMMIT;\n",
    "a pointer of Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "the message of a program that failed": b'pg_dump: error: connection to server at "db" failed: FATAL:  no such role\n',
    "zero bytes": bytes(5000),
    "binary data": b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 4,
    "nothing but white space": b"\n\n   \n",
    "plain text": b"Dear all,\nthe dump is on the other disk.\n",
    "SQL statements that pg_dump did not write": b'-- CreateTable\nCREATE TABLE "User" ("id" SERIAL);\nSET statement_timeout = 0;\n',
    "a PDF": b"%PDF-1.7\n...",
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


def test_a_word_processors_zip_a_tar_and_a_folder_are_no_dumps(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "base.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("base/1/2619"), io.BytesIO())
    with pytest.raises(NotADump, match=r"tar file without a toc\.dat"):
        read_dump(tmp_path / "base.tar")
    with pytest.raises(NotADump, match=r"directory without a toc\.dat"):
        read_dump(tmp_path)
    (tmp_path / "PG_VERSION").write_text("18\n")
    with pytest.raises(NotADump, match="data folder of a server"):
        read_dump(tmp_path)


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.sql", content)
    return buffer.getvalue()


UNSUPPORTED = {
    "xz": lzma.compress(TINY),
    "bzip2": bz2.compress(TINY),
    "zip": zipped(TINY),
    "LZ4": b"\x04\x22\x4d\x18" + bytes(20),
    "Zstandard": b"\x28\xb5\x2f\xfd" + bytes(20),
    "gzip twice": gzip.compress(gzip.compress(TINY)),
    "UTF-16": TINY.decode().encode("utf-16"),
    "UTF-16 ": TINY.decode().encode("utf-16-be"),
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


def test_tar_and_directory_archives_of_pg_dump_are_named(nasty: NastyDatabase, tmp_path: Path) -> None:
    nasty.run("pg_dump", "-Ft", "-t", "app.empty", "-f", str(tmp_path / "tar"), "-d", nasty.url)
    nasty.run("pg_dump", "-Fd", "-t", "app.empty", "-f", str(tmp_path / "folder"), "-d", nasty.url)
    with pytest.raises(UnsupportedDump, match="tar archive"):
        read_dump(tmp_path / "tar")
    with pytest.raises(UnsupportedDump, match="directory archive"):
        read_dump(tmp_path / "folder")
    with pytest.raises(UnsupportedDump, match=r"toc\.dat"):
        read_dump(tmp_path / "folder" / "toc.dat")


def test_two_dumps_in_one_script_are_refused(written: Write) -> None:
    dump = read_dump(written(TINY + TINY))
    with pytest.raises(UnsupportedDump, match="several databases"):
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
def test_a_named_pipe_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotADump, match="no regular file"):
        read_dump(tmp_path / "pipe")


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


def test_detection_never_ends_in_a_traceback(written: Write) -> None:
    for start in (
        b"",
        b"PGDMP",
        b"\x1f\x8b",
        b"\x1f\x8b\x08\x00",
        b"-",
        b"--\n",
        b"\xff\xfe",
        b"\xfe\xff-",
        b"\xef\xbb\xbf",
        b"<",
        b"{",
        b"PG",
    ):
        for rest in (b"", b"\0", b"x" * 600, bytes(range(256))):
            with pytest.raises(PgAuditError):
                detect_format(written(start + rest)) and read_dump(written(start + rest))
