"""Changed definitions are shown line by line."""

from __future__ import annotations

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.display.object_changes import text_difference
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey
from tests.fakes import FakeSource

BODY = "\nBEGIN\n" + "".join(f"  step({n});\n" for n in range(20)) + "END\n"


def test_only_the_lines_that_differ_and_a_little_around_them_are_shown() -> None:
    shown = text_difference(BODY, BODY.replace("step(10)", "step(<b>)"), names=("a.dump", "live"))
    assert "-   step(<del>10</del>);" in shown
    assert "+   step(<ins>&lt;b&gt;</ins>);" in shown
    assert "step(7);" in shown
    assert "step(2);" not in shown
    assert "a.dump" in shown


def test_equal_texts_show_nothing_and_endless_ones_are_cut_with_their_count() -> None:
    assert text_difference(BODY, BODY) == ""
    long = text_difference("", "\n".join(map(str, range(1_000))))
    assert long.count("<span") == 2 + 400 + 1
    assert "602 lines more" in long


def test_a_difference_in_a_notebook_shows_a_changed_body_line_by_line() -> None:
    sides = [
        FakeSource(inventory=Inventory((DatabaseObject(ObjectKey("FUNCTION", "s", "f()"), {"body": text}),)))
        for text in (BODY, BODY + "-- x\n")
    ]
    assert "line by line" in diff(*sides)._repr_html_()
