"""Whose fault a failed load is: from what psql and pg_restore really print (PostgreSQL 13 to 18)."""

from __future__ import annotations

import pickle

import pytest

from pgaudit_kit.operations.restores.load_errors import Party, load_failed, read_load_error

PG_RESTORE = 'pg_restore: connecting to database for restore\npg_restore: creating TABLE "public.t"\n'


def archive(message: str, entry: str = "218; 1259 16387 TABLE t postgres") -> str:
    return (
        f"{PG_RESTORE}pg_restore: while PROCESSING TOC:\npg_restore: from TOC entry {entry}\n"
        f"pg_restore: error: could not execute query: ERROR:  {message}\nCommand was: CREATE TABLE public.t (\n    a integer\n);\n\n\n"
    )


def script(sqlstate: str, message: str, more: str = "") -> str:
    return f"psql:<stdin>:42: ERROR:  {sqlstate}: {message}\n{more}LOCATION:  somewhere, some.c:1194\n"


@pytest.mark.parametrize(
    ("words", "party", "place"),
    [
        (archive('extension "postgis" is not available', "2; 3079 16385 EXTENSION postgis "), Party.ENVIRONMENT, "EXTENSION postgis"),
        (script("0A000", 'extension "postgis" is not available'), Party.ENVIRONMENT, "line 42 of the script"),
        (script("58P01", 'could not open extension control file "/x/postgis.control": No such file'), Party.ENVIRONMENT, "line 42"),
        (script("58P01", 'could not access file "$libdir/pgcrypto": No such file or directory'), Party.ENVIRONMENT, "line 42"),
        (archive('role "owner_1" does not exist'), Party.ENVIRONMENT, "TABLE t"),
        (script("42704", 'role "owner_1" does not exist'), Party.ENVIRONMENT, "line 42"),
        (script("42704", 'role "Odd "Reader" 1" does not exist'), Party.ENVIRONMENT, "line 42"),
        (script("42704", 'tablespace "fast one" does not exist'), Party.ENVIRONMENT, "line 42"),
        (script("42704", 'tablespace "fast" does not exist'), Party.ENVIRONMENT, "line 42"),
        (script("42704", 'collation "public.de" for encoding "UTF8" does not exist'), Party.ENVIRONMENT, "line 42"),
        (script("22023", 'could not create locale "xx_XX": No such file or directory'), Party.ENVIRONMENT, "line 42"),
        (script("22023", 'security label provider "selinux" is not loaded'), Party.ENVIRONMENT, "line 42"),
        (script("22023", 'invalid value for parameter "default_table_access_method": "hydra"'), Party.ENVIRONMENT, "line 42"),
        (script("42704", 'foreign-data wrapper "mysql_fdw" does not exist'), Party.ENVIRONMENT, "line 42"),
        (script("0A000", "ICU is not supported in this build"), Party.ENVIRONMENT, "line 42"),
        (script("42501", "permission denied for schema public"), Party.ENVIRONMENT, "line 42"),
        (archive('must be able to SET ROLE "owner_1"'), Party.ENVIRONMENT, "TABLE t"),
        (script("53100", 'could not extend file "base/1/2": No space left on device'), Party.ENVIRONMENT, "line 42"),
        (archive('could not extend file "base/1/2": No space left on device'), Party.ENVIRONMENT, "TABLE t"),
        (
            script("22P05", 'character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent in encoding "LATIN1"'),
            "environment",
            "",
        ),
        ("pg_restore: error: unsupported version (1.16) in file header\n", Party.VERSIONS, ""),
        ("psql:<stdin>:5: error: invalid command \\restrict\n", Party.VERSIONS, ""),
        ("pg_restore: error: could not uncompress data: this build does not support compression with zstd\n", Party.VERSIONS, ""),
        (script("42704", 'unrecognized configuration parameter "transaction_timeout"'), Party.VERSIONS, "line 42"),
        (archive('schema "public" already exists', "5; 2615 2200 SCHEMA public pg_database_owner"), Party.BENIGN, "SCHEMA public"),
        (script("42501", "must be owner of extension plpgsql"), Party.BENIGN, "line 42"),
        (script("23514", 'check constraint "t_a_check" of relation "t" is violated by some row'), Party.BACKUP, "line 42"),
        (archive('could not create unique index "t_pkey"\nDETAIL:  Key (a)=(s3cret) is duplicated.'), Party.BACKUP, "TABLE t"),
        (script("42P07", 'relation "t" already exists'), Party.BACKUP, "line 42"),
        (script("42601", 'syntax error at or near "CREAT"'), Party.BACKUP, "line 42"),
        (script("42P01", 'relation "public.users" does not exist'), Party.BACKUP, "line 42"),
        ("pg_restore: error: could not read from input file: end of file\n", Party.BACKUP, ""),
        ("pg_restore: error: could not uncompress data: invalid distance too far back\n", Party.BACKUP, ""),
        (script("57P01", "terminating connection due to administrator command"), Party.INTERRUPTED, "line 42"),
        ("pg_restore: error: could not execute query: server closed the connection unexpectedly\n", Party.INTERRUPTED, ""),
        (script("XX000", "cache lookup failed for type 1"), Party.UNKNOWN, "line 42"),
        ("", Party.UNKNOWN, ""),
    ],
)
def test_the_party_and_the_object_are_told(words: str, party: str, place: str) -> None:
    found = read_load_error(words)
    assert (found.party, found.object[: len(place)]) == (party, place)
    assert found.cause
    assert found.remedy
    assert "s3cret" not in found.sentence  # no value of a row


@pytest.mark.parametrize(
    ("sqlstate", "message"),
    [
        ("42601", 'syntax error at or near "NULLS"'),
        ("42704", 'type "xid8" does not exist'),
        ("42883", "function any_value(x) does not exist"),
    ],
)
def test_what_an_older_server_does_not_know_is_the_versions_fault_and_else_the_backups(sqlstate: str, message: str) -> None:
    assert read_load_error(script(sqlstate, message), newer_dump=True).party is Party.VERSIONS
    assert read_load_error(script(sqlstate, message)).party is Party.BACKUP


@pytest.mark.parametrize(
    ("sqlstate", "message", "party"),
    [
        ("23514", "Check-Constraint »odd« von Relation »b« wird von irgendeiner Zeile verletzt", "backup"),
        ("42501", "keine Berechtigung für Schema public", "environment"),
        ("57P01", "Verbindung wird abgebrochen aufgrund von Anweisung des Administrators", "interrupted"),
        ("53100", "konnte Datei »base/1/2« nicht erweitern", "environment"),
        ("42704", "Rolle »r« existiert nicht", "unknown"),  # could be a type just as well
    ],
)
def test_a_server_that_speaks_another_language_is_understood_by_its_codes(sqlstate: str, message: str, party: str) -> None:
    assert read_load_error(script(sqlstate, message)).party == party


def test_a_row_is_named_by_its_place_and_never_by_its_values() -> None:
    context = 'CONTEXT:  COPY people, line 7, column born: "1970-13-45 s3cret"\n'
    found = read_load_error(script("22008", "date/time field value out of range", context))
    assert found.party is Party.BACKUP
    assert found.object == "line 42 of the script, COPY people, line 7, column born"
    assert "s3cret" not in found.sentence


def test_a_function_that_needs_a_search_path_is_told_as_such() -> None:
    context = "QUERY:  SELECT x FROM users\nCONTEXT:  PL/pgSQL function public.first_user() line 3 at SQL statement\n"
    found = read_load_error(script("42P01", 'relation "users" does not exist', context))
    assert found.party is Party.BACKUP
    assert "search path" in found.cause
    assert "function public.first_user" in found.object


def test_the_error_has_it_all_and_survives_pickling_without_secrets() -> None:
    error = load_failed(script("42704", 'role "r" does not exist at postgresql://u:hunter2@h/d'), program="psql", secrets=("hunter2",))
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    for one in (error, copy):
        assert (one.party, one.sqlstate, one.object_name) == ("environment", "42704", "line 42 of the script")
        assert "the environment lacks something" in str(one)
        assert "--no-owner" in one.remedy
        assert "hunter2" not in f"{one!r} {one} {vars(one)}"
