"""Which cluster it is, and how it orders text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgaudit_kit.records.server_facts import OF_THE_DATABASE, ServerFacts
from pgaudit_kit.server.catalog_query import query

if TYPE_CHECKING:
    from pgaudit_kit.server.snapshot import Snapshot

_MAY = "SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS may"
_IDENTIFIER = "SELECT system_identifier::text AS value FROM pg_control_system()"


def server_facts(live: Snapshot) -> ServerFacts:
    """Return them. Raises QueryFailed."""
    rows = live.ask(query("collations_in_use", live.major))
    named = [(row["name"] or OF_THE_DATABASE, row["recorded"], row["actual"]) for row in rows]
    may = live.ask(_MAY)[0]["may"]  # apart: a function that may not be called is an error before any condition is looked at
    return ServerFacts(
        system_identifier=live.ask(_IDENTIFIER)[0]["value"] if may else None,
        collations={name: recorded for name, recorded, _ in named if recorded is not None},
        actual_collations={name: actual for name, _, actual in named if actual is not None},
    )
