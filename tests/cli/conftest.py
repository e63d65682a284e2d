"""Run the command as a user does, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def pgaudit(tmp_path: Path) -> Run:
    """Give a function that runs `pgaudit` with the given arguments in an empty folder and returns the finished process."""

    def run(*arguments: str, folder: Path = tmp_path, stdin: int | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from pgaudit_kit.cli.app import main; main()", *arguments],
            cwd=folder,
            stdin=stdin,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def dump(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The path of a file with the script DUMP of the test's module."""
    path = tmp_path / "app.sql"
    path.write_text(request.module.DUMP, encoding="utf-8")
    return str(path)
