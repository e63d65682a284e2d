"""What a project writes down of its backups is read as it was meant, or refused with what would do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.config import Config, load_config

ALL = """
store = "backups"
required_tables = ["users", "billing.invoices", "users"]
prisma_schema = "prisma/schema.prisma"
rpo = "24h"
rto = "30min"
smallest_share = 0.5
smallest_size = "1.5MB"
keep = { daily = 7, within = "2w", max_total_size = "1GiB" }
"""


def test_every_key_is_read_with_its_unit_and_paths_are_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "pgaudit.toml"
    file.write_text(ALL, encoding="utf-8")
    assert load_config(file) == Config(
        place=str(file),
        store=str(tmp_path / "backups"),
        required_tables=("users", "billing.invoices"),
        prisma_schema=tmp_path / "prisma/schema.prisma",
        rpo=timedelta(hours=24),
        rto=timedelta(minutes=30),
        smallest_share=0.5,
        smallest_size_bytes=1_500_000,
        keep={"daily": 7, "within": timedelta(weeks=2), "max_total_size_bytes": 2**30},
    )


def test_the_nearest_folder_with_settings_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "app" / "src"
    inner.mkdir(parents=True)
    (tmp_path / "pgaudit.toml").write_text('rpo = "1h"', encoding="utf-8")
    (tmp_path / "app" / "pyproject.toml").write_text("[tool.ruff]\n", encoding="utf-8")  # speaks of something else
    monkeypatch.chdir(inner)
    assert load_config().rpo == timedelta(hours=1)
    (tmp_path / "app" / "pyproject.toml").write_text('[tool.pgaudit]\nrpo = "2h"', encoding="utf-8")
    assert load_config().rpo == timedelta(hours=2)
    assert load_config("none") == Config()


def test_a_store_behind_a_url_is_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "pgaudit.toml").write_text('store = "s3://bucket/folder"', encoding="utf-8")
    assert load_config(tmp_path / "pgaudit.toml").store == "s3://bucket/folder"


def test_two_files_with_settings_in_one_folder_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pgaudit.toml").write_text('rpo = "1h"', encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.pgaudit]\nrpo = "2h"', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="both have settings"):
        load_config()
    assert load_config(tmp_path / "pyproject.toml").rpo == timedelta(hours=2)


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ('rpoo = "24h"', "unknown key rpoo", "Did you mean rpo?"),
        ('required_table = ["a"]', "unknown key required_table", "required_tables"),
        ("xyz = 1", "unknown key xyz", "Known are: store, required_tables"),
        ("keep = { dayly = 7 }", "unknown key keep.dayly", "keep.daily"),
        ("keep = { daily = -1 }", "keep.daily", "keep.daily = 7"),
        ("keep = { daily = true }", "keep.daily", "keep.daily = 7"),
        ("keep = 7", "not a table", "keep = {"),
        ("rpo = 24", "24 has no unit", '"24h"'),
        ('rpo = "24"', "no span of time", "36h"),
        ('rpo = "0h"', "no time at all", '"24h"'),
        ('rto = "1 fortnight"', "no span of time", "36h"),
        ("smallest_share = 50", "no share", "from 0 to 1"),
        ("smallest_share = true", "no share", "from 0 to 1"),
        ('smallest_size = "big"', "no size", "MB"),
        ("smallest_size = 1.5", "no size", "10MB"),
        ('required_tables = "users"', "not a list", '["users"'),
        ("required_tables = [1]", "not a list", '["users"'),
        ("store = 3", "no text", "store ="),
        ("rpo = ", "cannot read the settings", "--config none"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_would_do(tmp_path: Path, text: str, what: str, remedy: str) -> None:
    file = tmp_path / "pgaudit.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        load_config(file)
    assert what in refused.value.message
    assert remedy in refused.value.remedy
    assert "pgaudit.toml" in str(refused.value)


def test_a_file_that_was_named_must_be_there_and_have_settings(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load_config(tmp_path / "pgaudit.toml")
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]", encoding="utf-8")
    with pytest.raises(UsageError, match=r"no \[tool.pgaudit\]"):
        load_config(tmp_path / "pyproject.toml")
    (tmp_path / "pyproject.toml").write_text("[tool]\npgaudit = 1", encoding="utf-8")
    with pytest.raises(UsageError, match="no table"):
        load_config(tmp_path / "pyproject.toml")
