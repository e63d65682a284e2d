"""The one script of a page: it adds a search to long tables, and the page is complete without it.

The content security policy names it by its hash, so that nothing else can run, whatever a database has put into the page.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources


@cache
def script() -> str:
    """The text of the script."""
    return resources.files("pgaudit_kit.reporting").joinpath("templates", "pgaudit", "search.js").read_text(encoding="utf-8")


def script_source() -> str:
    """How the policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()}'"


def with_script(page: str) -> str:
    """Put the script at the end of *page*, after all that could have changed it."""
    body, end, rest = page.rpartition("</body>")
    return f"{body}<script>{script()}</script>\n{end}{rest}"
