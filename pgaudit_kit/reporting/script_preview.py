"""The beginning of a long SQL script, for people: they are to see what it does before they write it whole and run it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from pgaudit_kit.display import html
from pgaudit_kit.errors import PgAuditError

STATEMENTS_SHOWN: Final = 40
LINES_SHOWN: Final = 5  # of one statement: the rows that follow look like the first ones
CHARACTERS_SHOWN: Final = 300  # of one line
_STYLE: Final = (
    "overflow-x: auto; margin: 0 0 1em; padding: .8em 1em; border-radius: .4em; background: rgba(127, 127, 127, .1); font-size: .85em"
)


@dataclass(frozen=True)
class ScriptPreview:
    """The first statements of a script, long ones shortened; `whole` is false when there are more."""

    caption: str
    statements: tuple[str, ...] = field(repr=False)
    whole: bool = True

    @property
    def text(self) -> str:
        """What is shown; every shortening is said in a comment of SQL."""
        return "\n".join([*self.statements, *([] if self.whole else ["-- … and so on"])])

    def _repr_html_(self) -> str:
        shown = f'<pre style="{_STYLE}" role="region" tabindex="0" aria-label="{html.escape(self.caption)}">{html.escape(self.text)}</pre>'
        return html.fragment(f'<p class="pg-text"><strong>{html.escape(self.caption)}</strong></p>', shown)

    def __repr__(self) -> str:
        return f"{self.caption}\n{self.text}"


def preview(script: Iterable[str], caption: str, *, limit: int = STATEMENTS_SHOWN) -> ScriptPreview:
    """Return the first *limit* statements of *script*, to be its cell's value. No more of it is made than is shown.

    A script that cannot be made is its reason, as a comment: what a notebook has found out before is worth more than an error.
    """
    try:
        statements = list(islice(script, limit + 1))
    except PgAuditError as error:
        statements = [f"-- no script: {error}"]
    return ScriptPreview(caption, tuple(map(_shortened, statements[:limit])), whole=len(statements) <= limit)


def _shortened(statement: str) -> str:
    lines = statement.rstrip("\n").split("\n")
    shown = [line if len(line) <= CHARACTERS_SHOWN else f"{line[:CHARACTERS_SHOWN]} … ({len(line):,} characters)" for line in lines]
    more = len(lines) - LINES_SHOWN
    return "\n".join(shown if more <= 1 else [*shown[:LINES_SHOWN], f"  -- … {more:,} more lines of this statement"])
