"""An archive in another form says the very same to pg_restore, and loads with plain programs; what cannot be is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

import pgaudit_kit as pk
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, ProgramFailed
from pgaudit_kit.operations.extracts.export import ExportFormat
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.conftest import missing
from tests.dumps.archives import archive, told
from tests.dumps.test_archive_versions import TABLES
from tests.dumps.test_toc_writer import SCHEMA
from tests.postgres_versions import KNOWN, Installation, installation

FORMATS: tuple[ExportFormat, ...] = ("custom", "directory", "plain")
MORE = """
    CREATE TABLE many AS SELECT n AS a, repeat('row ', n % 50) AS b FROM generate_series(1, 40000) AS n;
    CREATE TABLE empty (a integer);
    SELECT lo_from_bytea(78, '');
    SELECT lo_from_bytea(79, convert_to(repeat('much ', 500000), 'UTF8'));
"""


class Dumped:
    """A database of one major version, and its programs."""

    def __init__(self, programs: Installation, server: EmbeddedServer) -> None:
        self.programs = programs
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS exported")
            connection.execute("CREATE DATABASE exported TEMPLATE template0")
        self.url = server.url("exported")
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(SCHEMA + MORE)


@pytest.fixture(scope="module", params=KNOWN)
def dumped(request: pytest.FixtureRequest, server_of: Callable[[int], EmbeddedServer]) -> Dumped:
    return Dumped(installation(request.param, missing), server_of(request.param))


@pytest.fixture(autouse=True)
def programs_of_that_version(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "dumped" in request.fixturenames:
        monkeypatch.setenv("PGBIN", str(request.getfixturevalue("dumped").programs.bin_folder))


def script_of(path: Path, wanted: ExportFormat, programs: Installation) -> list[bytes]:
    """What an export says."""
    return told(path.read_bytes() if wanted == "plain" else programs.run("pg_restore", "-f", "-", path))


@pytest.mark.parametrize("made", ["custom", "directory", "tar"])
def test_an_export_says_to_pg_restore_what_the_dump_says(dumped: Dumped, tmp_path: Path, made: str) -> None:
    programs = dumped.programs
    path = programs.dump(dumped.url, tmp_path / "made", dump_format=made, compression=programs.compressions[-1])
    expected = told(programs.run("pg_restore", "-f", "-", path))
    listed = programs.run("pg_restore", "-l", path).splitlines()
    for wanted in FORMATS:
        for compression in programs.compressions if wanted != "plain" else ("none",):
            out = tmp_path / f"{wanted}-{compression}"
            done = pk.export(path, out, format=wanted, compression=compression)
            assert (done.path, done.format, done.compression) == (out, wanted, compression)
            assert script_of(out, wanted, programs) == expected
            if wanted != "plain":
                entries = [line for line in programs.run("pg_restore", "-l", out).splitlines() if not line.startswith(b";")]
                assert entries == [line for line in listed if not line.startswith(b";")]
                again = read_dump(out)
                assert (again.damage, again.provenance.compression, again.provenance.format) == ((), compression, wanted)
                assert again.fingerprints() == read_dump(path).fingerprints()


@pytest.fixture
def emptied(dumped: Dumped) -> Iterator[Callable[[], str]]:
    """Give a function that gives an empty database."""
    server = dumped.url.replace("/exported", "/postgres")

    def empty() -> str:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS loaded WITH (FORCE)")
            connection.execute("CREATE DATABASE loaded TEMPLATE template0")
        return dumped.url.replace("/exported", "/loaded")

    yield empty
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS loaded WITH (FORCE)")


def test_plain_programs_load_it_to_the_same_rows(dumped: Dumped, emptied: Callable[[], str], tmp_path: Path) -> None:
    programs = dumped.programs
    path = programs.dump(dumped.url, tmp_path / "made")
    for wanted, jobs in (("custom", ("-j", "2")), ("directory", ("-j", "2")), ("plain", ())):
        out = tmp_path / wanted
        pk.export(path, out, format=wanted)  # type: ignore[arg-type]  # one of FORMATS
        url = emptied()
        if wanted == "plain":
            programs.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", out, "-d", url)
        else:
            programs.run("pg_restore", "--exit-on-error", *jobs, "-d", url, out)
        with pk.snapshot(url) as live:
            difference = pk.diff(read_dump(path), live)
            assert difference.verdict == "same"
            assert len(difference.tables) == 4, "three tables and the large objects"


def test_the_archives_of_other_people_can_be_exported(corpus: Path, tmp_path: Path, server: EmbeddedServer) -> None:
    newest = Installation(18, server.bin_folder)
    for path in sorted((corpus / "archives").iterdir()):
        pk.export(path, tmp_path / path.name)
        assert read_dump(tmp_path / path.name).fingerprints() == read_dump(path).fingerprints()
        if read_dump(path).provenance.compression in ("none", "gzip"):  # what the wheel's program can unpack
            assert script_of(tmp_path / path.name, "custom", newest) == told(newest.run("pg_restore", "-f", "-", path))


def test_damage_is_told_and_no_half_an_archive_is_left(tmp_path: Path) -> None:
    whole = archive(TABLES, compression="none")
    at = whole.index(b"1\tone") - 3
    (tmp_path / "damaged").write_bytes(whole[:at] + b"\xff\xff" + whole[at + 2 :])
    for wanted in FORMATS:
        with pytest.raises((DamagedDump, ProgramFailed)) as caught:
            pk.export(tmp_path / "damaged", tmp_path / "out", format=wanted)
        assert isinstance(caught.value, DamagedDump), "the dump is to blame, and not the program that was fed with it"
    assert [p.name for p in tmp_path.iterdir()] == ["damaged"]
