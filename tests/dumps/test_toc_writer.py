"""Header and table of contents, written again: the very bytes that pg_dump wrote, for every version, format and machine."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.dumps.archives.byte_cursor import ByteCursor
from pgaudit_kit.dumps.archives.raw_toc import Container, RawEntry, RawHeader, read_raw_entries, read_raw_header
from pgaudit_kit.dumps.archives.toc_writer import write_toc
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.conftest import missing
from tests.dumps.archives import archive, members
from tests.dumps.conftest import NastyDatabase
from tests.dumps.test_archive_versions import TABLES
from tests.postgres_versions import KNOWN, installation

SCHEMA = """
    CREATE TABLE "we""ird
    name" (id serial PRIMARY KEY, "ü" text DEFAULT 'x' NOT NULL);
    INSERT INTO "we""ird
    name" (ü) SELECT 'row ' || n FROM generate_series(1, 50) AS n;
    CREATE VIEW looks AS SELECT ü FROM "we""ird
    name";
    CREATE MATERIALIZED VIEW filled AS SELECT 1 AS a;
    COMMENT ON TABLE "we""ird
    name" IS 'a comment';
    GRANT SELECT ON looks TO PUBLIC;
    SELECT lo_from_bytea(4100000000, 'of a big OID'), lo_from_bytea(77, 'content');
    ANALYZE;
"""


def raw_toc(content: bytes, container: Container) -> tuple[RawHeader, list[RawEntry], int]:
    """Header, entries, and how long they are."""
    cursor = ByteCursor(io.BytesIO(content), resource="it")
    header = read_raw_header(cursor, container)
    entries = read_raw_entries(cursor, header)
    return header, entries, cursor.position


def check(content: bytes, container: Container = "custom") -> None:
    """What is written is what was read, and it is not nothing."""
    header, entries, end = raw_toc(content, container)
    assert len(entries) > 2
    assert write_toc(header, entries) == content[:end]


def toc_of_tar(path: Path) -> bytes:
    with tarfile.open(path) as packed:
        member = packed.extractfile("toc.dat")
        assert member
        return member.read()


@pytest.mark.parametrize("major", KNOWN)
def test_what_pg_dump_of_each_version_wrote_is_written_again(
    server_of: Callable[[int], EmbeddedServer], tmp_path: Path, major: int
) -> None:
    programs = installation(major, missing)
    url = server_of(major).url("postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE toc_writer TEMPLATE template0")
    url = server_of(major).url("toc_writer")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA)
    statistics = ("--statistics",) if major >= 18 else ()
    for compression in programs.compressions:
        check(programs.dump(url, tmp_path / f"c-{compression}", *statistics, compression=compression).read_bytes())
        folder = programs.dump(url, tmp_path / f"d-{compression}", dump_format="directory", compression=compression)
        check((folder / "toc.dat").read_bytes(), "folder")
    check(toc_of_tar(programs.dump(url, tmp_path / "tar", dump_format="tar")), "folder")
    check(programs.run("pg_dump", "-Fc", "-d", url))


def test_options_of_pg_dump_and_other_encodings_change_nothing(nasty: NastyDatabase) -> None:
    for name in ("custom-inserts", "custom-sjis", "custom-via-root", "custom-column-inserts-none"):
        check(nasty.dump(name).read_bytes())
    for path in (nasty.piped(), nasty.redirected()):
        check(path.read_bytes())


@pytest.mark.parametrize("minor", range(10, 17))
def test_every_version_of_archives_is_written_again(minor: int) -> None:
    for offsets in (True, False):
        for int_size, offset_size in ((4, 8), (8, 4), (5, 16)):
            check(archive(TABLES, minor=minor, offsets=offsets, int_size=int_size, offset_size=offset_size))
    check(members(TABLES, minor=minor)["toc.dat"], "folder")


def test_the_archives_of_other_people_are_written_again(corpus: Path) -> None:
    dumps = sorted((corpus / "archives").glob("*.dump"))
    assert len(dumps) >= 9
    for path in dumps:
        check(path.read_bytes())
    for path in (corpus / "archives").glob("*/toc.dat"):
        check(path.read_bytes(), "folder")
    check(toc_of_tar(corpus / "archives" / "dvdrental-pg11.tar"), "folder")


def test_pg_restore_reads_what_was_changed(nasty: NastyDatabase, tmp_path: Path) -> None:
    content = nasty.dump("custom-none").read_bytes()
    header, entries, end = raw_toc(content, "custom")
    longer = [entry._replace(tag=b"another " + (entry.tag or b"")) if entry.desc == b"VIEW" else entry for entry in entries]
    added = len(write_toc(header, longer)) - end
    assert added == 8 * sum(entry.desc == b"VIEW" for entry in entries) > 0
    moved = [entry._replace(extra=entry.extra + added) if isinstance(entry.extra, int) else entry for entry in longer]
    path = tmp_path / "changed"
    path.write_bytes(write_toc(header, moved) + content[end:])
    assert b"VIEW app another " in nasty.run("pg_restore", "-l", str(path))
    scripts = [nasty.run("pg_restore", "-a", "-f", "-", str(p)) for p in (path, nasty.dump("custom-none"))]
    lines = [[line for line in script.splitlines() if not line.startswith((b"\\restrict", b"\\unrestrict"))] for script in scripts]
    assert lines[0] == lines[1]


def test_an_offset_that_does_not_fit_is_no_silent_loss() -> None:
    header, entries, _ = raw_toc(archive(TABLES, offset_size=4), "custom")
    too_far = [entry._replace(extra=1 << 40) if entry.had_dumper else entry for entry in entries]
    with pytest.raises(OverflowError):
        write_toc(header, too_far)
