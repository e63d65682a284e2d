from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pgaudit_kit.operations.store.names import (
    StoreName,
    backup_name,
    free_name,
    has_rival,
    parse_name,
    parse_partial,
    partial_name,
    series_of,
)
from pgaudit_kit.records.manifest import manifest_beside

AT = datetime(2026, 1, 31, 12, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("database", "word", "expected"),
    [
        ("app", None, "app-20260131T120509Z"),
        ("app", "production", "app-production-20260131T120509Z"),
        ("my app/../x'\"; rm -rf", None, "my_app_.._x_rm_-rf-20260131T120509Z"),
        ("../..", None, "_..-20260131T120509Z"),
        ("-f", "before the move", "f-before_the_move-20260131T120509Z"),
        ("grün", None, "grün-20260131T120509Z"),
    ],
)
def test_a_backup_is_named_after_database_word_and_time(database: str, word: str | None, expected: str) -> None:
    assert backup_name(database, word, AT) == expected


def test_a_second_backup_in_the_same_second_gets_another_name() -> None:
    assert free_name([], "app-1") == "app-1"
    assert free_name(["app-1.manifest.json"], "app-1") == "app-1-2"
    assert free_name(["app-1.manifest.json", ".app-1-2.dump.partial-1"], "app-1") == "app-1-3"


def test_of_two_that_choose_a_name_at_once_at_least_one_sees_the_other() -> None:
    mine, other = ".app-1.dump.partial-1", ".app-1.sql.partial-2"
    assert has_rival([mine, other], "app-1", mine)
    assert has_rival([mine, other], "app-1", other)
    assert not has_rival([mine, ".app-10.dump.partial-3", "app-2.dump"], "app-1", mine)


@pytest.mark.parametrize(
    ("file", "name", "suffix", "dump_format"),
    [
        ("app-20260131T120509Z.dump", "app-20260131T120509Z", ".dump", "custom"),
        ("my.app-before-20260131T120509Z-2.sql.gz", "my.app-before-20260131T120509Z-2", ".sql.gz", "plain"),
        ("app-20260131T120509Z.tar.zst", "app-20260131T120509Z", ".tar.zst", "tar"),
        ("app-20260131T120509Z.dir", "app-20260131T120509Z", ".dir", "directory"),
        ("app-20260131T120509Z.manifest.json", "app-20260131T120509Z", ".manifest.json", None),
        ("app-20260131T120509Z.globals.sql", "app-20260131T120509Z", ".globals.sql", None),
        ("app-20260131T120509Z.rehearsed.json", "app-20260131T120509Z", ".rehearsed.json", None),
    ],
)
def test_our_names_are_known_by_their_parts(file: str, name: str, suffix: str, dump_format: str | None) -> None:
    assert parse_name(file) == StoreName(name, suffix, dump_format)
    partial = parse_partial(partial_name(file, 7))
    assert partial == (StoreName(name, suffix, dump_format), "7")
    assert manifest_beside(Path(file)).name == (f"{name}.manifest.json" if dump_format else manifest_beside(Path(file)).name)


@pytest.mark.parametrize(
    "file", ["app.dump", "app-20260131.dump", "20260131T120509Z.dump", "app-20260131T120509Z.dump.bak", "app-20260131T120509Z", ".x"]
)
def test_other_names_are_not_ours(file: str) -> None:
    assert parse_name(file) is None
    assert parse_partial(f".{file}.partial-1") is None


def test_backups_of_one_database_and_word_are_a_series() -> None:
    assert series_of("app-production-20260131T120509Z-3") == series_of("app-production-20270131T120509Z") == "app-production"
