"""A dump knows that a materialized view was not populated only where nothing else can be why it does not refresh it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.conftest import missing
from tests.postgres_versions import installation

MADE = """
CREATE SCHEMA v; CREATE SCHEMA "Own";
CREATE TABLE v.t (id integer PRIMARY KEY, v integer);
CREATE TABLE v.none (id integer);
CREATE VIEW v.seen AS SELECT t.id, n.id AS other FROM v.t, v.none n;
CREATE MATERIALIZED VIEW v.filled AS SELECT id, v FROM v.t WHERE v > (SELECT count(*) FROM pg_class c WHERE c.relname = 'v.empty');
CREATE MATERIALIZED VIEW v.empty AS SELECT s.id, upper('v.of_empty') AS v FROM v.seen s JOIN v.t v ON v.v = s.id WITH NO DATA;
CREATE MATERIALIZED VIEW "Own"."Empty" AS SELECT id FROM v.filled WITH NO DATA;
CREATE MATERIALIZED VIEW v.to_be_emptied AS SELECT 1 AS one;
CREATE MATERIALIZED VIEW v.of_empty AS SELECT one FROM v.to_be_emptied;
CREATE VIEW v.between AS SELECT count(*) AS n FROM v.to_be_emptied;
CREATE MATERIALIZED VIEW v.of_between AS SELECT n FROM v.between;
REFRESH MATERIALIZED VIEW v.to_be_emptied WITH NO DATA;
"""
KNOWN = {"filled": "true", "empty": "false", "Empty": "false", "to_be_emptied": "false", "of_empty": None, "of_between": None}
UNKNOWN = {**dict.fromkeys(KNOWN), "filled": "true"}
NOTHING = dict.fromkeys(KNOWN)


@pytest.fixture(scope="module")
def url(server_of: Callable[[int], EmbeddedServer]) -> Iterator[str]:
    server = server_of(18)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE populated TEMPLATE template0")
        with psycopg.connect(server.url("populated"), autocommit=True) as inside:
            inside.execute(MADE)
        yield server.url("populated")
        connection.execute("DROP DATABASE populated WITH (FORCE)")


def _populated(path: Path) -> dict[str, str | None]:
    return {m.key.name: m.attributes.get("populated") for m in read_dump(path).inventory.of_kind("MATERIALIZED VIEW")}


@pytest.mark.parametrize("dump_format", ["plain", "custom", "directory", "tar"])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), KNOWN),
        (("--inserts",), KNOWN),
        (("--quote-all-identifiers",), KNOWN),
        (("--schema-only",), NOTHING),
        (("--section=pre-data",), NOTHING),
        (("--section=pre-data", "--section=data"), NOTHING),
        (("--exclude-table-data=v.none",), UNKNOWN),
        (("--exclude-table=v.none",), {**UNKNOWN, "Empty": "false", "to_be_emptied": "false"}),
        (("--table=v.of_*",), {"of_empty": "true", "of_between": "true"}),
        (("--table=v.empty", "--table=v.t"), {"empty": None}),
    ],
)
def test_what_is_known_is_so_and_the_dump_is_the_same_as_its_database(
    url: str, tmp_path: Path, dump_format: str, options: tuple[str, ...], expected: dict[str, str | None]
) -> None:
    dump = installation(18, missing).dump(url, tmp_path / "dump", *options, dump_format=dump_format)
    assert _populated(dump) == expected
    if not options:
        with diff(str(dump), url) as found:
            assert (found.verdict, found.object_differences) == ("same", ())


def test_a_script_that_was_cut_off_knows_nothing_more(url: str, tmp_path: Path) -> None:
    dump = installation(18, missing).dump(url, tmp_path / "dump", dump_format="plain")
    text = dump.read_text(encoding="utf-8")
    dump.write_text(text[: text.index("REFRESH MATERIALIZED VIEW")], encoding="utf-8")
    assert set(_populated(dump).values()) == {None}


def test_one_that_was_populated_since_is_a_doubt_since_its_data_may_have_been_left_out(url: str, tmp_path: Path) -> None:
    dump = installation(18, missing).dump(url, tmp_path / "dump")
    with psycopg.connect(url, autocommit=True) as inside:
        inside.execute('REFRESH MATERIALIZED VIEW "Own"."Empty"')
        with diff(str(dump), url) as found:
            assert (found.verdict, found.object_differences) == ("not_checked", ())
            assert [s.what for s in found.skipped] == ["whether MATERIALIZED VIEW Own.Empty is populated as it was"]
        with diff(str(dump), url, schema_only=True) as found, diff(str(dump), url, ignore=["populated"]) as asked:
            assert (found.verdict, asked.verdict) == ("same", "same")
        inside.execute('REFRESH MATERIALIZED VIEW "Own"."Empty" WITH NO DATA')


def test_one_whose_data_pg_dump_was_told_to_leave_out_is_not_different(url: str, tmp_path: Path) -> None:
    dump = installation(18, missing).dump(url, tmp_path / "dump", "--exclude-table-data=v.filled")
    with diff(str(dump), url) as found:
        assert (found.verdict, found.object_differences) == ("not_checked", ())
        assert [s.what for s in found.skipped] == ["whether MATERIALIZED VIEW v.filled is populated as it was"]
