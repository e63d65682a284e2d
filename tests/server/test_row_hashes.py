"""Which columns a server may hash as they are."""

from __future__ import annotations

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.row_hashes import hashed_as_they_are
from pgaudit_kit.server.snapshot import snapshot
from tests.server.live import LiveDatabase

BLIND = "CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"


def test_text_of_a_collation_that_is_blind_to_case_is_not_hashed_as_it_is(server_15: EmbeddedServer) -> None:
    LiveDatabase(server_15, "postgres").run("DROP DATABASE IF EXISTS blind", "CREATE DATABASE blind TEMPLATE template0")
    database = LiveDatabase(server_15, "blind")
    database.run(BLIND, 'CREATE TABLE t (id int, seen text COLLATE "C", blind text COLLATE blind, n numeric)')
    with snapshot(database.url) as taken:
        assert hashed_as_they_are(taken, TableName("public", "t")) == {"id": "int4", "seen": "text"}
