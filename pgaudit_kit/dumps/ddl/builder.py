"""The SQL of a dump → its inventory. One handler per statement, found by its first words; what no handler takes is unmodelled."""

from __future__ import annotations

import re
from collections.abc import Callable

from pgaudit_kit.dumps.ddl.alterations import alter_object
from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.attachments import alter_index, create_index, create_rule, create_trigger
from pgaudit_kit.dumps.ddl.comments import apply_comments, read_comment
from pgaudit_kit.dumps.ddl.completion import complete
from pgaudit_kit.dumps.ddl.definitions import create_aggregate, create_collation
from pgaudit_kit.dumps.ddl.drafts import NOT_MODELLED, NOT_UNDERSTOOD, Book, Statement
from pgaudit_kit.dumps.ddl.languages import (
    create_access_method,
    create_cast,
    create_conversion,
    create_event_trigger,
    create_language,
    create_statistics,
    create_transform,
)
from pgaudit_kit.dumps.ddl.needless_quotes import quotes_all, without_needless_quotes
from pgaudit_kit.dumps.ddl.operators import create_operator
from pgaudit_kit.dumps.ddl.routines import alter_routine, create_routine
from pgaudit_kit.dumps.ddl.schemas import alter_schema, create_extension, create_schema
from pgaudit_kit.dumps.ddl.sequences import alter_sequence, create_sequence
from pgaudit_kit.dumps.ddl.session import ignore, read_alter_database, read_select, read_set
from pgaudit_kit.dumps.ddl.tables import alter_table, create_table
from pgaudit_kit.dumps.ddl.text_search import create_text_search
from pgaudit_kit.dumps.ddl.tokens import NotUnderstood, split_statements
from pgaudit_kit.dumps.ddl.user_types import alter_type, create_domain, create_type
from pgaudit_kit.dumps.ddl.views import alter_view, create_materialized_view, create_view
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.toc import TocEntry

_HANDLERS: dict[str, Callable[[Statement, Book], None]] = {
    "CREATE SCHEMA": create_schema,
    "CREATE EXTENSION": create_extension,
    "CREATE TYPE": create_type,
    "CREATE DOMAIN": create_domain,
    "CREATE TABLE": create_table,
    "CREATE SEQUENCE": create_sequence,
    "CREATE VIEW": create_view,
    "CREATE MATERIALIZED": create_materialized_view,
    "CREATE INDEX": create_index,
    "CREATE TRIGGER": create_trigger,
    "CREATE RULE": create_rule,
    "CREATE FUNCTION": create_routine,
    "CREATE PROCEDURE": create_routine,
    "CREATE AGGREGATE": create_aggregate,
    "CREATE OPERATOR": create_operator,
    "CREATE COLLATION": create_collation,
    "CREATE CONVERSION": create_conversion,
    "CREATE DEFAULT": create_conversion,
    "CREATE CAST": create_cast,
    "CREATE TRANSFORM": create_transform,
    "CREATE ACCESS": create_access_method,
    "CREATE TEXT": create_text_search,
    "CREATE STATISTICS": create_statistics,
    "CREATE EVENT": create_event_trigger,
    **dict.fromkeys(("CREATE LANGUAGE", "CREATE PROCEDURAL", "CREATE TRUSTED"), create_language),
    "CREATE DATABASE": ignore,  # the container; what it holds is compared, whatever it is called
    "ALTER SCHEMA": alter_schema,
    "ALTER TYPE": alter_type,
    "ALTER DOMAIN": alter_type,
    "ALTER TABLE": alter_table,
    "ALTER SEQUENCE": alter_sequence,
    "ALTER VIEW": alter_view,
    "ALTER MATERIALIZED": alter_view,
    "ALTER INDEX": alter_index,
    "ALTER FUNCTION": alter_routine,
    "ALTER PROCEDURE": alter_routine,
    **dict.fromkeys(("ALTER AGGREGATE", "ALTER OPERATOR", "ALTER COLLATION", "ALTER CONVERSION", "ALTER STATISTICS"), alter_object),
    **dict.fromkeys(("ALTER TEXT", "ALTER LANGUAGE", "ALTER PROCEDURAL", "ALTER EVENT"), alter_object),
    "ALTER DATABASE": read_alter_database,
    "ALTER LARGE": ignore,  # the owner of a large object
    "COMMENT": read_comment,
    "SELECT": read_select,
    "SET": read_set,
    **dict.fromkeys(("RESET", "BEGIN", "COMMIT", "START", "DROP", "REFRESH", "COPY", "INSERT", "UPDATE"), ignore),
}
_FIRST_WORDS = re.compile(
    r"(CREATE|ALTER)\s+(?:OR\s+REPLACE\s+)?(?:(?:UNLOGGED|UNIQUE|CONSTRAINT|RECURSIVE)\s+)?(\w+)|(\w+)", re.IGNORECASE
)
_NOT_CREATING = "-- *not* creating schema"


class InventoryBuilder:
    """Puts an inventory together from the SQL of a dump, in the order of the dump.

    The text of every attribute is what the server printed into the dump, without what pg_dump wrapped around it
    (PGDUMP_FORMATS.md 6.1); of tables that inherit, only what the dump prints of them.
    """

    def __init__(self) -> None:
        self._book = Book()

    def feed(self, sql: str, entry: TocEntry | None = None) -> None:
        """Take in *sql*: one or many statements of one *entry* (archive), or of the header comment before it (plain script).

        What is of a modelled kind but has an unknown shape becomes unmodelled, with its text; nothing is raised.
        """
        session = self._book.session
        statements = split_statements(sql, escapes=session.escapes)
        if entry and entry.desc == "BLOB METADATA" and statements and statements[0][0].isdigit():
            self._book.large_objects += len(statements[0].split())  # not SQL in archives of 17 and later: one OID in each line
            return
        if entry and entry.desc == "SCHEMA" and _NOT_CREATING in sql and not statements:
            self._book.create("SCHEMA", (None, entry.tag), Statement(f"CREATE SCHEMA {entry.tag}", entry, session))
        for text in statements:
            session.quotes_all = session.quotes_all or quotes_all(text)
            self._interpret(Statement(without_needless_quotes(text) if session.quotes_all else text, entry, session))

    def _interpret(self, statement: Statement) -> None:
        words = _FIRST_WORDS.match(statement.sql)
        key = "" if words is None else f"{words[1]} {words[2]}".upper() if words[1] else words[3].upper()
        handler = _HANDLERS.get(key)
        if handler is None:
            put_aside(statement, self._book, NOT_MODELLED)
            return
        try:
            handler(statement, self._book)
        except NotUnderstood:
            put_aside(statement, self._book, NOT_UNDERSTOOD)

    def build(self) -> Inventory:
        """Return the inventory of all that was fed. May be called once."""
        apply_comments(self._book)
        complete(self._book)
        return Inventory(tuple(draft.finished() for draft in self._book.drafts.values()), self._book.unmodelled)
