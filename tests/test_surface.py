"""Library, command line and documentation speak of the same things."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pgaudit_kit
from pgaudit_kit.cli.app import app

PROJECT = Path(__file__).resolve().parent.parent


def test_every_public_name_can_be_had_and_is_documented() -> None:
    for name in pgaudit_kit.__all__:
        assert getattr(pgaudit_kit, name).__doc__, name


def test_every_command_has_help_and_stands_in_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    for command in app.registered_commands:
        assert command.callback is not None
        assert command.callback.__doc__
        assert f"pgaudit {command.callback.__name__}" in readme, command.callback.__name__


def test_the_import_contracts_hold() -> None:
    done = subprocess.run([str(Path(sys.executable).with_name("lint-imports"))], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
