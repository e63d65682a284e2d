"""An archive in another form says the very same to pg_restore, and loads with plain programs; what cannot be is refused."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

import pgaudit_kit as pk
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, ProgramFailed, UsageError
from pgaudit_kit.operations.extracts.export import ExportFormat
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.conftest import missing
from tests.dumps.archives import ALGORITHMS, archive, members, write_directory
from tests.dumps.conftest import NastyDatabase, nasty
from tests.dumps.test_archive_versions import TABLES
from tests.dumps.test_toc_writer import SCHEMA
from tests.postgres_versions import KNOWN, Installation, installation

__all__ = ["nasty"]
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


def told(script: bytes) -> list[bytes]:
    """A script without the token that is another one each time."""
    return [line for line in script.splitlines(keepends=True) if not line.startswith((b"\\restrict", b"\\unrestrict"))]


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


@pytest.mark.parametrize("minor", range(10, 17))
def test_every_version_of_archives_stays_what_it_is(
    nasty: NastyDatabase, server: EmbeddedServer, tmp_path: Path, minor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGBIN", str(server.bin_folder))
    made = {"custom": tmp_path / "custom"}
    made["custom"].write_bytes(archive(TABLES, minor=minor, offsets=False))
    made["directory"] = write_directory(tmp_path / "directory", members(TABLES, minor=minor))
    for name, path in made.items():
        expected = told(nasty.run("pg_restore", "-f", "-", str(path)))
        for wanted in FORMATS:
            out = tmp_path / f"{wanted} of {name}"
            pk.export(path, out, format=wanted)
            script = out.read_bytes() if wanted == "plain" else nasty.run("pg_restore", "-f", "-", str(out))
            assert told(script) == expected
            if wanted != "plain":
                assert read_dump(out).provenance.archive_version == f"1.{minor}.0"
                assert read_dump(out).damage == ()


def test_inserts_and_other_encodings_pass_as_they_are(nasty: NastyDatabase, tmp_path: Path) -> None:
    for name in ("custom-inserts", "custom-sjis", "custom-via-root"):
        pk.export(nasty.dump(name), tmp_path / name, compression="none")
        scripts = [told(nasty.run("pg_restore", "-f", "-", str(path))) for path in (tmp_path / name, nasty.dump(name))]
        assert scripts[0] == scripts[1]


def test_the_archives_of_other_people_can_be_exported(corpus: Path, tmp_path: Path, server: EmbeddedServer) -> None:
    newest = Installation(18, server.bin_folder)
    for path in sorted((corpus / "archives").iterdir()):
        pk.export(path, tmp_path / path.name)
        assert read_dump(tmp_path / path.name).fingerprints() == read_dump(path).fingerprints()
        if read_dump(path).provenance.compression in ("none", "gzip"):  # what the wheel's program can unpack
            assert script_of(tmp_path / path.name, "custom", newest) == told(newest.run("pg_restore", "-f", "-", path))


def test_a_script_can_be_compressed(nasty: NastyDatabase, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = pk.export(nasty.dump("custom-none"), tmp_path / "x.sql.gz", format="plain", compression="gzip:9")
    assert done.compression == "gzip:9"
    assert done.program.startswith("pg_restore ")
    assert told(gzip.decompress((tmp_path / "x.sql.gz").read_bytes())) == told(
        nasty.run("pg_restore", "-f", "-", str(nasty.dump("custom-none")))
    )


def test_what_cannot_be_is_refused_and_leaves_nothing(nasty: NastyDatabase, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_bytes(archive(TABLES, minor=14))
    out = tmp_path / "out"
    for algorithm in ALGORITHMS.keys() - {"none", "gzip"}:
        with pytest.raises(UsageError, match=r"1\.14.*PostgreSQL 16"):
            pk.export(old, out, compression=algorithm)
    with pytest.raises(UsageError, match="is a script"):
        pk.export(nasty.dump("plain"), out)
    with pytest.raises(UsageError, match="compression 'brotli'"):
        pk.export(old, out, compression="brotli")
    with pytest.raises(UsageError, match="format 'tar'"):
        pk.export(old, out, format="tar")  # type: ignore[arg-type]  # that is the point
    there = tmp_path / "there"
    there.write_bytes(b"mine")
    for wanted in FORMATS:
        with pytest.raises(UsageError, match="there already"):
            pk.export(old, there, format=wanted)
    assert there.read_bytes() == b"mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["old", "there"]
    pk.export(old, there, overwrite=True)
    assert read_dump(there).damage == ()


def test_damage_is_told_and_no_half_an_archive_is_left(tmp_path: Path) -> None:
    whole = archive(TABLES, compression="none")
    at = whole.index(b"1\tone") - 3
    (tmp_path / "damaged").write_bytes(whole[:at] + b"\xff\xff" + whole[at + 2 :])
    for wanted in FORMATS:
        with pytest.raises((DamagedDump, ProgramFailed)) as caught:
            pk.export(tmp_path / "damaged", tmp_path / "out", format=wanted)
        assert isinstance(caught.value, DamagedDump), "the dump is to blame, and not the program that was fed with it"
    assert [p.name for p in tmp_path.iterdir()] == ["damaged"]


def test_the_command_says_what_it_wrote(nasty: NastyDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pgaudit_kit.cli.app import app

    arguments = ["export", str(nasty.dump("custom-none")), "-Fd", "-Z", "none", "-o", str(tmp_path / "out")]
    app(arguments, standalone_mode=False)
    assert "directory, compression none" in capsys.readouterr().out
    app([*arguments[:-1], str(tmp_path / "other"), "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["format"] == "directory"
    assert read_dump(tmp_path / "other").damage == ()
