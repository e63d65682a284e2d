from __future__ import annotations

import pytest

from pgaudit_kit.operations.rehearsals.problems import Blame, Problem, blamed, made_by, settings_in, shown_statement


def problem(message: str) -> Problem:
    return Problem(1, "CREATE something", message)


def blame(*messages: str, made: tuple[str, ...] = (), **known: bool) -> list[Blame]:
    return [p.blame for p in blamed([problem(m) for m in messages], made, **known)]


@pytest.mark.parametrize(
    "message",
    [
        'extension "vector" is not available',
        'could not access file "$libdir/postgis-3": No such file or directory',
        'collation "xx_YY" for encoding "UTF8" does not exist',
        'language "plpython3u" does not exist',
        'tablespace "fast" does not exist',
        'role "bob" does not exist',
        "ICU is not supported in this build",
        'could not extend file "base/5/16384": No space left on device',
    ],
)
def test_what_a_server_lacks_is_the_environment(message: str) -> None:
    assert blame(message) == [Blame.ENVIRONMENT]


@pytest.mark.parametrize(
    "message",
    [
        'type "public.geometry" does not exist',
        "function public.st_area(public.geometry) does not exist",
        'relation "public.places" does not exist',
        'operator class "public.gist_geometry_ops_2d" does not exist for access method "gist"',
        'access method "hnsw" does not exist',
        'schema "postgis" does not exist',
        'text search configuration "public.odd" does not exist',
    ],
)
def test_what_needed_that_is_a_consequence_and_without_a_cause_the_dump_is_to_blame(message: str) -> None:
    missing = 'extension "postgis" is not available'
    assert blame(message, missing) == [Blame.ENVIRONMENT] * 2, "in whatever order several connections told them"
    assert blame(message, lacking=True) == [Blame.ENVIRONMENT]
    assert blame(message) == [Blame.BACKUP]
    made = ("geometry", "st_area", "places", "gist_geometry_ops_2d", "hnsw", "postgis", "odd")
    assert blame(message, made=made, lacking=True) == [Blame.BACKUP], "that was created, so something else is wrong"


def test_an_error_of_the_dump_stays_one_whatever_the_server_lacks() -> None:
    messages = (
        'column "txt" does not exist',
        'insert or update on table "a" violates foreign key constraint "b"',
        'duplicate key value violates unique constraint "c"',
        'invalid input syntax for type integer: "x"',
    )
    assert blame(*messages, lacking=True, newer=True, other_locale=True) == [Blame.BACKUP] * 4


def test_a_newer_server_may_not_take_what_an_older_one_took() -> None:
    gone = ('type "abstime" does not exist', 'syntax error at or near "WITH"', "function array_append(anyarray, anyelement) does not exist")
    assert blame(*gone, newer=True) == [Blame.VERSIONS] * 3
    assert blame(*gone) == [Blame.BACKUP] * 3


def test_rows_that_fit_no_partition_are_no_fault_of_the_dump_when_text_is_ordered_otherwise() -> None:
    message = 'no partition of relation "t" found for row'
    assert blame(message) == [Blame.BACKUP]
    assert blame(message, other_locale=True) == [Blame.ENVIRONMENT]


def test_settings_and_what_is_there_already_cost_nothing() -> None:
    setting = 'unrecognized configuration parameter "transaction_timeout"'
    found = blamed([problem(setting), problem('schema "public" already exists'), problem(setting)], ())
    assert [p.blame for p in found] == [Blame.SETTING, Blame.BENIGN, Blame.SETTING]
    assert settings_in(found) == ("transaction_timeout",)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("CREATE TABLE public.users (id int)", "users"),
        ('CREATE UNLOGGED TABLE "Odd Schema"."A ""b""" (id int)', 'A "b"'),
        ("CREATE OR REPLACE FUNCTION public.f(a int) RETURNS int", "f"),
        ("CREATE MATERIALIZED VIEW x.mv AS SELECT 1", "mv"),
        ("CREATE OPERATOR CLASS public.ops FOR TYPE int USING btree", "ops"),
        ("CREATE TYPE mood AS ENUM ('a')", "mood"),
        ("CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public", "citext"),
        ("ALTER TABLE public.users OWNER TO bob", None),
        ("SELECT 1", None),
    ],
)
def test_what_a_statement_makes(statement: str, name: str | None) -> None:
    assert made_by(statement) == name


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        (
            "CREATE USER MAPPING FOR bob SERVER f OPTIONS (\n    password 's3cret'\n);",
            "CREATE USER MAPPING FOR bob SERVER f OPTIONS ( password …",
        ),
        ("""INSERT INTO public."it's" (a) VALUES ('s3cret', 4711);""", """INSERT INTO public."it's" (a) …"""),
        ("""COPY public."it's" (a) FROM stdin;""", """COPY public."it's" (a) FROM stdin;"""),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $x$ SELECT 's3cret' $x$;", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS …"),
    ],
)
def test_what_is_shown_of_a_statement_has_no_value_in_it(statement: str, shown: str) -> None:
    assert shown_statement(statement) == shown
