"""Prisma, three ways: every state that a project gets into, on a live database and on its dump, and what Prisma itself would say."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import pgaudit_kit as pk
from pgaudit_kit.audits.migrations import MigrationsResult
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.migration_tools.prisma_cases import CASES
from tests.migration_tools.prisma_project import PrismaProject

Make = Callable[..., str]


def states(result: MigrationsResult) -> dict[str, str]:
    return {m.name: m.state + (", out of order" if m.out_of_order else "") for m in result.migrations}


def not_passed(result: MigrationsResult) -> dict[str, str]:
    return {c.id.removeprefix("migrations."): str(c.outcome) for c in result.check_list if c.outcome != "passed"}


@pytest.mark.parametrize("name", CASES)
def test_every_state_is_told_and_what_prisma_would_say_of_it(name: str, make_database: Make, tmp_path: Path) -> None:
    case, project = CASES[name], PrismaProject(make_database(), tmp_path)
    case.make(project)
    result = pk.migrations(project.url, project.migrations)
    assert states(result) == case.states
    if case.not_passed:
        assert not_passed(result) == case.not_passed
    foretold = [says.exit_code for says in result.tool_says]
    assert (foretold[0], foretold[-1]) == case.prisma_exit
    assert all(m.remedy for m in result.migrations if "failed" in m.faults.values()), "every fault has its remedy"


@pytest.mark.parametrize("form", ["custom", "plain"])
@pytest.mark.parametrize("name", ["all applied", "failed", "rolled back", "edited", "half done", "lost from the catalog"])
def test_a_dump_says_the_same_as_the_database(name: str, form: str, server: EmbeddedServer, make_database: Make, tmp_path: Path) -> None:
    project = PrismaProject(make_database(), tmp_path)
    CASES[name].make(project)
    dump = tmp_path / "app.dump"
    subprocess.run([str(server.bin_folder / "pg_dump"), f"--format={form}", "-f", str(dump), project.url], check=True)
    live, dumped = pk.migrations(project.url, tmp_path), pk.migrations(dump, tmp_path)
    assert [m.to_dict() for m in dumped.migrations] == [m.to_dict() for m in live.migrations]
    assert dumped.check_list == live.check_list
