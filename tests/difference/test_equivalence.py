"""What only another version of PostgreSQL writes differently is equivalent with its reason, and nothing besides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import Column, DatabaseObject, ObjectKey
from pgaudit_kit.records.provenance import Provenance
from tests.conftest import missing
from tests.fakes import FakeSource

SYSTEM_15 = Path("/usr/lib/postgresql/15/bin")
TABLE = """
CREATE TABLE public.t (a integer, b text, "T" integer);
CREATE VIEW public.one AS SELECT t.a, upper(t.b) AS "t.x", 't.a' AS literal, t."T" FROM public.t WHERE t.a > 1;
CREATE VIEW public.alias AS SELECT z.a, (SELECT count(*) FROM public.t y WHERE y.a = z.a) FROM public.t z;
CREATE MATERIALIZED VIEW public.kept AS SELECT a FROM public.t WITH NO DATA;
CREATE VIEW public.two AS SELECT t.a, u.b FROM public.t JOIN public.t u ON u.a = t.a;
"""


@pytest.fixture
def server_15() -> Iterator[EmbeddedServer]:
    if not (SYSTEM_15 / "postgres").exists():
        missing("PostgreSQL 15")
    with EmbeddedServer(bin_folder=SYSTEM_15) as started:
        yield started


def test_views_of_one_relation_are_equivalent_across_16_until_one_really_changes(server: EmbeddedServer, server_15: EmbeddedServer) -> None:
    urls = []
    for each in (server_15, server):
        with psycopg.connect(each.url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS equivalence")
            connection.execute("CREATE DATABASE equivalence TEMPLATE template0")
        urls.append(each.url("equivalence"))
        with psycopg.connect(urls[-1], autocommit=True) as connection:
            connection.execute(TABLE)
    for pair in (urls, urls[::-1]):
        with diff(*pair) as found:
            views = {d.key.name: d.status for d in found.object_differences if "VIEW" in d.key.kind}
            assert views == dict.fromkeys(("one", "alias", "kept"), "equivalent")
            assert all("before 16" in d.reason for d in found.object_differences if "VIEW" in d.key.kind)
    with psycopg.connect(urls[1], autocommit=True) as connection:
        connection.execute(
            'CREATE OR REPLACE VIEW public.one AS SELECT a, upper(b) AS "t.x", \'t.a\' AS literal, "T" FROM public.t WHERE a > 2'
        )
    with diff(*urls) as found:
        assert {d.key.name: d.status for d in found.object_differences if d.key.name in {"one", "two"}} == {"one": "changed"}
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE equivalence")


def test_versions_on_one_side_of_16_forgive_no_prefix() -> None:
    sides = [
        FakeSource(
            inventory=Inventory((DatabaseObject(ObjectKey("VIEW", "s", "v"), {"definition": text}),)),
            provenance=Provenance("x", server_version=v),
        )
        for text, v in ((" SELECT t.a\n   FROM s.t", "17.1"), (" SELECT a\n   FROM s.t", "16.2"))
    ]
    assert [d.status for d in diff(*sides).object_differences] == ["changed"]


def test_a_not_null_has_a_name_from_18_on_only() -> None:
    def side(version: str, **said: str) -> FakeSource:
        table = DatabaseObject(ObjectKey("TABLE", "s", "t"), columns=(Column("a", {"type": "integer", **said}),))
        return FakeSource(inventory=Inventory((table,)), provenance=Provenance("x", server_version=version))

    named = {"not_null": "true", "not_null_name": "mine"}
    cases = {
        ("17.1", "18.1"): ("equivalent", ["column a not_null_name"]),
        ("18.1", "18.2"): ("changed", ["column a not_null_name"]),
    }
    for (older, newer), (status, attributes) in cases.items():
        (found,) = diff(side(older, not_null="true"), side(newer, **named)).object_differences
        assert (found.status, [c.attribute for c in found.changes]) == (status, attributes)
    (found,) = diff(side("17.1", not_null="true"), side("18.1", default="1", **named)).object_differences
    assert (found.status, [c.attribute for c in found.changes]) == ("changed", ["column a default"])
    (found,) = diff(side("18.1"), side("18.1", **named)).object_differences
    assert [c.attribute for c in found.changes] == ["column a not_null"]


def test_the_extension_that_every_database_has_is_equivalent_where_only_an_old_dump_lists_it() -> None:
    def side(version: str, *, lists: bool, pg_dump: str | None = None, schema: str = "pg_catalog") -> FakeSource:
        table = DatabaseObject(ObjectKey("TABLE", "s", "t"))
        extension = DatabaseObject(ObjectKey("EXTENSION", None, "plpgsql"), {"extension_schema": schema})
        objects = (table, extension) if lists else (table,)
        return FakeSource(inventory=Inventory(objects), provenance=Provenance("x", server_version=version, pg_dump_version=pg_dump))

    old = side("9.6.24", lists=True, pg_dump="9.6.24")
    assert diff(old, old).object_differences == ()
    for other in (side("15.1", lists=False), side("9.6.24", lists=False, pg_dump="15.1")):
        for pair in ((old, other), (other, old)):
            (found,) = diff(*pair).object_differences
            assert (found.status, "pg_dump from 11 on" in found.reason) == ("equivalent", True)
    for other in (side("9.6.24", lists=False, pg_dump="9.6.24"), side("9.6.24", lists=True, pg_dump="9.6.24", schema="public")):
        (found,) = diff(old, other).object_differences
        assert found.status in ("only_left", "changed")


def test_compression_is_equivalent_only_where_a_restore_makes_it_so() -> None:
    def side(above: str | None, here: str | None, *, inherits: str | None = "s.middle") -> FakeSource:
        def table(name: str, compression: str | None, parents: str | None, kind: str | None = None) -> DatabaseObject:
            said = {**({"compression": compression} if compression else {}), **({"type": kind} if kind else {})}
            return DatabaseObject(ObjectKey("TABLE", "s", name), {"inherits": parents}, (Column("a", said), Column("b", {"type": "text"})))

        tables = (table("top", above, None, "text"), table("middle", None, "s.top"), table("t", here, inherits))
        return FakeSource(inventory=Inventory(tables), provenance=Provenance("x", server_version="18.1"))

    cases = (
        (side("lz4", None), side("lz4", "lz4"), "equivalent"),
        (side("lz4", None), side("lz4", "pglz"), "changed"),
        (side(None, None), side(None, "lz4"), "changed"),
        (side("lz4", "pglz"), side("lz4", "lz4"), "changed"),
        (side("lz4", None, inherits=None), side("lz4", "lz4", inherits=None), "changed"),
    )
    for left, right, status in cases:
        for pair in ((left, right), (right, left)):
            (found,) = diff(*pair).object_differences
            assert (found.status, [c.attribute for c in found.changes]) == (status, ["column a compression"])
