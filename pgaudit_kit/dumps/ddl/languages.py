"""Objects of the database as a whole or between types: languages, transforms, casts, access methods, event triggers, conversions.

pg_dump.c: dumpProcLang, dumpTransform, dumpCast, dumpAccessMethod, dumpEventTrigger, dumpConversion; dumpStatisticsExt.
"""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.drafts import IN_EVERY_DATABASE, Book, Statement
from pgaudit_kit.dumps.ddl.references import read_reference
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood

BUILT_IN_LANGUAGE = "plpgsql"


def create_language(statement: Statement, book: Book) -> None:
    """CREATE [OR REPLACE] [TRUSTED] [PROCEDURAL] LANGUAGE. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE")
    cursor.take("OR", "REPLACE")
    found: dict[str, str | None] = {"trusted": "true" if cursor.take("TRUSTED") else None}
    cursor.take("PROCEDURAL")
    cursor.expect("LANGUAGE")
    name = cursor.identifier()
    for word in ("HANDLER", "INLINE", "VALIDATOR"):
        if cursor.take(word):
            found[word.lower()] = statement.qualified_routine(cursor.name(), book)
    _finish(cursor)
    if name == BUILT_IN_LANGUAGE:  # listed by pg_dump 9.0
        put_aside(statement, book, IN_EVERY_DATABASE)
    else:
        book.create("PROCEDURAL LANGUAGE", (None, name), statement).attributes |= found


def create_transform(statement: Statement, book: Book) -> None:
    """CREATE TRANSFORM. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "TRANSFORM")
    kind, place = read_reference(statement, cursor, "TRANSFORM")
    inner = Cursor(cursor.group())
    found: dict[str, str | None] = {}
    while not inner.at_end:
        word = inner.advance().text.upper()
        inner.expect("SQL", "WITH", "FUNCTION")
        if word not in ("FROM", "TO"):
            raise NotUnderstood(f"FROM SQL or TO SQL expected at {word!r}")
        found[f"{word.lower()}_sql"] = inner.text_until()
        inner.take_text(",")
    book.create(kind, place, statement).attributes |= found


def create_cast(statement: Statement, book: Book) -> None:
    """CREATE CAST. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "CAST")
    kind, place = read_reference(statement, cursor, "CAST")
    method = cursor.text_until("AS")
    context = cursor.identifier().upper() if cursor.take("AS") else None
    _finish(cursor)
    book.create(kind, place, statement).attributes |= {"method": method, "context": context}


def create_conversion(statement: Statement, book: Book) -> None:
    """CREATE [DEFAULT] CONVERSION. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE")
    found: dict[str, str | None] = {"default": "true" if cursor.take("DEFAULT") else None}
    cursor.expect("CONVERSION")
    place = statement.place(cursor.name())
    cursor.expect("FOR")
    found["for_encoding"] = cursor.string()
    cursor.expect("TO")
    found["to_encoding"] = cursor.string()
    cursor.expect("FROM")
    found["function"] = statement.qualified_routine(cursor.name(), book)
    _finish(cursor)
    book.create("CONVERSION", place, statement).attributes |= found


def create_access_method(statement: Statement, book: Book) -> None:
    """CREATE ACCESS METHOD. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "ACCESS", "METHOD")
    name = cursor.identifier()
    cursor.expect("TYPE")
    found: dict[str, str | None] = {"type": cursor.identifier().upper()}
    cursor.expect("HANDLER")
    found["handler"] = statement.qualified_routine(cursor.name(), book)
    _finish(cursor)
    book.create("ACCESS METHOD", (None, name), statement).attributes |= found


def create_event_trigger(statement: Statement, book: Book) -> None:
    """CREATE EVENT TRIGGER; up to 10 it says PROCEDURE for FUNCTION. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "EVENT", "TRIGGER")
    name = cursor.identifier()
    cursor.expect("ON")
    found: dict[str, str | None] = {"event": cursor.identifier()}
    if cursor.take("WHEN", "TAG", "IN"):
        found["tags"] = cursor.group()
    cursor.expect("EXECUTE")
    if not cursor.take("FUNCTION"):
        cursor.expect("PROCEDURE")
    found["function"] = statement.qualified_routine(cursor.name(), book)
    cursor.group()
    _finish(cursor)
    book.create("EVENT TRIGGER", (None, name), statement).attributes |= found


def create_statistics(statement: Statement, book: Book) -> None:
    """CREATE STATISTICS. Raises NotUnderstood."""
    place = statement.place(statement.cursor("CREATE", "STATISTICS").name())
    book.create("STATISTICS", place, statement).attributes["definition"] = statement.sql


def _finish(cursor: Cursor) -> None:
    if not cursor.at_end:
        raise NotUnderstood(f"the end expected at {cursor.token.text!r}")
