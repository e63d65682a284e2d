"""Hashes that a server made at backup time prove a restored database; what they cannot decide, the rows do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest

from pgaudit_kit.audits.proof import prove
from pgaudit_kit.audits.taking import take_backup_manifest
from pgaudit_kit.difference.tables import compare_tables
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Outcome
from pgaudit_kit.server import row_hashes
from pgaudit_kit.server.snapshot import Snapshot, snapshot

T = TableName("public", "t")
TABLE = """
CREATE TABLE t (id int PRIMARY KEY, n numeric, s text, doc jsonb, seen timestamptz[]);
INSERT INTO t SELECT i, i / 7.0, md5(i::text), jsonb_build_object('i', i), ARRAY['2026-01-01'::timestamptz + i * interval '1 h']
    FROM generate_series(1, 3000) i;
CREATE TABLE empty (id int);
"""


@pytest.fixture(autouse=True)
def _every_table_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_hashes, "LARGE_BYTES", 0)


def fill(url: str, *statements: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (TABLE, *statements):
            connection.execute(statement.encode())
    return url


def recorded(url: str) -> Manifest:
    with snapshot(url) as live:
        taken = take_backup_manifest(live, live.table_data.keys())
    return Manifest.from_json(taken.to_json(), label="recorded")


def methods(manifest: Manifest, live: Snapshot) -> dict[str, tuple[str, str | None]]:
    return {t.name.name: (t.status, t.method) for t in compare_tables(manifest, live)}


def test_the_same_rows_are_proven_by_the_server_and_not_read(make_database: Callable[..., str]) -> None:
    manifest = recorded(fill(make_database()))
    with snapshot(fill(make_database(), "UPDATE t SET n = n WHERE id % 3 = 0")) as live:
        assert methods(manifest, live) == {"t": ("same", "server hashes"), "empty": ("same", "server hashes")}
        assert live.table_data[T].rows is None  # nobody has read them
        assert prove(manifest, live).verdict is Outcome.PASSED


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE t SET n = 1.00 WHERE id = 7 AND n = 1",
        "UPDATE t SET s = 'x' WHERE id = 2999",
        "DELETE FROM t WHERE id = 1",
        "INSERT INTO t SELECT 3001, n, s, doc, seen FROM t WHERE id = 1",
        "UPDATE t SET doc = NULL WHERE id = 5",
    ],
)
def test_one_changed_row_is_named_by_reading_them(change: str, make_database: Callable[..., str]) -> None:
    manifest = recorded(fill(make_database()))
    with snapshot(fill(make_database(), "UPDATE t SET n = 1.0 WHERE id = 7", change)) as live:
        assert methods(manifest, live)["t"] == ("different", "fingerprints")


def test_hashes_that_differ_prove_nothing(make_database: Callable[..., str]) -> None:
    manifest = recorded(fill(make_database()))
    data = manifest.table_data[T]
    assert data.server_hash is not None
    for hashed in (replace(data.server_hash, total=1), replace(data.server_hash, expression="hash of another version"), None):
        other = replace(manifest, table_data={**manifest.table_data, T: replace(data, server_hash=hashed)})
        with snapshot(fill(make_database())) as live:
            assert methods(other, live)["t"] == ("same", "fingerprints")


@pytest.mark.parametrize("major", [13, 14, 16])
def test_another_version_is_asked_and_an_older_one_read(
    major: int, make_database: Callable[..., str], server_of: Callable[[int], EmbeddedServer]
) -> None:
    manifest = recorded(fill(make_database()))
    server = server_of(major)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS hashed")
        connection.execute("CREATE DATABASE hashed TEMPLATE template0")
    with snapshot(fill(server.url("hashed"))) as live:
        assert methods(manifest, live)["t"] == ("same", "fingerprints" if major < 14 else "server hashes")


def test_what_was_left_out_of_a_portable_backup_is_not_missed(make_database: Callable[..., str], server: EmbeddedServer) -> None:
    manifest = recorded(fill(make_database(), "GRANT SELECT ON t TO PUBLIC"))
    with snapshot(fill(make_database())) as restored:
        assert prove(manifest, restored).verdict is Outcome.FAILED
        portable = replace(manifest, leaves_out=frozenset({"owner", "acl"}))
        assert prove(portable, restored).verdict is Outcome.PASSED


def test_a_server_that_refuses_to_hash_has_its_rows_read(make_database: Callable[..., str]) -> None:
    """A role may read all rows and yet not call every function of the server: neither a backup nor a comparison may fail by that."""
    url = fill(make_database())
    manifest = recorded(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("REVOKE EXECUTE ON FUNCTION pg_catalog.hashtextextended(text, bigint) FROM PUBLIC")
        connection.execute("CREATE ROLE hash_reader LOGIN IN ROLE pg_read_all_data")
        try:
            role = url.replace("://postgres@", "://hash_reader@")
            assert recorded(role).table_data[T] == replace(manifest.table_data[T], server_hash=None)
            with snapshot(role) as live:
                assert methods(manifest, live)["t"] == ("same", "fingerprints")
        finally:
            connection.execute("DROP ROLE hash_reader")
