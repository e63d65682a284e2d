from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from pgaudit_kit.operations.rehearsals.amcheck import check_amcheck
from pgaudit_kit.records.verdict import Outcome
from pgaudit_kit.server.targets import resolve_target

TABLES = """
CREATE FUNCTION folded(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)';
CREATE SCHEMA "Odd one";
CREATE TABLE "Odd one"."T" (id int PRIMARY KEY, name text);
INSERT INTO "Odd one"."T" SELECT n, 'Name ' || n FROM generate_series(1, 100) n;
CREATE INDEX "T names" ON "Odd one"."T" (folded(name));
CREATE INDEX ON "Odd one"."T" USING hash (name);
"""


@pytest.fixture
def url(make_database: Callable[..., str]) -> str:
    url = make_database()
    with psycopg.connect(url) as connection:
        connection.execute(TABLES.encode())
    return url


def test_sound_heaps_and_indexes_pass(url: str) -> None:
    check = check_amcheck(resolve_target(url))
    assert check.outcome is Outcome.PASSED, check
    assert check.compared > 100, "those of the catalog are asked, too"


def test_an_index_that_does_not_fit_its_table_is_named_and_the_dump_is_not_to_blame(url: str) -> None:
    with psycopg.connect(url) as connection:  # as a function that is not really immutable does
        connection.execute("CREATE OR REPLACE FUNCTION folded(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT upper($1)'")
    check = check_amcheck(resolve_target(url))
    assert check.outcome is Outcome.NOT_CHECKED
    assert '"Odd one"."T names": ' in check.found
    assert "the dump is not to blame" in check.remedy


def test_who_may_not_ask_is_told(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE amcheck_nobody LOGIN")
    try:
        check = check_amcheck(resolve_target(url.replace("postgres@", "amcheck_nobody@")))
        assert check.outcome is Outcome.NOT_CHECKED
        assert "permission denied" in check.found
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP ROLE amcheck_nobody")
