"""The transaction of a snapshot: READ ONLY, REPEATABLE READ, under pg_dump's settings, and what is known of the server from then on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgaudit_kit.errors import QueryFailed
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.server.asking import Asking
from pgaudit_kit.server.catalog_query import query
from pgaudit_kit.server.connection import refused_queries
from pgaudit_kit.server.session_settings import APPLY_SETTINGS, QUOTES, SETTINGS, keep_any_bytes

if TYPE_CHECKING:
    import psycopg

_RECORDED_SETTINGS = ("TimeZone", "bytea_output", "lc_monetary", "standard_conforming_strings", "client_encoding")
_OLDEST = 12


@dataclass(frozen=True, slots=True)
class Opened:
    """What a server says of itself: its major version, the role that asks, and where what is read comes from."""

    major: int
    role: str
    provenance: Provenance


def open_snapshot(
    connection: psycopg.Connection[Any],
    session: Asking,
    label: str,
    *,
    snapshot_id: str | None,
    lock_timeout: float | None,
    is_inside: bool,
) -> Opened:
    """Begin the transaction of a snapshot, that of *snapshot_id* if given; *is_inside*: one is open, and only ends writing.

    Raises QueryFailed.
    """
    import psycopg

    if is_inside:
        with refused_queries(label, "ending all writing"):
            connection.execute("SET LOCAL transaction_read_only = on")
    else:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    if snapshot_id is not None:
        remedy = "The session that exported it must still be open, on the same database."
        with refused_queries(label, f"taking over snapshot {snapshot_id}", remedy=remedy):
            connection.execute(psycopg.sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot_id))
    with refused_queries(label, "taking a snapshot"):
        quotes = _set_up(connection, session, lock_timeout)
    major = connection.info.server_version // 10_000
    if major < _OLDEST:
        raise QueryFailed(
            f"the server is PostgreSQL {major}, and {_OLDEST} is the oldest that can be read",
            resource=label,
            remedy="Compare a dump of it instead.",
        )
    facts = session.ask(query("provenance", major))[0]
    provenance = Provenance(
        format="live",
        database=facts["database"],
        server_version=facts["server_version"],
        encoding=facts["server_encoding"],
        created_at=facts["created_at"],
        settings={**{name: facts[name] for name in _RECORDED_SETTINGS}, QUOTES: quotes},
    )
    return Opened(major, facts["role"], provenance)


def _set_up(connection: psycopg.Connection[Any], session: Asking, lock_timeout: float | None) -> str:
    """Take over pg_dump's settings; return what quote_all_identifiers was, which it does not turn off."""
    # first, so that nothing in a schema of the role's own search_path is taken for a function of the server
    connection.execute("SELECT pg_catalog.set_config('search_path', '', true)")
    quotes: str = session.ask("SELECT current_setting('quote_all_identifiers') AS quotes")[0]["quotes"]
    # such a server stores bytes in whatever encoding and could not convert them, so it is to send them as they are
    raw = connection.info.parameter_status("server_encoding") == "SQL_ASCII"
    settings = {"client_encoding": "SQL_ASCII" if raw else "UTF8", **SETTINGS}
    if lock_timeout is not None:
        settings["lock_timeout"] = str(round(lock_timeout * 1000))
    connection.execute(APPLY_SETTINGS, [list(settings), list(settings.values())])
    if raw:
        keep_any_bytes(connection)
    return quotes
