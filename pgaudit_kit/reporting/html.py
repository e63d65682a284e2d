"""An executed notebook → one HTML file that needs nothing else: no network, no font, and to be read no script.

nbconvert's HTMLExporter does the work with our own template (templates/pgaudit). A content security policy in the page
forbids the browser to load anything, and to run anything but our own script (`page_script`), whatever a database has put into an output.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final

from pgaudit_kit.display import html as pieces
from pgaudit_kit.reporting import chart
from pgaudit_kit.reporting.conclusion import VERDICT_MIME
from pgaudit_kit.reporting.execution import Failure
from pgaudit_kit.reporting.page_script import script_source
from pgaudit_kit.reporting.runs import META

NOT_IN_REPORT: Final = frozenset({"notebook-only", "papermill-error-cell-tag", "injected-parameters", "parameters"})
_NEEDS_SCRIPT: Final = ("application/javascript", "application/vnd.jupyter.widget-view+json")
_SCRIPT: Final = re.compile(r"<script\b.*?(</script\s*>|\Z)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Page:
    """What stands above the notebook's own content. All text is plain; the template escapes it, but for what is HTML already."""

    title: str
    verdict: str
    sentence: str
    generator: str
    next_steps: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    failure: Failure | None = None
    notebook_file: str = ""
    run_meta: str = ""
    run_meta_name: str = META

    @property
    def verdict_word(self) -> str:
        """The verdict as a word for the window's title."""
        return pieces.look(self.verdict).word

    @property
    def banner(self) -> str:
        """The verdict banner, as HTML."""
        return pieces.banner(self.verdict, self.sentence)

    @property
    def marked_steps(self) -> tuple[str, ...]:
        """What to do next, as HTML."""
        return tuple(map(pieces.with_code, self.next_steps))

    @property
    def script_source(self) -> str:
        """The source of scripts that the page allows: its own one."""
        return script_source()

    @property
    def style(self) -> str:
        """All styles of the page, once."""
        own = resources.files("pgaudit_kit.reporting").joinpath("templates", "pgaudit", "report.css").read_text(encoding="utf-8")
        return f"{pieces.STYLE}\n{chart.STYLE}\n{own}"


def render(notebook: Mapping[str, Any], page: Page) -> str:
    """Return the HTML of an executed *notebook* (nbformat 4, as a mapping, free of secrets) under *page*."""
    import nbformat
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    from_dict: Callable[..., Any] = nbformat.from_dict
    make_exporter: Callable[..., Any] = HTMLExporter
    with resources.as_file(resources.files("pgaudit_kit.reporting").joinpath("templates")) as templates:
        exporter = make_exporter(
            config=Config({"HighlightMagicsPreprocessor": {"enabled": False}, "CSSHTMLHeaderPreprocessor": {"enabled": False}}),
            template_name="pgaudit",
            extra_template_basedirs=[str(templates)],
            exclude_input=True,
            exclude_input_prompt=True,
            exclude_output_prompt=True,
            exclude_anchor_links=True,
            anchor_link_text="",
        )
        document, _ = exporter.from_notebook_node(
            from_dict(_prepared(notebook, stopped=page.failure is not None)), resources={"report": page}
        )
    return _SCRIPT.sub("", document)


def title_of(notebook: Mapping[str, Any]) -> str:
    """The first heading of the first level in *notebook*, "" when it has none."""
    for cell in notebook["cells"]:
        found = re.search(r"^#\s+(.+)$", cell["source"], re.MULTILINE) if cell["cell_type"] == "markdown" else None
        if found:
            return found[1].strip()
    return ""


def _prepared(notebook: Mapping[str, Any], *, stopped: bool) -> dict[str, Any]:
    """The notebook as its report shows it: without the cells that are for Jupyter or were never reached, each heading and style once."""
    cells = [_cell(c) for c in notebook["cells"] if not NOT_IN_REPORT & set(c["metadata"].get("tags", ()))]
    if stopped:
        cells = [c for c in cells if c["metadata"].get("papermill", {}).get("start_time")]
    heading = next((c for c in cells if c["cell_type"] == "markdown" and re.search(r"^#\s", c["source"], re.MULTILINE)), None)
    if heading is not None:  # it is the page's title
        heading["source"] = re.sub(r"^#\s+.+$", "", heading["source"], count=1, flags=re.MULTILINE)
    return {**notebook, "cells": cells}


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    if cell["cell_type"] != "code":
        return dict(cell)
    outputs = [_output(o) for o in cell["outputs"] if not _is_conclusion(o)]
    charts = [o for o in outputs if 'class="pg-chart"' in o.get("data", {}).get("text/html", "")]
    return {**cell, "outputs": outputs, "metadata": {**cell["metadata"], "charts_only": bool(charts) and len(charts) == len(outputs)}}


def _is_conclusion(output: Mapping[str, Any]) -> bool:
    """The banner at the top says it already."""
    return VERDICT_MIME in output.get("data", {})


def _output(output: Mapping[str, Any]) -> dict[str, Any]:
    if "data" not in output:
        return dict(output)
    data = {mime: value for mime, value in output["data"].items() if mime not in _NEEDS_SCRIPT}
    if "text/html" in data:
        data["text/html"] = _accessible(data["text/html"])
    return {**output, "data": data}


def _accessible(fragment: str) -> str:
    """A fragment without the styles that the page has, and a plain pandas frame with the scopes that a screen reader needs."""
    for style in (pieces.STYLE, chart.STYLE):
        fragment = fragment.replace(f"<style>{style}</style>", "")
    if 'class="dataframe"' not in fragment:
        return fragment
    fragment = re.sub(r"<style scoped>.*?</style>", "", fragment, flags=re.DOTALL)
    head, end, body = fragment.partition("</thead>")
    return head.replace("<th>", '<th scope="col">') + end + body.replace("<th>", '<th scope="row">')
