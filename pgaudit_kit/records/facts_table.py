"""Facts as a plain table, for a notebook: records know nothing of how the rest is displayed."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape


def facts_table(facts: Mapping[str, object]) -> str:
    """Return the HTML of a table with a row for each fact."""
    return (
        "<table>" + "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in facts.items()) + "</table>"
    )
