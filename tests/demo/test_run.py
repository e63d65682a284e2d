"""The whole path, walked for real: server, dump, incident, notebooks, restore, rollback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pgaudit_kit.demo.run import VARIABLE, DemoResult, Step, run_demo
from pgaudit_kit.reporting import report_names, run_report
from tests.conftest import PROJECT
from tests.docs.blocks import blocks_of, differs

GOOD = tuple(
    Step(name, verdict, True, "", Path(f"{name}.html"))  # noqa: FBT003  # the fields in order
    for name, verdict in (
        ("backup", "passed"),
        ("incident", "different"),
        ("migrations", "failed"),
        ("verify", "passed"),
        ("rehearse", "passed"),
        ("explore", "passed"),
        ("restore", "passed"),
        ("rollback", "passed"),
    )
)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoResult, list[str], Path]:
    """The demo run twice in one folder with a space in its name; the second result and what it said."""
    folder = tmp_path_factory.mktemp("a demo") / "with spaces"
    said: list[str] = []
    first = run_demo(folder=folder, reports=folder / "the reports", say=said.append, run_report=run_report)
    assert first.exit_code == 0, "\n".join(said)
    said.clear()
    return run_demo(folder=folder, reports=folder / "the reports", say=said.append, run_report=run_report), said, folder


@pytest.mark.slow
def test_every_step_ends_as_it_must(walked: tuple[DemoResult, list[str], Path]) -> None:
    result, said, _ = walked
    assert [(step.name, step.verdict) for step in result.steps] == [(step.name, step.verdict) for step in GOOD], "\n".join(said)
    assert result.exit_code == 0


@pytest.mark.slow
def test_exactly_the_changes_played_are_found(walked: tuple[DemoResult, list[str], Path]) -> None:
    result, said, _ = walked
    assert result.incident is not None
    assert f"exactly the {result.incident.changes:,} changes played were found" in "\n".join(said)


@pytest.mark.slow
def test_each_step_is_one_line_that_names_its_report(walked: tuple[DemoResult, list[str], Path]) -> None:
    result, said, _ = walked
    assert all("\n" not in line for line in said)
    assert [line.split()[0] for line in said] == [
        *("server", "app", "backup", "played", "incident", "migrations", "verify", "rehearse", "explore", "restore", "rollback", "demo"),
    ]
    assert len(result.reports) == len(report_names())
    assert all(str(report) in "\n".join(said) for report in result.reports)


@pytest.mark.slow
def test_the_readme_shows_what_the_demo_says(walked: tuple[DemoResult, list[str], Path]) -> None:
    _, said, folder = walked
    shown = next(b.text for b in blocks_of(PROJECT / "README.md") if b.text.startswith("server     PostgreSQL"))
    found = [line.replace(f"{folder / 'the reports'}{os.sep}", "reports/") for line in said]
    assert differs(shown.splitlines(), found) == ""


@pytest.mark.slow
def test_every_report_of_each_run_and_nothing_half_written_are_left(walked: tuple[DemoResult, list[str], Path]) -> None:
    _, _, folder = walked
    kinds = sorted(re.match(r"[a-z]+", file.name)[0] for file in (folder / "the reports").glob("*.html"))  # type: ignore[index]
    assert kinds == sorted([*report_names() * 2, "index"])
    backups = sorted(file.suffix for file in (folder / "backups").iterdir() if not file.name.startswith("."))
    assert backups == [".dump"] * 2 + [".json"] * 6  # a manifest, its proof and that of the rehearsal each
    assert (folder / "app" / "prisma" / "schema.prisma").is_file()


@pytest.mark.slow
def test_nothing_is_left_in_the_environment(walked: tuple[DemoResult, list[str], Path]) -> None:
    assert VARIABLE not in os.environ


def test_anything_that_is_not_as_it_must_be_is_a_failure() -> None:
    assert DemoResult(GOOD, None, 1.0).exit_code == 0
    for place in range(len(GOOD)):
        wrong = (*GOOD[:place], replace(GOOD[place], verdict="failed", as_expected=False), *GOOD[place + 1 :])
        assert DemoResult(wrong, None, 1.0).exit_code == 1


def test_a_walk_that_ended_early_is_no_success() -> None:
    assert DemoResult((), None, 1.0).exit_code == 1
    assert DemoResult(GOOD[:-1], None, 1.0).exit_code == 1


def test_what_could_not_be_checked_is_told_from_a_failure() -> None:
    unseen = replace(GOOD[2], verdict="not_checked", as_expected=False)
    assert DemoResult((*GOOD[:2], unseen), None, 1.0).exit_code == 3


def test_the_records_of_the_demo_load_without_pandas() -> None:
    code = "import sys, pgaudit_kit.demo.incident, pgaudit_kit.demo.sample_app, pgaudit_kit.demo.rows; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0
