"""Two texts of several lines shown as one, line by line: what only the left has, what only the right has, and a little around."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from pgaudit_kit.display.html import escape

_AROUND = 3  # lines of context
_LINES_SHOWN = 400  # a changed function of thousands of lines is not read in a notebook
_LOOKS = {"-": ("pg-left", "-"), "+": ("pg-right", "+"), " ": ("pg-both", " ")}
_STYLE = """<style>
.pgaudit .pg-lines { margin: 0 0 1em; padding: .5em .7em; border: 1px solid rgba(127, 127, 127, .28); border-radius: .4em; overflow-x: auto;
  font-size: .88em; line-height: 1.45; white-space: pre; tab-size: 4; }
.pgaudit .pg-lines span { display: block; min-width: max-content; }
.pgaudit .pg-lines .pg-left { background: rgba(185, 53, 40, .16); }
.pgaudit .pg-lines .pg-right { background: rgba(27, 122, 69, .18); }
.pgaudit .pg-lines .pg-gap { opacity: .6; }
</style>"""


def text_difference(left: str, right: str, *, names: tuple[str, str] = ("left", "right")) -> str:
    """Return an HTML block of the lines that differ, with their signs (- left, + right), and three lines around each place.

    *names* are what the two sides are called. Texts that are equal give "".
    """
    lines = list(_lines(left, right, names))
    if not lines:
        return ""
    if len(lines) > _LINES_SHOWN:
        lines = [*lines[:_LINES_SHOWN], f'<span class="pg-gap">… {len(lines) - _LINES_SHOWN:,} lines more</span>']
    return f'{_STYLE}<pre class="pg-lines" tabindex="0">{"".join(lines)}</pre>'


def _lines(left: str, right: str, names: tuple[str, str]) -> Iterator[str]:
    for number, line in enumerate(difflib.unified_diff(left.splitlines(), right.splitlines(), *names, n=_AROUND, lineterm="")):
        if number < 2:  # noqa: PLR2004  the two lines that name the sides
            style, sign = _LOOKS[line[0]]
            yield f'<span class="{style}"><b>{sign} {escape(line[4:])}</b></span>'
        elif line.startswith("@@"):
            yield f'<span class="pg-gap">{escape(line)}</span>'
        else:
            style, sign = _LOOKS[line[0]]
            yield f'<span class="{style}">{sign} {escape(line[1:])}</span>'
