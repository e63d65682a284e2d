"""Indexes that are not valid and materialized views that are not populated: of some sources that is known, of others not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.difference.keys import key_of
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.records.difference import Change
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.table_data import TableName
from tests.server.live import LiveDatabase


def test_an_invalid_index_is_compared_with_servers_and_no_difference_to_a_dump_which_cannot_hold_it(
    database: LiveDatabase, tmp_path: Path
) -> None:
    database.run("CREATE TABLE t (a int NOT NULL)", "INSERT INTO t VALUES (1), (1)")
    with database.snapshot() as before:
        before.inventory  # noqa: B018  read now
        with pytest.raises(Exception, match="could not create unique index"):
            database.run("CREATE UNIQUE INDEX CONCURRENTLY bad ON t (a)")
        (tmp_path / "dump.sql").write_text(database.pg_dump(), encoding="utf-8")
        dump = read_dump(tmp_path / "dump.sql")
        bad = ObjectKey("INDEX", "public", "bad", "t")
        with database.snapshot() as live:
            assert live.inventory.by_key[bad].attributes["valid"] == "false"
            assert key_of(live.inventory, TableName("public", "t")) is None
            for found in (diff(dump, live), diff(live, dump)):
                assert (found.verdict, found.object_differences, found.compared) == ("same", (), 2)
                assert [(s.what, s.reason) for s in found.skipped] == [("INDEX public.bad on t", "invalid index; pg_dump leaves it out")]
            assert [(d.key, d.status) for d in diff(before, live).object_differences] == [(bad, "only_right")]
        database.run("TRUNCATE t; REINDEX INDEX bad")
        (tmp_path / "valid.sql").write_text(database.pg_dump(), encoding="utf-8")
        database.run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'bad'::regclass")
        with database.snapshot() as live, diff(read_dump(tmp_path / "valid.sql"), live, schema_only=True) as found:
            (changed,) = found.object_differences
            assert (changed.key, [(c.attribute, c.left, c.right) for c in changed.changes]) == (bad, [("valid", "true", "false")])


@pytest.mark.parametrize(("options", "known"), [((), True), (("--schema-only",), False), (("--exclude-table-data=kept",), False)])
def test_a_dump_knows_of_a_materialized_view_that_it_is_populated_when_it_refreshes_it(
    database: LiveDatabase, tmp_path: Path, options: tuple[str, ...], *, known: bool
) -> None:
    database.run("CREATE MATERIALIZED VIEW kept AS SELECT 1 AS a; CREATE MATERIALIZED VIEW bare AS SELECT 1 AS a WITH NO DATA")
    program = database.server.bin_folder / "pg_dump"
    for form in ("plain", "custom", "directory", "tar"):
        path = tmp_path / form
        subprocess.run([str(program), "-d", database.url, f"--format={form}", "-f", str(path), *options], check=True, capture_output=True)
        dumped = {o.key.name: o.attributes.get("populated") for o in read_dump(path).inventory.of_kind("MATERIALIZED VIEW")}
        assert dumped == {"kept": "true" if known else None, "bare": "false" if known else None}, form
        with database.snapshot() as live, diff(read_dump(path), live, schema_only=True) as found:
            assert (found.verdict, found.object_differences) == ("same", ())
    with database.snapshot() as before:
        before.inventory  # noqa: B018  read now
        database.run("REFRESH MATERIALIZED VIEW kept WITH NO DATA; REFRESH MATERIALIZED VIEW bare")
        with database.snapshot() as live:
            told = [(d.key.name, d.changes) for d in diff(before, live).object_differences]
            assert told == [("bare", (Change("populated", "false", "true"),)), ("kept", (Change("populated", "true", "false"),))]
            told = [(d.key.name, d.changes) for d in diff(read_dump(tmp_path / "custom"), live, schema_only=True).object_differences]
            assert told == ([("kept", (Change("populated", "true", "false"),))] if known else [])
