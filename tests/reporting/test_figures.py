from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from pgaudit_kit.reporting import Chart, figures
from pgaudit_kit.reporting.chart import BLUE, GREEN, GREY, PURPLE, VERMILION

AWKWARD = ["<script>alert(1)</script>", "$total$ & co", "😀 名前", "tab\there\nand\x00there", "x" * 500, 'a"b', "", "\ud800"]


def tables(names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "schema": "public",
            "name": name,
            "rows": 10**i,
            "size_bytes": 100 * 10**i,
            "rows_left": 10**i,
            "rows_right": 7 * i,
            "missing": i,
            "changed": 2 * i,
            "extra": 0,
            "status": "different" if i % 2 else "same",
        }
        for i, name in ((n % 9, name) for n, name in enumerate(names))
    ]


def checks(names: Sequence[str]) -> list[dict[str, Any]]:
    outcomes = ["passed", "failed", "warned", "not_checked"]
    return [{"id": n, "question": n, "outcome": outcomes[i % 4], "compared": i} for i, n in enumerate(names)]


def objects(names: Sequence[str]) -> list[dict[str, Any]]:
    statuses = ["only_left", "changed", "only_right", "equivalent"]
    return [{"kind": "INDEX", "schema": "public", "parent": None, "name": n, "status": statuses[i % 4]} for i, n in enumerate(names)]


def keys(names: Sequence[str]) -> list[dict[str, Any]]:
    states = ["in force", "dropped", "not valid"]
    return [
        {"schema": "s", "table": n, "key": n, "parent": f"s.{names[i // 2]}", "state": states[i % 3], "rows": [0, 3, None][i % 3]}
        for i, n in enumerate(names)
    ]


def touched(names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {**t, "touched_column": n, "since": f"20{i % 90 + 10}-01-01", "unit": "year"}
        for i, (n, t) in enumerate(zip(names, tables(names), strict=True))
    ]


def stored(names: Sequence[str]) -> list[dict[str, Any]]:
    verdicts = ["passed", "failed", "not_checked"]
    first = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        {"target": n, "when": first + timedelta(hours=i), "size_bytes": i, "rows": None, "verdict": verdicts[i % 3]}
        for i, n in enumerate(names)
    ]


def applied(names: Sequence[str]) -> list[dict[str, Any]]:
    states = ["applied", "pending", "failed", "edited", "unknown", "rolled_back"]
    return [
        {"name": n, "state": states[i % 6], "applied_at": f"20{i % 90 + 10}-01-01 00:00:00+00", "out_of_order": i % 5 == 0}
        for i, n in enumerate(names)
    ]


EVERY: dict[str, Callable[[Sequence[str]], Chart]] = {
    "rows": lambda names: figures.rows_per_table(tables(names)),
    "lost": lambda names: figures.lost_per_table(tables(names)),
    "size": lambda names: figures.size_per_table(tables(names)),
    "status": lambda names: figures.status_per_table(tables(names)),
    "checks": lambda names: figures.compared_per_check(checks(names)),
    "objects": lambda names: figures.objects_per_kind(objects(names)),
    "held": lambda names: figures.objects_held([{"kind": name} for name in names]),
    "keys": lambda names: figures.key_graph(keys(names), tables(names)),
    "lost over time": lambda names: figures.lost_over_time(touched(names)),
    "backups": lambda names: figures.backup_history(stored(names)),
    "backups of one": lambda names: figures.backup_history([{**b, "target": "one"} for b in stored(names)]),
    "migrations": lambda names: figures.migrations_timeline(applied(names)),
    "seconds": lambda names: figures.seconds_per_step({name: float(i) for i, name in enumerate(names)}),
}


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("names", [[], ["users"], AWKWARD, [f"table_{i}" for i in range(500)]], ids=["none", "one", "awkward", "500"])
def test_every_figure_is_a_sound_and_self_standing_drawing_whatever_it_is_given(kind: str, names: list[str]) -> None:
    chart = EVERY[kind](names)
    svg = chart.svg()
    root = ET.fromstring(svg)  # noqa: S314  # our own text
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"].startswith(chart.title)
    assert "<style" not in svg  # matplotlib's would restyle the whole page
    assert "<script" not in svg.lower()
    width, height = (float(v) for v in root.attrib["viewBox"].split()[2:])
    assert width == 380
    assert 10 < height < 2500
    assert len(svg) < 300_000
    assert chart.description.endswith(".")


def test_no_text_leaves_the_sheet_at_its_left_or_top() -> None:
    root = ET.fromstring(figures.rows_per_table(tables(AWKWARD)).svg())  # noqa: S314
    places = [(float(t.attrib["x"]), float(t.attrib["y"])) for t in root.iter("{http://www.w3.org/2000/svg}text")]
    assert places
    assert all(0 <= x < 380 and y > 0 for x, y in places)


def test_two_drawings_of_one_chart_share_no_id() -> None:
    chart = figures.rows_per_table(tables(["users", "lists"]))
    first, second = (set(re.findall(r'\bid="([^"]+)"', chart._repr_html_())) for _ in range(2))
    assert not first & second
    for reference in re.findall(r"url\(#([^)]+)\)", chart.svg()):
        assert reference.startswith("pg")


def test_a_figure_takes_the_colour_of_the_text_around_it() -> None:
    svg = figures.rows_per_table(tables(["users"])).svg()
    assert "fill: currentColor" in svg
    assert "#010203" not in svg


def test_names_and_numbers_stand_in_the_figure_as_text() -> None:
    svg = figures.rows_per_table(
        [{"schema": "public", "name": "users", "rows_left": 1000, "rows_right": 988}], names=("dump", "live")
    ).svg()
    assert ">public.users</text>" in svg
    assert ">988 (-12)</text>" in svg
    assert ">live</text>" in svg


def test_an_unknown_count_is_said_to_be_unknown_and_not_drawn_as_zero() -> None:
    frame = pd.DataFrame({"schema": ["public"], "name": ["users"], "rows_left": [5], "rows_right": [None]}).astype({"rows_right": "Int64"})
    chart = figures.rows_per_table(frame)
    assert ">not known</text>" in chart.svg()
    assert "The count differs in none of them" in chart.description


def test_a_table_that_one_side_lacks_is_no_unknown_count() -> None:
    """Of a database that lost all its tables the page once said that the count differs in none of them."""
    found = [("gone", "only_left", 5, None), ("new", "only_right", None, 7), ("there", "not_checked", 4, None)]
    chart = figures.rows_per_table([dict(zip(("name", "status", "rows_left", "rows_right"), row, strict=True)) for row in found])
    svg = chart.svg()
    assert (svg.count(">no such table</text>"), svg.count(">not known</text>")) == (2, 1)
    assert "The count differs in 2 of them" in chart.description


def test_of_many_tables_those_that_differ_most_are_drawn_and_all_others_summed() -> None:
    many = [{"schema": "s", "name": f"t{i}", "rows_left": 100, "rows_right": 100} for i in range(499)]
    many.append({"schema": "s", "name": "emptied", "rows_left": 90, "rows_right": 0})
    svg = figures.rows_per_table(many).svg()
    assert svg.index("s.emptied") < svg.index("s.t0")
    assert "488 other tables" in svg
    assert ">48,800</text>" in svg


def test_what_was_lost_is_told_in_words_too() -> None:
    summary = [
        {"schema": "public", "name": "users", "missing": 3, "changed": 1, "extra": 0},
        {"schema": "public", "name": "messages", "missing": 1200, "changed": 0, "extra": 2},
    ]
    chart = figures.lost_per_table(summary)
    assert "1,203 rows missing, 1 changed, 2 extra. public.messages lost most." in chart.description
    assert figures.lost_per_table([]).description == "No row is missing, changed or extra."


def test_tables_that_are_not_the_same_are_named_under_their_field_of_squares() -> None:
    chart = figures.status_per_table(tables(["a", "b", "c"]))
    assert "1 different, 2 same" in chart.description
    assert "Look at public.b." in chart.description


def test_one_changed_object_counts_once_however_many_attributes_changed() -> None:
    one = {"kind": "TABLE", "schema": "s", "parent": None, "name": "t", "status": "changed"}
    assert figures.objects_per_kind([{**one, "attribute": "a"}, {**one, "attribute": "b"}]).description == "1 changed."


def test_the_palette_is_visible_on_white_and_on_near_black() -> None:
    for colour in (BLUE, VERMILION, GREEN, PURPLE, GREY):
        assert 1.05 / (_luminance(colour) + 0.05) >= 3.0, colour
        assert (_luminance(colour) + 0.05) / (_luminance("#1b1f24") + 0.05) >= 2.9, colour


def _luminance(hue: str) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (int(hue[i : i + 2], 16) / 255 for i in (1, 3, 5))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_sum_over_many_tables_hides_no_bar_and_unknown_ones_are_no_zero() -> None:
    many = [{"schema": "s", "name": f"t{i:04}", "rows_left": 100, "rows_right": 100} for i in range(2000)]
    drawn = _widths(figures.rows_per_table(many).svg())
    assert min(drawn) == max(drawn) > 100, "the bars of the tables that are drawn, and none of 198,800 rows beside them"
    unknown = [{"schema": "s", "name": f"t{i}", "missing": None, "changed": None, "extra": None} for i in range(30)]
    chart = figures.lost_per_table(unknown)
    assert "Of 30 tables it is not all known." in chart.description
    assert ">0 missing</text>" not in chart.svg()
    assert "18 other tables" in chart.svg()
    assert chart.svg().count(">missing not known</text>") == 13


def test_among_many_small_squares_size_tells_what_differs_and_not_colour_alone() -> None:
    names = [f"t{i}" for i in range(400)]
    frame = [{"schema": "s", "name": name, "status": "different" if name == "t7" else "same"} for name in names]
    sides = _widths(figures.status_per_table(frame).svg(), least=3)
    assert len(sides) == 400 + 2  # the legend has two
    assert sorted(sides)[:399] == pytest.approx([4.0] * 399)
    assert sorted(sides)[399] == pytest.approx(9.0)


def _widths(svg: str, *, least: float = 20) -> list[float]:
    """The widths of all filled rectangles that are wider than *least*."""
    corners = [[float(n) for n in re.findall(r"[ML] ([-\d.]+)", path)] for path in re.findall(r'<path d="([^"]*)"', svg)]
    return [width for xs in corners if len(xs) == 4 and (width := max(xs) - min(xs)) > least]
