"""How the command begins: what stands in pyproject.toml, and Ctrl-C while Python is still importing."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

_PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
_MODULE, _, _NAME = _PROJECT["scripts"]["pgaudit"].partition(":")
AS_INSTALLED = ["-c", f"from {_MODULE} import {_NAME}; {_NAME}()"]  # as the script that pip writes begins
AS_MODULE = ["-m", "pgaudit_kit"]
# Python runs a module of this name before anything else
_CTRL_C_AT = """
import os, signal, sys
class Finder:
    def find_spec(name, path=None, target=None):
        if name == os.environ["CTRL_C_AT"]:
            sys.meta_path.remove(Finder)
            print("reached", name)
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Finder)
"""


@pytest.mark.parametrize("begin", [AS_INSTALLED, AS_MODULE], ids=["installed", "module"])
@pytest.mark.parametrize("module", ["pgaudit_kit.cli", "typer", "pgaudit_kit.errors", "pgaudit_kit.cli.verify", "importlib.metadata"])
def test_ctrl_c_during_any_import_is_one_line_and_130(module: str, begin: list[str], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_CTRL_C_AT, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, *begin, "--version"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": path, "CTRL_C_AT": module},
    )
    assert (done.returncode, done.stdout) == (130, f"reached {module}\n")
    assert done.stderr.startswith("pgaudit: interrupted")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("begin", [AS_INSTALLED, AS_MODULE], ids=["installed", "module"])
def test_the_command_runs_however_it_is_begun(begin: list[str], tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, *begin, *arguments], capture_output=True, text=True, check=False, timeout=60)

    assert run("--version").stdout == f"pgaudit {_PROJECT['version']}\n"
    wrong = run("inspect", str(tmp_path / "none"))
    assert (wrong.returncode, wrong.stderr.startswith("pgaudit: ")) == (2, True)
