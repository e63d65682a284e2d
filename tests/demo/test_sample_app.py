"""The sample application: what it holds, that it is always the same, and that it is created whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from pgaudit_kit.demo.rows import DEFAULT_SEED, SIZES, sample_rows
from pgaudit_kit.demo.sample_app import APPLICATION, MIGRATIONS, create_sample_app
from pgaudit_kit.errors import CannotConnect, OperationError, UsageError
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.demo.conftest import database


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_it_holds_300_000_rows(sample: str) -> None:
    found = {table: ask(sample, f"SELECT count(*) FROM {table}")[0][0] for table in SIZES}
    assert found == SIZES
    assert sum(found.values()) == 300_000


def test_messages_fall_on_every_day_of_two_years(sample: str) -> None:
    (first, last, days, fewest) = ask(
        sample,
        "SELECT min(day)::text, max(day)::text, count(*), min(n) FROM"
        " (SELECT (sent_at AT TIME ZONE 'UTC')::date AS day, count(*) AS n FROM messages GROUP BY 1) AS daily",
    )[0]
    assert (first, last, days) == ("2024-01-01", "2025-12-31", 731)
    assert fewest > 50


KINDS_OF_OBJECTS = {
    "an enum": "SELECT 1 FROM pg_type WHERE typtype = 'e' AND typname = 'UserRole'",
    "a view": "SELECT 1 FROM pg_views WHERE viewname = 'list_overview'",
    "a trigger with its function": "SELECT 1 FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang"
    " WHERE NOT t.tgisinternal AND l.lanname = 'plpgsql'",
    "a partial index": "SELECT 1 FROM pg_index WHERE indpred IS NOT NULL",
    "a GIN index": "SELECT 1 FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE '%USING gin%'",
    "an identity column": "SELECT 1 FROM pg_attribute WHERE attrelid = 'messages'::regclass AND attidentity = 'a'",
    "a serial column": "SELECT 1 FROM pg_attrdef WHERE pg_get_expr(adbin, adrelid) LIKE 'nextval(%'",
    "a list inside a list": "SELECT 1 FROM pg_constraint WHERE contype = 'f' AND conrelid = confrelid AND conrelid = 'lists'::regclass",
    "foreign keys, all validated": "SELECT 1 FROM pg_constraint WHERE contype = 'f' HAVING count(*) = 7 AND bool_and(convalidated)",
    "check constraints": "SELECT 1 FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid"
    " WHERE c.contype = 'c' AND r.relnamespace = 'public'::regnamespace HAVING count(*) = 3",
    "comments on a table, columns and a view": "SELECT 1 FROM pg_description d JOIN pg_class r ON r.oid = d.objoid"
    " WHERE r.relnamespace = 'public'::regnamespace HAVING count(*) = 4",
    "a default": "SELECT 1 FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'role'"
    " AND column_default IS NOT NULL",
    "a chain of 40 nested lists": "WITH RECURSIVE chain AS (SELECT id, 0 AS depth FROM lists WHERE parent_id IS NULL"
    " UNION ALL SELECT l.id, depth + 1 FROM lists l JOIN chain ON l.parent_id = chain.id) SELECT 1 FROM chain HAVING max(depth) >= 40",
    "statistics of every table": "SELECT 1 FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    " HAVING min(reltuples) > 0",
    "sequences that stand where the rows end": "SELECT 1 FROM pg_sequences"
    " HAVING string_agg(sequencename || '=' || last_value, ' ' ORDER BY sequencename)"
    " = 'list_properties_id_seq=9000 messages_id_seq=200000 users_id_seq=5000'",
}


@pytest.mark.parametrize("kind", KINDS_OF_OBJECTS)
def test_it_has_every_kind_of_object(sample: str, kind: str) -> None:
    assert ask(sample, KINDS_OF_OBJECTS[kind])


AWKWARD_VALUES = {
    "NULL beside empty text": "SELECT 1 FROM messages HAVING bool_or(subject IS NULL) AND bool_or(subject = '')",
    "tabs": r"SELECT 1 FROM messages WHERE body LIKE E'%\t%'",
    "newlines": r"SELECT 1 FROM messages WHERE body LIKE E'%\n%'",
    "carriage returns, alone and before newlines": r"SELECT 1 FROM messages HAVING bool_or(body LIKE E'%\r\n%')"
    r" AND bool_or(body ~ E'\r[^\n]')",
    "backslashes": r"SELECT 1 FROM messages WHERE body = E'\\'",
    "quotes of both kinds": "SELECT 1 FROM messages WHERE body LIKE '%''%' AND body LIKE '%\"%'",
    "emoji": "SELECT 1 FROM messages WHERE body LIKE '%🦆%'",
    "text that looks like the end of COPY data": r"SELECT 1 FROM messages WHERE body = E'\\.'",
    "text with an end of COPY data inside": r"SELECT 1 FROM messages WHERE body = E'\n\\.\n'",
    "text that looks like NULL": r"SELECT 1 FROM messages HAVING bool_or(body = E'\\N') AND bool_or(body = 'NULL')",
    "text that looks like a COPY statement": "SELECT 1 FROM messages WHERE body LIKE '%FROM stdin;%'",
    "control characters": "SELECT 1 FROM messages WHERE body LIKE E'%\\x1b%'",
    "letters in two normal forms": "SELECT 1 FROM messages WHERE body LIKE '%é%' AND body LIKE E'%e\\u0301%'",
    "a byte order mark": "SELECT 1 FROM messages WHERE body LIKE E'\\ufeff%'",
    "trailing spaces": "SELECT 1 FROM messages WHERE body LIKE '% '",
    "very long text": "SELECT 1 FROM messages WHERE length(body) > 2000000",
    "text outside its row": "SELECT 1 FROM messages WHERE length(subject) > 8000",
    "fixed length text with padding": "SELECT 1 FROM users WHERE octet_length(country_code) > length(country_code::text)",
    "every awkward text as a name too": "SELECT 1 FROM lists WHERE name = ''",
    "NaN, infinities and minus zero in double precision": "SELECT 1 FROM messages HAVING bool_or(sentiment = 'NaN')"
    " AND bool_or(sentiment = 'Infinity') AND bool_or(sentiment = '-Infinity') AND bool_or(sentiment::text = '-0')",
    "the smallest and largest double precision": "SELECT 1 FROM messages HAVING bool_or(sentiment = '5e-324')"
    " AND bool_or(sentiment = '1.7976931348623157e308')",
    "NaN and infinities in real": "SELECT 1 FROM messages HAVING bool_or(relevance = 'NaN') AND bool_or(relevance = 'Infinity')",
    "NaN and infinities in numeric": "SELECT 1 FROM list_data_rows HAVING bool_or(amount = 'NaN') AND bool_or(amount = 'Infinity')"
    " AND bool_or(amount = '-Infinity')",
    "numeric with 40 digits on either side": "SELECT 1 FROM list_data_rows HAVING bool_or(amount::text ~ '^[0-9]{40}$')"
    " AND bool_or(scale(amount) = 40)",
    "numeric that differs only in its zeros": "SELECT 1 FROM list_data_rows HAVING bool_or(amount::text = '1.10')"
    " AND bool_or(amount::text = '1.1')",
    "dates: infinite, before Christ, far": "SELECT 1 FROM list_data_rows HAVING bool_or(starts_on = 'infinity')"
    " AND bool_or(starts_on = '-infinity')"
    " AND bool_or(starts_on < '0001-01-01') AND bool_or(starts_on = '5874897-12-31')",
    "timestamps: infinite, before Christ, far": "SELECT 1 FROM list_data_rows HAVING bool_or(remind_at = 'infinity')"
    " AND bool_or(remind_at = '-infinity')"
    " AND bool_or(remind_at < '4000-01-01 00:00:00+00 BC') AND bool_or(isfinite(remind_at) AND remind_at > '294276-12-01 00:00:00+00')",
    "timestamps given in several zones": "SELECT 1 FROM list_data_rows HAVING bool_or(remind_at = '2024-07-01 06:15:00+00')"
    " AND bool_or(remind_at = '2024-07-01 21:30:00+00') AND bool_or(remind_at = '2024-07-01 14:30:00+00')",
    "both sides of a change of the clocks": "SELECT 1 FROM list_data_rows HAVING bool_or(remind_at = '2024-10-27 00:30:00+00')"
    " AND bool_or(remind_at = '2024-10-27 01:30:00+00')",
    "intervals, negative and mixed": "SELECT 1 FROM list_data_rows HAVING bool_or(estimate < '-1 day')"
    " AND bool_or(estimate::text = '1 mon -1 days')",
    "deep JSON": "SELECT 1 FROM list_data_rows WHERE data::text LIKE '%' || repeat('{\"a\": [', 60) || '%'",
    "JSON with escapes": "SELECT 1 FROM list_data_rows WHERE data ->> 'escapes' LIKE '%🦆%'",
    "JSON that keeps its escapes": r"SELECT 1 FROM messages WHERE metadata::text LIKE '%\\u00e9%'",
    "JSON with what jsonb refuses": r"SELECT 1 FROM messages WHERE metadata::text LIKE '%\\u0000%'",
    "JSON with blanks and line ends": r"SELECT 1 FROM messages WHERE metadata::text LIKE E'%\n\t%'",
    "JSON with numbers beyond double precision": "SELECT 1 FROM list_data_rows"
    " WHERE data ->> 'big' = '123456789012345678901234567890.123456789012345678901234567890'",
    "arrays with NULLs, and the text NULL": 'SELECT 1 FROM list_data_rows WHERE tags::text = \'{NULL,"NULL",NULL,""}\'',
    "arrays with quotes, commas, braces, backslashes": "SELECT 1 FROM list_data_rows WHERE 'comma, inside' = ANY(tags)"
    " AND '{brace}' = ANY(tags)",
    "arrays of two dimensions, and from another start": "SELECT 1 FROM list_data_rows HAVING max(array_ndims(tags)) = 2"
    " AND min(array_lower(tags, 1)) = -2",
    "empty arrays": "SELECT 1 FROM list_data_rows WHERE tags = '{}'",
    "arrays of NaN": "SELECT 1 FROM list_data_rows WHERE 'NaN' = ANY(scores)",
    "bytea with all byte values": "SELECT 1 FROM users WHERE avatar = decode((SELECT string_agg(lpad(to_hex(n), 2, '0'), '' ORDER BY n)"
    " FROM generate_series(0, 255) AS n), 'hex')",
    "empty bytea": "SELECT 1 FROM list_data_rows WHERE attachment = ''",
    "networks and addresses": "SELECT 1 FROM users HAVING bool_or(family(last_ip) = 6) AND bool_or(masklen(last_ip) = 16)",
    "names with tabs and umlauts": "SELECT 1 FROM list_properties HAVING bool_or(name LIKE E'%\\t%') AND bool_or(name = 'Größe')",
    "an enum value that was added later": "SELECT 1 FROM messages WHERE status = 'ARCHIVED'",
}


@pytest.mark.parametrize("kind", AWKWARD_VALUES)
def test_it_has_every_kind_of_awkward_value(sample: str, kind: str) -> None:
    assert ask(sample, AWKWARD_VALUES[kind])


@pytest.mark.parametrize("kind", AWKWARD_VALUES)
def test_the_smallest_size_has_every_kind_of_awkward_value(small: str, kind: str) -> None:
    assert ask(small, AWKWARD_VALUES[kind])


@pytest.fixture(scope="module")
def small(server: EmbeddedServer) -> Iterator[str]:
    with database(server, "demo_small") as url:
        create_sample_app(url, scale=0)
        yield url


def fingerprints(url: str) -> dict[str, str]:
    tables = [*SIZES, "_prisma_migrations"]
    return {t: ask(url, f"SELECT md5(string_agg(md5(t::text), '' ORDER BY id::text)) FROM {t} AS t")[0][0] for t in tables}


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(make_sample: Callable[[int], str]) -> None:
    first, again, other = (fingerprints(make_sample(seed)) for seed in (7, 7, 8))
    assert first == again
    assert all(first[table] != other[table] for table in first)


def test_the_rows_are_the_same_on_every_machine_and_python() -> None:
    digest = hashlib.sha256()
    for tables in sample_rows(DEFAULT_SEED, scale=0):
        digest.update(repr((tables.table, tables.columns, list(tables.rows))).encode())
    assert digest.hexdigest() == "9d6618ea19015caf88a1b40917e4ca9bec0309d6a02f3df167e0701a929a6256"


def test_the_session_s_own_settings_do_not_change_what_is_stored(
    make_database: Callable[..., str], make_sample: Callable[[int], str]
) -> None:
    url = make_database()
    with psycopg.connect(url, options="-c timezone=Asia/Kolkata -c datestyle=SQL,DMY -c intervalstyle=iso_8601") as connection:
        create_sample_app(connection, seed=7, scale=0)
    assert fingerprints(url) == fingerprints(make_sample(7))


def test_every_migration_is_recorded_with_the_sha256_of_its_file(sample: str) -> None:
    files = sorted(MIGRATIONS.glob("*/migration.sql"))
    recorded = ask(
        sample,
        "SELECT migration_name, checksum, applied_steps_count, logs, rolled_back_at, finished_at > started_at"
        " FROM _prisma_migrations ORDER BY started_at",
    )
    assert recorded == [(file.parent.name, hashlib.sha256(file.read_bytes()).hexdigest(), 1, None, None, True) for file in files]
    assert len(files) == 7


def test_the_ledger_has_prisma_s_own_columns(sample: str) -> None:
    columns = ask(
        sample,
        "SELECT attname::text, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
        " WHERE attrelid = '_prisma_migrations'::regclass AND attnum > 0 ORDER BY attnum",
    )
    assert columns == [
        ("id", "character varying(36)", True),
        ("checksum", "character varying(64)", True),
        ("finished_at", "timestamp with time zone", False),
        ("migration_name", "character varying(255)", True),
        ("logs", "text", False),
        ("rolled_back_at", "timestamp with time zone", False),
        ("started_at", "timestamp with time zone", True),
        ("applied_steps_count", "integer", True),
    ]


def test_the_application_s_files_are_those_of_a_prisma_project() -> None:
    assert (APPLICATION / "prisma" / "schema.prisma").is_file()
    assert 'provider = "postgresql"' in (MIGRATIONS / "migration_lock.toml").read_text(encoding="utf-8")
    assert "DATABASE_URL" in (APPLICATION / ".env.example").read_text(encoding="utf-8")


def test_a_database_that_holds_something_is_refused(make_database: Callable[..., str]) -> None:
    url = make_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE mine (n int)")
    with pytest.raises(UsageError, match="empty database"):
        create_sample_app(url, scale=0)
    assert ask(url, "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [("mine",)]


def test_a_failure_on_the_way_leaves_the_database_empty(make_database: Callable[..., str]) -> None:
    url = make_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE FUNCTION gen_random_uuid() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'")
        connection.execute("CREATE TYPE property_kind AS ENUM ('in the way')")  # the second migration creates it
    with pytest.raises(OperationError, match="nothing was changed"):
        create_sample_app(url, scale=0)
    assert ask(url, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]


def test_a_server_that_is_not_there_is_said_without_its_password() -> None:
    with pytest.raises(CannotConnect) as caught:
        create_sample_app("postgresql://app:hunter2@127.0.0.1:1/app")
    assert "hunter2" not in f"{caught.value} {caught.value!r}"
