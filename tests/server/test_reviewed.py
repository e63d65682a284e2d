"""What a review with fresh eyes found wrong, on real servers."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.audits.taking import take_manifest
from pgaudit_kit.operations.extracts.rescue import apply_rescue
from pgaudit_kit.operations.extracts.save_snapshot import save_snapshot
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.manifest import load_manifest
from tests.server.live import LiveDatabase


def _dump(database: LiveDatabase, path: Path) -> str:
    path.write_text(database.pg_dump(), encoding="utf-8")
    return str(path)


def test_a_name_with_a_quote_in_it_does_not_pass_for_quotes_around_all_names(database: LiveDatabase, tmp_path: Path) -> None:
    database.run('CREATE TABLE "q""x""y" (a int); CREATE TABLE h (id int PRIMARY KEY, c regclass, cs regclass[])')
    database.run("""INSERT INTO h VALUES (1, 'h', '{h}'), (2, '"q""x""y"', ARRAY['"q""x""y"'::regclass])""")
    with diff(_dump(database, tmp_path / "dump.sql"), database.url) as found:
        assert (found.verdict, found.table_differences) == ("same", ())


@pytest.mark.parametrize("constraint", ["there", "gone"])
def test_a_rescue_tells_changed_rows_from_lost_ones_also_by_a_key_that_may_be_null(
    database: LiveDatabase, tmp_path: Path, constraint: str
) -> None:
    database.run("CREATE TABLE s (a int, v text); CREATE UNIQUE INDEX s_a ON s (a)")
    database.run("INSERT INTO s VALUES (1, 'one'), (2, 'two'), (3, 'three'), (NULL, 'n'), (NULL, 'n'), (NULL, 'm')")
    dump = _dump(database, tmp_path / "dump.sql")
    if constraint == "gone":
        database.run("DROP INDEX s_a")
    database.run("UPDATE s SET v = 'edited' WHERE a = 2; DELETE FROM s WHERE a = 3 OR v = 'm'")
    database.run("DELETE FROM s WHERE ctid = (SELECT min(ctid) FROM s WHERE v = 'n')")
    with diff(dump, database.url, data_only=True) as found:
        counts = found.row_result("s").counts
        assert (counts.missing, counts.extra, counts.changed) == (3, 0, 1)
        assert {tuple(r.key.items()) for r in found.row_result("s").listed if r.status == "only_left"} == {
            (("a", "3"),),
            (("a", None), ("v", "n")),
            (("a", None), ("v", "m")),
        }
        script, reverting = found.rescue("s"), found.rescue("s", revert=True)
    rows = "SELECT a, v FROM s ORDER BY a, v"
    with psycopg.connect(database.url, autocommit=True) as connection:
        for _ in range(2):
            connection.execute(script.encode())
        assert connection.execute(rows).fetchall() == [(1, "one"), (2, "edited"), (3, "three"), (None, "m"), (None, "n"), (None, "n")]
        for _ in range(2):
            connection.execute(reverting.encode())
    with diff(dump, database.url, data_only=True) as found:
        assert found.table_differences == ()
    assert apply_rescue(database.url, [script]) == 0


def test_a_role_that_may_not_read_a_table_without_columns_saves_the_rest_and_says_so(
    server: EmbeddedServer, database_18: LiveDatabase, tmp_path: Path
) -> None:
    database_18.run("CREATE TABLE zero (); CREATE TABLE t (a int); CREATE ROLE reviewed_reader LOGIN; GRANT SELECT ON t TO reviewed_reader")
    try:
        save_snapshot(database_18.url_as("reviewed_reader"), tmp_path / "app.json")
        saved = load_manifest(tmp_path / "app.json")
        assert {str(t.name): bool(t.not_readable) for t in saved.table_data.values()} == {"public.zero": True, "public.t": False}
    finally:
        database_18.run("DROP OWNED BY reviewed_reader; DROP ROLE reviewed_reader")


def test_no_password_of_a_function_reaches_a_manifest_and_that_makes_no_difference(database_18: LiveDatabase) -> None:
    database_18.run("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT $$postgresql://u:s3cr3t@h/x$$'")
    with database_18.snapshot() as live:
        text = take_manifest(live).to_json()
        assert "s3cr3t" not in text
        assert json.loads(text)["objects"]
        saved = type(take_manifest(live)).from_json(text, label="saved")
        assert diff(saved, live).verdict == "same"
        database_18.run("CREATE OR REPLACE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT $$postgresql://u:s3cr3t@h/y$$'")
    with database_18.snapshot() as live:
        assert [str(d.key) for d in diff(saved, live).object_differences] == ["FUNCTION public.f()"]
