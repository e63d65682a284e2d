"""The shape of a graph on a narrow sheet: one table per line, and in the margin a track per table that others point at.

Boxes and arrows would need the width of the names to be known; a margin of tracks has room for any name, on a phone too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pgaudit_kit.reporting.chart import GREEN, GREY, VERMILION, drawing
from pgaudit_kit.reporting.drawing import WIDTH, draw_legend, legend_height, new_sheet, rectangle, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARGIN: Final = 120.0  # at most, for the tracks
_ROW, _SMALL = 26.0, 12.0
_CHARACTERS: Final = 6.2  # points that one takes, guessed generously
_LEGEND: Final = ((GREEN, "✓ whole"), (VERMILION, "✕ rows lost or changed, or a broken key (dashed)"))


@dataclass(frozen=True, slots=True)
class TableLine:
    """A table, what is wrong with it in words, and whether that is damage."""

    name: str
    said: str
    damaged: bool


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key from the table at place *child* to that at place *parent*."""

    child: int
    parent: int
    broken: bool


def key_lines(tables: Sequence[TableLine], keys: Sequence[KeyLine]) -> Figure:
    """Return the figure of *tables*, one under the other, and of *keys* between them."""
    top = legend_height(_LEGEND) if tables else 20.0
    tracks = _tracks(keys)
    step = min(12.0, _MARGIN / max(1, len(set(tracks.values()))))
    left = step * len(set(tracks.values())) + 14
    texts = [_wrapped(table.said, WIDTH - left - 14) for table in tables]
    heights = [_ROW + _SMALL * max(0, len(lines) - 1) + (8.0 if lines else 0.0) for lines in texts]
    tops = [top + sum(heights[:i]) for i in range(len(tables))]
    with drawing():
        figure, sheet = new_sheet(top + sum(heights))
        if not tables:
            sheet.text(0, 14, "No foreign key.", fontsize=12, alpha=0.75)
            return figure
        draw_legend(sheet, _LEGEND)
        for key in sorted(keys, key=lambda k: k.broken):
            _draw_key(sheet, key, x=left - 14 - step * tracks[key.parent] - 3, near=left - 4, y=(tops[key.parent] + 8, tops[key.child] + 8))
        for table, lines, y in zip(tables, texts, tops, strict=True):
            _draw_table(sheet, table, lines, left, y)
    return figure


def _tracks(keys: Sequence[KeyLine]) -> dict[int, int]:
    """A track of the margin for each parent, the same for those whose lines do not meet; short ones lie nearest to the names."""
    spans: dict[int, tuple[int, int]] = {}
    for key in keys:
        first, last = spans.get(key.parent, (key.parent, key.parent))
        spans[key.parent] = min(first, key.child), max(last, key.child)
    tracks: dict[int, int] = {}
    for parent, (first, last) in sorted(spans.items(), key=lambda item: (item[1][1] - item[1][0], item[0])):
        taken = {tracks[other] for other in tracks if spans[other][0] <= last and first <= spans[other][1]}
        tracks[parent] = next(n for n in range(len(spans) + 1) if n not in taken)
    return tracks


def _draw_key(sheet: Any, key: KeyLine, *, x: float, near: float, y: tuple[float, float]) -> None:
    """From the child to the track, up or down to the parent, and to it, where an arrow stands."""
    from matplotlib.lines import Line2D

    parent, child = y
    colour, width = (VERMILION, 2.2) if key.broken else (GREY, 1.1)
    bend = child + 4 if key.child == key.parent else child
    line = Line2D((near, x, x, near), (bend, bend, parent, parent), color=colour, linewidth=width, clip_on=False)
    if key.broken:
        line.set_linestyle((0.0, (4, 2)))
    sheet.add_line(line)
    sheet.fill((near + 2, near - 4, near - 4), (parent, parent - 3.5, parent + 3.5), facecolor=colour, edgecolor="none", clip_on=False)


def _draw_table(sheet: Any, table: TableLine, lines: Sequence[str], left: float, y: float) -> None:
    rectangle(sheet, (left, y + 2), 12, 12, VERMILION if table.damaged else GREEN)
    sheet.text(left + 6, y + 12, "✕" if table.damaged else "✓", fontsize=10, color="white", ha="center", fontweight="bold")
    name = shorten(table.name, int((WIDTH - left - 18) / _CHARACTERS))
    sheet.text(left + 18, y + 12, name, fontsize=12, fontweight="bold" if table.damaged else "normal")
    for number, line in enumerate(lines):
        sheet.text(left + 18, y + 24 + number * _SMALL, line, fontsize=10.5, alpha=0.85)


def _wrapped(said: str, room: float) -> list[str]:
    import textwrap

    return textwrap.wrap(shorten(said, 400), max(12, int(room / _CHARACTERS)))[:4] if said else []
