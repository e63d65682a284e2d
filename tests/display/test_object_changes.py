"""The objects that differ, in a notebook."""

from __future__ import annotations

import re

import pytest

from pgaudit_kit.display import frames
from pgaudit_kit.display.object_changes import objects_html
from pgaudit_kit.display.text_difference import Line, Piece, different_lines, different_words
from pgaudit_kit.records.difference import Change, ObjectDifference
from pgaudit_kit.records.objects import ObjectKey

VIEW = ObjectKey("VIEW", "s", "<v>")
FUNCTION = ObjectKey("FUNCTION", "s", "f()")


def shown(*differences: ObjectDifference) -> str:
    return "".join(objects_html(differences, ("a.dump", "live")))


def test_the_words_of_a_definition_that_differ_are_marked() -> None:
    html = shown(ObjectDifference(VIEW, "changed", (Change("definition", "SELECT <1> AS n", "SELECT <2> AS n"),)))
    assert "<td>SELECT &lt;<del>1</del>&gt; AS n</td><td>SELECT &lt;<ins>2</ins>&gt; AS n</td>" in html
    assert "VIEW s.&lt;v&gt;" in html


def test_texts_with_little_in_common_are_shown_whole_and_unmarked() -> None:
    assert different_words("abc def", "1, 2; 3") == ((Piece("abc def"),), (Piece("1, 2; 3"),))
    assert different_words("x" * 5000, "x" * 4999 + "y") == ((Piece("x" * 5000),), (Piece("x" * 4999 + "y"),))


@pytest.mark.parametrize(
    ("left", "right", "signs"),
    [
        ("a\nb\n", "a\nc\n", "@ -+"),
        ("a\nb", "a\nb\n", "@  +"),
        ("a\nb\nc", "a\nc", "@ - "),
        ("a\r\nb", "a\nb", "@-+ "),
        ("a\nb", "a\nb", ""),
    ],
)
def test_every_line_has_its_sign_and_no_difference_is_lost(left: str, right: str, signs: str) -> None:
    assert "".join(line.sign for line in different_lines(left, right)) == signs


def test_a_line_that_was_changed_is_compared_with_its_counterpart_word_by_word() -> None:
    assert list(different_lines("a\nx = 1;\n", "a\nx = 2;\n"))[2:] == [
        Line("-", [Piece("x = "), Piece("1", differs=True), Piece(";")]),
        Line("+", [Piece("x = "), Piece("2", differs=True), Piece(";")]),
    ]


def test_long_texts_stand_below_the_table_the_first_open_the_others_folded() -> None:
    changes = tuple(Change(f"body{n}", "a\nb", "a\nc") for n in range(7))
    html = shown(ObjectDifference(FUNCTION, "changed", changes))
    assert html.count("2 lines, compared below") == 14
    assert (html.count("<details open>"), html.count("<details>")) == (5, 2)


def test_what_is_equivalent_stands_apart_and_is_not_counted() -> None:
    html = shown(
        ObjectDifference(VIEW, "equivalent", (Change("definition", "a", "b"),), reason="18 prints it so"),
        ObjectDifference(FUNCTION, "only_left", hint="looks renamed to g()"),
    )
    differ, _, alike = html.partition("Written otherwise")
    assert "Objects that differ: 1" in differ
    assert "looks renamed to g()" in differ
    assert "18 prints it so" not in differ
    assert "18 prints it so" in alike


def test_a_password_in_a_definition_is_hidden_everywhere_and_that_it_differs_is_said() -> None:
    texts = ("postgresql://me:{}@h/db", "host=h password={} x", "OPTIONS (user 'me', password '{}')", "ALTER ROLE r PASSWORD E'{}\\'x'")
    for text in texts:
        for around in ("{}", "one\n{}\n"):
            left, right = (around.format(text).replace("{}", secret) for secret in ("s3cret-1", "s3cret-2"))
            difference = ObjectDifference(FUNCTION, "changed", (Change("body", left, right),))
            html = shown(difference)
            frame = frames.object_differences_frame([difference]).to_string()
            assert "s3cret" not in html + frame, text
            assert "a password in it differs" in re.sub(r"<[^>]+>", "", html)


def test_the_frame_says_why_something_is_equivalent_and_what_it_looks_like() -> None:
    frame = frames.object_differences_frame(
        [
            ObjectDifference(VIEW, "equivalent", (Change("definition", "a", "b"),), reason="so"),
            ObjectDifference(FUNCTION, "only_left", hint="h"),
        ]
    )
    assert frame["reason"].fillna("").tolist() == ["so", ""]
    assert frame["hint"].fillna("").tolist() == ["", "h"]
