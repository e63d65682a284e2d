"""Small pieces of HTML for `_repr_html_`: verdict banner, key-value summary, tables, wrapped text.

Everything that comes from a database or a file is escaped here, once. The pieces name no font and no text or
background colour: they inherit them, and tint with translucent colour, so that one style fits Jupyter in light
and dark and our own report. Colour is never the only sign: every verdict is a symbol and a word too.

    fragment(banner("failed", "12 rows are missing."), summary({"dump": "app.dump"}), table(["id"], [(1,)], caption="Rows"))
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pgaudit_kit.display.plain_values import is_bool, is_missing, plain

ROWS_SHOWN = 50


class Markup(str):
    """HTML whose texts are escaped already: it stands in a cell as it is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Look:
    """How a verdict is shown: its word, its symbol, its colour."""

    word: str
    symbol: str
    hue: str


# white text on each hue has a contrast of at least 4.5:1 (WCAG 2.1 AA)
_LOOKS: Mapping[str, Look] = {
    "passed": Look("passed", "✓", "#1b7a45"),
    "same": Look("same", "✓", "#1b7a45"),
    "warned": Look("warned", "!", "#8f6000"),
    "not_checked": Look("not checked", "?", "#5b6470"),
    "failed": Look("failed", "✕", "#b93528"),
    "different": Look("different", "≠", "#b93528"),
}
VERDICTS = tuple(_LOOKS)
_VERDICT_COLUMNS = frozenset({"outcome", "verdict", "status"})

# characters that HTML forbids or no browser shows, written as Python would
_SIGNS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
# and those that take no room or turn the text after them round: two names may differ in nothing else. Joiners stay: emoji are made of them
_UNSEEN = (0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
_SIGNS |= {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _UNSEEN}  # noqa: PLR2004 -- as Python writes them

STYLE = """
.pgaudit { line-height: 1.5; max-width: 100%; }
.pgaudit .pg-banner { display: flex; flex-wrap: wrap; gap: .5em .9em; align-items: baseline; margin: 0 0 1em; padding: .9em 1.1em;
  border-radius: .6em; border: 1px solid var(--pg-hue); border-left-width: .4em; background: rgba(127, 127, 127, .08);
  background: color-mix(in srgb, var(--pg-hue) 9%, transparent); }
.pgaudit .pg-banner p { margin: 0; flex: 1 1 20em; font-size: 1.08em; overflow-wrap: anywhere; }
.pgaudit .pg-verdict { display: inline-block; padding: .05em .65em .1em; border-radius: 1em; background: var(--pg-hue); color: #fff;
  font-weight: 600; white-space: nowrap; }
.pgaudit td .pg-verdict { font-size: .92em; }
.pgaudit .pg-next { margin: 0 0 1em; padding-left: 1.4em; }
.pgaudit .pg-next li { margin: .25em 0; }
.pgaudit dl.pg-summary { display: grid; grid-template-columns: minmax(7em, max-content) 1fr; gap: .2em 1.2em; margin: 0 0 1em; }
.pgaudit dl.pg-summary dt { font-weight: 400; opacity: .72; margin: 0; }
.pgaudit dl.pg-summary dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
.pgaudit .pg-scroll { overflow-x: auto; margin: 0 0 1em; }
.pgaudit table.pg-table { border-collapse: collapse; margin: 0; width: auto; max-width: 100%; font-size: .92em; table-layout: auto; }
.pgaudit table.pg-table caption { caption-side: top; text-align: left; padding: 0 0 .45em; font-weight: 600; color: inherit; }
.pgaudit table.pg-table caption > span { display: inline-block; position: sticky; left: 0; width: max-content;
  max-width: min(46em, calc(100vw - 3rem)); unicode-bidi: isolate; }
.pgaudit table.pg-table caption .pg-count { font-weight: 400; opacity: .72; padding-left: .6em; unicode-bidi: isolate; }
.pgaudit table.pg-table tr, .pgaudit table.pg-table tbody tr:nth-child(n) { background: transparent; }
.pgaudit table.pg-table th, .pgaudit table.pg-table td { padding: .35em .8em .35em 0; border: 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid rgba(127, 127, 127, .28); max-width: 21em; white-space: pre-wrap;
  overflow-wrap: break-word; unicode-bidi: isolate; }
.pgaudit table.pg-table thead th { font-weight: 600; border-bottom: 2px solid rgba(127, 127, 127, .5); vertical-align: bottom; }
.pgaudit table.pg-table .pg-number { text-align: right; padding-left: .8em; padding-right: .8em; font-variant-numeric: tabular-nums; }
.pgaudit table.pg-table td.pg-number { white-space: nowrap; }
.pgaudit table.pg-table .pg-long { min-width: 15em; }
.pgaudit table.pg-table .pg-word { white-space: nowrap; max-width: none; }
.pgaudit .pg-none { opacity: .75; }
.pgaudit .pg-text { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 1em; }
.pgaudit details > summary { cursor: pointer; padding: .3em 0; }
""".strip()


def visible(value: object) -> str:
    r"""Return *value* as text in which every character that no browser can show is written as an escape, such as `\x00`."""
    return str(value).encode("utf-8", "replace").decode("utf-8").translate(_SIGNS)  # a lone surrogate has no UTF-8 form


def escape(value: object) -> str:
    """Return *value* as visible text that is safe in HTML, also inside attribute quotes."""
    return html.escape(visible(value))


def fragment(*pieces: str) -> str:
    """Return *pieces* as one self-standing fragment with its style: what a `_repr_html_` gives."""
    return f'<style>{STYLE}</style><div class="pgaudit">{"".join(pieces)}</div>'


def look(verdict: str) -> Look:
    """Return how *verdict* is shown; a word that is no verdict is shown as not checked."""
    return _LOOKS.get(verdict, _LOOKS["not_checked"])


def badge(verdict: str) -> str:
    """Return *verdict* as a coloured word with its symbol; a word that is no verdict is shown as not checked."""
    seen = look(verdict)
    return f'<span class="pg-verdict" style="--pg-hue: {seen.hue}"><span aria-hidden="true">{seen.symbol}</span> {seen.word}</span>'


def banner(verdict: str, sentence: str) -> str:
    """Return the verdict and the one sentence that matters. *verdict* is one of `VERDICTS`; any other is shown as not checked."""
    return f'<div class="pg-banner" style="--pg-hue: {look(verdict).hue}"><strong>{badge(verdict)}</strong><p>{escape(sentence)}</p></div>'


def next_steps(steps: Iterable[str]) -> str:
    """Return what to do next as a list; nothing when there is nothing to do."""
    items = "".join(f"<li>{with_code(step)}</li>" for step in steps)
    return f'<ul class="pg-next">{items}</ul>' if items else ""


def with_code(text: str) -> Markup:
    """Return *text* with what stands between backticks as code: commands to copy."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", escape(text)))


def summary(facts: Mapping[str, object]) -> str:
    """Return *facts* as a list of names and values."""
    return '<dl class="pg-summary">' + "".join(f"<dt>{escape(k)}</dt><dd>{_cell_text(v)}</dd>" for k, v in facts.items()) + "</dl>"


def text(value: str) -> str:
    """Return a wrapped paragraph that keeps line breaks."""
    return f'<p class="pg-text">{escape(value)}</p>'


def folded(title: str, piece: str, *, is_open: bool = False) -> str:
    """Return *piece* folded away under *title*; opens without script, and a browser's search finds what is in it."""
    return f"<details{' open' if is_open else ''}><summary>{escape(title)}</summary>{piece}</details>"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str, limit: int = ROWS_SHOWN, fold: int = 0) -> str:
    """Return a table with its caption and the count of its rows.

    The first *limit* rows are shown, the next *fold* rows stand folded under them, of all further ones the count is said.
    Columns that hold nothing but numbers are set right; verdict words in a column `outcome`, `verdict` or `status` get their sign.
    """
    source = iter(rows)
    shown, hidden = list(islice(source, limit)), list(islice(source, fold))
    total = len(shown) + len(hidden) + sum(1 for _ in source)
    if not total:
        return f'<p class="pg-text"><strong>{escape(caption)}</strong> <span class="pg-none">no rows</span></p>'
    parts = [_table(columns, shown, caption, _count_text(len(shown), len(hidden), total))]
    if hidden:
        first, last = len(shown) + 1, len(shown) + len(hidden)
        rest = _table(columns, hidden, f"{caption}, rows {first:,} to {last:,}", "")
        parts.append(folded(f"{len(hidden):,} more rows", rest))
    return "".join(parts)


def frame_table(frame: Any, *, caption: str, limit: int = ROWS_SHOWN, fold: int = 0, compare: tuple[str, str] | None = None) -> str:
    """Return a pandas DataFrame as `table`; the index is left out, and so is every column that holds nothing at all.

    *compare* names two columns of texts: of long ones the part is shown where they differ. One of them alone is never left out.
    """
    held = {name for name in frame.columns if not len(frame) or not all(is_missing(v) or v == "" for v in frame[name])}
    if compare and held & set(compare):
        held |= set(compare)
    columns = [name for name in frame.columns if name in held]
    rows: Iterable[tuple[object, ...]] = frame[columns].itertuples(index=False, name=None)
    if compare and set(compare) <= set(columns):
        rows = _compared(rows, columns.index(compare[0]), columns.index(compare[1]))
    return table([str(c) for c in columns], rows, caption=caption, limit=limit, fold=fold)


def _compared(rows: Iterable[tuple[object, ...]], left: int, right: int) -> Iterable[tuple[object, ...]]:
    for row in rows:
        a, b = row[left], row[right]
        if isinstance(a, str) and isinstance(b, str):
            cells = list(row)
            cells[left], cells[right] = around_difference(a, b)
            yield tuple(cells)
        else:
            yield row


def around_difference(left: str, right: str) -> tuple[str, str]:
    """Return two texts as they are when both are short, else of each the part around their first difference, and where it starts."""
    if max(len(left), len(right)) <= _COMPARED_WHOLE:
        return left, right
    same = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    start = max(0, same - _CONTEXT)
    end = start + _COMPARED_WHOLE - _CONTEXT
    return _part(left, start, end), _part(right, start, end)


def _part(text: str, start: int, end: int) -> str:
    before, after = "…" if start else "", "…" if end < len(text) else ""
    return f"{before}{text[start:end]}{after} ({len(text):,} characters, shown from {start + 1:,})"


def _count_text(shown: int, hidden: int, total: int) -> str:
    said = ["1 row" if total == 1 else f"{total:,} rows"]
    if shown < total:
        said.append(f"{shown:,} shown")
    if hidden:
        said.append(f"{hidden:,} folded below")
    if shown + hidden < total:
        said.append(f"{total - shown - hidden:,} left out")
    return ", ".join(said)


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]], caption: str, count: str) -> str:
    numeric = [_is_numeric(row[i] for row in rows) for i in range(len(columns))]
    head = "".join(f'<th scope="col"{_NUMBER if n else ""}>{escape(c)}</th>' for c, n in zip(columns, numeric, strict=True))
    body = "".join("<tr>" + "".join(_cell(c, v, number=n) for c, v, n in zip(columns, row, numeric, strict=True)) + "</tr>" for row in rows)
    said = f'<span class="pg-count">{escape(count)}</span>' if count else ""
    # a region that scrolls must be reachable by keyboard (WCAG 2.1.1)
    return (
        f'<div class="pg-scroll" role="region" tabindex="0" aria-label="{escape(caption)}"><table class="pg-table">'
        f"<caption><span>{escape(caption)}{said}</span></caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


_NUMBER = ' class="pg-number"'
_ONE_WORD = ' class="pg-word"'
_COMPARED_WHOLE = 240  # texts up to this length are compared whole
_CONTEXT = 40  # characters shown before a difference
_LONG = ' class="pg-long"'
_LONG_FROM = 80  # characters: beside many columns such a text would stand in a column of single words, and make a row of a page's height
_WORD_SHOWN = 48  # a name or a UUID with its column stays on one line; a longer word is broken


def _is_numeric(values: Iterable[object]) -> bool:
    present = [v for v in values if not is_missing(v)]
    return bool(present) and all((isinstance(v, (int, float)) or hasattr(v, "dtype")) and not is_bool(v) for v in present)


def _cell(column: str, value: object, *, number: bool) -> str:
    if column in _VERDICT_COLUMNS and isinstance(value, str) and value in _LOOKS:
        return f"<td>{badge(value)}</td>"
    said = _cell_text(value)
    return f"<td{_NUMBER if number else _width(value)}>{said}</td>"


def _width(value: object) -> str:
    if not isinstance(value, str) or isinstance(value, Markup):
        return ""
    if len(value) <= _WORD_SHOWN and not any(map(str.isspace, value)):
        return _ONE_WORD
    return _LONG if len(value) >= _LONG_FROM else ""


def _cell_text(value: object) -> str:
    if isinstance(value, Markup):
        return value
    if is_missing(value):
        return '<span class="pg-none">—</span>'
    if isinstance(value, str) and value != value.strip(" "):
        return _with_spaces_seen(value)
    return escape(plain(value))


def _with_spaces_seen(value: str) -> str:
    """Spaces at the ends made visible: a row may differ in nothing else."""
    inner = value.strip(" ")
    before = len(value) - len(value.lstrip(" ")) if inner else len(value)
    after = len(value) - before - len(inner)
    left, right = (f'<span class="pg-none" title="{n:,} spaces">{"·" * min(n, 20)}</span>' if n else "" for n in (before, after))
    return f"{left}{escape(plain(inner))}{right}"
