"""The two shapes that all our charts have: a list of labelled bars, and a field of tiles.

Both are laid out by hand in points on a narrow sheet, name above bar: a long name has the whole width, text stays
readable on a phone, and nothing has to be measured with a font that the reader's browser does not use.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pgaudit_kit.display import html
from pgaudit_kit.reporting.chart import INK, drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH: Final = 380.0  # points; a phone shows about 340 CSS pixels of it, so 12 pt text ends up near 11 pixels there
_BAR_ROOM: Final = 235.0  # the rest is for the number behind the bar
_NAME_LENGTH: Final = 50
_TILES_LARGE: Final = 160  # more tiles than this are drawn small, without a sign in them
_WHOLE: Final = "✓"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its length as a share of the longest (None: not known, no bar), its colour, the words behind it."""

    share: float | None
    colour: str
    said: str


@dataclass(frozen=True, slots=True)
class BarGroup:
    """A name and its bars."""

    name: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """One square: its colour and the sign in it."""

    colour: str
    sign: str


Legend = Sequence[tuple[str, str]]  # colour, words


def scale(values: Sequence[float]) -> tuple[Callable[[float], float], bool]:
    """Return a function from value to share of the longest bar, and whether it is logarithmic.

    Logarithmic when the largest value is more than a thousand times the smallest above zero: on a linear scale
    the small ones would have no bar to see.
    """
    positive = [v for v in values if v > 0]
    if not positive:
        return (lambda _: 0.0), False
    largest = max(positive)
    if largest > 1000 * min(positive):
        return (lambda v: math.log1p(v) / math.log1p(largest)), True
    return (lambda v: v / largest), False


def bars(groups: Sequence[BarGroup], *, legend: Legend = (), nothing: str = "Nothing to draw.") -> Figure:
    """Return a figure of labelled bars, one group under the other; *nothing* is what it says when there are none."""
    heights = [15.0 + 14.0 * len(g.bars) + 7.0 for g in groups]
    top = legend_height(legend) if groups else 20.0
    with drawing():
        figure, sheet = new_sheet(top + sum(heights))
        if not groups:
            sheet.text(0, 14, nothing, fontsize=12, alpha=0.75)
            return figure
        draw_legend(sheet, legend)
        y = top
        for group, height in zip(groups, heights, strict=True):
            _draw_group(sheet, group, y)
            y += height
    return figure


def tiles(squares: Sequence[Tile], *, legend: Legend = (), nothing: str = "Nothing to draw.") -> Figure:
    """Return a figure of squares in rows, smaller ones when there are many."""
    side, gap = (24.0, 4.0) if len(squares) <= _TILES_LARGE else (9.0, 2.0)
    across = int((WIDTH + gap) // (side + gap))
    top = legend_height(legend) if squares else 20.0
    with drawing():
        figure, sheet = new_sheet(top + math.ceil(len(squares) / across) * (side + gap))
        if not squares:
            sheet.text(0, 14, nothing, fontsize=12, alpha=0.75)
            return figure
        draw_legend(sheet, legend)
        for i, tile in enumerate(squares):
            x, y = (i % across) * (side + gap), top + (i // across) * (side + gap)
            large = len(squares) <= _TILES_LARGE
            inset = 0.0 if large or tile.sign != _WHOLE else 2.5  # no room for a sign: then the size tells what colour alone would
            rectangle(sheet, (x + inset, y + inset), side - 2 * inset, side - 2 * inset, tile.colour)
            if large:
                sheet.text(x + side / 2, y + side / 2 + 4.5, tile.sign, fontsize=12, color="white", ha="center", fontweight="bold")
    return figure


def new_sheet(height: float) -> tuple[Figure, Any]:
    """Return a figure and axes whose units are points, y downwards, without frame or ticks."""
    from matplotlib.figure import Figure

    points_per_inch = 72
    figure = Figure(figsize=(WIDTH / points_per_inch, max(height, 1.0) / points_per_inch))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(max(height, 1.0), 0)
    return figure, axes


def _draw_group(sheet: Any, group: BarGroup, y: float) -> None:
    sheet.text(0, y + 10, shorten(group.name), fontsize=12)
    y += 15
    for bar in group.bars:
        length = 0.0 if not bar.share else max(1.5, bar.share * _BAR_ROOM)
        rectangle(sheet, (0, y), max(length, 0.75), 10, bar.colour if length else INK)
        sheet.text(length + 5, y + 8.7, bar.said, fontsize=11, alpha=0.85)
        y += 14


def rectangle(sheet: Any, corner: tuple[float, float], width: float, height: float, colour: str) -> None:
    """Draw a filled rectangle with its upper left corner at *corner*."""
    from matplotlib.patches import Rectangle

    sheet.add_patch(Rectangle(corner, width, height, facecolor=colour, edgecolor="none", clip_on=False))


def _legend_rows(legend: Legend) -> list[list[tuple[str, str]]]:
    """Break the legend into lines; the width of text is guessed generously, because the reader's font is not known."""
    lines: list[list[tuple[str, str]]] = [[]]
    used = 0.0
    for colour, words in legend:
        width = 16 + 6.2 * len(words) + 14
        if lines[-1] and used + width > WIDTH:
            lines.append([])
            used = 0.0
        lines[-1].append((colour, words))
        used += width
    return lines if lines[0] else []


def legend_height(legend: Legend) -> float:
    """How much room `draw_legend` takes at the top."""
    rows = _legend_rows(legend)
    return 17.0 * len(rows) + 8.0 if rows else 0.0


def draw_legend(sheet: Any, legend: Legend) -> None:
    """Draw the legend at the top of the sheet."""
    for i, row in enumerate(_legend_rows(legend)):
        x = 0.0
        for colour, words in row:
            rectangle(sheet, (x, i * 17 + 2), 10, 10, colour)
            sheet.text(x + 15, i * 17 + 11, words, fontsize=11, alpha=0.85)
            x += 16 + 6.2 * len(words) + 14


def shorten(name: str, length: int = _NAME_LENGTH) -> str:
    """Return *name* on one line, every character visible, the middle of a longer one left out: names differ at their ends."""
    shown = html.visible(name).replace("\n", r"\n").replace("\t", r"\t")
    if len(shown) <= length:
        return shown
    half = max(1, (length - 1) // 2)
    return f"{shown[:half]}…{shown[-half:]}"
