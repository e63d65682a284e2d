"""What --include and --exclude choose of tables and the like is what pg_dump -t, -n, -T and -N choose: pg_dump is asked."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO

import psycopg
import pytest

from pgaudit_kit.difference.selection import Selection
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.server.snapshot import snapshot

SETUP = """
CREATE SCHEMA app; CREATE SCHEMA "App"; CREATE SCHEMA "a.p"; CREATE SCHEMA apple;
CREATE TABLE app.users (id serial PRIMARY KEY, n integer GENERATED ALWAYS AS IDENTITY);
CREATE TABLE app."Users" (id integer); CREATE TABLE app."user.s" (id integer); CREATE TABLE app."us*" (id integer);
CREATE TABLE app.log_2024 (id integer); CREATE TABLE app.log_x (id integer); CREATE TABLE app."cost$" (id integer);
CREATE TABLE app."Ärger" (id integer); CREATE TABLE app."line\nbreak" (id integer); CREATE TABLE app."say ""hi"" all" (id integer);
CREATE TABLE "App".users (id integer); CREATE TABLE "a.p".users (id integer); CREATE TABLE apple.users (id integer);
CREATE VIEW app.users_seen AS SELECT id FROM app.users; CREATE MATERIALIZED VIEW app.users_kept AS SELECT id FROM app.users;
CREATE SEQUENCE app.users_free; CREATE TABLE app.parts (id integer) PARTITION BY LIST (id);
CREATE TABLE app.parts_1 PARTITION OF app.parts FOR VALUES IN (1);
"""
TABLES = (
    *("app.users", "app.USERS", 'app."Users"', "app.user*", "app.user?", "app.us?rs", 'app."us*"', "app.us*"),
    *(
        '"App".*',
        "App.*",
        '"a.p".*',
        "a*.users",
        "*.users",
        "app.(users|log_x)",
        "app.users|log_x",
        "app.log_[0-9]+",
        "app.log_[[:digit:]]+",
        "app.cost$",
    ),
    *(
        "app.ÄRGER",
        "app.Ärger",
        "app.line*",
        'app."say ""hi"" all"',
        "app.parts",
        "app.user[_]*",
        'app."user.s"',
        "app.[lu]*",
    ),
    *("app.us{1}ers", "a(p|q)p.users", "app.pa+rts_1"),
)
SCHEMAS = ("app", '"App"', "app*", "ap?le", "a|app", '"a.p"', "APP")
KINDS = ("TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE")


@pytest.fixture(scope="module")
def pg_dump(server: EmbeddedServer) -> Iterator[Callable[..., set[str]]]:
    """Give a function that returns what pg_dump dumps with these options: the tables and the like by schema and name."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE patterns TEMPLATE template0")
        with psycopg.connect(server.url("patterns"), autocommit=True) as made:
            made.execute(SETUP.encode())

        def run(*options: str) -> set[str]:
            argv = [str(server.bin_folder / "pg_dump"), "-d", server.url("patterns"), "--schema-only", "--format=custom", *options]
            done = subprocess.run(argv, capture_output=True, check=False)
            if b"no matching" in done.stderr:
                return set()
            assert done.returncode == 0, done.stderr
            return _named(read_dump(BytesIO(done.stdout)).inventory)

        yield run
        connection.execute("DROP DATABASE patterns WITH (FORCE)")


@pytest.fixture(scope="module")
def inventory(pg_dump: Callable[..., set[str]], server: EmbeddedServer) -> Inventory:
    with snapshot(server.url("patterns")) as live:
        return live.inventory


def _named(inventory: Inventory) -> set[str]:
    return {str(o.key) for o in inventory.of_kind(*KINDS)}


def _chosen(inventory: Inventory, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> set[str]:
    keys = Selection.of(include, exclude).keys(inventory)
    return {str(key) for key in keys if key.kind in KINDS}


@pytest.mark.parametrize("pattern", TABLES)
def test_include_and_exclude_choose_the_tables_that_pg_dump_chooses(
    pattern: str, inventory: Inventory, pg_dump: Callable[..., set[str]]
) -> None:
    assert _chosen(inventory, [pattern]) == pg_dump("-t", pattern)
    assert _chosen(inventory, exclude=[pattern]) == pg_dump("-T", pattern)


@pytest.mark.parametrize("pattern", SCHEMAS)
def test_a_schema_and_a_star_choose_what_pg_dump_chooses_by_schema(
    pattern: str, inventory: Inventory, pg_dump: Callable[..., set[str]]
) -> None:
    assert _chosen(inventory, [f"{pattern}.*"]) == pg_dump("-n", pattern)
    assert _chosen(inventory, exclude=[f"{pattern}.*"]) == pg_dump("-N", pattern)


def test_a_sequence_can_be_left_out_by_its_own_name_although_a_table_owns_it(inventory: Inventory) -> None:
    """Which pg_dump does not: it dumps what the table owns with the table."""
    assert _chosen(inventory, ["app.users"], ["app.users_id_seq"]) == {"TABLE app.users", "SEQUENCE app.users_n_seq"}


def test_patterns_go_together_as_those_of_pg_dump(inventory: Inventory, pg_dump: Callable[..., set[str]]) -> None:
    assert _chosen(inventory, ["app.users", "apple.*"], ["*.log_x", "app.users_free"]) == pg_dump(
        "-t", "app.users", "-t", "apple.*", "-T", "*.log_x", "-T", "app.users_free"
    )
