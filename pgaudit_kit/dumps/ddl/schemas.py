"""Schemas and extensions (pg_dump.c, dumpNamespace and dumpExtension)."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.drafts import IN_EVERY_DATABASE, NOT_COMPARED, Book, Statement

PUBLIC = (None, "public")


def create_schema(statement: Statement, book: Book) -> None:
    """CREATE SCHEMA. Raises NotUnderstood.

    pg_dump up to 10 lists public like any other; 11 and later only when it is not as initdb made it, and then as a comment
    "*not* creating schema". So a public that is created says nothing.
    """
    cursor = statement.cursor("CREATE", "SCHEMA")
    cursor.take("IF", "NOT", "EXISTS")
    place = (None, cursor.identifier())
    if place == PUBLIC:
        book.built_in.add(place)
        put_aside(statement, book, IN_EVERY_DATABASE)
    else:
        book.create("SCHEMA", place, statement)


def alter_schema(statement: Statement, book: Book) -> None:
    """ALTER SCHEMA … OWNER TO. Raises NotUnderstood."""
    cursor = statement.cursor("ALTER", "SCHEMA")
    place = (None, cursor.identifier())
    cursor.expect("OWNER", "TO")
    draft = book.find("SCHEMA", place)
    if draft is None and (place != PUBLIC or place in book.built_in):
        put_aside(statement, book, IN_EVERY_DATABASE if place == PUBLIC else NOT_COMPARED)
        return
    draft = draft or book.create("SCHEMA", place, statement)
    draft.attributes["owner"] = cursor.identifier()


def create_extension(statement: Statement, book: Book) -> None:
    """CREATE EXTENSION. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "EXTENSION")
    cursor.take("IF", "NOT", "EXISTS")
    name = cursor.identifier()
    cursor.take("WITH")
    schema = cursor.identifier() if cursor.take("SCHEMA") else None
    book.create("EXTENSION", (None, name), statement).attributes["extension_schema"] = schema
