"""Are the restored heaps and B-tree indexes sound? Asked of the server's own extension amcheck."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg

_VERIFIES_HEAPS = 140_000
_SHOWN = 3
_INDEXES = """
SELECT c.oid::regclass::text, pg_catalog.format('SELECT bt_index_check(%L::regclass, true)', c.oid::regclass)
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_am a ON a.oid = c.relam
 WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence <> 't' AND i.indisvalid AND i.indisready ORDER BY 1"""
_HEAPS = """
SELECT c.oid::regclass::text,
       pg_catalog.format('SELECT msg FROM verify_heapam(%L::regclass, on_error_stop => true) LIMIT 1', c.oid::regclass)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am a ON a.oid = c.relam
 WHERE a.amname = 'heap' AND c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't' ORDER BY 1"""


def check_amcheck(target: Target) -> Check:
    """`rehearsal.amcheck`: every B-tree index fits its table, and every heap (14+) is sound.

    The extension is made in the rehearsal's database, which goes. `not_checked` when the server does not have it, or may not be asked.
    """
    import psycopg

    question = "Are heaps and indexes of the restored database sound?"
    with connect(target, read_only=False, autocommit=True) as connection:
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck WITH SCHEMA public")
            connection.execute("SET search_path TO public, pg_catalog")
            asked, wrong = _ask(connection)
        except psycopg.Error as error:
            found = (error.diag.message_primary or str(error)).strip()
            remedy = "Install the contrib package there, or rehearse as a superuser."
            return Check("rehearsal.amcheck", question, Outcome.NOT_CHECKED, found=found, remedy=remedy)
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return Check(
        id="rehearsal.amcheck",
        question=question,
        outcome=Outcome.NOT_CHECKED if wrong else Outcome.PASSED,
        expected="no corruption",
        found="; ".join(wrong[:_SHOWN]) + more if wrong else "all sound",
        compared=asked,
        remedy="A function in an index is not immutable, or that server or its disk is broken; the dump is not to blame." if wrong else "",
    )


def _ask(connection: psycopg.Connection[Any]) -> tuple[int, list[str]]:
    """How many indexes and heaps were asked of, and what is wrong."""
    from psycopg import errors

    asked, wrong = 0, []
    for name, statement in _statements(connection):
        asked += 1
        try:
            row = connection.execute(statement).fetchone()
        except (errors.IndexCorrupted, errors.DataCorrupted) as error:
            wrong.append(f"{name}: {error.diag.message_primary}")
        else:
            if row and isinstance(row[0], str) and row[0]:  # bt_index_check gives void, which is an empty text
                wrong.append(f"{name}: {row[0]}")
    return asked, wrong


def _statements(connection: psycopg.Connection[Any]) -> Iterator[tuple[str, bytes]]:
    queries = (_INDEXES, _HEAPS) if connection.info.server_version >= _VERIFIES_HEAPS else (_INDEXES,)
    for query in queries:
        for name, statement in connection.execute(query).fetchall():
            yield name, statement.encode()
