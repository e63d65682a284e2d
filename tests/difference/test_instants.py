"""timestamptz text in UTC: held against what a server prints, over all years and offsets that there are."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from pgaudit_kit.rows.zoned_text import in_utc

ZONES = (
    "UTC",
    "Asia/Tokyo",
    "America/New_York",
    "Asia/Kathmandu",
    "Europe/Amsterdam",
    "Pacific/Apia",
    "America/St_Johns",
    "Australia/Lord_Howe",
)
# Every 37 days and some of a few centuries, then the ends of years, leap days, the turn of eras and the ends of the type
SAMPLE = """
    SELECT timestamptz '1799-12-31 22:10:03.000001+00' + i * interval '37 days 05:07:11.25' FROM generate_series(0, 3000) i
    UNION ALL
    SELECT v::timestamptz FROM unnest(array[
        '4713-01-02 00:00:00+00 BC', '0001-01-01 00:00:00+00', '0001-12-31 23:59:59.999999+00 BC', '0004-02-29 12:00:00+00',
        '0005-02-28 12:00:00+00 BC',         '1900-02-28 23:00:00+00', '2000-02-29 00:00:00+00', '9999-12-31 23:59:59+00',
        '10000-01-01 00:00:00+00', '294276-12-30 23:59:59.999999+00'
    ]) v
"""


def test_every_value_is_the_instant_that_the_server_means(make_database: Callable[..., str]) -> None:
    with psycopg.connect(make_database(), autocommit=True) as connection:
        connection.execute("SET DateStyle = ISO; SET TimeZone = 'UTC'; CREATE TEMP TABLE t (v timestamptz)")
        connection.execute(f"INSERT INTO t {SAMPLE}".encode())
        expected = [row[0] for row in connection.execute("SELECT v::text FROM t ORDER BY t.v").fetchall()]
        for zone in ZONES:
            connection.execute(f"SET TimeZone = '{zone}'".encode())
            printed = [row[0] for row in connection.execute("SELECT v::text FROM t ORDER BY t.v").fetchall()]
            assert [in_utc(text.encode()).decode() for text in printed] == expected, zone
    assert len(set(expected)) == 3011


def test_what_is_around_a_value_stays() -> None:
    text = b'{"[\\\\"2024-01-01 09:00:00.5+09\\\\",infinity)",NULL}\t2024-01-01 00:00:00\t2024-03-01 00:30:00-04:56:02\t-infinity'
    assert in_utc(text) == b'{"[\\\\"2024-01-01 00:00:00.5+00\\\\",infinity)",NULL}\t2024-01-01 00:00:00\t2024-03-01 05:26:02+00\t-infinity'
