"""The settings of pg_dump's own session: under them a server prints what a dump says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

QUOTES = "quote_all_identifiers"
# setup_connection of pg_dump.c, for this transaction only. What a server does not know (transaction_timeout: 17+,
# restrict_nonsystem_relation_kind: the minors of August 2024) is not set there.
SETTINGS = {
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "synchronize_seqscans": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "transaction_timeout": "0",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",  # pg_dump keeps what it finds; readers of dumps give text as it would be with this
    "row_security": "off",
    "jit": "off",  # ours: each of our queries runs once, and would be compiled for longer than it runs
    "restrict_nonsystem_relation_kind": "view, foreign-table",
}
APPLY_SETTINGS = """
    SELECT set_config(wanted.name, wanted.value, true)
    FROM unnest(%s::text[], %s::text[]) AS wanted(name, value)
    WHERE current_setting(wanted.name, true) IS NOT NULL
"""


def keep_any_bytes(connection: psycopg.Connection[Any]) -> None:
    """Give names and texts as UTF-8 with surrogates for what is none, as the rows of copy_text.py are decoded."""
    from psycopg.adapt import Loader

    class AnyBytes(Loader):
        def load(self, data: Any) -> str:
            return bytes(data).decode("utf-8", "surrogateescape")

    for type_name in ("text", "name"):
        connection.adapters.register_loader(type_name, AnyBytes)
