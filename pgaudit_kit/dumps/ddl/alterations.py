"""ALTER of objects that no table holds: their owners, and what pg_dump prints behind their CREATE."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.drafts import IN_EVERY_DATABASE, NOT_COMPARED, WITHOUT_OBJECT, Book, Draft, Statement
from pgaudit_kit.dumps.ddl.languages import BUILT_IN_LANGUAGE
from pgaudit_kit.dumps.ddl.operators import read_members
from pgaudit_kit.dumps.ddl.references import read_reference
from pgaudit_kit.dumps.ddl.text_search import add_mapping
from pgaudit_kit.dumps.ddl.tokens import Cursor


def alter_object(statement: Statement, book: Book) -> None:
    """ALTER of an aggregate, an operator, a class or family of them, a collation, … Raises NotUnderstood."""
    cursor = statement.cursor("ALTER")
    kind, place = read_reference(statement, cursor, cursor.advance().text.upper())
    draft = book.find(kind, place)
    if draft is None:
        built_in = (kind, place) == ("PROCEDURAL LANGUAGE", (None, BUILT_IN_LANGUAGE))
        put_aside(statement, book, IN_EVERY_DATABASE if built_in else WITHOUT_OBJECT)
    elif cursor.take("OWNER", "TO"):
        draft.attributes["owner"] = cursor.identifier()
    elif _alter(statement, book, draft, cursor):
        draft.sql.append(statement.sql)
    else:
        put_aside(statement, book, NOT_COMPARED)


def _alter(statement: Statement, book: Book, draft: Draft, cursor: Cursor) -> bool:
    """Apply what is special to the kind of *draft*; False when this is not known."""
    if draft.kind == "OPERATOR FAMILY" and cursor.take("ADD"):
        read_members(statement, book, draft, cursor)
    elif draft.kind == "TEXT SEARCH CONFIGURATION" and cursor.take("ADD", "MAPPING"):
        add_mapping(statement, book, draft, cursor)
    elif draft.kind == "STATISTICS" and cursor.take("SET", "STATISTICS"):
        draft.attributes["statistics"] = cursor.advance().text
    elif draft.kind == "EVENT TRIGGER" and cursor.take("DISABLE"):
        draft.attributes["enabled"] = "DISABLE"
    elif draft.kind == "EVENT TRIGGER" and cursor.take("ENABLE"):
        draft.attributes["enabled"] = None if cursor.at_end else cursor.identifier().upper()
    else:
        return False
    return True
