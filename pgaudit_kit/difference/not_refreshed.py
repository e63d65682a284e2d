"""Materialized views that a dump does not refresh, and that hold rows on the other side: what they were cannot be said."""

from __future__ import annotations

from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.source import Source

WHY = "{label} does not refresh it: it was not populated, or pg_dump was told to leave its data out"


def not_refreshed(left: Source, right: Source) -> dict[ObjectKey, str]:
    """Return those views, each with the label of the dump.

    pg_dump --exclude-table-data says the same of a view as one that was not populated makes it say (dumps/populated.py).
    """
    found: dict[ObjectKey, str] = {}
    for source, other in ((left, right), (right, left)):
        if source.provenance.format == "live":
            continue
        for view in source.inventory.of_kind("MATERIALIZED VIEW"):
            there = other.inventory.by_key.get(view.key)
            if there and (view.attributes.get("populated"), there.attributes.get("populated")) == ("false", "true"):
                found[view.key] = source.label
    return found
