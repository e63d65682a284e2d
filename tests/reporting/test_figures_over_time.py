"""Figures of what happened when, and of what points at what: nothing that the frames say is lost or told otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.reporting import Chart, figures
from pgaudit_kit.reporting.chart import GREEN, VERMILION
from pgaudit_kit.reporting.figures.spans import spans_of
from pgaudit_kit.reporting.strips import COLUMNS


def texts(chart: Chart) -> list[str]:
    root = ET.fromstring(chart.svg())  # noqa: S314  # our own text
    return ["".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize(
    ("moments", "unit", "word", "count", "ends"),
    [
        (["2024-01-01 10:00:00+00", "2024-01-01 10:30:00+00"], "minute", "a minute", 31, ("2024-01-01 10:00 UTC", "2024-01-01 10:30 UTC")),
        (["2024-01-01 10:00:00", "2024-01-01 12:59:00"], "minute", "5 minutes", 36, ("2024-01-01 10:00", "2024-01-01 12:59")),
        (["2024-01-01", "2024-01-02"], "minute", "an hour", 25, ("2024-01-01 00:00", "2024-01-02 00:00")),
        (["2024-01-01", "2024-01-20"], "day", "a day", 20, ("2024-01-01", "2024-01-20")),
        (["2024-01-01", "2026-12-01"], "day", "a month", 36, ("2024-01", "2026-12")),
        (["0044-01-01 BC", "2024-01-01"], "year", "a century", 22, ("0044 BC", "2024")),
        (["2024-01-01"], "day", "a day", 1, ("2024-01-01", "2024-01-01")),
    ],
)
def test_spans_are_the_finest_of_which_few_enough_cover_all(
    moments: list[str], unit: str, word: str, count: int, ends: tuple[str, str]
) -> None:
    found = spans_of(moments, unit)
    assert (found.word, found.count, found.ends) == (word, count, ends)


@given(st.lists(st.dates(), min_size=1), st.sampled_from(["minute", "hour", "day", "month", "year"]))
def test_every_moment_is_in_a_span_and_those_in_order_stay_so(dates: list[Any], unit: str) -> None:
    found = spans_of([d.isoformat() for d in sorted(dates)], unit)
    assert list(found.places) == sorted(found.places)
    assert found.places[0] == 0
    assert found.places[-1] == found.count - 1
    assert found.count <= COLUMNS


def test_what_was_lost_over_time_is_counted_on_both_sides_and_drawn_in_its_span() -> None:
    def at(since: str, left: int, right: int) -> dict[str, Any]:
        place = {"schema": "public", "name": "messages", "touched_column": "created_at"}
        return {**place, "since": since, "unit": "day", "rows_left": left, "rows_right": right}

    chart = figures.lost_over_time([at("2024-01-01", 5, 0), at("2024-01-03", 10, 2)])
    assert chart.description == "public.messages, by created_at: 15 before and 2 now; a column is a day."
    assert {"public.messages", "2024-01-01 to 2024-01-03"} <= set(texts(chart))
    colours = chart.svg()
    assert colours.count(f"fill: {VERMILION}") == 1 + 3  # the legend, two columns and an empty one
    gone = [{"schema": "public", "name": name} for name in ("messages", "lists")]
    told = figures.lost_over_time([at("2024-01-01", 5, 0)], gone).description
    assert told.endswith("No time to draw them by have the rows of public.lists."), "a table is not left out in silence"
    assert figures.lost_over_time([]).description == "No row that differs has a time to draw it by."


def test_backups_are_told_with_what_is_known_of_them_by_sign_and_word() -> None:
    def backup(day: int, verdict: str, target: str = "app (h/app)") -> dict[str, Any]:
        when = datetime(2026, 11, day, 4, 5, tzinfo=UTC)
        return {"target": target, "when": when, "size_bytes": day * 1_000_000, "rows": 1_234 * day, "verdict": verdict}

    chart = figures.backup_history([backup(2, "failed"), backup(1, "passed"), backup(3, "not_checked"), backup(1, "passed", "other")])
    assert chart.description.startswith("4 backups of 2 databases: 2 proven, 1 damaged, 1 not proven yet.")
    said = texts(chart)
    assert [t for t in said if t in ("✓", "✕", "?")] == ["✓", "✕", "?", "✓"], "in the order of time, the database with the newest first"
    assert "3 backups; the last 3.0 MB, 3,702 rows" in said
    assert "2026-11-01 04:05 UTC to 2026-11-03 04:05 UTC" in said


def test_many_migrations_are_all_on_the_axis_and_those_that_need_a_look_are_listed() -> None:
    many = [
        {"name": f"m{n}", "state": "applied", "applied_at": f"2024-01-01 {n // 60:02}:{n % 60:02}:00", "out_of_order": False}
        for n in range(100)
    ]
    many[7] |= {"state": "failed"}
    many[9] |= {"out_of_order": True}
    chart = figures.migrations_timeline(many)
    said = texts(chart)
    assert {"m7", "m9", "m99"} <= set(said)
    assert "m8" not in said
    assert "applied, 2024-01-01 00:09, out of order" in said
    assert "24 are listed, all are on the axis. Look at m7, m9." in chart.description


def key(child: str, parent: str, state: str = "in force", rows: int | None = 0) -> dict[str, Any]:
    return {"schema": "s", "table": child, "key": f"{child}_fkey", "parent": f"s.{parent}", "state": state, "rows": rows}


def test_the_damaged_part_of_the_graph_is_marked_by_sign_word_and_line_and_nothing_else_is() -> None:
    lost = [{"schema": "s", "name": "users", "missing": 5, "changed": 0, "extra": 1, "dangling": 0, "dangling_to": 3}]
    chart = figures.key_graph([key("lists", "users"), key("messages", "users", rows=3), key("tags", "lists")], lost)
    said = texts(chart)
    assert said.index("s.users") < said.index("s.lists") < said.index("s.tags"), "parents first"
    assert said[said.index("s.users") - 1] == "✕"
    assert said[said.index("s.messages") - 1] == "✕"
    assert said[said.index("s.lists") - 1] == said[said.index("s.tags") - 1] == "✓"
    assert {"5 missing, 1 extra", "3 point at nothing in s.users"} <= set(said)
    svg = chart.svg()
    assert svg.count("stroke-dasharray") == 1
    assert svg.count(f"fill: {GREEN}") == 1 + 2
    assert "3 foreign keys between 4 tables: 1 key broken or dropped. Look at s.messages, s.users." in chart.description


def test_keys_of_which_nothing_is_known_are_said_to_be_so_and_those_not_enforced_are_no_damage() -> None:
    chart = figures.key_graph([key("a", "b", rows=None), key("c", "b", "not valid"), key("d", "b", "dropped")])
    said = texts(chart)
    assert "not known whether a_fkey holds" in said
    assert "c_fkey not valid" in said
    assert said[said.index("s.c") - 1] == "✓"
    assert said[said.index("s.d") - 1] == "✕"
    assert "1 key broken or dropped, of 1 key it is not known" in chart.description


def test_circles_and_tables_that_point_at_themselves_are_drawn() -> None:
    said = texts(figures.key_graph([key("a", "b"), key("b", "a"), key("c", "c")]))
    assert {"s.a", "s.b", "s.c"} <= set(said)


def test_of_many_tables_the_damaged_ones_and_their_neighbours_are_drawn() -> None:
    chain = [key(f"t{n}", f"t{n - 1}", rows=7 if n == 150 else 0) for n in range(1, 200)]
    chart = figures.key_graph(chain)
    assert {"s.t149", "s.t150", "s.t148", "s.t151"} <= set(texts(chart))
    assert "30 tables are drawn, the damaged ones and those beside them first. Look at s.t149, s.t150." in chart.description
