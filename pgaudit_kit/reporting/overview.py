"""reports/index.html: every run in a folder, with its verdict, and a small history of each thing that was looked at."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from pgaudit_kit.display import html
from pgaudit_kit.reporting.page_script import script_source, with_script
from pgaudit_kit.reporting.runs import Run, meta_of, runs_in

NAME: Final = "index.html"
HISTORY: Final = 30
_KIND: Final = "pgaudit-overview"
_FOLDED: Final = 950


def write_overview(folder: Path) -> Path | None:
    """Write the overview of all reports in *folder* and return its path; None when an `index.html` that is not ours stands there.

    Several runs may end at once: who wrote looks again, so that the last one to write has seen the pages of all. Raises OSError.
    """
    path = folder / NAME
    runs = None
    while runs != (found := runs_in(folder)):
        if path.exists() and not _is_ours(path):
            return None
        runs = found
        _replace(path, overview(runs))
    return path


def _replace(path: Path, page: str) -> None:
    part = path.with_name(f".{NAME}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        part.touch(mode=0o600)
        part.write_text(page, encoding="utf-8", newline="\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as page:
        return meta_of(page.read(4_096), _KIND) is not None


def overview(runs: Sequence[Run]) -> str:
    """Return the page of *runs*, which are given newest first."""
    from jinja2 import Environment

    folder = resources.files("pgaudit_kit.reporting").joinpath("templates", "pgaudit")
    template = Environment(autoescape=True).from_string(folder.joinpath("overview.html.j2").read_text(encoding="utf-8"))
    style = f"{html.STYLE}\n{folder.joinpath('report.css').read_text(encoding='utf-8')}"
    render: Callable[..., str] = template.render
    histories = [_history(group) for group in _by_subject(runs)]
    page = render(
        style=style,
        kind=_KIND,
        script_source=script_source(),
        histories=histories,
        table=_table(runs),
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    )
    return with_script(page)


def _by_subject(runs: Iterable[Run]) -> list[list[Run]]:
    """The runs of the same report about the same thing together, the group with the newest run first."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.report, run.subject), []).append(run)
    return list(groups.values())


def _history(group: Sequence[Run]) -> dict[str, Any]:
    shown = group[:HISTORY]
    return {
        "title": group[0].title,
        "subject": group[0].subject or "unnamed",
        "latest": html.Markup(html.badge(group[0].verdict)),
        "when": when(group[0].started),
        "count": len(group),
        "left_out": len(group) - len(shown),
        "squares": [
            {
                "file": quote(run.file),
                "hue": html.look(run.verdict).hue,
                "symbol": html.look(run.verdict).symbol,
                "said": f"{when(run.started)}: {html.look(run.verdict).word}",
            }
            for run in reversed(shown)  # time goes to the right
        ],
    }


def _table(runs: Sequence[Run]) -> str:
    columns = ("verdict", "report", "what it said", "of", "when", "took")  # a phone shows the first of them
    rows = ((r.verdict, _link(r), r.sentence, r.subject, when(r.started), f"{r.seconds:.1f} s") for r in runs)
    return html.table(columns, rows, caption="All reports in this folder, the newest first", fold=_FOLDED)


def _link(run: Run) -> html.Markup:
    return html.Markup(f'<a href="{html.escape(quote(run.file))}">{html.escape(run.report)}</a>')


def when(started: str) -> str:
    """An ISO 8601 time in UTC as people write it, to the minute."""
    try:
        return f"{datetime.fromisoformat(started).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return started
