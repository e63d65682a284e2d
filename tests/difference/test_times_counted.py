"""How many rows were touched when: no row is counted twice or lost, however coarse the spans become."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.difference.times_counted import TimesCounted
from pgaudit_kit.difference.times_touched import TimesSeen
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.loss import TouchedSince
from pgaudit_kit.rows.pg_values import microseconds_of
from tests.difference.dumping import pg_dump
from tests.difference.test_rescue import run

YEARS = dt.datetime.fromisoformat("2000-01-01"), dt.datetime.fromisoformat("2030-01-01")


def counted(values: list[str], side: int = 0, most: int = 4096) -> TimesCounted:
    seen = TimesSeen(["at"], ["at"])
    seen._counted["at"].MOST = most  # type: ignore[misc]  # of this one alone
    for value in values:
        seen.see(value.encode(), side)
    return seen._counted["at"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2024-01-02 03:04:05.5+05:30", "2024-01-02 03:04:59+05:30"], [("2024-01-02 03:04:00+05:30", 2)]),
        (["2024-01-02", "2024-01-02", "2024-01-03"], [("2024-01-02", 2), ("2024-01-03", 1)]),
        (["0044-03-15 BC", "0044-03-15 12:00:01 BC", "0044-03-15 12:00:01+00 BC"],
         [("0044-03-15 BC", 1), ("0044-03-15 12:00:00 BC", 1), ("0044-03-15 12:00:00+00 BC", 1)]),
        (["10000-01-01 00:00:00", "9999-12-31 23:59:59"], [("9999-12-31 23:59:00", 1), ("10000-01-01 00:00:00", 1)]),
        (["infinity", "-infinity", r"\N", ""], []),
    ],
)  # fmt: skip
def test_times_are_cut_to_minutes_and_stay_what_postgresql_prints(values: list[str], expected: list[tuple[str, int]]) -> None:
    assert [(c.since, c.left) for c in counted(values).counts()] == expected


@pytest.mark.parametrize("zone", ["", "+00", "-03", "+05:30"])
@given(moments=st.lists(st.datetimes(*YEARS), min_size=1, max_size=60), most=st.integers(1, 40))
def test_coarser_spans_hold_every_row_that_finer_ones_did(zone: str, moments: list[dt.datetime], most: int) -> None:
    values = [f"{moment:%Y-%m-%d %H:%M:%S}{zone}" for moment in moments]
    found = counted(values, most=most)
    counts = found.counts()
    assert sum(c.left for c in counts) == len(values)
    assert len(counts) <= most or found.unit == "year"
    begins = [microseconds_of(c.since) for c in counts]
    assert None not in begins
    assert begins == sorted(begins, key=lambda at: at or 0)
    assert len(set(begins)) == len(begins)
    behind = {"minute": "%Y-%m-%d %H:%M:00", "hour": "%Y-%m-%d %H:00:00", "day": "%Y-%m-%d", "month": "%Y-%m-01", "year": "%Y-01-01"}
    midnight = " 00:00:00" if zone and found.unit in ("day", "month", "year") else ""
    assert {c.since for c in counts} == {f"{moment.strftime(behind[found.unit])}{midnight}{zone}" for moment in moments}


@pytest.fixture
def lost(server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path) -> tuple[Path, str]:
    url = make_database()
    run(url, """CREATE TABLE t (id int PRIMARY KEY, created_at timestamptz, note text); CREATE TABLE gone (at date);
        INSERT INTO t SELECT n, '2024-01-01 00:00:00+00'::timestamptz + n * interval '1 minute', '' FROM generate_series(0, 99) n;
        INSERT INTO gone VALUES ('2023-05-06'), ('2023-05-06'), (NULL)""")  # fmt: skip
    path = tmp_path / "before.dump"
    pg_dump(server, url, path, "-Fc")
    run(url, """DELETE FROM t WHERE id BETWEEN 10 AND 12; UPDATE t SET note = 'x', created_at = '2025-01-01 00:00:30+00' WHERE id = 50;
        INSERT INTO t VALUES (1000, '2025-01-01 00:00:40+00', ''); DROP TABLE gone""")  # fmt: skip
    return path, url


def test_what_was_lost_is_counted_by_side_and_time_of_live_tables_and_of_those_that_are_gone(lost: tuple[Path, str]) -> None:
    with diff(*lost) as found:
        over_time = found.over_time
        t = over_time[over_time["name"] == "t"]
        assert set(t["touched_column"]) == {"created_at"}
        assert set(t["unit"]) == {"minute"}
        assert [(m["since"][14:16], m["rows_left"], m["rows_right"]) for m in t.to_dict("records")] == [
            ("10", 1, 0), ("11", 1, 0), ("12", 1, 0), ("50", 1, 0), ("00", 0, 2),
        ]  # fmt: skip
        gone = over_time[over_time["name"] == "gone"]
        assert gone[["since", "rows_left", "rows_right"]].values.tolist() == [["2023-05-06", 2, 0]]
        (loss,) = (one for one in found.losses if one.name.name == "gone")
        assert loss.times
        assert loss.times.over_time == (TouchedSince("2023-05-06", 2, 0),)
