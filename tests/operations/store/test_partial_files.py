from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pgaudit_kit.operations.store import partial_files, store_folder
from pgaudit_kit.operations.store.file_locks import create_locked, take_if_free
from pgaudit_kit.operations.store.partial_files import PartialFile, partial_file, remove, remove_abandoned, unpublish
from pgaudit_kit.operations.store.store_folder import LocalFolder

NAME = "app-20260131T120509Z.dump"


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
from pgaudit_kit.operations.store.partial_files import PartialFile
kept = PartialFile(pathlib.Path({str(tmp_path)!r}) / {NAME!r})
print("written", flush=True)
sys.stdin.read()
"""
    others = [".app-20260131T120509Z.dump.partial-x y", ".notes.partial-1", "app.partial-99999", f".{NAME}.partial"]
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


@pytest.mark.skipif(sys.platform == "win32", reason="locks that end with their holder")
@pytest.mark.parametrize("clean", [remove_abandoned, lambda folder: LocalFolder(folder).clean()], ids=["store", "folder inside"])
def test_who_removes_a_leftover_has_its_lock_until_it_is_gone(
    clean: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a writer that has just made the file gets its lock in between, and loses what it writes."""
    free = []

    def seen(path: Path) -> None:
        free.append(take_if_free(path))
        remove(path)

    monkeypatch.setattr(partial_files, "remove", seen)
    monkeypatch.setattr(store_folder, "remove", seen)
    (tmp_path / f".{NAME}.partial-1").touch()
    clean(tmp_path)
    assert free == [None]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="locks that end with their holder")
@pytest.mark.parametrize(("step", "folder"), [("flock", False), ("flock", True), ("open", True)])
def test_a_writer_whose_file_was_taken_for_abandoned_before_it_was_locked_makes_another(
    step: str, folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    path = tmp_path / NAME
    module = os if step == "open" else fcntl
    real, calls = getattr(module, step), []

    def late(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 1:
            path.rmdir() if folder else path.unlink()
        return real(*arguments)

    monkeypatch.setattr(module, step, late)
    descriptor = create_locked(path, folder=folder)
    assert os.path.samestat(os.fstat(descriptor), path.stat())
    assert take_if_free(path) is None
    os.close(descriptor)


def test_a_manifest_that_was_named_before_its_dump_could_be_goes_with_it(tmp_path: Path) -> None:
    for name in (f".{NAME}.partial-1", "app-20260131T120509Z.manifest.json", "older-20260131T120509Z.manifest.json"):
        (tmp_path / name).touch()
    remove_abandoned(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["older-20260131T120509Z.manifest.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="locks that end with their holder")
def test_a_folder_is_written_published_and_cleaned_up_like_a_file(tmp_path: Path) -> None:
    final = tmp_path / "app-20260131T120509Z.dir"
    with partial_file(final, folder=True) as partial:
        assert partial.path.stat().st_mode & 0o777 == 0o700
        (partial.path / "toc.dat").write_bytes(b"contents")
        assert remove_abandoned(tmp_path) == []  # its writer lives
        partial.publish()
    assert [p.name for p in tmp_path.iterdir()] == [final.name]
    assert (final / "toc.dat").stat().st_mode & 0o777 == 0o600
    with partial_file(final, folder=True) as again, pytest.raises(FileExistsError):
        again.publish()
    assert (final / "toc.dat").read_bytes() == b"contents"
    left = tmp_path / f".{final.name}.partial-1"
    left.mkdir()
    (left / "toc.dat").touch()
    (tmp_path / "app-20260131T120509Z.manifest.json").touch()
    assert remove_abandoned(tmp_path) == [left]
    assert {p.name for p in tmp_path.iterdir()} == {final.name, "app-20260131T120509Z.manifest.json"}


def test_taking_its_name_away_makes_a_backup_an_abandoned_one(tmp_path: Path) -> None:
    for suffix in (".dump", ".manifest.json", ".verified.json", ".globals.sql"):
        (tmp_path / f"app-20260131T120509Z{suffix}").touch()
    unpublish(tmp_path / NAME)
    assert not (tmp_path / NAME).exists()
    remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == []
