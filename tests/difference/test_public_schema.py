"""The schema public is there in every database: what is not as initdb made it is a change of it, never a schema too many."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.difference import ObjectDifference
from tests.conftest import missing
from tests.difference.dumping import pg_dump
from tests.postgres_versions import installation

CHANGES = (
    ("COMMENT ON SCHEMA public IS 'ours'", "comment", "ours"),
    ("COMMENT ON SCHEMA public IS NULL", "comment", ""),
    ("ALTER SCHEMA public OWNER TO CURRENT_USER", "owner", "postgres"),
    ("GRANT CREATE ON SCHEMA public TO pg_monitor", "acl", "pg_monitor=CREATE"),
)


def _found(left: str, right: str) -> list[ObjectDifference]:
    with diff(left, right) as found:
        assert found.verdict == ("different" if any(d.status != "equivalent" for d in found.object_differences) else "same")
        return list(found.object_differences)


@pytest.mark.parametrize("major", [13, 15, 18])
def test_what_was_done_to_public_is_a_change_of_it(server_of: Callable[[int], EmbeddedServer], tmp_path: Path, major: int) -> None:
    server = server_of(major)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE public_changed TEMPLATE template0")
    url = server.url("public_changed")
    with psycopg.connect(url, autocommit=True) as inside:
        inside.execute("CREATE TABLE public.t (a integer); GRANT SELECT ON public.t TO pg_monitor")
        before = str(installation(major, missing).dump(url, tmp_path / "before"))
        assert _found(before, url) == []
        for number, (sql, attribute, right) in enumerate(CHANGES):
            if major < 15 and attribute == "owner":
                continue  # it is the superuser's
            inside.execute(sql.encode())
            told = major >= 15 or attribute == "acl"  # pg_dump before 15 says nothing else of it
            for pair in ((before, url), (url, before)):
                ((key, status, changes),) = [(str(d.key), d.status, d.changes) for d in _found(*pair)]
                assert (key, status) == ("SCHEMA public", "changed" if told else "equivalent"), sql
                assert [c.attribute for c in changes] == [attribute], sql
                assert any(right in text for text in (changes[0].left or "", changes[0].right or "")), sql
            after = str(installation(major, missing).dump(url, tmp_path / f"after {number}"))
            assert [d for d in _found(after, url) if told] == [], sql
            owner = "CURRENT_USER" if major < 15 else "pg_database_owner"
            inside.execute(
                f"COMMENT ON SCHEMA public IS 'standard public schema'; ALTER SCHEMA public OWNER TO {owner};"
                " REVOKE ALL ON SCHEMA public FROM pg_monitor".encode()
            )
            assert _found(before, url) == [], sql
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE public_changed WITH (FORCE)")


def test_what_initdb_makes_of_public_since_15_is_no_change(server_of: Callable[[int], EmbeddedServer]) -> None:
    urls = []
    for major in (13, 18):
        with psycopg.connect(server_of(major).url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE public_across TEMPLATE template0")
        urls.append(server_of(major).url("public_across"))
        with psycopg.connect(urls[-1], autocommit=True) as inside:
            inside.execute("CREATE TABLE public.t (a integer)")
    assert [d.status for d in _found(*urls) if d.key.kind == "SCHEMA"] == ["equivalent"]
    with psycopg.connect(urls[1], autocommit=True) as inside:
        inside.execute("COMMENT ON SCHEMA public IS 'ours'")
    for pair in (urls, urls[::-1]):
        (found,) = (d for d in _found(*pair) if d.key.kind == "SCHEMA")
        assert [c.attribute for c in found.changes] == ["comment"]
    for major in (13, 18):
        with psycopg.connect(server_of(major).url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE public_across WITH (FORCE)")


def test_of_two_live_databases_one_without_it_differs_in_it(
    make_database: Callable[..., str], server: EmbeddedServer, tmp_path: Path
) -> None:
    one, other = make_database(), make_database()
    for url, sql in ((one, ""), (other, "DROP SCHEMA public;")):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"{sql} CREATE SCHEMA s; CREATE TABLE s.t (a int)".encode())
    assert [(str(d.key), d.status) for d in _found(one, other)] == [("SCHEMA public", "only_left")]
    assert [(str(d.key), d.status) for d in _found(other, one)] == [("SCHEMA public", "only_right")]
    assert _found(other, other) == []
    with diff(one, other, include=["s.*"]) as found:
        assert found.verdict == "same"
    dump = str(pg_dump(server, other, tmp_path / "d", "-Fc"))
    assert [_found(dump, url) for url in (one, other)] == [[], []]  # restored, it leaves the schema that is there
    with psycopg.connect(one, autocommit=True) as connection:
        connection.execute("COMMENT ON SCHEMA public IS 'ours'")
    assert [(str(d.key), d.status) for d in _found(one, other)] == [("SCHEMA public", "only_left")]
