"""Columns that a statement cannot mean are not read, and whenever it might mean any, all are."""

from __future__ import annotations

import duckdb
import pytest

from pgaudit_kit.sql.statement import read_statement


@pytest.mark.parametrize(
    ("sql", "used", "unused"),
    [
        ("SELECT d.id, f(d.A) FROM dump.m AS d JOIN live.m l USING (key)", {"id", "a", "key"}, {"other"}),
        ("SELECT count(*) FROM t", set(), {"id"}),
        ("WITH c AS (SELECT id FROM t) SELECT id FROM c UNION ALL SELECT n FROM range(3) r(n)", {"id"}, {"x"}),
        ("SELECT (SELECT max(x) FROM t WHERE t.y = u.z) FROM u GROUP BY w HAVING v QUALIFY q", {"x", "y", "z", "w", "v", "q"}, {"id"}),
        ("SELECT t.id FROM t ASOF JOIN u ON t.x >= u.x SEMI JOIN w USING (k)", {"id", "x", "k"}, {"y"}),
    ],
)
def test_names_that_are_not_there_cannot_be_meant(sql: str, used: set[str], unused: set[str]) -> None:
    found = read_statement(sql, duckdb.connect(), "").columns
    assert found is not None
    assert used <= found
    assert not unused & found


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM t",
        "SELECT t.* FROM t",
        "SELECT COLUMNS('a.*') FROM t",
        "FROM t",
        "TABLE t",
        "DESCRIBE t",
        "SUMMARIZE t",
        "SELECT #1 FROM t",
        "SELECT id FROM t NATURAL JOIN u",
        "SELECT id FROM t UNION BY NAME SELECT b FROM u",
        "SELECT x FROM t AS t(x)",
        "SELECT d IS NOT DISTINCT FROM l FROM dump.t d, live.t l",
        "SELECT count(T) FROM t",
        "SELECT public.t FROM public.t",
        "SELECT id FROM t WHERE EXISTS (SELECT * FROM u)",
    ],
)
def test_what_may_mean_any_column_means_all(sql: str) -> None:
    assert read_statement(sql, duckdb.connect(), "").columns is None
