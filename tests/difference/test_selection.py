"""Patterns of pg_dump, what they choose, and attributes that are left aside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.difference.selection import Selection, parse_pattern
from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.inventory import Inventory, Unread
from pgaudit_kit.records.objects import Column, DatabaseObject, ObjectKey
from pgaudit_kit.records.table_data import TableName
from tests.fakes import FakeSource


@pytest.mark.parametrize(
    ("pattern", "schema", "name", "matches"),
    [
        ("users", "public", "users", True),
        ("USERS", "public", "users", True),
        ('"USERS"', "public", "users", False),
        ('"Users"', "app", "Users", True),
        ("user*", "app", "users_old", True),
        ("user?", "app", "users_old", False),
        ("app.*", "app", "anything", True),
        ("app.*", "apple", "anything", False),
        ("a*.users", "app", "users", True),
        ('"a.b"', "s", "a.b", True),
        ('"a*"', "s", "ab", False),
        ('"say ""hi"""', "s", 'say "hi"', True),
        ("a|b", "s", "b", True),
        ("log_[0-9]+", "s", "log_2024", True),
        ("us", "s", "users", False),
        ("cost$", "s", "cost$", True),
        ("ÄRGER", "s", "Ärger", True),
        ("ÄRGER", "s", "ärger", False),
        ("log_[[:digit:]]+", "s", "log_7", True),
        ("line*", "s", "line\nbreak", True),
    ],
)
def test_a_pattern_matches_as_in_psql(pattern: str, schema: str, name: str, *, matches: bool) -> None:
    assert parse_pattern(pattern).matches(schema, name) is matches


@pytest.mark.parametrize("text", ["", "a.b.c", '"open', "a(", "schema.", "a[[:blank:]]"])
def test_what_is_no_pattern_is_refused_with_the_way_to_write_one(text: str) -> None:
    with pytest.raises(UsageError, match=r"schema\.name"):
        parse_pattern(text)


def test_a_table_is_chosen_with_what_belongs_to_it_and_a_routine_without_its_arguments() -> None:
    chosen = Selection.of(["app.users", "notify"])
    assert chosen.has(ObjectKey("INDEX", "app", "whatever", "users"))
    assert chosen.has(ObjectKey("FUNCTION", "app", "notify(channel text)"))
    assert not chosen.has(ObjectKey("TABLE", "public", "users"))
    assert Selection.of(["app.*"]).has(ObjectKey("SCHEMA", None, "app"))
    assert not Selection.of(exclude=["app.*"]).has(ObjectKey("SCHEMA", None, "app"))


def _two_tables(users: bytes, logs: bytes, *, owner: str = "me") -> FakeSource:
    column = (Column("id", {"type": "integer"}),)
    objects = tuple(DatabaseObject(ObjectKey("TABLE", "public", name), {"owner": owner}, column) for name in ("users", "logs"))
    return FakeSource(
        inventory=Inventory(objects), copy_text={TableName("public", n): (("id",), t) for n, t in (("users", users), ("logs", logs))}
    )


def test_only_what_is_chosen_is_compared_and_the_rest_is_said_to_be_left_out() -> None:
    left, right = _two_tables(b"1\n", b"1\n"), _two_tables(b"1\n", b"2\n")
    assert diff(left, right).verdict == "different"
    same = diff(left, right, exclude=["logs"])
    assert (same.verdict, same.compared) == ("same", 2)
    assert "selection" in same.skipped[0].what
    different = diff(left, right, include=["logs"])
    assert [t.name.name for t in different.table_differences] == ["logs"]
    assert different.row_result("logs").counts.missing == 1


def test_a_pattern_that_fits_nothing_is_never_green() -> None:
    source = _two_tables(b"1\n", b"1\n")
    assert diff(source, source, include=["nobody"]).verdict == "not_checked"
    found = diff(source, source, include=["users", "nobody"])
    assert (found.verdict, found.compared) == ("not_checked", 2)
    assert ("what nobody names", "nothing on either side has such a name") in [(s.what, s.reason) for s in found.skipped]
    assert diff(source, source, include=["users"], exclude=["nobody"]).verdict == "same"
    unquoted = diff(source, source, include=["Nobody"])
    assert any(s.reason.endswith("""capitals count in double quotes alone: '"Nobody"'""") for s in unquoted.skipped)


def test_what_could_not_be_read_leaves_no_doubt_where_it_was_not_asked_for() -> None:
    source = _two_tables(b"1\n", b"1\n")
    subscriptions, statistics = (Unread(kind, None, (), "closed") for kind in ("SUBSCRIPTION", "STATISTICS"))
    for unread, include, verdict in (
        (subscriptions, [], "not_checked"),
        (subscriptions, ["public.users"], "same"),
        (subscriptions, ["users"], "not_checked"),
        (statistics, ["public.*"], "not_checked"),
    ):
        closed = replace(source, inventory=replace(source.inventory, unread=(unread,)))
        assert diff(source, closed, include=include).verdict == verdict, (unread, include)


def test_an_ignored_attribute_is_not_compared_and_said_to_be_ignored() -> None:
    left, right = _two_tables(b"", b"", owner="me"), _two_tables(b"", b"", owner="you")
    assert diff(left, right).verdict == "different"
    ignoring = diff(left, right, ignore=["owner", "column-order"])
    assert ignoring.verdict == "same"
    assert any("owner" in s.what for s in ignoring.skipped)


def test_an_unknown_attribute_to_ignore_is_refused_with_the_likely_one() -> None:
    source = _two_tables(b"", b"")
    with pytest.raises(UsageError, match="owner"):
        diff(source, source, ignore=["ownr"])
