"""The verdict of a difference: never green for what was not looked at."""

from __future__ import annotations

import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import Column, DatabaseObject, ObjectKey
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableName
from tests.fakes import FakeSource

TABLE = DatabaseObject(ObjectKey("TABLE", "public", "t"), columns=(Column("a", {"type": "integer"}),))
ROWS = {TableName("public", "t"): (("a",), b"1\n2\n")}


def whole(**changes: object) -> FakeSource:
    return FakeSource(**{"inventory": Inventory((TABLE,)), "copy_text": ROWS, **changes})  # type: ignore[arg-type]  # a dict of them all


def test_the_same_objects_and_rows_are_the_same() -> None:
    found = diff(whole(), whole())
    assert (found.verdict, found.compared, found.skipped) == ("same", 2, ())


def test_rows_alone_never_vouch_for_the_objects() -> None:
    data_only = whole(inventory=Inventory())
    for found in (diff(data_only, whole()), diff(whole(), data_only)):
        assert (found.verdict, found.compared) == ("not_checked", 1)
        assert [s.what for s in found.skipped] == ["objects"]
    assert diff(data_only, whole(), data_only=True).verdict == "same"
    changed = diff(data_only, whole(copy_text={TableName("public", "t"): (("a",), b"1\n3\n")}))
    assert changed.verdict == "different"


@pytest.mark.parametrize("side", ["left", "right"])
def test_what_is_left_of_a_damaged_dump_is_never_the_same(side: str) -> None:
    damaged = whole(label="cut.sql", provenance=Provenance(format="plain", complete=False))
    found = diff(damaged, whole()) if side == "left" else diff(whole(), damaged)
    assert (found.object_differences, found.table_differences) == ((), ())
    assert found.verdict == "not_checked"
    assert "cut.sql" in found.sentence
    assert "verify" in found.sentence
