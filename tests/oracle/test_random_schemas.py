"""Random schemas and rows through a real server and real pg_dump: our rows are the server's own bytes, whatever the format.

A handful of examples by default; by hand: `pytest tests/oracle/test_random_schemas.py --hypothesis-profile=thorough`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.snapshot import snapshot
from tests.conftest import missing
from tests.oracle.judge import copied_by_pg_restore, differing_tables, listed_by_pg_restore, listed_by_us
from tests.oracle.random_databases import Table, databases
from tests.postgres_versions import REQUIRED, installation

SERVER = 15  # old enough for four versions of pg_dump, new enough for a snapshot to describe
EXAMPLES = 300 if settings.get_current_profile_name() == "thorough" else 6


@pytest.fixture(scope="module")
def url(server_of: Callable[[int], EmbeddedServer]) -> Iterator[str]:
    """A database that every example fills and empties."""
    server = server_of(SERVER)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE random TEMPLATE template0")
    yield server.url("random")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE random WITH (FORCE)")


def fill(url: str, tables: tuple[Table, ...]) -> dict[TableName, bytes]:
    """Create *tables* in the emptied database, and return what the server's COPY gives for each, under pg_dump's settings."""
    with psycopg.connect(url, autocommit=True) as connection:
        schemas = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
        for (schema,) in connection.execute(schemas).fetchall():
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
        for schema in {table.schema for table in tables}:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        for table in tables:
            for statement in table.statements():
                connection.execute(statement)
        connection.execute("SET extra_float_digits = 3; SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET timezone = 'UTC'")
        return {TableName(table.schema, table.name): copy_of(connection, table) for table in tables}


def copy_of(connection: psycopg.Connection, table: Table) -> bytes:
    listed = sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Identifier, table.copied))) if table.copied else sql.SQL("")
    query = sql.SQL("COPY {} {} TO STDOUT").format(sql.Identifier(table.schema, table.name), listed)
    with connection.cursor().copy(query) as copy:
        return b"".join(map(bytes, copy))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(tables=databases(), data=st.data())
def test_a_random_database_reads_the_same_in_every_format_as_the_server_and_pg_restore_say(
    url: str, tmp_path: Path, tables: tuple[Table, ...], data: st.DataObject
) -> None:
    expected = fill(url, tables)
    major = data.draw(st.sampled_from([version for version in REQUIRED if version >= SERVER]), label="pg_dump")
    program = installation(major, missing)
    options = data.draw(st.sampled_from([("--inserts",), ("--column-inserts",), ("--rows-per-insert=2",), ("--quote-all-identifiers",)]))
    with snapshot(url) as live:
        fingerprints = {name: live.fingerprint(name) for name in expected}
    for dump_format in ("plain", "custom", "directory", "tar"):
        compression = data.draw(st.sampled_from(program.compressions), label=dump_format)
        for extra in ((), options) if dump_format in ("plain", "custom") else ((),):
            path = tmp_path / f"{dump_format}-{major}-{len(list(tmp_path.iterdir()))}"
            program.dump(url, path, *extra, dump_format=dump_format, compression=compression)
            dump = read_dump(path)
            assert dump.damage == ()
            assert {name: b"".join(dump.row_blocks(name)) for name in dump.table_data} == expected
            assert {name: dump.fingerprint(name) for name in dump.table_data} == fingerprints
            assert {name: rows.rows for name, rows in dump.table_data.items()} == {n: rows.count(b"\n") for n, rows in expected.items()}
            if dump_format != "plain":
                oracle = installation(max(REQUIRED), missing)
                assert listed_by_us(dump) == listed_by_pg_restore(oracle, path)
                assert (
                    "inserts" in "".join(extra)
                    or "--rows" in "".join(extra)
                    or not differing_tables(dump, copied_by_pg_restore(oracle, path))
                )
            if dump_format in ("plain", "custom") and not extra:
                with diff(str(path), url) as difference:
                    assert difference.object_differences == ()
                    assert difference.verdict == "same"
