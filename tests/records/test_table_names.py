"""One rule for which table a text means: what we show means itself, and what may be several tables is told as all of them."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.table_names import how_to_choose, name_in_sql, tables_like, tables_meant, why_refused

LOWER, UPPER = TableName("public", "user"), TableName("public", "User")
DOTTED, OTHER = TableName("x", "public.user"), TableName("x", "Order Lines")
ALL = (LOWER, UPPER, DOTTED, OTHER)
# few letters, so that names collide in every way: capitals, dots, quotes, blanks, and letters of which ASCII has no capitals
_names = st.builds(TableName, st.text('aA."é _1', min_size=1, max_size=4), st.text('aA."é _1', min_size=1, max_size=4))


@pytest.mark.parametrize(
    ("text", "tables", "meant"),
    [
        *((str(table), ALL, [table]) for table in ALL),
        ("user", ALL, [LOWER]),
        ("public.user", ALL, [LOWER]),
        ("public.user", (DOTTED,), []),  # we show another table so, which is not there
        ("user", (UPPER,), []),
        ("PUBLIC.user", ALL, [LOWER]),
        ('"User"', ALL, [UPPER]),
        ('PUBLIC."User"', ALL, [UPPER]),
        ('Public."user"', ALL, [LOWER]),
        ("User", ALL, [UPPER, LOWER]),
        ("public.User", ALL, [UPPER, LOWER]),
        ("User", (UPPER, OTHER), [UPPER]),
        ("User", (LOWER, OTHER), [LOWER]),
        ("USER", ALL, [LOWER]),
        ("Order Lines", ALL, [OTHER]),
        ("x.Order Lines", ALL, [OTHER]),
        ("x.public.user", ALL, [DOTTED]),
        ("db.public.user", ALL, []),  # no other database is looked into
        ("t", (TableName("a", "t"), TableName("b", "t")), [TableName("a", "t"), TableName("b", "t")]),
        (" public . user ", ALL, [LOWER]),
        ('"User', ALL, []),
        ("", ALL, []),
        ("user; --", ALL, []),
    ],
)
def test_what_a_text_means(text: str, tables: tuple[TableName, ...], meant: list[TableName]) -> None:
    assert tables_meant(text, tables) == tables_meant(text, reversed(tables)) == meant


@given(st.lists(_names, max_size=6), _names)
def test_a_name_as_we_show_it_is_that_table_alone_whatever_else_there_is(others: list[TableName], table: TableName) -> None:
    assert tables_meant(str(table), [*others, table]) == [table]
    assert tables_meant(str(table), [other for other in others if other != table]) == []
    assert name_in_sql(str(table)) == (table.schema, table.name)


@given(st.lists(_names, max_size=6), _names)
def test_letters_without_quotes_never_mean_another_table_alone_while_theirs_is_there(others: list[TableName], table: TableName) -> None:
    for text in (table.name, f"{table.schema}.{table.name}"):
        meant = tables_meant(text, [*others, table])
        plain = '"' in text or text == text.translate(str.maketrans("A", "a"))
        assert table in meant or (plain and name_in_sql(text) is not None)


def test_what_is_refused_says_why_and_how_to_go_on() -> None:
    assert why_refused([TableName("a", "t"), TableName("b", "t")]) == "is there more than once, in several schemas"
    assert how_to_choose([TableName("a", "t"), TableName("b", "t")]) == "There is a.t, b.t."
    assert "capitals" in why_refused([UPPER, LOWER])
    told = how_to_choose([UPPER, LOWER])
    assert told.startswith('There is public."User", public.user. In a shell, write ')
    word = shlex.split(told.partition("write ")[2])[0].removesuffix(":")
    assert tables_meant(word, ALL) == [UPPER]


def test_what_may_have_been_meant_is_found_without_regard_to_capitals_and_quotes() -> None:
    assert tables_like("Users", ALL) == [UPPER, LOWER]
    assert tables_like('"USER"', (UPPER,)) == [UPPER]
    assert tables_like("elephant", ALL) == []
    assert tables_like("usr", (LOWER,), cutoff=0.95) == []
