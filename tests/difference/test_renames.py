"""A rename is a hint beside the two differences, and only where nothing else differs."""

from __future__ import annotations

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


def test_what_only_a_live_database_can_know_does_not_hide_a_rename() -> None:
    live = _index("j")
    live = DatabaseObject(live.key, {**live.attributes, "valid": "true", "tablespace": ""})
    assert _hints((_index("i"),), (live,)) == {"i": "looks renamed to j", "j": "looks renamed from i"}


def test_where_two_could_be_meant_or_too_little_is_known_nothing_is_guessed() -> None:
    assert set(_hints((_table("old", "a"),), (_table("new", "a"), _table("other", "a"))).values()) == {""}
    assert set(_hints((_index("i", "a"),), (_index("j", "b"),)).values()) == {""}
    schemas = tuple(DatabaseObject(ObjectKey("SCHEMA", None, name), {"owner": "me"}) for name in ("old", "new"))
    assert set(_hints(schemas[:1], schemas[1:]).values()) == {""}
