"""Scratch folders do not pile up, wherever the process that made or removed one was killed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pgaudit_kit.operations.servers.scratch_folders import ScratchFolder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders have no locks there")


def _abandoned(base: Path) -> Path:
    """A folder as a killed process leaves it: its lock is there, and nobody holds it."""
    folder = ScratchFolder(None, base=base)
    os.close(folder._lock)
    (folder.path / "data").mkdir()
    (folder.path / "data" / "file").write_text("rows")
    (folder.path / "log").write_text("lines")
    return folder.path


def test_abandoned_folders_go_when_the_next_one_is_made(tmp_path: Path) -> None:
    left = _abandoned(tmp_path)
    later = ScratchFolder(None, base=tmp_path)
    assert not left.exists()
    assert [f.name for f in tmp_path.iterdir()] == [later.path.name]
    later.remove()
    assert list(tmp_path.iterdir()) == []


def test_folders_in_use_stay(tmp_path: Path) -> None:
    used = ScratchFolder(None, base=tmp_path)
    ScratchFolder(None, base=tmp_path).remove()
    assert used.path.is_dir()
    used.remove()


def test_a_folder_whose_removal_was_killed_goes_with_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before each thing that a removal takes away: a later removal always finds the rest."""
    for allowed in range(6):
        folder = ScratchFolder(None, base=tmp_path)
        for name in ("a", "b"):
            (folder.path / name).mkdir()
            (folder.path / name / "file").write_text("rows")
        with monkeypatch.context() as patched, suppress(KeyboardInterrupt):
            steps = iter(range(allowed))
            for call in ("unlink", "rmdir"):
                patched.setattr(os, call, _until_killed(getattr(os, call), steps))
            folder.remove()
        with suppress(OSError):  # the system takes the lock of a killed process
            os.close(folder._lock)
        ScratchFolder(None, base=tmp_path).remove()
        assert list(tmp_path.iterdir()) == [], f"killed after {allowed} removals"


def _until_killed(real: Callable[..., None], steps: Iterator[int]) -> Callable[..., None]:
    def call(*args: Any, **options: Any) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        real(*args, **options)

    return call


def test_what_is_no_scratch_folder_stays_also_while_it_is_empty(tmp_path: Path) -> None:
    """A report and a query have folders of their own there, which are empty at first."""
    others = [tmp_path / name for name in ("pgaudit-report-ab12cd_3", "pgaudit-query-ab12cd_3", "pgaudit-mine")]
    for folder in others:
        folder.mkdir()
    ScratchFolder(None, base=tmp_path).remove()
    assert sorted(tmp_path.iterdir()) == sorted(others)
