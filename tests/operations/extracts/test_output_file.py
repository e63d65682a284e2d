"""A file for results: what a killed writer left is in nobody's way, what a living one writes is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pgaudit_kit.operations.extracts.output_file import output_file
from pgaudit_kit.operations.extracts.output_folder import output_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks that end with their holder")
_WRITER = """
import sys
from pathlib import Path
from pgaudit_kit.operations.extracts.output_file import output_file
with output_file(Path(sys.argv[1])) as file:
    file.write(b"half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_writer_left_stops_nobody_and_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "[rows].csv"
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "writing\n"
        with output_file(path) as file:
            file.write(b"whole")
        assert len(list(tmp_path.iterdir())) == 2  # the other one writes still
        writer.kill()
    (left,) = (p for p in tmp_path.iterdir() if p != path)
    left.rename(left.with_name(f".{path.name}.partial-{os.getpid()}"))  # in a container, the next process gets the same number
    with output_file(path, overwrite=True) as file:
        file.write(b"again")
    assert [(p, p.read_bytes()) for p in tmp_path.iterdir()] == [(path, b"again")]


_FOLDER_WRITER = """
import sys
from pathlib import Path
from pgaudit_kit.operations.extracts.output_folder import output_folder
with output_folder(Path(sys.argv[1])) as folder:
    (folder / "half").touch()
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_the_half_folder_of_a_killed_writer_is_removed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    with subprocess.Popen(
        [sys.executable, "-c", _FOLDER_WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "writing\n"
        with output_folder(path) as folder:
            (folder / "whole").touch()
        assert len(list(tmp_path.iterdir())) == 2  # the other one writes still
        writer.kill()
    path.rename(tmp_path / "moved")
    with output_folder(path) as folder:
        (folder / "again").touch()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dump", "moved"]
    assert [p.name for p in path.iterdir()] == ["again"]


def test_a_pipe_or_device_is_written_into_and_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        with output_file(pipe) as file:
            file.write(b"rows")
        assert reader.communicate()[0] == b"rows"
    assert pipe.is_fifo()
    for overwrite in (False, True):
        with output_file(Path(os.devnull), overwrite=overwrite) as file:
            file.write(b"rows")
    assert Path(os.devnull).is_char_device()


def test_a_link_stays_and_what_it_points_at_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to("there")
    with output_file(link, overwrite=True) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "there").read_bytes() == b"new"
