"""A figure with its title and its text alternative, shown as one inline SVG that fits light and dark pages.

matplotlib is used without pyplot: no backend is chosen, no window opened, no figure kept alive.
"""

from __future__ import annotations

import io
import re
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pgaudit_kit.display import html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette (jfly.uni-koeln.de/color), told apart with every kind of colour blindness: those of its
# colours that have a contrast of about 3:1 or more on white and on near-black alike (WCAG 2.1, 1.4.11)
BLUE: Final = "#0072b2"
VERMILION: Final = "#d55e00"
GREEN: Final = "#009e73"
PURPLE: Final = "#b8679a"
GREY: Final = "#7f8790"
INK: Final = "#010203"  # stands for the colour of the page's text: replaced by currentColor in the SVG

_SETTINGS: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",  # text stays text: searchable, read aloud, in the page's font
    "text.parse_math": False,  # a table may be called $total$
    "font.family": "sans-serif",
    "text.color": INK,
    "text.usetex": False,
    "savefig.bbox": "standard",  # the sheet as it was laid out, not cut to what is on it
}
STYLE: Final = """
.pg-chart { margin: 0 0 1.6em; padding: 0; max-width: 31em; }
.pg-chart svg { display: block; width: 100%; height: auto; font-family: inherit; }
.pg-chart figcaption { margin: 0 0 .7em; }
.pg-chart figcaption strong { display: block; }
.pg-chart figcaption span { opacity: .8; }
""".strip()


@dataclass(frozen=True)
class Chart:
    """A matplotlib figure, what it is called, and in words what it shows (for those who cannot see it, and in the caption)."""

    figure: Figure = field(repr=False)
    title: str
    description: str

    def svg(self) -> str:
        """Return the figure as an `<svg>` element to put into a page: no prolog, ids that no other chart has, text in the page's colour."""
        return _inline(_draw(self.figure), label=f"{self.title}. {self.description}")

    def _repr_html_(self) -> str:
        caption = f"<figcaption><strong>{html.escape(self.title)}</strong><span>{html.escape(self.description)}</span></figcaption>"
        return f'<style>{STYLE}</style><figure class="pg-chart">{caption}{self.svg()}</figure>'


@contextmanager
def drawing() -> Iterator[None]:
    """Make and draw figures inside this: our settings, whatever the user's matplotlibrc says."""
    from matplotlib import rc_context

    with rc_context(_SETTINGS), warnings.catch_warnings():
        # the page's font draws the text, so a glyph that matplotlib's own font lacks (an emoji in a table's name) is no loss
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def _draw(figure: Figure) -> str:
    buffer = io.BytesIO()
    with drawing():
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue().decode("utf-8")


def _inline(document: str, *, label: str) -> str:
    svg = document[document.index("<svg") :]
    # matplotlib's own style is for everything (`*`) and would reach the whole page; its metadata names web addresses
    svg = re.sub(r"<(metadata|style)\b.*?</\1>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = svg.replace(INK, "currentColor")
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(r' transform="rotate\(-?0 [^"]*\)"', "", svg)
    svg = re.sub(r"\s*\n\s*", " ", svg).replace("<defs> </defs>", "").replace("> <", "><")
    return _with_own_ids(_with_own_opening(svg, label)).strip()


def _with_own_opening(svg: str, label: str) -> str:
    box = re.search(r'viewBox="[^"]*"', svg)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {box.group() if box else ""}'
        f' role="img" aria-label="{html.escape(label)}" stroke-linejoin="round" stroke-linecap="butt">'
    )
    return re.sub(r"<svg\b[^>]*>", lambda _: opening, svg, count=1)


def _with_own_ids(svg: str) -> str:
    """Keep only the ids that something refers to, and make them this drawing's own: a page holds many."""
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    prefix = f"pg{uuid.uuid4().hex[:12]}-"
    svg = re.sub(r'\s+id="([^"]*)"', lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", svg)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}", svg)
