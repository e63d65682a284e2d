"""Tables of every shape and the options that leave rows out: what a dump holds of them is what the live database has, or is not checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.snapshot import snapshot
from tests.server.live import LiveDatabase

SHAPES = """
CREATE TABLE made (a int, twice int GENERATED ALWAYS AS (a * 2) STORED, b text);
INSERT INTO made VALUES (1, DEFAULT, 'x'), (2, DEFAULT, NULL);
CREATE TABLE dropped (gone int, a int, gone_too text, b text); INSERT INTO dropped VALUES (1, 2, 'x', 'y');
ALTER TABLE dropped DROP gone, DROP gone_too, ADD c int DEFAULT 7;
CREATE TABLE above (a int, b text); CREATE TABLE below (c int) INHERITS (above); CREATE TABLE twice (d int) INHERITS (below);
INSERT INTO above VALUES (1, 'above'); INSERT INTO below VALUES (2, 'below', 3); INSERT INTO twice VALUES (4, 'twice', 5, 6);
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE hashed (m mood, v int) PARTITION BY HASH (m);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 (v int, gone int, m mood); ALTER TABLE hashed_1 DROP gone;
ALTER TABLE hashed ATTACH PARTITION hashed_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hashed SELECT m, i FROM unnest(enum_range(NULL::mood)) m, generate_series(1, 3) i;
CREATE TABLE listed (k int, v text) PARTITION BY LIST (k);
CREATE TABLE listed_1 PARTITION OF listed FOR VALUES IN (1) PARTITION BY RANGE (v);
CREATE TABLE listed_1_a PARTITION OF listed_1 FOR VALUES FROM ('a') TO ('n'); CREATE TABLE listed_rest PARTITION OF listed DEFAULT;
INSERT INTO listed VALUES (1, 'b'), (2, 'z'), (NULL, NULL);
CREATE UNLOGGED TABLE unlogged (a int); INSERT INTO unlogged VALUES (1);
CREATE TABLE secret (a int); INSERT INTO secret VALUES (1);
CREATE VIEW seen AS SELECT * FROM above; CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM above;
CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER far FOREIGN DATA WRAPPER nowhere; CREATE FOREIGN TABLE abroad (a int) SERVER far;
CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES;
"""
TABLES = {
    *("made", "dropped", "above", "below", "twice", "hashed_0", "hashed_1", "listed_1_a", "listed_rest"),
    *("unlogged", "secret", "nothing"),
}


def dumped(database: LiveDatabase, folder: Path, *options: str) -> Path:
    path = folder / "d.sql"
    path.write_text(database.pg_dump(*options), encoding="utf-8", errors="surrogateescape")
    return path


def changed(found: Difference) -> list[object]:
    return [d for d in found.object_differences if d.status != "equivalent"]


def statuses(found: Difference) -> dict[str, str]:
    return {t.name.name: t.status for t in found.table_differences}


@pytest.fixture
def shapes(database: LiveDatabase) -> LiveDatabase:
    database.run(SHAPES)
    if database.major >= 18:
        database.run("CREATE TABLE computed (a int, twice int GENERATED ALWAYS AS (a * 2) VIRTUAL, b text)")
        database.run("INSERT INTO computed VALUES (1, DEFAULT, 'x')")
    return database


@pytest.mark.parametrize(
    "options", [(), ("--load-via-partition-root",), ("--inserts", "--load-via-partition-root"), ("--column-inserts",)], ids=" ".join
)
def test_tables_of_every_shape_are_the_same(shapes: LiveDatabase, tmp_path: Path, options: tuple[str, ...]) -> None:
    path = dumped(shapes, tmp_path, *options)
    with diff(path, shapes.url) as found:
        assert statuses(found) == {}
        assert changed(found) == []
        assert found.verdict == "same"
        assert {t.name.name for t in found.all_tables} - {"computed"} == TABLES


@pytest.mark.parametrize(
    ("option", "without"),
    [("--no-unlogged-table-data", "unlogged"), ("--exclude-table-data=secret", "secret"), ("--exclude-table=secret", "")],
)
def test_rows_that_were_left_out_are_not_checked_and_not_lost(shapes: LiveDatabase, tmp_path: Path, option: str, without: str) -> None:
    with diff(dumped(shapes, tmp_path, option), shapes.url) as found:
        if without:
            assert statuses(found) == {without: "not_checked"}
            assert found.verdict == "not_checked"
            assert [s.what for s in found.skipped if without in s.what] == [f"rows of public.{without}"]
        else:  # a table that the dump does not have at all is a difference
            assert statuses(found) == {"secret": "only_right"}


def test_the_same_columns_in_another_order_hold_the_same_rows(
    database: LiveDatabase, make_database: Callable[..., str], tmp_path: Path
) -> None:
    database.run("CREATE TABLE t (a int, b text, c date); INSERT INTO t VALUES (1, 'x', '2024-01-01'), (2, NULL, NULL)")
    path = dumped(database, tmp_path)
    database.run("CREATE TABLE u (c date, a int, b text); INSERT INTO u SELECT c, a, b FROM t; DROP TABLE t; ALTER TABLE u RENAME TO t")
    with diff(path, database.url) as found:
        assert [c.attribute for d in found.object_differences for c in d.changes] == ["column order"]
        assert statuses(found) == {}
    with diff(path, database.url, ignore=["column-order"]) as found:
        assert found.verdict == "same"
    database.run("UPDATE t SET b = 'y' WHERE a = 1")
    with diff(path, database.url, data_only=True) as found:
        assert statuses(found) == {"t": "different"}
    with snapshot(database.url) as taken:
        assert taken.fingerprint(TableName("public", "t"), ["a"]) == read_dump(path).fingerprint(TableName("public", "t"), ["a"])


def test_inserts_without_names_into_a_child_of_another_order_are_told_as_a_restore_puts_them(
    database: LiveDatabase, tmp_path: Path
) -> None:
    """The limit that pg_dump documents of --inserts: a restore makes the columns of the parent the first ones."""
    database.run("CREATE TABLE above (a int, b int); CREATE TABLE below (c int, b int, a int); ALTER TABLE below INHERIT above")
    database.run("INSERT INTO below VALUES (1, 2, 3)")
    plain, named = dumped(database, tmp_path, "--inserts"), tmp_path / "named.sql"
    named.write_text(database.pg_dump("--column-inserts"), encoding="utf-8")
    with diff(named, database.url, data_only=True) as found:
        assert found.verdict == "same"
    with diff(plain, database.url, data_only=True) as found:
        assert statuses(found) == {"below": "different"}
    database.run("DROP TABLE below, above")
    database.psql(plain.read_text(encoding="utf-8"))
    with diff(plain, database.url, data_only=True) as found:
        assert found.verdict == "same"


def test_configuration_tables_of_an_extension_are_skipped(database: LiveDatabase, tmp_path: Path) -> None:
    """Its rows in a dump are those that the extension chose; made one by hand, since no extension of the server has such a table."""
    database.run("CREATE EXTENSION hstore; CREATE TABLE conf (a int); CREATE TABLE mine (a int); INSERT INTO conf VALUES (1), (2)")
    database.run(
        "ALTER EXTENSION hstore ADD TABLE conf; UPDATE pg_extension SET extconfig = ARRAY['conf'::regclass::oid], "
        "extcondition = ARRAY['WHERE a = 2'] WHERE extname = 'hstore'"
    )
    path = dumped(database, tmp_path)
    assert read_dump(path).table_data[TableName("public", "conf")].rows == 1
    with diff(path, database.url) as found:
        assert statuses(found) == {}
        assert [s.what for s in found.skipped] == ["rows of public.conf"]
        assert found.verdict == "same"


def test_a_role_that_cannot_see_all_rows_is_told_which_policy_hides_them(
    database: LiveDatabase, make_role: Callable[[str], str], tmp_path: Path
) -> None:
    role = make_role("watcher_of_some")
    database.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    database.run(f"CREATE POLICY few ON t USING (a = 1); GRANT SELECT ON t TO {role}")
    path = dumped(database, tmp_path)
    with diff(path, database.url_as(role)) as found:
        (table,) = found.table_differences
        assert table.status == "not_checked"
        assert f"row-level security hides rows of it from role {role} (policies few)" in table.reason
        assert "BYPASSRLS" in table.reason
        assert found.verdict == "not_checked"
