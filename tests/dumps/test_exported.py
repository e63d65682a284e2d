"""An archive in another form says the very same to pg_restore, and loads with plain programs; what cannot be is refused."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import pgaudit_kit as pk
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.extracts.export import ExportFormat
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.dumps.archives import ALGORITHMS, archive, members, told, write_directory
from tests.dumps.conftest import NastyDatabase
from tests.dumps.test_archive_versions import TABLES

FORMATS: tuple[ExportFormat, ...] = ("custom", "directory", "plain")


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


def test_the_command_says_what_it_wrote(nasty: NastyDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pgaudit_kit.cli.app import app

    arguments = ["export", str(nasty.dump("custom-none")), "-Fd", "-Z", "none", "-o", str(tmp_path / "out")]
    app(arguments, standalone_mode=False)
    assert "directory, compression none" in capsys.readouterr().out
    app([*arguments[:-1], str(tmp_path / "other"), "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["format"] == "directory"
    assert read_dump(tmp_path / "other").damage == ()


def test_a_stream_gets_what_a_file_gets_but_for_the_places_of_the_data(
    nasty: NastyDatabase, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGBIN", str(server.bin_folder))
    dump = nasty.dump("custom-none")
    expected = told(nasty.run("pg_restore", "-f", "-", str(dump)))
    custom = io.BytesIO(b"before")
    custom.seek(0, io.SEEK_END)
    done = pk.export(dump, custom)
    assert (done.path, done.size_bytes) == (None, None)
    assert custom.getvalue().startswith(b"beforePGDMP"), "what was in the stream stays"
    (tmp_path / "custom").write_bytes(custom.getvalue().removeprefix(b"before"))
    assert told(nasty.run("pg_restore", "-f", "-", str(tmp_path / "custom"))) == expected
    assert read_dump(tmp_path / "custom").damage == ()
    plain = io.BytesIO()
    pk.export(dump, plain, format="plain")
    assert told(plain.getvalue()) == expected
    with pytest.raises(UsageError, match="stream"):
        pk.export(dump, io.BytesIO(), format="directory")


def test_the_command_writes_to_standard_output(nasty: NastyDatabase, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from pgaudit_kit.cli.app import main; main()", "export", str(nasty.dump("custom-none")), "-o", "-"]
    (tmp_path / "out").write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    assert read_dump(tmp_path / "out").fingerprints() == read_dump(nasty.dump("custom-none")).fingerprints()
    refused = subprocess.run([*command, "--json"], check=False, capture_output=True, cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
