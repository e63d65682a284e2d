"""A text means the same table wherever it is given: to read, to extract, to restore, to compare, to rescue, to require."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import pgaudit_kit as pk
from pgaudit_kit.checks.required_tables import all_tables, check_required_tables, tables_with_rows
from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.difference.rescue import Rescue
from pgaudit_kit.difference.rescue_parents import extracted
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.errors import PgAuditError, RowsNotAvailable, UsageError
from pgaudit_kit.operations.extracts.extract import extract
from pgaudit_kit.operations.restores.partial import restore_part
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.table_names import tables_meant
from pgaudit_kit.records.verdict import Outcome

WITH_ROWS = ('public."user"', 'public."User"', 'x."public.gone"', "x.logs", 'a."Order Lines"', "a.orders", "b.orders_1", '"S".t')
SCRIPT = """--
-- PostgreSQL database dump
--

SET client_encoding = 'UTF8';
{schemas}
{tables}
CREATE TABLE public.logs (n integer);
CREATE TABLE b.orders (n integer) PARTITION BY LIST (n);
ALTER TABLE ONLY b.orders ATTACH PARTITION b.orders_1 FOR VALUES IN (1);
{rows}
--
-- PostgreSQL database dump complete
--
"""
Resolve = Callable[[str], str]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    text = SCRIPT.format(
        schemas="".join(f"CREATE SCHEMA {schema};\n" for schema in ("x", "a", "b", '"S"')),
        tables="".join(f"CREATE TABLE {name} (n integer);\n" for name in WITH_ROWS),
        rows="".join(f"COPY {name} (n) FROM stdin;\n1\n\\.\n\n" for name in WITH_ROWS),
    )
    path = tmp_path / "app.sql"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def dump(path: Path) -> Dump:
    dump = pk.read_dump(path)
    assert isinstance(dump, Dump)
    return dump


def _doors(dump: Dump, difference: Difference, folder: Path) -> Iterator[tuple[str, Resolve]]:
    yield "dump[…]", lambda text: str(dump[text].name)
    yield "read_table", lambda text: str(dump.typed_table(text).name)
    yield "extract", lambda text: str(extract(dump, text, csv=folder / "rows.csv", overwrite=True).table)
    yield "rows", lambda text: str(difference.find_table(text))
    yield "rescue", lambda text: ", ".join(map(str, Rescue(difference, [text]).tables))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("user", "public.user"),
        ('"user"', "public.user"),
        ("public.user", "public.user"),
        ('"User"', 'public."User"'),
        ('public."User"', 'public."User"'),
        ("USER", "public.user"),
        ("Order Lines", 'a."Order Lines"'),
        ("x.logs", "x.logs"),
        ('x."public.gone"', 'x."public.gone"'),
        ("S.t", '"S".t'),
        ("T", '"S".t'),
    ],
)
def test_a_table_is_the_same_one_everywhere(dump: Dump, tmp_path: Path, text: str, meant: str) -> None:
    found = {door: find(text) for door, find in _doors(dump, pk.diff(dump, dump), tmp_path)}
    assert found == dict.fromkeys(found, meant)
    check = check_required_tables([text], tables_with_rows(dump), all_tables(dump))
    assert check.outcome in {Outcome.PASSED, Outcome.WARNED}
    assert check.outcome is Outcome.PASSED or f"{text} is taken for {meant}" in check.found


@pytest.mark.parametrize(
    ("text", "named", "required"),
    [
        ("User", ('public."User"', "public.user"), Outcome.WARNED),  # the quotes may have been eaten by a shell
        ("public.User", ('public."User"', "public.user"), Outcome.WARNED),
        ("orders", ("a.orders", "b.orders"), Outcome.WARNED),  # also where one has its rows in partitions
        ("logs", ("x.logs", "public.logs"), Outcome.NOT_CHECKED),  # also where one is without rows
        ("public.gone", (), Outcome.FAILED),  # another one's whole name
        ("public.logs", (), Outcome.FAILED),
        ('"USER"', ('public."User"', "public.user"), Outcome.FAILED),
    ],
)
def test_what_is_refused_is_refused_everywhere(
    dump: Dump, path: Path, tmp_path: Path, text: str, named: tuple[str, ...], required: Outcome
) -> None:
    doors = dict(_doors(dump, pk.diff(dump, dump), tmp_path))
    doors["restore"] = lambda text: str(restore_part(path, "postgresql://nobody@127.0.0.1:1/none", tables=[text]).tables)
    for door, find in doors.items():
        with pytest.raises(PgAuditError) as refused:
            find(text)
        assert isinstance(refused.value, UsageError if door in {"rows", "rescue"} else RowsNotAvailable), door
        assert [name for name in named if name not in str(refused.value)] == [], door
    check = check_required_tables([text], tables_with_rows(dump), all_tables(dump))
    assert check.outcome is required, check.found
    assert check.remedy


def test_a_required_table_whose_rows_are_gone_is_not_found_in_another() -> None:
    """`users` of Supabase are public.users and auth.users; once the first is lost, the second says nothing about it."""
    public, auth, account = TableName("public", "users"), TableName("auth", "users"), TableName("public", "account")
    both = check_required_tables(["users"], {public, auth})
    assert (both.outcome, both.found) == (Outcome.WARNED, "all there; users is taken for auth.users or public.users")
    lost = check_required_tables(["users"], {auth}, [public])
    assert lost.outcome is Outcome.NOT_CHECKED
    assert lost.found == "users is taken for auth.users or public.users; no rows of public.users"
    assert check_required_tables(["public.users"], {auth}, [public]).outcome is Outcome.FAILED
    otherwise = check_required_tables(["Account", "account"], {account})
    assert (otherwise.outcome, otherwise.found) == (Outcome.WARNED, "all there; Account is taken for public.account")
    assert check_required_tables(['"Account"'], {account}).outcome is Outcome.FAILED


def test_a_command_that_is_offered_means_that_table_past_a_shell() -> None:
    tables = [TableName("public", "user"), TableName("public", "User"), TableName("x", "it's $HOME")]
    for table in tables:
        words = shlex.split(extracted(table))
        assert (words[:3], words[4:]) == (["pgaudit", "extract", "DUMP"], ["--into", "TARGET"])
        assert tables_meant(words[3], tables) == [table]
