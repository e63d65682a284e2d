"""The migrations of a ledger: when each was applied, and which are not what they should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pgaudit_kit.records.units import many
from pgaudit_kit.reporting.chart import BLUE, GREEN, GREY, INK, PURPLE, VERMILION, Chart, drawing
from pgaudit_kit.reporting.drawing import WIDTH, draw_legend, legend_height, new_sheet, rectangle, shorten
from pgaudit_kit.reporting.figures.words import Frame, Record, look_at, records_of
from pgaudit_kit.rows.pg_values import microseconds_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN: Final = 24
_ROW, _AXIS = 34.0, 58.0


class _Look(NamedTuple):
    colour: str
    sign: str


_LOOKS: Final[Mapping[str, _Look]] = {
    "failed": _Look(VERMILION, "✕"),
    "edited": _Look(PURPLE, "≠"),
    "unknown": _Look(GREY, "?"),
    "rolled_back": _Look(GREY, "↩"),
    "pending": _Look(BLUE, "…"),
    "applied": _Look(GREEN, "✓"),
}


def migrations_timeline(migrations: Frame) -> Chart:
    """Every migration by when it was applied, and its state. *migrations* is the frame of `pk.migrations`.

    Of many all are on the axis; those that are not simply applied and the last ones are listed.
    """
    records = records_of(migrations)
    counted = Counter(str(r.get("state")) for r in records)
    states = [s for s in _LOOKS if counted[s]]
    said = ", ".join(f"{counted[s]:,} {_word(s)}" for s in states)
    faulty = [str(r.get("name")) for r in records if _needs_a_look(r)]
    times = sorted(t for r in records if isinstance(t := r.get("applied_at"), str) and microseconds_of(t) is not None)
    when = f" Applied from {_minute(times[0])} to {_minute(times[-1])}." if times else ""
    listed = _listed(records)
    left_out = f" {len(listed)} are listed, all are on the axis." if len(listed) < len(records) else ""
    sentence = f"{many(len(records), 'migration')}: {said}.{when}{left_out}{look_at(faulty)}" if records else "There is no migration."
    legend = [(_LOOKS[s].colour, f"{_LOOKS[s].sign} {_word(s)}: {counted[s]:,}") for s in states]
    return Chart(_draw(records, listed, legend), "Migrations, in the order applied", sentence)


def _needs_a_look(record: Record) -> bool:
    return record.get("state") != "applied" or record.get("out_of_order") is True


def _listed(records: Sequence[Record]) -> list[Record]:
    """Those that need a look, and of the others the last ones, in their order."""
    if len(records) <= SHOWN:
        return list(records)
    wanted = [i for i, r in enumerate(records) if _needs_a_look(r)][:SHOWN]
    wanted += [i for i in reversed(range(len(records))) if i not in set(wanted)][: SHOWN - len(wanted)]
    return [records[i] for i in sorted(wanted)]


def _word(state: str) -> str:
    return state.replace("_", " ")


def _look(record: Record) -> _Look:
    return _LOOKS.get(str(record.get("state")), _LOOKS["unknown"])


def _minute(moment: str) -> str:
    return moment[:16]


def _draw(records: Sequence[Record], listed: Sequence[Record], legend: list[tuple[str, str]]) -> Figure:
    dated = [(at, r) for r in records if isinstance(t := r.get("applied_at"), str) and (at := microseconds_of(t)) is not None]
    axis = _AXIS if len(dated) > 1 else 0.0
    top = legend_height(legend) if records else 20.0
    with drawing():
        figure, sheet = new_sheet(top + axis + _ROW * len(listed))
        if not records:
            sheet.text(0, 14, "No migration.", fontsize=12, alpha=0.75)
            return figure
        draw_legend(sheet, legend)
        if axis:
            _draw_axis(sheet, dated, top)
        if len(listed) > 1:
            rectangle(sheet, (8.2, top + axis + 8), 1.6, _ROW * (len(listed) - 1), GREY)
        for number, record in enumerate(listed):
            _draw_migration(sheet, record, top + axis + number * _ROW)
    return figure


def _draw_axis(sheet: Any, dated: Sequence[tuple[int, Record]], y: float) -> None:
    """A mark for every migration at its time; those that need a look are drawn last and higher."""
    first, last = min(at for at, _ in dated), max(at for at, _ in dated)
    rectangle(sheet, (0, y + 19.6), WIDTH, 0.8, INK)
    for at, record in sorted(dated, key=lambda d: _needs_a_look(d[1])):
        half = 11.0 if _needs_a_look(record) else 7.0
        x = (at - first) / max(1, last - first) * (WIDTH - 3)
        rectangle(sheet, (x, y + 20 - half), 3, 2 * half, _look(record).colour)
    texts = [str(next(r for at, r in dated if at == end).get("applied_at"))[:10] for end in (first, last)]
    sheet.text(0, y + 42, texts[0], fontsize=11, alpha=0.85)
    sheet.text(WIDTH, y + 42, texts[1], fontsize=11, alpha=0.85, ha="right")


def _draw_migration(sheet: Any, record: Record, y: float) -> None:
    from matplotlib.patches import Circle

    seen = _look(record)
    sheet.add_patch(Circle((9, y + 10), 8, facecolor=seen.colour, edgecolor="none", clip_on=False))
    sheet.text(9, y + 14, seen.sign, fontsize=11, color="white", ha="center", fontweight="bold")
    sheet.text(26, y + 10, shorten(str(record.get("name"))), fontsize=12)
    when = f", {_minute(applied)}" if isinstance(applied := record.get("applied_at"), str) else ""
    order = ", out of order" if record.get("out_of_order") is True else ""
    sheet.text(26, y + 23.5, f"{_word(str(record.get('state')))}{when}{order}", fontsize=11, alpha=0.85)
