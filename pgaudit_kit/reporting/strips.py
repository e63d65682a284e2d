"""The shape of what happened over time: strips of columns, time going to the right, one strip under the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pgaudit_kit.reporting.chart import INK, drawing
from pgaudit_kit.reporting.drawing import WIDTH, Legend, draw_legend, legend_height, new_sheet, rectangle, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS: Final = 40  # more would be too narrow to see on a phone
_UP, _DOWN, _SIGN, _WIDEST = 44.0, 30.0, 14.0, 28.0


@dataclass(frozen=True, slots=True)
class Column:
    """What stands above and below the line, as shares of the highest (0: nothing), and a sign over it."""

    up: float
    up_colour: str
    down: float = 0.0
    down_colour: str = INK
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Strip:
    """A title, what it says in small, the columns, and the words under its two ends."""

    title: str
    said: str
    columns: tuple[Column, ...]
    ends: tuple[str, str]


def strips(shown: Sequence[Strip], *, legend: Legend = (), nothing: str = "Nothing to draw.") -> Figure:
    """Return a figure of strips; *nothing* is what it says when there are none."""
    top = legend_height(legend) if shown else 20.0
    with drawing():
        figure, sheet = new_sheet(top + sum(map(_height, shown)))
        if not shown:
            sheet.text(0, 14, nothing, fontsize=12, alpha=0.75)
            return figure
        draw_legend(sheet, legend)
        y = top
        for strip in shown:
            _draw(sheet, strip, y)
            y += _height(strip)
    return figure


def _room(strip: Strip) -> tuple[float, float, float]:
    """The room for signs, above the line, and below it."""
    below = _DOWN if any(c.down for c in strip.columns) else 0.0
    return (_SIGN if any(c.sign for c in strip.columns) else 0.0), (_UP if any(c.up for c in strip.columns) else 0.0), below


def _height(strip: Strip) -> float:
    return 32.0 + sum(_room(strip)) + 30.0


def _draw(sheet: Any, strip: Strip, y: float) -> None:
    signs, up, down = _room(strip)
    sheet.text(0, y + 10, shorten(strip.title), fontsize=12)
    sheet.text(0, y + 24, strip.said, fontsize=11, alpha=0.85)
    line = y + 32 + signs + up
    step = min(_WIDEST, WIDTH / max(1, len(strip.columns)))
    width = step - (2.0 if step > 6 else 1.0)  # noqa: PLR2004 -- points
    for number, column in enumerate(strip.columns):
        x = number * step
        above, below = (max(1.5, share * room) if share else 0.0 for share, room in ((column.up, up), (column.down, down)))
        rectangle(sheet, (x, line - above), width, above, column.up_colour)
        rectangle(sheet, (x, line), width, below, column.down_colour)
        if column.sign:
            sheet.text(x + width / 2, line - above - 3, column.sign, fontsize=11, ha="center")
    rectangle(sheet, (0, line - 0.4), max(step * len(strip.columns), 1.0), 0.8, INK)
    end = max(step * len(strip.columns), 1.0)
    if strip.ends[0] != strip.ends[1] and end > WIDTH * 0.7:
        sheet.text(0, line + down + 14, strip.ends[0], fontsize=11, alpha=0.85)
        sheet.text(WIDTH, line + down + 14, strip.ends[1], fontsize=11, alpha=0.85, ha="right")
    else:  # too near to each other to stand under their ends
        both = strip.ends[0] if strip.ends[0] == strip.ends[1] else f"{strip.ends[0]} to {strip.ends[1]}"
        sheet.text(0, line + down + 14, both, fontsize=11, alpha=0.85)
