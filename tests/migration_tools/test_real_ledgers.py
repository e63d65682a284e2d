"""What real migration tools wrote (real/TOOL: a pg_dump of the database after two migrations, and the project with a third one)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

import pgaudit_kit as pk
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import UsageError
from pgaudit_kit.migration_tools.ledgers import find_ledgers
from pgaudit_kit.migration_tools.tools import TOOLS

REAL = Path(__file__).with_name("real")
# the migrations in their order, the last one pending; and the file of the second one
PROJECTS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "alembic": (("aaa111", "bbb222", "ccc333"), "versions/bbb222_users.py"),
    "dbmate": (("20250101000000", "20250102000000", "20250103000000"), "migrations/20250102000000_users.sql"),
    "django": (("shop.0001_initial", "shop.0002_price", "shop.0003_note"), "shop/migrations/0002_price.py"),
    "drizzle": (("0000_init", "0001_email", "0002_names"), "drizzle/0001_email.sql"),
    "knex": (("20250101000000_init.js", "20250102000000_users.js", "20250103000000_more.js"), "migrations/20250102000000_users.js"),
    "liquibase": (
        (
            *("db/changelog/root.xml::1::ann", "db/changelog/users.yaml::users::bob", "db/changelog/posts.sql::posts::ann"),
            *("db/changelog/posts.sql::posts-title::ann", "db/changelog/more.json::more::bob"),
        ),
        "db/changelog/users.yaml",
    ),
    "rails": (("20250101000000", "20250102000000", "20250103000000"), "db/migrate/20250102000000_add_users.rb"),
    "sequelize": (("20250101000000-init.js", "20250102000000-users.js", "20250103000000-more.js"), "migrations/20250102000000-users.js"),
    "sqitch": (("shop:init", "shop:users", "shop:more"), "deploy/users.sql"),
    "typeorm": (("Init1735689600000", "Users1735776000000", "More1735862400000"), "migrations/1735776000000-Users.js"),
}
WITH_CHECKSUM = ("drizzle", "sqitch")


@pytest.fixture(params=PROJECTS)
def tool(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def project(tool: str, tmp_path: Path) -> Path:
    """A copy, to be damaged."""
    return Path(shutil.copytree(REAL / tool, tmp_path / "project"))


def states(dump: Path, folder: Path | None, tool: str) -> dict[str, str]:
    """State by name, of the migrations of the project itself."""
    return {m.name: str(m.state) for m in pk.migrations(dump, folder).migrations if m.tool == tool and m.file != "of another folder"}


def test_its_ledger_is_taken_for_its_own_by_one_tool_alone(tool: str) -> None:
    dump = read_dump(REAL / tool / "ledger.sql")
    assert [found.name for one in TOOLS for found, _ in find_ledgers(dump, tool=one.name)] == [tool]


def test_its_migrations_are_found_and_the_third_is_pending(tool: str, project: Path) -> None:
    names, _ = PROJECTS[tool]
    result = pk.migrations(project / "ledger.sql", project)
    found = states(project / "ledger.sql", project, tool)
    assert list(found) == list(names)
    assert list(found.values()) == ["applied"] * (len(names) - 1) + ["pending"]
    assert {c.id: str(c.outcome) for c in result.check_list if c.id in ("migrations.state", "migrations.files")} == {
        "migrations.state": "passed",
        "migrations.files": "failed",
    }
    assert all(c.outcome == "passed" for c in result.check_list if c.id in ("migrations.catalog", "migrations.order"))
    assert any(names[-1] in m.name and m.remedy for m in result.migrations)


def test_without_the_pending_one_all_is_well(tool: str, project: Path) -> None:
    pending = {m.name for m in pk.migrations(project / "ledger.sql", project).migrations if m.state == "pending"}
    assert len(pending) == 1
    for path in sorted(project.rglob("*")):
        if path.is_file() and path.stem.lower().endswith(("more", "ccc333_posts", "0003_note", "0002_names")):
            path.unlink()
    plan, journal = project / "sqitch.plan", project / "drizzle" / "meta" / "_journal.json"
    if plan.exists():
        plan.write_text("".join(line for line in plan.read_text().splitlines(keepends=True) if not line.startswith("more ")))
    if journal.exists():
        text = journal.read_text()
        journal.write_text(text[: text.rindex(",\n    {")] + "\n  ]\n}")
    assert pk.migrations(project / "ledger.sql", project).verdict == "passed"


def test_a_file_that_is_gone_is_unknown(tool: str, project: Path) -> None:
    names, file = PROJECTS[tool]
    (project / file).unlink()
    result = pk.migrations(project / "ledger.sql", project)
    [second] = [m for m in result.migrations if m.name == names[1]]
    if tool in WITH_CHECKSUM:  # the journal, the plan still name it
        assert second.file.startswith("cannot be read")
    else:
        assert second.state == "unknown"
    assert "files" in second.faults


@pytest.mark.parametrize("tool", WITH_CHECKSUM)
def test_an_edited_file_is_told_from_one_with_other_line_ends(tool: str, project: Path) -> None:
    names, file = PROJECTS[tool]
    content = (project / file).read_bytes()
    (project / file).write_bytes(content.replace(b"\n", b"\r\n"))
    [second] = [m for m in pk.migrations(project / "ledger.sql", project).migrations if m.name == names[1]]
    assert (str(second.state), second.file, second.faults) == ("applied", "other line ends", {"files": "warned"})
    assert ".gitattributes" in second.remedy
    (project / file).write_bytes(content + b"-- a word more\n")
    assert states(project / "ledger.sql", project, tool)[names[1]] == "edited"


def test_the_ledger_alone_says_what_was_applied(tool: str) -> None:
    result = pk.migrations(REAL / tool / "ledger.sql")
    assert result.verdict == "passed"
    assert {str(m.state) for m in result.migrations} == {"applied"}
    assert result.skipped, "that no folder was looked at is said"
    assert list(result.frame["tool"].unique()) == [tool]


def test_a_folder_of_another_tool_is_refused(tool: str) -> None:
    other = "dbmate" if tool != "dbmate" else "knex"
    with pytest.raises(UsageError, match="no migration of"):
        pk.migrations(REAL / tool / "ledger.sql", REAL / other)
