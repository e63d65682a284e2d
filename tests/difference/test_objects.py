"""Object differences: empty on itself, mirrored, and exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.difference.keys import RowKey, key_of
from pgaudit_kit.difference.objects import compare_inventories, compare_objects
from pgaudit_kit.records.difference import Change
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import NOT_UNDERSTOOD, Column, DatabaseObject, ObjectKey, Unmodelled
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableName
from tests.fakes import FakeSource

NAMES = st.sampled_from(["a", "b", "weird name"])
ATTRIBUTES = st.dictionaries(st.sampled_from(["definition", "comment", "enabled", "owner"]), st.one_of(st.none(), st.sampled_from("xy")))
COLUMNS = st.lists(st.builds(Column, NAMES, ATTRIBUTES), unique_by=lambda c: c.name).map(tuple)
OBJECTS = st.builds(
    DatabaseObject,
    st.builds(ObjectKey, st.sampled_from(["TABLE", "INDEX"]), NAMES, NAMES, st.one_of(st.none(), NAMES)),
    ATTRIBUTES,
    COLUMNS,
)
INVENTORIES = st.lists(OBJECTS, max_size=6, unique_by=lambda o: o.key).map(lambda o: Inventory(tuple(o)))


@given(INVENTORIES)
def test_an_inventory_does_not_differ_from_itself(inventory: Inventory) -> None:
    assert compare_objects(inventory, inventory) == ()


@given(INVENTORIES, INVENTORIES)
def test_left_and_right_are_mirrored(left: Inventory, right: Inventory) -> None:
    mirror = {"only_left": "only_right", "only_right": "only_left", "changed": "changed"}
    there = {(d.key, d.status, frozenset((c.attribute, c.left, c.right) for c in d.changes)) for d in compare_objects(left, right)}
    back = {(d.key, mirror[d.status], frozenset((c.attribute, c.right, c.left) for c in d.changes)) for d in compare_objects(right, left)}
    assert there == back


def _table(*columns: Column, **attributes: str) -> Inventory:
    return Inventory((DatabaseObject(ObjectKey("TABLE", "public", "t"), attributes, columns),))


def test_a_changed_default_is_named_by_column_and_nothing_else() -> None:
    left = _table(Column("id", {"type": "integer"}), Column("state", {"type": "text", "default": "'new'::text"}))
    right = _table(Column("id", {"type": "integer"}), Column("state", {"type": "text", "default": "'old'::text"}))
    (difference,) = compare_objects(left, right)
    assert difference.changes == (Change("column state default", "'new'::text", "'old'::text"),)


def test_an_owner_that_one_side_cannot_know_is_no_difference_but_a_missing_comment_is() -> None:
    (difference,) = compare_objects(_table(comment="c", owner="app"), _table())
    assert difference.changes == (Change("comment", "c", None),)


def test_missing_columns_and_another_order_are_told() -> None:
    a, b, c = Column("a", {"type": "integer"}), Column("b", {"type": "text"}), Column("c", {"type": "date"})
    (difference,) = compare_objects(_table(a, b, c), _table(b, a))
    assert difference.changes == (Change("column c", "date", None), Change("column order", "a, b", "b, a"))


def test_the_key_is_the_primary_key_else_a_unique_constraint_first_one_that_cannot_be_null() -> None:
    table = DatabaseObject(ObjectKey("TABLE", "s", "t"), {}, (Column("a b", {"not_null": "true"}), Column('q"', {"not_null": "true"})))
    unique = DatabaseObject(ObjectKey("CONSTRAINT", "s", "u", "t"), {"definition": 'UNIQUE ("a b", "q""")'})
    primary = DatabaseObject(ObjectKey("CONSTRAINT", "s", "z", "t"), {"definition": "PRIMARY KEY (id) INCLUDE (x)"})
    nullable = DatabaseObject(ObjectKey("CONSTRAINT", "s", "n", "t"), {"definition": "UNIQUE (maybe)"})
    name = TableName("s", "t")
    assert key_of(Inventory((table, unique, primary, nullable)), name) == RowKey(("id",), "never")
    assert key_of(Inventory((table, unique, nullable)), name) == RowKey(("a b", 'q"'), "never")
    assert key_of(Inventory((table, nullable)), name) == RowKey(("maybe",), "distinct")
    equal = DatabaseObject(ObjectKey("CONSTRAINT", "s", "e", "t"), {"definition": "UNIQUE NULLS NOT DISTINCT (maybe, x)"})
    assert key_of(Inventory((table, nullable, equal)), name) == RowKey(("maybe", "x"), "equal")
    assert key_of(Inventory((table,)), name) is None


def _source(*, server: str, pg_dump: str | None = None, public: bool) -> FakeSource:
    said = {"comment": "ours"} if server < "15" and pg_dump is None else {"owner": "postgres"}
    said |= {"acl": "PUBLIC=ALL"} if server < "15" else {}
    objects = (DatabaseObject(ObjectKey("SCHEMA", None, "public"), said),) if public else ()
    provenance = Provenance(format="fake", server_version=server, pg_dump_version=pg_dump)
    return FakeSource(inventory=Inventory(objects), provenance=provenance)


@pytest.mark.parametrize(
    ("holder", "lacking", "status"),
    [
        (_source(server="14.2", public=True), _source(server="14.2", pg_dump="14.2 (Debian)", public=False), "equivalent"),
        (_source(server="14.2", pg_dump="14.2", public=True), _source(server="17.0", public=False), "equivalent"),
        (_source(server="17.0", public=True), _source(server="17.0", pg_dump="17.0", public=False), "changed"),
        (_source(server="17.0", public=True), _source(server="17.0", public=False), "changed"),
    ],
)
def test_the_schema_public_is_equivalent_only_where_versions_explain_it(holder: FakeSource, lacking: FakeSource, status: str) -> None:
    for pair in ((holder, lacking), (lacking, holder)):
        (found,) = compare_inventories(*pair)
        assert (found.status, bool(found.reason)) == (status, status == "equivalent")


def test_what_is_equivalent_is_not_counted_among_what_differs() -> None:
    table = DatabaseObject(ObjectKey("TABLE", "s", "t"), {})
    holder = _source(server="14.2", public=True)
    holder = FakeSource(inventory=Inventory((*holder.inventory.objects, table)), provenance=holder.provenance)
    found = diff(holder, _source(server="14.2", pg_dump="14.2", public=False))
    assert [d.status for d in found.object_differences].count("equivalent") == 1
    assert "differs from" in found.sentence
    assert "1 object," in found.sentence


def test_what_was_not_understood_hides_only_what_is_of_its_schema_and_leaves_a_doubt() -> None:
    table = ObjectKey("TABLE", "one", "t")
    there, gone = (Inventory((), (Unmodelled("TABLE", schema, "t", NOT_UNDERSTOOD),)) for schema in ("one", "two"))
    whole = Inventory((DatabaseObject(table),))
    assert compare_objects(there, whole) == ()
    assert [(d.key, d.status) for d in compare_objects(gone, whole)] == [(table, "only_right")]
    doubtful = Inventory(whole.objects, there.unmodelled)
    assert diff(FakeSource(inventory=doubtful), FakeSource(inventory=whole)).verdict == "not_checked"
