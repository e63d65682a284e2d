"""The objects that differ, as they are shown to people: what they are called, with secrets hidden, and as HTML for a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from pgaudit_kit.display.html import Markup, around_difference, escape, folded, table
from pgaudit_kit.display.text_difference import Line, Piece, different_lines, different_words
from pgaudit_kit.errors import hide_secrets
from pgaudit_kit.records.difference import Change, ObjectDifference

STATUS_WORDS: Mapping[str, str] = {"only_left": "missing", "only_right": "extra"}
ONLY_A_SECRET = "a password in it differs"  # noqa: S105  # a sentence
_LINES_SHOWN = 400  # a changed function of thousands of lines is not read in a notebook
_OPEN = 5  # differences line by line that stand open; further ones are folded
_TEXTS_SHOWN = 100
_LOOKS = {"-": "pg-left", "+": "pg-right", " ": "pg-both", "@": "pg-gap"}
_STYLE = """<style>
.pgaudit .pg-lines { margin: .3em 0 1em; padding: .5em .7em; border: 1px solid rgba(127, 127, 127, .28); border-radius: .4em;
  overflow-x: auto; font-size: .88em; line-height: 1.45; white-space: pre; tab-size: 4; }
.pgaudit .pg-lines span { display: block; min-width: max-content; }
.pgaudit .pg-left { background: rgba(185, 53, 40, .16); }
.pgaudit .pg-right { background: rgba(27, 122, 69, .18); }
.pgaudit .pg-gap { opacity: .6; }
.pgaudit del, .pgaudit ins { font-weight: 600; text-decoration: underline 1px; text-underline-offset: .2em; border-radius: .2em; }
.pgaudit del { background: rgba(185, 53, 40, .26); }
.pgaudit ins { background: rgba(27, 122, 69, .3); }
</style>"""


def status_word(status: str) -> str:
    """`missing`, `extra`, `changed`, `equivalent`: seen from the right side."""
    return STATUS_WORDS.get(status, status)


def without_secrets(change: Change) -> Change:
    """Return *change* as it may be shown: passwords inside of its texts are hidden."""
    return Change(change.attribute, *(None if text is None else hide_secrets(text) for text in (change.left, change.right)))


def is_long(change: Change) -> bool:
    """Whether both texts are there and one has several lines: then the lines that differ are shown, not the texts."""
    return change.left is not None and change.right is not None and "\n" in change.left + change.right


def objects_html(differences: Iterable[ObjectDifference], names: tuple[str, str]) -> Iterator[str]:
    """HTML of *differences*: a table, changed texts of several lines line by line, and what is equivalent apart, with its reason."""
    listed = list(differences)
    differ = [d for d in listed if d.status != "equivalent"]
    yield _STYLE
    yield table(["", "object", "attribute", *names, "note"], _rows(differ), caption=f"Objects that differ: {len(differ):,}", fold=1000)
    yield from _line_by_line(differ, names)
    if len(differ) < len(listed):
        alike = ((str(d.key), d.reason, _attributes(d.changes)) for d in listed if d.status == "equivalent")
        yield table(["object", "reason", "attributes"], alike, caption="Written otherwise, the same in effect (no difference)", fold=1000)


def _attributes(changes: Sequence[Change]) -> str:
    return ", ".join(c.attribute for c in changes)


def _rows(differences: Iterable[ObjectDifference]) -> Iterator[tuple[object, ...]]:
    for d in differences:
        for change in d.changes or (None,):
            cells = (None, None, None, d.hint) if change is None else (change.attribute, *_cells(change), _note(change, d.hint))
            yield (status_word(d.status), str(d.key), *cells)


def _note(change: Change, hint: str) -> str:
    shown = without_secrets(change)
    return "; ".join(filter(None, (ONLY_A_SECRET if shown.left == shown.right else "", hint)))


def _cells(change: Change) -> tuple[object, object]:
    shown = without_secrets(change)
    if shown.left is None or shown.right is None:
        return shown.left, shown.right
    if is_long(shown):
        return (f"{_count(shown.left)}, compared below", f"{_count(shown.right)}, compared below")
    left, right = different_words(*around_difference(shown.left, shown.right))
    return Markup(_marked(left, "del")), Markup(_marked(right, "ins"))


def _count(text: str) -> str:
    return f"{len(text.splitlines()):,} lines"


def _marked(pieces: Iterable[Piece], tag: str) -> str:
    return "".join(f"<{tag}>{escape(p.text)}</{tag}>" if p.differs else escape(p.text) for p in pieces)


def _line_by_line(differences: Iterable[ObjectDifference], names: tuple[str, str]) -> Iterator[str]:
    changed = ((d, without_secrets(c)) for d in differences for c in d.changes if is_long(c))
    for number, (difference, change) in enumerate(changed, 1):
        if number > _TEXTS_SHOWN:
            yield f'<p class="pg-text">Further changed texts of several lines are left out: the first {_TEXTS_SHOWN} are shown.</p>'
            return
        title = f"{difference.key}: {change.attribute}, line by line"
        yield folded(title, text_difference(change.left or "", change.right or "", names=names), is_open=number <= _OPEN)


def text_difference(left: str, right: str, *, names: tuple[str, str] = ("left", "right")) -> str:
    """Return an HTML block of the lines that differ, with their signs (- left, + right), and three lines around each place.

    *names* are what the two sides are called. Texts that are equal give "".
    """
    source = different_lines(left, right)
    lines = [_line(line) for line in islice(source, _LINES_SHOWN)]
    if not lines:
        return ""
    if more := sum(1 for _ in source):
        lines.append(f'<span class="pg-gap">… {more:,} lines more</span>')
    named = (f'<span class="{_LOOKS[sign]}"><b>{sign} {escape(name)}</b></span>' for sign, name in zip("-+", names, strict=True))
    return f'<pre class="pg-lines" tabindex="0">{"".join((*named, *lines))}</pre>'


def _line(line: Line) -> str:
    sign = "" if line.sign == "@" else f"{line.sign} "
    return f'<span class="{_LOOKS[line.sign]}">{sign}{_marked(line.pieces, "del" if line.sign == "-" else "ins")}</span>'
