"""The SQL of a dump → its inventory. One handler per statement, found by its first words; what no handler takes is unmodelled."""

from __future__ import annotations

import re
from collections.abc import Callable

from pgaudit_kit.dumps.ddl.alterations import alter_object
from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.attachments import alter_index, alter_trigger, create_index, create_rule, create_trigger
from pgaudit_kit.dumps.ddl.comments import apply_comments, read_comment, read_security_label
from pgaudit_kit.dumps.ddl.completion import complete
from pgaudit_kit.dumps.ddl.databases import alter_database, alter_role, create_database
from pgaudit_kit.dumps.ddl.definitions import create_aggregate, create_collation
from pgaudit_kit.dumps.ddl.drafts import NOT_MODELLED, Book, Statement, Versions
from pgaudit_kit.dumps.ddl.foreign import alter_foreign, create_foreign, create_server, create_user_mapping
from pgaudit_kit.dumps.ddl.languages import (
    create_access_method,
    create_cast,
    create_conversion,
    create_event_trigger,
    create_language,
    create_statistics,
    create_transform,
)
from pgaudit_kit.dumps.ddl.large_objects import add_large_objects, add_listed, alter_large_object
from pgaudit_kit.dumps.ddl.needless_quotes import quotes_all, without_needless_quotes
from pgaudit_kit.dumps.ddl.operators import create_operator
from pgaudit_kit.dumps.ddl.policies import create_policy
from pgaudit_kit.dumps.ddl.privileges import alter_default_privileges, apply_grants, read_grant
from pgaudit_kit.dumps.ddl.replication import alter_publication, complete_subscriptions, create_publication, create_subscription
from pgaudit_kit.dumps.ddl.routines import alter_routine, create_routine
from pgaudit_kit.dumps.ddl.schemas import alter_schema, create_extension, create_schema
from pgaudit_kit.dumps.ddl.sequences import alter_sequence, create_sequence
from pgaudit_kit.dumps.ddl.session import ignore, read_reset, read_select, read_set
from pgaudit_kit.dumps.ddl.tables import alter_table, create_table
from pgaudit_kit.dumps.ddl.text_search import create_text_search
from pgaudit_kit.dumps.ddl.tokens import NotUnderstood, split_statements
from pgaudit_kit.dumps.ddl.user_types import alter_type, create_domain, create_type
from pgaudit_kit.dumps.ddl.views import alter_view, create_materialized_view, create_view, refresh
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import LEFT_OUT_AS_A_WHOLE, NOT_UNDERSTOOD
from pgaudit_kit.records.toc import TocEntry

Handler = Callable[[Statement, Book], None]

_HANDLERS: dict[str, Handler] = {
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
    "CREATE POLICY": create_policy,
    "CREATE PUBLICATION": create_publication,
    "CREATE SUBSCRIPTION": create_subscription,
    "CREATE FOREIGN": create_foreign,
    "CREATE SERVER": create_server,
    "CREATE USER": create_user_mapping,
    "CREATE DATABASE": create_database,
    "ALTER SCHEMA": alter_schema,
    "ALTER TYPE": alter_type,
    "ALTER DOMAIN": alter_type,
    "ALTER TABLE": alter_table,
    "ALTER SEQUENCE": alter_sequence,
    "ALTER VIEW": alter_view,
    "ALTER MATERIALIZED": alter_view,
    "ALTER INDEX": alter_index,
    "ALTER TRIGGER": alter_trigger,
    "ALTER FUNCTION": alter_routine,
    "ALTER PROCEDURE": alter_routine,
    **dict.fromkeys(("ALTER AGGREGATE", "ALTER OPERATOR", "ALTER COLLATION", "ALTER CONVERSION", "ALTER STATISTICS"), alter_object),
    **dict.fromkeys(("ALTER TEXT", "ALTER LANGUAGE", "ALTER PROCEDURAL", "ALTER EVENT"), alter_object),
    **dict.fromkeys(("ALTER SERVER", "ALTER SUBSCRIPTION"), alter_object),
    "ALTER PUBLICATION": alter_publication,
    "ALTER FOREIGN": alter_foreign,
    "ALTER DEFAULT": alter_default_privileges,
    "ALTER DATABASE": alter_database,
    "ALTER ROLE": alter_role,
    "ALTER LARGE": alter_large_object,
    "GRANT": read_grant,
    "REVOKE": read_grant,
    "SECURITY": read_security_label,
    "COMMENT": read_comment,
    "REFRESH": refresh,
    "SELECT": read_select,
    "SET": read_set,
    "RESET": read_reset,
    **dict.fromkeys(("BEGIN", "COMMIT", "START", "DROP", "COPY", "INSERT", "UPDATE"), ignore),
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
            self._try(lambda statement, book: add_listed(statement.sql, entry, book), Statement(statements[0], entry, session))
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
        self._try(handler, statement)

    def _try(self, handler: Handler, statement: Statement) -> None:
        try:
            handler(statement, self._book)
        except NotUnderstood:
            put_aside(statement, self._book, NOT_UNDERSTOOD)

    def build(self, *, pg_dump_version: str | None = None, server_version: str | None = None) -> Inventory:
        """Return the inventory of all that was fed; what it leaves out depends on these versions. May be called once."""
        book = self._book
        apply_comments(book)
        complete(book)
        versions = Versions(_major(pg_dump_version), _major(server_version))
        apply_grants(book, versions)
        complete_subscriptions(book, versions)
        add_large_objects(book)
        return Inventory(
            tuple(book.objects),
            book.unmodelled,
            book.database.finished() if book.database else None,
            LEFT_OUT_AS_A_WHOLE - book.told,
            quotes_all=book.session.quotes_all,
            bare_names=book.session.bare_names,
        )


def _major(version: str | None) -> int | None:
    found = re.match(r"\d+", version or "")
    return int(found[0]) if found else None
