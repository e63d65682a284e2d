"""`pgaudit migrations`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import pgaudit_kit as pk
from tests.cli.conftest import Run
from tests.migration_tools.prisma_cases import ALL
from tests.migration_tools.prisma_project import PrismaProject

REAL = Path(__file__).parents[1] / "migration_tools" / "real"


@pytest.fixture
def project(make_database: Callable[..., str], tmp_path: Path) -> PrismaProject:
    return PrismaProject(make_database(), tmp_path)


def test_it_says_all_three_and_ends_with_the_verdict(project: PrismaProject, pgaudit: Run) -> None:
    project.deploy(*ALL)
    done = pgaudit("migrations", "env:DB", "--folder", str(project.migrations), DB=project.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3_names    applied" in done.stdout
    assert "the same, by SHA-256" in done.stdout
    assert "`prisma migrate status` would say: Database schema is up to date! (exit code 0)" in done.stdout
    project.fail("3_names")
    done = pgaudit("migrations", "env:DB", DB=project.url)
    assert done.returncode == 1
    assert "prisma migrate resolve --rolled-back 3_names" in done.stdout
    assert "Without a folder" in done.stdout


def test_json_is_what_the_library_says(project: PrismaProject, pgaudit: Run) -> None:
    project.deploy("1_init")
    done = pgaudit("migrations", "env:DB", "--folder", str(project.migrations), "--json", DB=project.url)
    assert done.returncode == 1
    said = json.loads(done.stdout)
    expected = pk.migrations(project.url, project.migrations).to_dict()
    assert said["migrations"] == json.loads(json.dumps(expected["migrations"], default=str))
    assert [m["state"] for m in said["migrations"]] == ["applied", "pending", "pending"]
    assert said["tool_says"][0]["exit_code"] == 1


def test_of_several_tools_one_can_be_named_and_a_dump_needs_no_server(pgaudit: Run) -> None:
    dump = str(REAL / "knex" / "ledger.sql")
    assert pgaudit("migrations", dump, "--tool", "knex").returncode == 0
    nothing = pgaudit("migrations", dump, "--tool", "rails")
    assert (nothing.returncode, "no ledger of Rails" in nothing.stdout) == (3, True)
    wrong = pgaudit("migrations", dump, "--tool", "nix")
    assert wrong.returncode == 2
    assert "Give one of prisma, alembic" in wrong.stderr


def test_a_notebook_shows_verdict_steps_checks_and_migrations(project: PrismaProject) -> None:
    project.deploy("1_init")
    result = pk.migrations(project.url, project.migrations)
    page = result._repr_html_()
    for said in ("migrations.files", "2_posts", "prisma migrate deploy", "prisma migrate status", "pg-banner"):
        assert said in page
    assert repr(result).endswith(": failed, 3 migrations>")
    assert result.frame["state"].tolist() == ["applied", "pending", "pending"]
