from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from pgaudit_kit.display import html


def test_a_table_called_script_is_shown_as_such_and_never_run() -> None:
    name = "<script>alert(1)</script>"
    everywhere = html.fragment(
        html.banner("failed", name),
        html.summary({name: name}),
        html.table([name], [(name,)], caption=name),
        html.next_steps([name]),
        html.folded(name, html.text(name)),
    )
    assert "<script" not in everywhere
    assert everywhere.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 10


def test_a_quote_in_a_caption_does_not_end_the_attribute_that_names_the_table() -> None:
    assert 'aria-label="a&quot; onclick=&quot;b"' in html.table(["x"], [(1,)], caption='a" onclick="b')


@pytest.mark.parametrize(
    ("verdict", "word"), [("passed", "passed"), ("same", "same"), ("not_checked", "not checked"), ("different", "different")]
)
def test_a_verdict_is_a_word_and_a_symbol_and_not_a_colour_alone(verdict: str, word: str) -> None:
    shown = html.banner(verdict, "It is so.")
    assert word in shown
    assert f'aria-hidden="true">{html.look(verdict).symbol}<' in shown


def test_a_word_that_is_no_verdict_is_never_shown_as_passed() -> None:
    assert "not checked" in html.banner("great", "Trust me.")


def test_every_verdict_colour_is_readable_under_white_text() -> None:
    for verdict in html.VERDICTS:
        assert _contrast_with_white(html.look(verdict).hue) >= 4.5, verdict


def _contrast_with_white(hue: str) -> float:
    """WCAG 2.1, relative luminance."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (int(hue[i : i + 2], 16) / 255 for i in (1, 3, 5))]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_at_most_50_rows_are_shown_and_the_count_of_all_is_said() -> None:
    shown = html.table(["n"], [(n,) for n in range(1234)], caption="Rows")
    assert shown.count("<tr>") == 51
    assert "1,234 rows, 50 shown, 1,184 left out" in shown


def test_further_rows_can_be_folded_and_none_is_lost() -> None:
    shown = html.table(["n"], [(n,) for n in range(120)], caption="Rows", fold=1000)
    assert "120 rows, 50 shown, 70 folded below" in shown
    assert shown.count("<td") == 120
    assert shown.index("<details>") < shown.index(">119</td>")


def test_a_table_without_rows_says_so() -> None:
    assert "no rows" in html.table(["n"], [], caption="Rows")


def test_every_table_has_a_caption_column_scopes_and_can_be_scrolled_by_keyboard() -> None:
    shown = html.table(["a", "b"], [(1, 2)], caption="Rows")
    assert shown.count('<th scope="col"') == 2
    assert "<caption>" in shown
    assert 'tabindex="0"' in shown


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT])
def test_a_missing_value_is_a_dash_and_not_a_word_of_python(missing: object) -> None:
    assert ">—</span></td>" in html.table(["x"], [(missing,)], caption="Rows")


def test_a_frame_with_nullable_counts_is_set_right_with_its_missing_count_as_a_dash() -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "rows": pd.Series([1234567, None], dtype="Int64")})
    shown = html.frame_table(frame, caption="Tables")
    assert '<td class="pg-number">1,234,567</td>' in shown
    assert '<td class="pg-number"><span class="pg-none">—</span></td>' in shown


def test_values_read_as_people_write_them() -> None:
    row = (True, 0.123456, dt.datetime(2025, 1, 2, 3, 4, 5, tzinfo=dt.UTC), ["a", "b"], "x" * 600)
    shown = html.table(list("abcde"), [row], caption="Rows")
    for said in ("yes", "0.1235", "2025-01-02 03:04:05+00:00", "a, b", "… (600 characters)"):
        assert said in shown


def test_characters_that_no_page_can_hold_become_visible() -> None:
    assert html.escape("a\x00b\x1bc\x7f\x85\ud800\té") == r"a\x00b\x1bc\x7f\x85?" + "\té"


def test_a_verdict_word_gets_its_sign_only_in_a_column_of_verdicts() -> None:
    assert "pg-verdict" in html.table(["outcome"], [("failed",)], caption="Checks")
    assert "pg-verdict" not in html.table(["text"], [("failed",)], caption="Rows")


def test_of_long_texts_the_part_that_differs_is_shown() -> None:
    frame = pd.DataFrame({"left": ["a" * 1000 + "X" + "b" * 1000, "short"], "right": ["a" * 1000 + "Y" + "b" * 1000, None]})
    shown = html.frame_table(frame, caption="Rows", compare=("left", "right"))
    assert "aXbbb" in shown
    assert "aYbbb" in shown
    assert "(2,001 characters, shown from 961)" in shown
    assert len(shown) < 2500
    assert html.around_difference("abc", "abd") == ("abc", "abd")


def test_a_space_at_an_end_is_visible_because_a_row_may_differ_in_nothing_else() -> None:
    shown = html.table(["left", "right"], [("x", "x "), (" ", "")], caption="Rows")
    assert '>x<span class="pg-none" title="1 spaces">·</span></td>' in shown
    assert '<td><span class="pg-none" title="1 spaces">·</span></td><td class="pg-word"></td>' in shown


def test_a_column_of_a_frame_that_holds_nothing_is_left_out() -> None:
    shown = html.frame_table(pd.DataFrame({"name": ["a"], "remedy": [""], "reason": [None]}), caption="Rows")
    assert "name" in shown
    assert "remedy" not in shown
    assert "reason" not in shown


def test_of_two_columns_that_are_compared_none_is_left_out_because_all_its_values_are_null() -> None:
    frame = pd.DataFrame({"column": ["m", "n"], "in the dump": ["ok", "sad"], "live now": [None, None]})
    shown = html.frame_table(frame, caption="Rows", compare=("in the dump", "live now"))
    assert "live now" in shown
    missing_rows = frame.assign(**{"column": None, "in the dump": None})
    assert "live now" not in html.frame_table(missing_rows.assign(key=["1", "2"]), caption="Rows", compare=("in the dump", "live now"))


def test_characters_that_nobody_sees_or_that_turn_text_round_become_visible_and_emoji_stay() -> None:
    assert html.escape("a\u200bb\u202ec\u2066d\ufeffe\u00adf") == r"a\u200bb\u202ec\u2066d\ufeffe\xadf"
    assert html.escape("👩\u200d👧 مرحبا") == "👩\u200d👧 مرحبا"


def test_a_span_of_time_reads_as_people_say_it() -> None:
    minute = dt.timedelta(minutes=1)
    spans = (dt.timedelta(seconds=146.97), dt.timedelta(days=12, hours=4, seconds=3), dt.timedelta(0), 180 * minute, -minute)
    shown = html.table(list("abcde"), [spans], caption="Ages")
    for said in ("2 min 26.97 s", "12 d 4 h 3 s", ">0 s<", ">3 h<", ">-1 min<"):
        assert said in shown


def test_a_command_between_backticks_is_code_and_what_is_in_it_is_escaped() -> None:
    assert html.with_code("run `a <b>` now") == "run <code>a &lt;b&gt;</code> now"
    assert "<code>x</code>" in html.next_steps(["`x`"])


def test_a_large_number_with_a_fraction_is_no_power_of_ten() -> None:
    assert ">123,456.79<" in html.table(["a"], [(123456.789,)], caption="Numbers")
