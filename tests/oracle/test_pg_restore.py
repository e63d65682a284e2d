"""pg_restore is the oracle: every archive lists what `pg_restore -l` lists, and holds the rows that `pg_restore -f -` prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.table_data import TableName
from tests.conftest import missing
from tests.oracle.conftest import EveryKind
from tests.oracle.judge import copied_by_pg_restore, dependencies_by_pg_restore, differing_tables, listed_by_pg_restore, listed_by_us
from tests.oracle.test_formats_and_versions import WAYS
from tests.postgres_versions import installation

NEWEST = 18  # reads every archive of pg_dump 8.0 and later, and the fetched build all compressions
ARCHIVES = [
    *(f"pg{major}-{compression}-copy-basic.dump" for major in (15, 16, 18) for compression in ("none", "gzip")),
    *("pg18-lz4-copy-basic.dump", "pg18-zstd-copy-basic.dump", "pg18-none-insert-basic.dump"),
    *("babelfish-pg15-directory", "dvdrental-pg11.tar"),
]

OPTIONS = [
    ("--load-via-partition-root",),
    ("--quote-all-identifiers",),
    ("--no-owner", "--no-privileges"),
    ("--section=data",),
    ("--statistics",),
]


def assert_same_as_pg_restore(archive: Path, *, at_least: int) -> None:
    """The frame `toc` is its list; the rows of every table are its rows, byte for byte; *at_least* so many tables were compared."""
    program = installation(NEWEST, missing)
    dump = read_dump(archive)
    assert listed_by_us(dump) == listed_by_pg_restore(program, archive)
    depends = {entry.dump_id: entry.dependencies for entry in dump.toc_entries if entry.dependencies}
    assert depends == dependencies_by_pg_restore(program, archive)
    copied = copied_by_pg_restore(program, archive)
    assert differing_tables(dump, copied) == []
    assert len(copied) >= at_least
    assert dump.damage == ()


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_of_other_people_is_what_pg_restore_says(corpus: Path, name: str) -> None:
    assert_same_as_pg_restore(corpus / "archives" / name, at_least=0 if "insert" in name else 1)


def test_no_archive_of_other_people_is_left_out(corpus: Path) -> None:
    assert sorted(path.name for path in (corpus / "archives").iterdir()) == sorted(ARCHIVES)


@pytest.mark.parametrize(("major", "dump_format", "compression"), [way for way in WAYS if "plain" not in way.values])
def test_an_archive_with_every_kind_of_entry_is_what_pg_restore_says(
    every_kind: EveryKind, major: int, dump_format: str, compression: str
) -> None:
    assert_same_as_pg_restore(every_kind.dump(major, dump_format, compression), at_least=30)


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
@pytest.mark.parametrize("dump_format", ["custom", "directory", "tar"])
def test_so_is_one_made_with_other_options(every_kind: EveryKind, dump_format: str, options: tuple[str, ...]) -> None:
    assert_same_as_pg_restore(every_kind.dump(NEWEST, dump_format, "none", *options), at_least=30)


def test_so_is_one_that_several_connections_wrote(every_kind: EveryKind, tmp_path: Path) -> None:
    archive = installation(NEWEST, missing).dump(every_kind.url, tmp_path / "archive", dump_format="directory", compression="zstd", jobs=3)
    assert_same_as_pg_restore(archive, at_least=30)


def test_an_archive_that_went_through_a_pipe_or_a_redirection_is_what_pg_restore_says(every_kind: EveryKind, tmp_path: Path) -> None:
    for major in (15, NEWEST):
        piped = tmp_path / f"{major}-piped"
        piped.write_bytes(installation(major, missing).run("pg_dump", "-Fc", "-d", every_kind.url))
        assert_same_as_pg_restore(piped, at_least=30)


@pytest.mark.parametrize("encoding", ["LATIN1", "EUC_JP", "SJIS", "SHIFT_JIS_2004", "BIG5", "GBK", "UHC", "GB18030"])
def test_rows_in_another_encoding_are_those_of_the_server(
    server_of: Callable[[int], EmbeddedServer], make_letters: Callable[[str], str], tmp_path: Path, encoding: str
) -> None:
    program = installation(NEWEST, missing)
    url = make_letters(encoding)
    with psycopg.connect(url) as connection, connection.cursor().copy("COPY letters (a, b) TO STDOUT") as copy:
        expected = b"".join(map(bytes, copy))
    for dump_format in ("plain", "custom"):
        dump = read_dump(program.dump(url, tmp_path / dump_format, f"--encoding={encoding}", dump_format=dump_format))
        assert b"".join(dump.row_blocks(TableName("public", "letters"))) == expected
        assert dump.damage == ()
    assert expected.count(b"\n") > 250
    archive = tmp_path / "custom"
    (copied,) = copied_by_pg_restore(program, archive)
    assert copied.rows.count(b"\n") == expected.count(b"\n"), "so many rows were there to misread"


@pytest.fixture
def make_letters(server_of: Callable[[int], EmbeddedServer]) -> Iterator[Callable[[str], str]]:
    """Give a function that creates a database with all letters that an encoding holds, before every kind of separator."""
    server = server_of(NEWEST)
    name = "letters"

    def make(encoding: str) -> str:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE letters TEMPLATE template0 ENCODING 'UTF8'")
        with psycopg.connect(server.url(name), autocommit=True) as connection:
            connection.execute(LETTERS, prepare=False)
            connection.execute("INSERT INTO letters SELECT * FROM letters_of(%s)", (encoding,))
        return server.url(name)

    yield make
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE letters WITH (FORCE)")


# Only letters that come back as themselves: some encodings give two letters the same bytes.
LETTERS = r"""
CREATE TABLE letters (a text, b text);
CREATE FUNCTION comes_back(letter text, encoding text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN RETURN convert_from(convert_to(letter, encoding), encoding) = letter; EXCEPTION WHEN OTHERS THEN RETURN false; END $$;
CREATE FUNCTION letters_of(encoding text) RETURNS SETOF letters LANGUAGE sql AS $$
    WITH known AS (
        SELECT chr(i) AS c FROM generate_series(161, 65532) i WHERE i NOT BETWEEN 55296 AND 57343 AND comes_back(chr(i), encoding)
    )
    SELECT c, c FROM known UNION ALL SELECT c || E'\t' || c, '\' || c || E'\n' FROM known UNION ALL SELECT NULL, c || '\N' FROM known
$$"""
