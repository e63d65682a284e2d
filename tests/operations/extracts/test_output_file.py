"""A file for results: what a killed writer left is in nobody's way, what a living one writes is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pgaudit_kit.operations.extracts.output_file import output_file

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
