"""A snapshot that was saved from one release says what changed on a server of another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.operations.extracts.save_snapshot import save_snapshot
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.server.live import LiveDatabase

NAME = "drift"
SETUP = """
CREATE TABLE t (id serial PRIMARY KEY, a text NOT NULL DEFAULT 'x', CHECK (a <> ''));
INSERT INTO t (a) VALUES ('one'), ('two');
CREATE VIEW v AS SELECT id, a FROM t WHERE id > 1;
CREATE MATERIALIZED VIEW m AS SELECT 1 AS one;
CREATE INDEX t_a ON t (lower(a));
CREATE PROCEDURE p(a integer) LANGUAGE sql AS '';
GRANT SELECT ON t TO PUBLIC;
"""


@pytest.mark.parametrize(("saved_from", "major"), [(13, 18), (16, 17)])
def test_a_saved_snapshot_of_another_release_is_compared_exactly(
    server_of: Callable[[int], EmbeddedServer], tmp_path: Path, saved_from: int, major: int
) -> None:
    old, new = (LiveDatabase(server_of(m), NAME) for m in (saved_from, major))
    for database in (old, new):
        database.on_postgres(f"CREATE DATABASE {NAME} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        old.run(SETUP)
        saved = tmp_path / "app.json"
        save_snapshot(old.url, saved)
        new.psql(old.pg_dump())
        with diff(saved, new.url) as found:
            assert [(str(d.key), d.changes) for d in found.object_differences if d.status != "equivalent"] == []
            assert (found.verdict, found.table_differences) == ("same", ())
        new.run(
            "SELECT nextval('t_id_seq'); DROP INDEX t_a; REFRESH MATERIALIZED VIEW m WITH NO DATA; UPDATE t SET a = 'three' WHERE id = 2"
        )
        with diff(saved, new.url) as found:
            differing = {
                str(d.key): {c.attribute: (c.left, c.right) for c in d.changes}
                for d in found.object_differences
                if d.status != "equivalent"
            }
            assert differing == {
                "SEQUENCE public.t_id_seq": {"last_value": ("2", "3")},
                "INDEX public.t_a on t": {},
                "MATERIALIZED VIEW public.m": {"populated": ("true", "false")},
            }
            assert [(str(t.name), t.status) for t in found.table_differences] == [("public.t", "different")]
    finally:
        for database in (old, new):
            with psycopg.connect(database.server.url(), autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)".encode())
