"""Restoring directory and tar archives, and those that the pg_restore at hand cannot read."""

from __future__ import annotations

import gzip
import resource
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import zstandard

from pgaudit_kit.errors import RestoreFailed
from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.programs.client_programs import find_program
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.operations.restores.restored import Replacement
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.verdict import Outcome
from tests.dumps.archives import packed_directory

MakeApp = Callable[..., str]
Ask = Callable[[str, str], object]
Databases = Callable[[str], list[str]]


def yes(_: Replacement) -> bool:
    return True


def dump(server: EmbeddedServer, url: str, path: Path, *arguments: str) -> Path:
    subprocess.run([server.bin_folder / "pg_dump", *arguments, "-f", str(path), "-d", url], check=True)
    return path


@pytest.mark.parametrize("arguments", [("-Fd",), ("-Fd", "-Z", "0", "-j", "2"), ("-Ft",)], ids=str)
def test_a_directory_and_a_tar_archive_are_restored_and_proven(
    arguments: tuple[str, ...], make_app: MakeApp, server: EmbeddedServer, tmp_path: Path, ask: Ask
) -> None:
    url = make_app("archived")
    path = dump(server, url, tmp_path / "app", *arguments)
    ask(url, "WITH gone AS (DELETE FROM messages RETURNING 1) SELECT count(*) FROM gone")
    done = restore(path, url, confirm=yes)
    assert done.verdict is Outcome.PASSED, done.checks.to_string()
    assert ask(url, "SELECT count(*) FROM messages") == 2000
    assert {"restore.wrapping", "restore.compression", "rows.fingerprint"} <= {c.id for c in done.check_list}


def test_a_directory_that_lost_a_file_is_refused_before_anything_is_touched(
    make_app: MakeApp, server: EmbeddedServer, tmp_path: Path, databases: Databases
) -> None:
    url = make_app("lost")
    path = dump(server, url, tmp_path / "app", "-Fd")
    max(path.glob("*.dat.gz"), key=lambda file: file.stat().st_size).unlink()
    done = restore(path, url, confirm=yes)
    assert (done.verdict, done.replaced) == (Outcome.FAILED, False)
    assert databases("lost") == ["lost"]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, which nobody else uses."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("in_place", [False, True])
def test_a_directory_archive_that_was_packed_with_tar_is_unpacked_and_restored(
    make_app: MakeApp, server: EmbeddedServer, tmp_path: Path, store: Path, temporary: Path, ask: Ask, *, in_place: bool
) -> None:
    url = make_app("packed")
    folder = dump(server, url, tmp_path / "app", "-Fd")
    packed = tmp_path / "app.tar.gz"
    packed.write_bytes(gzip.compress(packed_directory({file.name: file.read_bytes() for file in folder.iterdir()})))
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM messages")
    done = restore(packed, url, confirm=yes, in_place=in_place, replace_contents=in_place, store=store)
    assert done.verdict is Outcome.PASSED, done.checks.to_string()
    assert ask(url, "SELECT count(*) FROM messages") == 2000
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("in_place", [False, True])
def test_what_backup_compresses_itself_restore_unpacks(
    make_app: MakeApp, store: Path, temporary: Path, ask: Ask, *, in_place: bool
) -> None:
    url = make_app("wrapped")
    made = backup(url, store=store, format="tar", compression="zstd")
    assert made.path.name.endswith(".tar.zst")
    done = restore(made, url, confirm=yes, in_place=in_place, replace_contents=in_place, store=store)
    assert done.verdict is Outcome.PASSED, done.checks.to_string()
    assert ask(url, "SELECT count(*) FROM messages") == 2000
    assert not list(temporary.iterdir())


def test_a_packed_archive_that_cannot_be_unpacked_for_want_of_room_touches_nothing(
    make_app: MakeApp, server: EmbeddedServer, tmp_path: Path, databases: Databases
) -> None:
    url = make_app("roomless")
    zipped = tmp_path / "app.dump.gz"
    zipped.write_bytes(gzip.compress(dump(server, url, tmp_path / "app.dump", "-Fc").read_bytes()))
    limited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limited[1]))
    try:
        with pytest.raises(RestoreFailed, match=r"nothing was touched.*cannot be unpacked") as refused:
            restore(zipped, url, confirm=yes)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limited)
    assert "TMPDIR" in refused.value.remedy
    assert databases("roomless") == ["roomless"]


def test_data_that_this_pg_restore_cannot_unpack_are_found_before_anything_is_touched(
    make_app: MakeApp, server: EmbeddedServer, tmp_path: Path, databases: Databases, ask: Ask
) -> None:
    url = make_app("zstandard")
    folder = dump(server, url, tmp_path / "app", "-Fd")
    for file in folder.glob("*.dat.gz"):
        file.with_suffix(".zst").write_bytes(zstandard.compress(gzip.decompress(file.read_bytes())))
        file.unlink()
    pg_restore = find_program("pg_restore", at_least=17, near=int(server.version.split(".")[0]))
    able = subprocess.run([pg_restore.path, "-f", "/dev/null", folder], check=False, capture_output=True).returncode == 0
    if able:
        assert restore(folder, url, confirm=yes).verdict is Outcome.PASSED
        return
    with pytest.raises(RestoreFailed, match="does not support compression") as refused:
        restore(folder, url, confirm=yes)
    assert "PGBIN" in refused.value.remedy
    assert databases("zstandard") == ["zstandard"]
    assert ask(url, "SELECT count(*) FROM messages") == 2000
