"""Library, command line and documentation speak of the same things. What is missing somewhere is named."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import pgaudit_kit
from pgaudit_kit.cli.app import app

PROJECT = Path(__file__).resolve().parent.parent
DOCS = PROJECT / "docs"
COMMANDS = sorted(command.callback.__name__ for command in app.registered_commands if command.callback)
FUNCTIONS = sorted(name for name in pgaudit_kit.__all__ if not inspect.isclass(getattr(pgaudit_kit, name)))

# Where the words differ, and why. All others are the same word.
FUNCTION_OF = {
    "inspect": "read_dump",  # what it prints are attributes of a Dump
    "list": "backups",  # `list` is a word of Python
    "report": "run_report",
    "rescue": "diff",  # Difference.rescue
    "demo": None,  # shows all the others
}
COMMAND_OF = {
    "read_dump": "inspect",
    "backups": "list",
    "run_report": "report",
    "load_manifest": "diff",  # takes its path
    "restore_part": "restore",  # --table, --schema
    "verify_all": "verify",  # --all
    "explain": "verify",  # --explain
    "load_config": "verify",  # --config, of all that have settings
}
PAGES_OF_ALL = {"exit-codes.md", "json.md"}  # lists of all commands explain none


def test_every_public_name_can_be_had_and_is_documented() -> None:
    for name in pgaudit_kit.__all__:
        assert getattr(pgaudit_kit, name).__doc__, name


def test_every_command_has_help_and_stands_in_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    for command in app.registered_commands:
        assert command.callback is not None
        assert command.callback.__doc__
        assert f"pgaudit {command.callback.__name__}" in readme, command.callback.__name__


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_its_function_its_section_and_its_rows(command: str) -> None:
    missing = []
    function = FUNCTION_OF.get(command, command)
    if function is not None and function not in pgaudit_kit.__all__:
        missing.append(f"a function: pk.{function}, or a line in FUNCTION_OF of this file with the reason")
    pages = {page.name: page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md") if page.name not in PAGES_OF_ALL}
    if not any(re.search(rf"pgaudit {command}\b", text) for text in pages.values()):
        missing.append(f"a page in docs/ that shows `pgaudit {command}`")
    if not re.search(rf"^\| {command} \|", (DOCS / "exit-codes.md").read_text(encoding="utf-8"), re.MULTILINE):
        missing.append("a row in docs/exit-codes.md")
    if "json" in _options(command) and not re.search(rf"^## {command}$", (DOCS / "json.md").read_text(encoding="utf-8"), re.MULTILINE):
        missing.append("a section in docs/json.md")
    missing += [f"the option --{o}" for o in ("json", "quiet", "output") if o not in _options(command) and command != "demo"]
    assert not missing, f"pgaudit {command} lacks {'; '.join(missing)}"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_its_command(function: str) -> None:
    command = COMMAND_OF.get(function, function)
    assert command in COMMANDS, f"pk.{function} has no command: add one, or a line in COMMAND_OF of this file with the reason"


def test_the_lists_of_this_file_name_nothing_that_is_gone() -> None:
    assert set(FUNCTION_OF) <= set(COMMANDS)
    assert {name for name in FUNCTION_OF.values() if name} <= set(FUNCTIONS)
    assert set(COMMAND_OF) <= set(FUNCTIONS)


def _options(command: str) -> set[str]:
    from typer.main import get_command

    program: Any = get_command(app)
    return {parameter.name for parameter in program.commands[command].params}


def test_every_page_stands_in_the_navigation() -> None:
    text = (PROJECT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r"[\w/-]+\.md", str(yaml.safe_load(text)["nav"])))
    written = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert not written - listed, f"mkdocs.yml does not list {written - listed}"
    assert listed - written <= {"commands.md", "python.md"}, listed - written


@pytest.mark.slow
def test_the_site_is_built_without_a_complaint_and_asks_nothing_of_any_network(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    assert done.returncode == 0, done.stderr
    for page in tmp_path.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r"<(?:script|img|iframe)[^>]+src=[\"']?(?:https?:)?//", text), page
        assert not re.findall(r"<link[^>]+rel=[\"']?(?:stylesheet|preconnect|preload)[^>]+href=[\"']?(?:https?:)?//", text), page
    reference = (tmp_path / "commands.html").read_text(encoding="utf-8")
    assert all(f"pgaudit {name}" in reference for name in COMMANDS)
    python = (tmp_path / "python.html").read_text(encoding="utf-8")
    assert all(f">{name}</span>" in python for name in FUNCTIONS), "a function is missing in the reference"


def test_the_import_contracts_hold() -> None:
    done = subprocess.run([str(Path(sys.executable).with_name("lint-imports"))], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
