"""A procedure is the same one whether its arguments say IN or not, and only across 14."""

from __future__ import annotations

import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey
from pgaudit_kit.records.provenance import Provenance
from tests.fakes import FakeSource


def side(version: str, identity: str, arguments: str, body: str = "BEGIN END") -> FakeSource:
    made = DatabaseObject(ObjectKey("PROCEDURE", "s", f"proc({identity})"), {"arguments": arguments, "language": "plpgsql", "body": body})
    return FakeSource(inventory=Inventory((made,)), provenance=Provenance("x", server_version=version))


OLD = ("INOUT x integer, y text, integer", "INOUT x integer, y text DEFAULT 'q', integer DEFAULT 1")
NEW = ("INOUT x integer, IN y text, IN integer", "INOUT x integer, IN y text DEFAULT 'q', IN integer DEFAULT 1")


@pytest.mark.parametrize("versions", [("13.2", "14.1"), ("13.2", "18.1")])
def test_arguments_that_say_in_are_equivalent_across_14(versions: tuple[str, str]) -> None:
    old, new = side(versions[0], *OLD), side(versions[1], *NEW)
    for pair in ((old, new), (new, old)):
        (found,) = diff(*pair).object_differences
        assert (found.status, found.key.name) == ("equivalent", f"proc({NEW[0]})")
        assert "say IN" in found.reason


def test_what_else_differs_is_named() -> None:
    (found,) = diff(side("13.2", *OLD), side("15.1", *NEW, body="BEGIN COMMIT; END")).object_differences
    assert found.status == "changed"
    assert {change.attribute for change in found.changes} == {"body"}


def test_other_arguments_are_another_procedure() -> None:
    for versions in (("14.1", "15.1"), ("13.1", "13.2")):
        assert {d.status for d in diff(side(versions[0], *OLD), side(versions[1], *NEW)).object_differences} == {"only_left", "only_right"}
    other = side("15.1", "INOUT x integer, IN z text, IN integer", NEW[1])
    assert {d.status for d in diff(side("13.2", *OLD), other).object_differences} == {"only_left", "only_right"}
