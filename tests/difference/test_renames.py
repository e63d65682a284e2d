"""A rename is a hint beside the two differences, and only where nothing else differs."""

from __future__ import annotations

from dataclasses import replace

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import Column, DatabaseObject, ObjectKey
from tests.fakes import FakeSource


def _hints(left: tuple[DatabaseObject, ...], right: tuple[DatabaseObject, ...]) -> dict[str, str]:
    found = diff(FakeSource(inventory=Inventory(left)), FakeSource(inventory=Inventory(right)))
    assert found.verdict == "different"
    return {d.key.name: d.hint for d in found.object_differences}


def _table(name: str, *columns: str) -> DatabaseObject:
    return DatabaseObject(ObjectKey("TABLE", "s", name), {"owner": "me"}, tuple(Column(c, {"type": "text"}) for c in columns))


def _index(name: str, column: str = "a") -> DatabaseObject:
    return DatabaseObject(ObjectKey("INDEX", "s", name, "t"), {"definition": f"CREATE INDEX {name} ON s.t USING btree ({column})"})


def test_one_gone_and_one_new_that_are_alike_look_renamed() -> None:
    assert _hints((_table("old", "a", "b"),), (_table("new", "a", "b"),)) == {
        "old": "looks renamed to new",
        "new": "looks renamed from old",
    }
    assert _hints((_index("i"),), (_index("j"),)) == {"i": "looks renamed to j", "j": "looks renamed from i"}


def test_what_only_one_source_knows_of_it_hides_no_rename() -> None:
    known = replace(_index("j"), attributes={**_index("j").attributes, "valid": "true", "tablespace": ""})
    assert _hints((_index("i"),), (known,)) == {"i": "looks renamed to j", "j": "looks renamed from i"}


def test_what_is_named_for_what_it_is_was_not_renamed() -> None:
    extensions = tuple(DatabaseObject(ObjectKey("EXTENSION", None, name), {"extension_schema": "public"}) for name in ("citext", "hstore"))
    assert set(_hints(extensions[:1], extensions[1:]).values()) == {""}


def test_a_policy_that_says_nothing_and_a_table_without_columns_look_renamed() -> None:
    for kind, parent in (("POLICY", "t"), ("TABLE", None)):
        old, new = (DatabaseObject(ObjectKey(kind, "s", name, parent), {"owner": "me"}) for name in ("old", "new"))
        assert _hints((old,), (new,)) == {"old": "looks renamed to new", "new": "looks renamed from old"}
        restrictive = replace(new, attributes={"restrictive": "true", "of_type": "s.x"})
        assert set(_hints((old,), (restrictive,)).values()) == {""}


def test_a_schema_looks_renamed_by_what_is_in_it() -> None:
    def schema(name: str, *tables: str) -> tuple[DatabaseObject, ...]:
        inside = (DatabaseObject(ObjectKey("TABLE", name, table), {}, (Column(table, {"type": "text"}),)) for table in tables)
        return (DatabaseObject(ObjectKey("SCHEMA", None, name), {"owner": "me"}), *inside)

    hints = _hints(schema("old", "a", "b"), schema("new", "a", "b"))
    assert hints == {"old": "looks renamed to new", "new": "looks renamed from old", "a": "", "b": ""}
    assert set(_hints(schema("old", "a"), schema("new", "b")).values()) == {""}
    assert set(_hints(schema("old", "a"), (*schema("new", "a"), *schema("other", "a"))).values()) == {""}


def test_where_two_could_be_meant_or_too_little_is_known_nothing_is_guessed() -> None:
    assert set(_hints((_table("old", "a"),), (_table("new", "a"), _table("other", "a"))).values()) == {""}
    assert set(_hints((_index("i", "a"),), (_index("j", "b"),)).values()) == {""}
    schemas = tuple(DatabaseObject(ObjectKey("SCHEMA", None, name), {"owner": "me"}) for name in ("old", "new"))
    assert set(_hints(schemas[:1], schemas[1:]).values()) == {""}
