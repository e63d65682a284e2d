"""Settings of single columns of tables that inherit, of partitions, typed tables, materialized views, indexes: live as in a dump."""

from __future__ import annotations

from pgaudit_kit.difference.objects import compare_objects
from tests.dumps.ddl.pieces import inventory_of
from tests.server.live import LiveDatabase


def test_settings_of_columns_say_the_same_wherever_the_columns_come_from(database: LiveDatabase) -> None:
    database.run_file("column_settings.sql")
    live = database.inventory()
    dumped = inventory_of(database.pg_dump("--schema-only"))
    assert compare_objects(dumped, live) == ()
    assert dumped.unmodelled == ()
    table = {o.key.name: {c.name: dict(c.attributes) for c in o.columns} for o in live.of_kind("TABLE")}
    assert table["typed"] == {"a": {"options": "n_distinct=2"}, "b": {"storage": "MAIN", "statistics": "5"}}
    collated = {"collation": 'pg_catalog."C"'}
    assert table["typed3"] == {"a": {"not_null": "true", **collated}, "b": {"default": "'x'::text", **collated}}
    assert table["kid"]["own"] == {"type": "text", "statistics": "4"}
    assert table["kid"]["x"] == {"not_null": "true", "storage": "PLAIN"}
    assert table["p1"]["c"] == {"type": "text", "statistics": "0"}


def test_a_setting_that_no_dump_holds_is_named(database: LiveDatabase) -> None:
    database.run_file("column_settings.sql")
    (left_out,) = database.inventory().unmodelled
    assert (left_out.kind, left_out.name) == ("INDEX", "ex_r_int4range_excl")
    assert "pg_dump leaves it out" in left_out.reason
