"""Figures over time: when the rows that were lost had been touched, and the backups of a store with what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pgaudit_kit.display import html
from pgaudit_kit.records.units import many
from pgaudit_kit.reporting.chart import BLUE, VERMILION, Chart
from pgaudit_kit.reporting.drawing import scale, shorten
from pgaudit_kit.reporting.figures.spans import Spans, spans_of
from pgaudit_kit.reporting.figures.words import NAMED, Frame, Record, bytes_text, or_0, records_of, table_name, whole
from pgaudit_kit.reporting.strips import COLUMNS, Column, Strip, strips

TABLES: Final = 8


def lost_over_time(touched: Frame, summary: Frame = ()) -> Chart:
    """When the rows that differ had been touched, per table. *touched* and *summary* are `over_time` and `summary` of a Difference.

    Tables of *summary* whose rows have no time are named. Above the line rows are counted as they were before (missing or changed),
    below it as they are now (extra or changed).
    """
    tables: dict[str, list[Record]] = {}
    for record in records_of(touched):
        tables.setdefault(table_name(record), []).append(record)
    by_loss = sorted(tables.items(), key=lambda item: (-_sum(item[1], "rows_left"), -_sum(item[1], "rows_right"), item[0]))
    drawn = [_strip(name, records) for name, records in by_loss[:TABLES]]
    left_out = f" The {TABLES} tables that lost most are drawn, of {len(by_loss):,}." if len(by_loss) > TABLES else ""
    sentence = " ".join(f"{shorten(name)}, by {strip.said}." for (name, _), strip in zip(by_loss[:3], drawn, strict=False))
    figure = strips(
        drawn,
        legend=((VERMILION, "above: as before, missing or changed"), (BLUE, "below: as now, extra or changed")),
        nothing="No row that differs has a time.",
    )
    timeless = [name for r in records_of(summary) if (name := table_name(r)) not in tables]
    without = f" No time to draw them by have the rows of {_some(timeless)}." if timeless and tables else ""
    return Chart(figure, "What was lost, by time", (sentence or "No row that differs has a time to draw it by.") + left_out + without)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(map(shorten, names[:NAMED])) + more


def _sum(records: Sequence[Record], column: str) -> int:
    return sum(or_0(whole(r.get(column))) for r in records)


def _strip(name: str, records: Sequence[Record]) -> Strip:
    spans = spans_of([str(r.get("since")) for r in records], str(records[0].get("unit")))
    sides = [[0] * spans.count for _ in range(2)]
    for place, record in zip(spans.places, records, strict=True):
        for side, column in zip(sides, ("rows_left", "rows_right"), strict=True):
            side[place] += or_0(whole(record.get(column)))
    share, log = scale([*sides[0], *sides[1]])
    columns = tuple(Column(share(up), VERMILION, share(down), BLUE) for up, down in zip(*sides, strict=True))
    return Strip(name, _said(records, sides, spans, log=log), columns, spans.ends)


def _said(records: Sequence[Record], sides: Sequence[Sequence[int]], spans: Spans, *, log: bool) -> str:
    counts = " and ".join(f"{sum(side):,} {word}" for side, word in zip(sides, ("before", "now"), strict=True) if sum(side))
    each = f"; a column is {spans.word}" if spans.count > 1 else f", all in {spans.word}"
    return f"{shorten(str(records[0].get('touched_column')))}: {counts}{each}{', logarithmic' if log else ''}"


def backup_history(backups: Frame) -> Chart:
    """The backups of a store, one strip per database, with the size and the verdict of each. *backups* is the frame of `pk.backups`."""
    targets: dict[str, list[Record]] = {}
    for record in sorted(records_of(backups), key=lambda r: str(r.get("when"))):
        targets.setdefault(str(record.get("target")), []).append(record)
    newest_first = sorted(targets.items(), key=lambda item: str(item[1][-1].get("when")), reverse=True)
    drawn = [_backups(target, records) for target, records in newest_first[:TABLES]]
    verdicts = list(dict.fromkeys(str(r.get("verdict")) for _, records in newest_first for r in records))
    legend = [(html.look(v).hue, f"{html.look(v).symbol} {_word(v)}") for v in verdicts]
    count = sum(map(len, targets.values()))
    counted = ", ".join(f"{sum(str(r.get('verdict')) == v for rs in targets.values() for r in rs):,} {_word(v)}" for v in verdicts)
    sentence = f"{many(count, 'backup')} of {many(len(targets), 'database')}: {counted}. A column is a backup, its height the size."
    more = f" The {TABLES} databases with the newest are drawn." if len(targets) > TABLES else ""
    figure = strips(drawn, legend=legend, nothing="There is no backup.")
    return Chart(figure, "Backups, and what is known of them", sentence + more if count else "There is no backup in the store.")


def _word(verdict: str) -> str:
    """What a backup's verdict means: passed or warned are proofs."""
    words = {"passed": "proven", "warned": "proven, with a warning", "failed": "damaged", "not_checked": "not proven yet"}
    return words.get(verdict, html.look(verdict).word)


def _backups(target: str, records: Sequence[Record]) -> Strip:
    shown = records[-COLUMNS // 2 :]
    share, _ = scale([or_0(whole(r.get("size_bytes"))) for r in shown])
    looks = [html.look(str(r.get("verdict"))) for r in shown]
    columns = tuple(
        Column(share(or_0(whole(r.get("size_bytes")))), seen.hue, sign=seen.symbol) for r, seen in zip(shown, looks, strict=True)
    )
    rows = whole(shown[-1].get("rows"))
    last = f"the last {bytes_text(or_0(whole(shown[-1].get('size_bytes'))))}" + (f", {rows:,} rows" if rows is not None else "")
    first = f", the newest {len(shown)} shown" if len(shown) < len(records) else ""
    return Strip(target, f"{many(len(records), 'backup')}{first}; {last}", columns, (_day(shown[0]), _day(shown[-1])))


def _day(record: Record) -> str:
    when: Any = record.get("when")
    return f"{when:%Y-%m-%d %H:%M} UTC" if isinstance(when, datetime) else str(when)
