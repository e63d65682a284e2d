"""What a database holds of its own, of every kind, is named, and can be taken out; what every database has is neither."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from pgaudit_kit.operations.restores.database_contents import drop_contents, lock_tables, read_contents
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.server.snapshot import snapshot

EVERY_KIND = r"""
CREATE SCHEMA "it's ""an odd";
CREATE TABLE "it's ""an odd"."t t" (id serial PRIMARY KEY, x int GENERATED ALWAYS AS IDENTITY);
CREATE TYPE mood AS ENUM ('a'); CREATE DOMAIN d AS int CHECK (value > 0); CREATE TYPE comp AS (a int, b text);
CREATE TYPE rng AS RANGE (subtype = int4);
CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE u (m mood, dd d, id int GENERATED ALWAYS AS IDENTITY, s serial, c comp); CREATE TABLE ch () INHERITS (u);
CREATE VIEW v AS SELECT * FROM u; CREATE MATERIALIZED VIEW mv AS SELECT * FROM u;
CREATE FUNCTION f(a int, b text DEFAULT 'x') RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE pr() LANGUAGE sql AS 'SELECT 1'; CREATE AGGREGATE ag(int) (sfunc = int4pl, stype = int);
CREATE OPERATOR === (leftarg = int, rightarg = int, procedure = int4eq);
CREATE OPERATOR FAMILY of USING btree;
CREATE OPERATOR CLASS oc FOR TYPE mood USING btree AS OPERATOR 1 <(anyenum, anyenum), FUNCTION 1 enum_cmp(anyenum, anyenum);
CREATE COLLATION coll FROM "C"; CREATE TEXT SEARCH CONFIGURATION tc (copy = simple); CREATE TEXT SEARCH DICTIONARY td (template = simple);
CREATE STATISTICS st ON m, dd FROM u; CREATE RULE r AS ON INSERT TO u DO ALSO SELECT 1;
CREATE FOREIGN DATA WRAPPER fdw; CREATE SERVER srv FOREIGN DATA WRAPPER fdw; CREATE FOREIGN TABLE ft (a int) SERVER srv;
CREATE PUBLICATION pub FOR TABLE u; CREATE SEQUENCE sq; CREATE CAST (mood AS text) WITH INOUT;
CREATE FUNCTION et() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER evt ON ddl_command_start EXECUTE FUNCTION et();
CREATE CONVERSION cv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
SELECT lo_from_bytea(0, 'x');
"""


@pytest.mark.parametrize("major", [13, 15, 18])
def test_every_kind_is_held_and_can_be_dropped(major: int, server_of: Callable[[int], EmbeddedServer]) -> None:
    running = server_of(major)
    with psycopg.connect(running.url(), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS every_kind WITH (FORCE)")
        admin.execute("CREATE DATABASE every_kind TEMPLATE template0")
    url = running.url("every_kind")
    with snapshot(url) as empty:
        before = set(empty.inventory.by_key)
    with psycopg.connect(url) as connection:
        assert read_contents(connection).is_empty
        assert str(read_contents(connection)) == "nothing"
        connection.execute(EVERY_KIND.encode())
        held = read_contents(connection)
        assert [str(name) for name in held.tables] == ['"it\'s ""an odd"."t t"', "public.ch", "public.p", "public.p1", "public.u"]
        assert held.large_objects == 1
        named = " ".join(held.others)
        assert all(word in named for word in ("mood", "comp", "rng", "mv", "===", "fdw", "srv", "pub", "evt", "cast", "conversion", "sq"))
        assert "5 tables" in str(held)
        assert "1 large objects" in str(held)
        lock_tables(connection)
        drop_contents(connection)
        assert read_contents(connection).is_empty
    with snapshot(url) as after:
        assert set(after.inventory.by_key) == before
