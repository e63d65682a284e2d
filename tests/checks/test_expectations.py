"""Age, size, duration, required tables, locale: green only over something, red or a warning with its evidence, else not checked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pgaudit_kit.checks.dump_size import check_dump_size
from pgaudit_kit.checks.fitting import check_collation_versions, check_collations_current, check_encoding, check_locale, check_versions
from pgaudit_kit.checks.required_tables import check_prisma_tables, check_required_tables
from pgaudit_kit.checks.times import check_age, check_duration
from pgaudit_kit.display.frames import evidence_frame
from pgaudit_kit.errors import UsageError
from pgaudit_kit.migration_tools.prisma_schema import ModelTable, model_tables
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Check

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def _ends(check: Check) -> tuple[str, bool]:
    """The outcome, and whether anything was compared."""
    return str(check.outcome), check.compared > 0


@pytest.mark.parametrize(
    ("taken_at", "ends"),
    [
        (NOW - timedelta(hours=23), ("passed", True)),
        (NOW - timedelta(hours=25), ("failed", True)),
        (NOW + timedelta(hours=1), ("not_checked", False)),  # a clock is wrong
        (NOW + timedelta(minutes=1), ("passed", True)),  # two clocks are never the same
        (None, ("not_checked", False)),
        (datetime(2026, 3, 10, 3), ("passed", True)),  # noqa: DTZ001  in any zone of the world
        (datetime(2026, 3, 9, 13), ("not_checked", False)),  # noqa: DTZ001  it depends on the zone
        (datetime(2026, 3, 8, 23), ("failed", True)),  # noqa: DTZ001  in none
    ],
)
def test_the_age_is_judged_where_it_is_known(taken_at: datetime | None, ends: tuple[str, bool]) -> None:
    check = check_age(taken_at, rpo=DAY, now=NOW)
    assert _ends(check) == ends, check.found
    assert check.remedy or ends[0] == "passed"


def test_a_restore_that_takes_too_long_fails_and_an_unknown_one_is_not_checked() -> None:
    assert _ends(check_duration(59.0, rto=timedelta(minutes=1), of="here")) == ("passed", True)
    assert _ends(check_duration(61.0, rto=timedelta(minutes=1), of="here")) == ("failed", True)
    assert _ends(check_duration(None, rto=timedelta(minutes=1), of="never rehearsed")) == ("not_checked", False)


@pytest.mark.parametrize(
    ("size", "smallest", "before", "share", "ends"),
    [
        (1000, 1000, [], None, ("passed", True)),
        (999, 1000, [], None, ("failed", True)),
        (600_000, None, [1_000_000] * 3, None, ("passed", True)),
        (400_000, None, [1_000_000] * 3, None, ("warned", True)),
        (4_000, None, [10_000], None, ("passed", True)),  # small ones come and go
        (4_000, None, [10_000], 0.9, ("warned", True)),  # unless somebody has said
        (None, 1000, [], None, ("not_checked", False)),
        (5, None, [], None, ("not_checked", False)),
    ],
)
def test_the_size_is_judged_beside_others_and_a_limit(
    size: int | None, smallest: int | None, before: list[int], share: float | None, ends: tuple[str, bool]
) -> None:
    assert _ends(check_dump_size(size, smallest=smallest, before=before, share=share)) == ends


def test_a_required_table_that_is_written_otherwise_is_hinted_at() -> None:
    check = check_required_tables(["user"], {TableName("public", "User")})
    assert _ends(check) == ("failed", True)
    assert "there is User" in check.found
    assert evidence_frame(check).to_dict("records") == [{"table": "user"}]


PRISMA = """
// model Gone { id Int @id }
datasource db { provider = "postgresql" }
model User {
  id    Int    @id @default(autoincrement())
  note  String @default("} // @@map(\\"no\\")")
  posts Post[]
  friends User[] @relation("Friends")
  friendOf User[] @relation("Friends")
  written Post[] @relation("author")
  @@map("users") @@schema("app")
}
model Post {
  id      Int    @id
  readers User[]
  authorId Int
  author  User @relation("author", fields: [authorId], references: [id])
}
view Recent { id Int @unique }
"""


def test_the_tables_of_a_prisma_schema_are_its_models_and_its_implicit_relations(tmp_path: Path) -> None:
    schema = tmp_path / "schema.prisma"
    schema.write_text(PRISMA, encoding="utf-8")
    tables = model_tables(schema)
    assert tables == (
        ModelTable("User", "app", "users"),
        ModelTable("Post", None, "Post"),
        ModelTable("Post and User", None, "_PostToUser"),
        ModelTable("User and User", "app", "_Friends"),
    )
    there = {TableName("app", "users"), TableName("public", "Post"), TableName("public", "_PostToUser"), TableName("app", "_Friends")}
    assert _ends(check_prisma_tables(tables, there)) == ("passed", True)
    lacking = check_prisma_tables(tables, there - {TableName("app", "users")} | {TableName("public", "users")})
    assert _ends(lacking) == ("failed", True)
    assert evidence_frame(lacking).to_dict("records") == [{"model": "User", "table": "app.users"}]
    assert _ends(check_prisma_tables((), there)) == ("not_checked", False)


@pytest.mark.parametrize(
    ("text", "what"), [('datasource db { provider = "mysql" }\nmodel A { id Int }', "of mysql"), ("generator g { }", "no model")]
)
def test_a_prisma_schema_of_something_else_is_refused(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "schema.prisma").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=what):
        model_tables(tmp_path / "schema.prisma")
    with pytest.raises(UsageError, match="No such file"):
        model_tables(tmp_path / "other.prisma")


def test_versions_encoding_locale_and_collations() -> None:
    assert _ends(check_versions("15.3", "16.1 (Debian)")) == ("passed", True)
    assert _ends(check_versions("16.1", "15.3")) == ("warned", True)
    assert _ends(check_encoding("UTF8", "UTF8")) == ("passed", True)
    assert _ends(check_encoding("UTF8", "LATIN1")) == ("failed", True)
    assert _ends(check_encoding(None, "LATIN1")) == ("not_checked", False)
    assert _ends(check_locale({"lc_collate": "en_US.utf8"}, {"lc_collate": "en_US.UTF-8"})) == ("passed", True)
    other = check_locale({"lc_collate": "C"}, {"lc_collate": "de_DE"})
    assert _ends(other) == ("warned", True)
    assert evidence_frame(other).to_dict("records") == [{"attribute": "lc_collate", "left": "C", "right": "de_DE"}]
    assert _ends(check_locale({}, {"lc_collate": "C"})) == ("not_checked", False)
    assert _ends(check_collation_versions({"a": "1"}, {"a": "1", "b": "2"})) == ("passed", True)
    assert _ends(check_collation_versions({"a": "1"}, {"a": "2"})) == ("warned", True)
    assert _ends(check_collation_versions({"a": "1"}, {})) == ("not_checked", False)
    assert _ends(check_collations_current({"a": "1"}, {"a": "1"})) == ("passed", True)
    assert _ends(check_collations_current({"a": "1"}, {"a": "2"})) == ("failed", True)
    assert _ends(check_collations_current({}, {"a": "2"})) == ("not_checked", False)


def test_the_frame_of_evidence_has_its_dtypes_also_when_nothing_was_found() -> None:
    frame = evidence_frame(check_locale({"lc_collate": "C"}, {"lc_collate": "C"}))
    assert list(frame.columns) == ["attribute", "left", "right"]
    assert {str(dtype) for dtype in frame.dtypes} == {"string"}
    assert frame.empty
