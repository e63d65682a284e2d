"""Figures of bars and squares: one group for each table, kind, check or step. Of many the ones that matter most are drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from pgaudit_kit.display import html
from pgaudit_kit.records.units import many
from pgaudit_kit.reporting.chart import BLUE, GREEN, GREY, PURPLE, VERMILION, Chart
from pgaudit_kit.reporting.drawing import Bar, BarGroup, Tile, bars, scale, shorten, tiles
from pgaudit_kit.reporting.figures.words import (
    Frame,
    Record,
    bytes_text,
    look_at,
    or_0,
    records_as_text,
    records_of,
    seconds_text,
    sum_text,
    table_name,
    whole,
)

TOP: Final = 12
_LOG: Final = " The bars are on a logarithmic scale."
_WORST_FIRST: Final = ("failed", "different", "only_left", "only_right", "not_checked", "warned", "equivalent", "passed", "same")
_ON_ONE_SIDE: Final = ("only_left", "only_right")
_NO_TABLE: Final = "no such table"
_STATUS_WORDS: Final = {"only_left": "only before", "only_right": "only now", "equivalent": "equivalent"}


def rows_per_table(
    tables: Frame, *, before: str = "rows_left", after: str = "rows_right", names: tuple[str, str] = ("before", "after")
) -> Chart:
    """Rows of each table on two sides. *tables* has `schema`, `name` and the two columns named by *before* and *after*.

    Tables whose counts differ most stand first; *names* are the words for the two sides. With a column `status`, as `tables` of a
    Difference has, a table that one side lacks is said to be no table there.
    """
    pairs = _counts(tables, before, after)
    pairs.sort(key=lambda p: (-abs(or_0(p.numbers[1]) - or_0(p.numbers[0])), -max(map(or_0, p.numbers)), p.name))
    drawn = _with_others(pairs)
    share, log = scale([v for p in drawn if not p.summed for v in p.numbers if v is not None])
    groups = [
        BarGroup(
            p.name,
            (
                _counted(left, p.bar(share), GREY, unknown=p.unknown),
                _counted(right, p.bar(share), BLUE, change=_change(left, right), unknown=p.unknown),
            ),
        )
        for p in drawn
        for left, right in [p.numbers]
    ]
    changed = sum(p.unknown == _NO_TABLE or bool(_change(*p.numbers)) for p in pairs)
    left_total, right_total = (sum_text(p.numbers[i] for p in pairs) for i in range(2))
    sentence = (
        f"{many(len(pairs), 'table')}: {left_total} rows {names[0]}, {right_total} {names[1]}. "
        f"The count differs in {f'{changed:,}' if changed else 'none'} of them."
        if pairs
        else "There is no table with rows to count."
    )
    figure = bars(groups, legend=((GREY, names[0]), (BLUE, names[1])), nothing="No table with rows.")
    return Chart(figure, "Rows per table", sentence + (_LOG if log else ""))


def lost_per_table(summary: Frame) -> Chart:
    """What was lost: rows missing, changed and extra per table. *summary* is the frame `summary` of a Difference."""
    counts = [c for c in _counts(summary, "missing", "changed", "extra") if any(v != 0 for v in c.numbers)]
    counts.sort(key=lambda c: ([-or_0(v) for v in c.numbers], c.name))
    drawn = _with_others(counts)
    share, log = scale([v for c in drawn if not c.summed for v in c.numbers if v is not None])
    kinds = (("missing", VERMILION), ("changed", PURPLE), ("extra", BLUE))
    groups = [
        BarGroup(
            c.name,
            tuple(_counted(v, c.bar(share), colour, word=word) for v, (word, colour) in zip(c.numbers, kinds, strict=True) if v != 0),
        )
        for c in drawn
    ]
    figure = bars(groups, legend=[(colour, word) for word, colour in kinds], nothing="No row is missing, changed or extra.")
    return Chart(figure, "What was lost, per table", _lost_sentence(counts) + (_LOG if log else ""))


def _lost_sentence(counts: Sequence[_Counts]) -> str:
    if not counts:
        return "No row is missing, changed or extra."
    missing, changed, extra = (sum_text(c.numbers[i] for c in counts) for i in range(3))
    worst = f" {shorten(counts[0].name)} lost most." if len(counts) > 1 and counts[0].numbers[0] else ""
    rows = "row" if missing == "1" else "rows"
    unknown = sum(None in c.numbers for c in counts)
    doubt = f" Of {many(unknown, 'table')} it is not all known." if unknown else ""
    return f"In {many(len(counts), 'table')}: {missing} {rows} missing, {changed} changed, {extra} extra.{worst}{doubt}"


def size_per_table(tables: Frame, *, rows: str = "rows", size: str = "size_bytes") -> Chart:
    """Rows and bytes of each table of one source. *tables* has `schema`, `name` and the columns *rows* and *size* (bytes)."""
    sizes = _counts(tables, rows, size)
    sizes.sort(key=lambda s: (-or_0(s.numbers[1]), -or_0(s.numbers[0]), s.name))
    drawn = _with_others(sizes)
    row_share, row_log = scale([or_0(s.numbers[0]) for s in drawn if not s.summed])
    size_share, size_log = scale([or_0(s.numbers[1]) for s in drawn if not s.summed])
    groups = [
        BarGroup(s.name, (_counted(r, s.bar(row_share), BLUE, word="rows"), _counted(b, s.bar(size_share), GREEN, say=bytes_text)))
        for s in drawn
        for r, b in [s.numbers]
    ]
    figure = bars(groups, legend=((BLUE, "rows"), (GREEN, "bytes of their text")), nothing="No table with rows.")
    total = sum(or_0(s.numbers[1]) for s in sizes)
    largest = f" {shorten(sizes[0].name)} is the largest, {bytes_text(or_0(sizes[0].numbers[1]))}." if total else ""
    sentence = f"{many(len(sizes), 'table')}, {sum_text(s.numbers[0] for s in sizes)} rows, {bytes_text(total)}.{largest}"
    return Chart(figure, "Rows and size per table", sentence + (_LOG if row_log or size_log else ""))


def status_per_table(tables: Frame, *, status: str = "status", title: str = "Each table, compared by fingerprint") -> Chart:
    """One square per table with its status as colour and sign. *tables* has `schema`, `name` and the column *status*."""
    statuses = sorted(((str(r.get(status)), table_name(r)) for r in records_of(tables)), key=lambda s: (_rank(s[0]), s[1]))
    counted = Counter(s for s, _ in statuses)
    squares = [Tile(_status_look(s).hue, _status_look(s).symbol) for s, _ in statuses]
    legend = [(_status_look(s).hue, f"{_status_look(s).symbol} {_status_word(s)}: {n:,}") for s, n in counted.items()]
    said = ", ".join(f"{n:,} {_status_word(s)}" for s, n in counted.items()) or "no table"
    notable = [name for s, name in statuses if s not in ("same", "passed")]
    sentence = f"Of {many(len(statuses), 'table')}: {said}." if statuses else "There is no table to compare."
    return Chart(tiles(squares, legend=legend, nothing="No table to compare."), title, sentence + look_at(notable))


def compared_per_check(checks: Frame) -> Chart:
    """How many things each check looked at, with its outcome. *checks* is the frame `checks` of a result."""
    records = sorted(records_of(checks), key=lambda r: _rank(str(r.get("outcome"))))
    shown = records[: TOP * 2]
    share, log = scale([whole(r.get("compared")) or 0 for r in shown])
    groups = [BarGroup(str(r.get("question") or r.get("id")), (_outcome_bar(r, share),)) for r in shown]
    counted = Counter(str(r.get("outcome")) for r in records)
    legend = [(html.look(o).hue, f"{html.look(o).symbol} {html.look(o).word}: {n:,}") for o, n in counted.items()]
    said = ", ".join(f"{n:,} {html.look(o).word}" for o, n in counted.items()) or "none"
    left_out = f" The {len(shown)} that matter most are drawn." if len(shown) < len(records) else ""
    sentence = f"{many(len(records), 'check')}: {said}. A bar is the number of things compared.{left_out}" + (_LOG if log else "")
    return Chart(bars(groups, legend=legend, nothing="No check ran."), "What each check looked at", sentence)


def _outcome_bar(record: Record, share: Callable[[float], float]) -> Bar:
    look = html.look(str(record.get("outcome")))
    compared = whole(record.get("compared")) or 0
    return Bar(share(compared), look.hue, f"{look.symbol} {look.word}, {compared:,}")


def objects_per_kind(objects: Frame) -> Chart:
    """Objects that differ, by kind: missing, changed, extra. *objects* is the frame `objects` of a Difference."""
    kinds = (("missing", "only_left", VERMILION), ("changed", "changed", PURPLE), ("extra", "only_right", BLUE))
    seen = {(r.get("kind"), r.get("schema"), r.get("parent"), r.get("name"), r.get("status")) for r in records_as_text(objects)}
    counted = Counter((str(kind), str(status)) for kind, *_, status in seen)
    per_kind = sorted({k for k, s in counted if s != "equivalent"}, key=lambda k: (-sum(counted[k, s] for _, s, _ in kinds), k))
    share, _ = scale([counted[k, s] for k in per_kind for _, s, _ in kinds])
    groups = [
        BarGroup(k.lower(), tuple(_counted(counted[k, s], share, colour, word=word) for word, s, colour in kinds if counted[k, s]))
        for k in per_kind[:TOP]
    ]
    total = {word: sum(n for (_, s), n in counted.items() if s == status) for word, status, _ in kinds}
    sentence = ", ".join(f"{n:,} {word}" for word, n in total.items() if n)
    figure = bars(groups, legend=[(colour, word) for word, _, colour in kinds], nothing="No object differs.")
    return Chart(figure, "Objects that differ, by kind", f"{sentence}." if sentence else "No object differs.")


def objects_held(objects: Frame) -> Chart:
    """How many objects of each kind one source has. *objects* is its frame `objects`."""
    counted = Counter(str(r.get("kind")) for r in records_of(objects))
    kinds = sorted(counted, key=lambda kind: (-counted[kind], kind))
    share, log = scale(list(counted.values()))
    groups = [BarGroup(kind.lower(), (_counted(counted[kind], share, BLUE),)) for kind in kinds[:TOP]]
    left_out = f" The {TOP} most frequent are drawn." if len(kinds) > TOP else ""
    sentence = f"{many(counted.total(), 'object')} of {many(len(kinds), 'kind')}.{left_out}" if kinds else "There is no object."
    return Chart(bars(groups, nothing="No object."), "Objects, by kind", sentence + (_LOG if log else ""))


def seconds_per_step(steps: Mapping[str, float | None]) -> Chart:
    """How long each step of an operation took, in the order given; values are seconds. Of many steps the longest are drawn."""
    timed = [(name, _seconds_or_none(v)) for name, v in steps.items()]
    least = sorted((v or 0 for _, v in timed), reverse=True)[: TOP * 2][-1:] or [0]
    share, log = scale([v for _, v in timed if v is not None])
    groups = [
        BarGroup(name, (Bar(None if v is None else share(v), BLUE, "not known" if v is None else seconds_text(v)),))
        for name, v in timed
        if (v or 0) >= least[0]
    ]
    known = [(v, name) for name, v in timed if v is not None]
    longest = f"; the longest was {shorten(max(known)[1])}, {seconds_text(max(known)[0])}" if known else ""
    sentence = f"{many(len(timed), 'step')}, {seconds_text(sum(v for v, _ in known))} in all{longest}."
    return Chart(bars(groups, nothing="No step was timed."), "Where the time went", sentence + (_LOG if log else ""))


def _seconds_or_none(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)  # noqa: PLR0124 -- NaN is not equal to itself


class _Counts(NamedTuple):
    name: str
    numbers: tuple[int | None, ...]
    summed: bool = False
    status: object = None

    @property
    def unknown(self) -> str:
        """What to say of a side whose number is not known: where only one side has the table, the other has none."""
        return _NO_TABLE if self.status in _ON_ONE_SIDE and self.numbers.count(None) == 1 else "not known"

    def bar(self, share: Callable[[float], float]) -> Callable[[float], float | None]:
        """How long its bars are; a sum over many tables has none: the bars of single tables could not be seen beside it."""
        return (lambda _: None) if self.summed else share


def _counts(frame: Frame, *columns: str) -> list[_Counts]:
    return [_Counts(table_name(r), tuple(whole(r.get(c)) for c in columns), status=r.get("status")) for r in records_of(frame)]


def _with_others(counts: Sequence[_Counts]) -> list[_Counts]:
    """The first TOP of *counts*, and one for all others with the sums of what is known of them."""
    if len(counts) <= TOP + 1:
        return list(counts)
    rest = counts[TOP:]
    columns = [[n for n in numbers if n is not None] for numbers in zip(*(c.numbers for c in rest), strict=True)]
    sums = tuple(sum(known) if known else None for known in columns)
    return [*counts[:TOP], _Counts(f"{len(rest):,} other tables", sums, summed=True)]


def _counted(
    value: int | None,
    share: Callable[[float], float | None],
    colour: str,
    *,
    word: str = "",
    change: str = "",
    say: Callable[[int], str] | None = None,
    unknown: str = "not known",
) -> Bar:
    if value is None:
        return Bar(None, colour, f"{word} {unknown}".strip())
    said = say(value) if say else f"{value:,}"
    return Bar(share(value), colour, " ".join(part for part in (said, word, change) if part))


def _change(left: int | None, right: int | None) -> str:
    if left is None or right is None or left == right:
        return ""
    return f"({'+' if right > left else '-'}{abs(right - left):,})"


def _rank(status: str) -> int:
    return _WORST_FIRST.index(status) if status in _WORST_FIRST else 0


def _status_look(status: str) -> html.Look:
    if status in _ON_ONE_SIDE:
        return html.look("different")
    return html.look("same" if status == "equivalent" else status)


def _status_word(status: str) -> str:
    return _STATUS_WORDS.get(status, html.look(status).word)
