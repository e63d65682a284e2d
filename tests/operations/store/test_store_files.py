from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.store.store_files import PartialFile, backup_name, free_name, open_store, partial_file, remove_abandoned

AT = datetime(2026, 1, 31, 12, 5, 9, tzinfo=UTC)
NAME = "app-20260131T120509Z.dump"


@pytest.mark.parametrize(
    ("database", "word", "expected"),
    [
        ("app", None, "app-20260131T120509Z"),
        ("app", "production", "app-production-20260131T120509Z"),
        ("my app/../x'\"; rm -rf", None, "my_app_.._x_rm_-rf-20260131T120509Z"),
        ("../..", None, "_..-20260131T120509Z"),
        ("-f", "before the move", "f-before_the_move-20260131T120509Z"),
        ("grün", None, "grün-20260131T120509Z"),
    ],
)
def test_a_backup_is_named_after_database_word_and_time(database: str, word: str | None, expected: str) -> None:
    assert backup_name(database, word, AT) == expected


def test_a_second_backup_in_the_same_second_gets_another_name(tmp_path: Path) -> None:
    assert free_name(tmp_path, "app-1", ".dump").name == "app-1.dump"
    (tmp_path / "app-1.manifest.json").touch()
    assert free_name(tmp_path, "app-1", ".dump").name == "app-1-2.dump"
    (tmp_path / ".app-1-2.dump.partial-1").touch()
    assert free_name(tmp_path, "app-1", ".dump").name == "app-1-3.dump"


def test_a_file_appears_under_its_name_only_when_published(tmp_path: Path) -> None:
    with partial_file(tmp_path / NAME) as partial:
        partial.path.write_bytes(b"whole")
        assert partial.path.stat().st_mode & 0o777 == 0o600
        assert not partial.final.exists()
        partial.publish()
    assert [p.name for p in tmp_path.iterdir()] == [NAME]
    assert (tmp_path / NAME).read_bytes() == b"whole"
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_whatever_stops_the_writing_removes_the_temporary_file(error: type[BaseException], tmp_path: Path) -> None:
    with pytest.raises(error), partial_file(tmp_path / NAME):
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"first")
    with pytest.raises(FileExistsError), partial_file(tmp_path / NAME) as partial:
        partial.publish()
    assert (tmp_path / NAME).read_bytes() == b"first"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="locks that end with their holder")
def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    script = f"""
import sys, pathlib
from pgaudit_kit.operations.store.store_files import PartialFile
kept = PartialFile(pathlib.Path({str(tmp_path)!r}) / {NAME!r})
print("written", flush=True)
sys.stdin.read()
"""
    others = [".app-20260131T120509Z.dump.partial-x", ".notes.partial-1", "app.partial-99999", f".{NAME}.partial"]
    for name in others:
        (tmp_path / name).touch()
    living = PartialFile(tmp_path / "other-20260131T120509Z.sql")
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        assert remove_abandoned(tmp_path) == []  # both writers live
        writer.send_signal(signal.SIGKILL)
    assert [p.name for p in remove_abandoned(tmp_path)] == [f".{NAME}.partial-{writer.pid}"]
    assert {p.name for p in tmp_path.iterdir()} == {*others, living.path.name}
    living.discard()


@pytest.mark.skipif(sys.platform == "win32", reason="locks that end with their holder")
def test_a_leftover_with_our_own_process_id_is_removed_too(tmp_path: Path) -> None:
    # in a container every run may have the same process id
    (tmp_path / f".{NAME}.partial-{os.getpid()}").touch()
    assert len(remove_abandoned(tmp_path)) == 1


def test_a_manifest_that_was_named_before_its_dump_could_be_goes_with_it(tmp_path: Path) -> None:
    for name in (f".{NAME}.partial-1", "app-20260131T120509Z.manifest.json", "older-20260131T120509Z.manifest.json"):
        (tmp_path / name).touch()
    remove_abandoned(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["older-20260131T120509Z.manifest.json"]


def test_a_store_is_made_for_its_owner_only(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a" / "backups")
    assert store.stat().st_mode & 0o777 == 0o700
    assert open_store(store) == store


def test_a_store_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    with pytest.raises(UsageError, match="is a file"):
        open_store(tmp_path / "store")
