"""How the command ends when it is interrupted, or when something happens that nobody foresaw."""

from __future__ import annotations

import subprocess
import sys

import pytest


def _run(body: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `pgaudit inspect x` with *body* in place of the reader."""
    script = (
        "import os, signal, sys, time\n"
        "import pgaudit_kit.dumps.read_dump as reader\n"
        "from pgaudit_kit.cli.app import main\n"
        f"def read_dump(path):\n{body}\n"
        "reader.read_dump = read_dump\n"
        "main()\n"
    )
    command = [sys.executable, "-c", script, *(arguments or ("inspect", "x"))]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


INTERRUPT = "signal.raise_signal(signal.SIGINT)"


def test_ctrl_c_ends_with_130_and_says_so() -> None:
    done = _run(f"    {INTERRUPT}")
    assert done.returncode == 130
    assert done.stderr.startswith("pgaudit: interrupted")
    assert len(done.stderr.splitlines()) == 1


def test_ctrl_c_says_how_things_stand_when_the_operation_knows() -> None:
    noted = (
        f"    try:\n        {INTERRUPT}\n    except KeyboardInterrupt as error:\n        error.add_note('app is as it was.')\n        raise"
    )
    done = _run(noted)
    assert (done.returncode, done.stderr) == (130, "pgaudit: interrupted; app is as it was.\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_ctrl_c_is_not_lost_when_it_comes_where_python_cannot_raise_it() -> None:
    swallowed = (
        f"    class Dying:\n        def __del__(self):\n            {INTERRUPT}\n    Dying()\n    time.sleep(20)\n    print('went on')"
    )
    done = _run(swallowed)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.startswith("pgaudit: interrupted")


def test_what_nobody_foresaw_is_not_checked_and_one_line_without_secrets() -> None:
    failing = "    raise RuntimeError('boom at postgresql://me:s3cr3t-word@h/db\\nsecond line')"
    done = _run(failing)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "RuntimeError: boom" in done.stderr
    assert "--debug" in done.stderr
    shown = _run(failing, "inspect", "x", "--debug")
    assert shown.returncode == 3
    assert "Traceback" in shown.stderr
    assert "s3cr3t-word" not in done.stderr + shown.stderr


def test_debug_does_not_change_the_exit_code() -> None:
    script = "from pgaudit_kit.cli.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "inspect", "no/such", "--debug"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "Traceback" in done.stderr
