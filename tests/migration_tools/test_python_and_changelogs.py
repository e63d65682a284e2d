"""Migrations that are Python or changelogs: graphs, squashes, and that nothing of them is ever run or fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgaudit_kit.errors import UsageError
from pgaudit_kit.migration_tools import alembic, django, liquibase
from pgaudit_kit.migration_tools.folders import read_folder
from pgaudit_kit.migration_tools.states import statuses_of
from pgaudit_kit.migration_tools.tool import MigrationFiles, Row, Tool
from pgaudit_kit.records.ledger import Ledger
from pgaudit_kit.records.table_data import TableName

TRAP = "import pathlib\npathlib.Path(__file__).with_name('was_run').touch()\n"


def states(tool: Tool, rows: list[Row], files: MigrationFiles | None) -> dict[str, str]:
    ledger = Ledger(tool.name, TableName("public", "t"), tuple(tool.read_rows(rows)))
    return {status.name: str(status.state) for status in statuses_of(tool, "t", ledger, files)}


def notes(tool: Tool, rows: list[Row], files: MigrationFiles) -> list[str]:
    return [said for said, _ in tool.settle(Ledger(tool.name, TableName("public", "t"), tuple(tool.read_rows(rows))), files).notes]


def revision(folder: Path, name: str, before: str, more: str = "") -> None:
    (folder / f"{name}_x.py").write_text(f"{TRAP}revision = {name!r}\ndown_revision = {before}\n{more}\ndef upgrade():\n    pass\n")


def test_alembic_s_heads_stand_for_all_before_them_over_branches_and_merges(tmp_path: Path) -> None:
    for name, before in {"a": "None", "b": "'a'", "c": "'a'", "m": "('b', 'c')", "n": "'m'", "o": "'m'"}.items():
        revision(tmp_path, name, before, "depends_on = None\nbranch_labels: str = None")
    files = read_folder(alembic.TOOL, tmp_path)
    assert files is not None
    assert notes(alembic.TOOL, [{"version_num": "n"}], files) == ["2 heads: n, o"]
    assert not notes(alembic.TOOL, [{"version_num": "n"}, {"version_num": "o"}], files), "branches that are kept apart, and all applied"
    assert states(alembic.TOOL, [{"version_num": "n"}], files) == {**dict.fromkeys("abcmn", "applied"), "o": "pending"}
    assert states(alembic.TOOL, [{"version_num": "b"}], files) == {**dict.fromkeys("ab", "applied"), **dict.fromkeys("cmno", "pending")}
    assert states(alembic.TOOL, [{"version_num": "lost"}], files) == {"lost": "unknown", **dict.fromkeys("abcmno", "pending")}
    assert not (tmp_path / "was_run").exists()


def test_before_a_head_of_alembic_without_a_script_nothing_is_called_not_applied(tmp_path: Path) -> None:
    revision(tmp_path, "a", "None")
    revision(tmp_path, "b", "'a'")
    files = read_folder(alembic.TOOL, tmp_path)
    ledger = Ledger("alembic", TableName("public", "t"), tuple(alembic.read_rows([{"version_num": "lost"}])))
    lost, *others = statuses_of(alembic.TOOL, "t", ledger, files)
    assert (lost.name, lost.faults) == ("lost", {"files": "failed"})
    assert [(s.name, s.faults, s.remedy) for s in others] == [(name, {"files": "not_checked"}, "") for name in "ab"]
    assert "cannot be told: it may stand before lost" in others[0].reason


def test_an_app_of_django_may_have_another_label_than_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "blog" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0001_initial.py").write_text("class Migration:\n    pass\n")
    (tmp_path / "blog" / "apps.py").write_text(f"{TRAP}class BlogConfig(AppConfig):\n    name = 'blog'\n    label = 'weblog'\n")
    rows: list[Row] = [{"id": "1", "app": "weblog", "name": "0001_initial", "applied": "2025-01-01"}]
    assert states(django.TOOL, rows, read_folder(django.TOOL, tmp_path)) == {"weblog.0001_initial": "applied"}
    assert not (tmp_path / "blog" / "was_run").exists()


def test_a_script_of_alembic_that_cannot_be_understood_is_said_to_be(tmp_path: Path) -> None:
    revision(tmp_path, "a", "None")
    (tmp_path / "broken.py").write_text("revision = 'b'\ndown_revision = (\n")
    (tmp_path / "computed.py").write_text("revision = str(1)\ndown_revision = None\n")
    revision(tmp_path, "x", "'y'")
    revision(tmp_path, "y", "'x'")
    files = read_folder(alembic.TOOL, tmp_path)
    assert files is not None
    assert {file.name: bool(file.broken) for file in files.files} == {"a": False, "broken": True, "computed": True, "x": False, "y": False}


def test_django_s_squashes_and_what_is_applied_before_its_dependency(tmp_path: Path) -> None:
    folder = tmp_path / "shop" / "migrations"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(TRAP)

    def write(name: str, **lists: str) -> None:
        body = "".join(f"    {key} = {value}\n" for key, value in lists.items()) or "    pass\n"
        (folder / f"{name}.py").write_text(f"{TRAP}class Migration:\n{body}")

    write("0001_a")
    write("0002_b", dependencies="[('shop', '0001_a'), swappable(1)]")
    write("0001_squashed_0002_b", replaces="[('shop', '0001_a'), ('shop', '0002_b')]")
    write("0003_c", dependencies="[('shop', '0002_b')]")
    files = read_folder(django.TOOL, tmp_path)

    def rows(*names: str) -> list[Row]:
        return [{"id": str(i), "app": "shop", "name": name, "applied": "2025-01-01"} for i, name in enumerate(names)]

    assert set(states(django.TOOL, rows("0001_a", "0002_b", "0003_c"), files).values()) == {"applied"}
    assert set(states(django.TOOL, rows("0001_squashed_0002_b", "0003_c"), files).values()) == {"applied"}
    assert states(django.TOOL, rows("0001_a", "0003_c"), files)["shop.0002_b"] == "pending"
    ledger = Ledger("django", TableName("public", "t"), tuple(django.read_rows(rows("0001_a", "0003_c"))))
    assert "InconsistentMigrationHistory" in django.settle(ledger, files).notes[0][0]
    ledger = Ledger("django", TableName("public", "t"), tuple(django.read_rows(rows("0001_squashed_0002_b", "0003_c"))))
    assert django.settle(ledger, files).notes == ()
    for name in ("0001_a", "0002_b"):
        (folder / f"{name}.py").unlink()
    after = read_folder(django.TOOL, tmp_path)
    assert set(states(django.TOOL, rows("0001_a", "0002_b", "0003_c"), after).values()) == {"applied"}, "they are replaced, not lost"
    assert not list(tmp_path.rglob("was_run"))


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><databaseChangeLog><changeSet id="&e;" author="a"/></databaseChangeLog>',
        '<!DOCTYPE x [<!ENTITY e "ha"><!ENTITY f "&e;&e;">]><databaseChangeLog><changeSet id="&f;" author="a"/></databaseChangeLog>',
        "<databaseChangeLog><changeSet",
    ],
)
def test_xml_with_entities_is_not_read(document: str, tmp_path: Path) -> None:
    (tmp_path / "bad.xml").write_text(document)
    (tmp_path / "good.sql").write_text("--liquibase formatted sql\n--changeset ann:1\nSELECT 1;\n")
    files = read_folder(liquibase.TOOL, tmp_path)
    assert files is not None
    assert [file.name for file in files.files] == ["good.sql::1::ann"]
    assert "bad.xml cannot be read" in files.faults[0][0]


def test_yaml_makes_no_objects(tmp_path: Path) -> None:
    trap = tmp_path / "was_run"
    (tmp_path / "bad.yaml").write_text(
        f"databaseChangeLog: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path [{trap}]]"
    )
    (tmp_path / "good.json").write_text('{"databaseChangeLog": [{"changeSet": {"id": 7, "author": "ann"}}]}')
    files = read_folder(liquibase.TOOL, tmp_path)
    assert files is not None
    assert [file.name for file in files.files] == ["good.json::7::ann"]
    assert not trap.exists()


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        read_folder(alembic.TOOL, tmp_path / "nowhere")
    assert read_folder(alembic.TOOL, tmp_path) is None


def test_migrations_of_libraries_are_not_those_of_the_project(tmp_path: Path) -> None:
    for place in ("shop/migrations", "venv/lib/site-packages/auth/migrations", "node_modules/x/migrations", ".git/migrations"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "0001_a.py").write_text("class Migration:\n    pass\n")
    files = read_folder(django.TOOL, tmp_path)
    assert files is not None
    assert [file.name for file in files.files] == ["shop.0001_a"]
