"""Statements that make no object: SET, SELECT of functions, and what is run around the data."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.drafts import NOT_MODELLED, Book, Statement
from pgaudit_kit.dumps.ddl.large_objects import create_large_object
from pgaudit_kit.dumps.ddl.sequences import set_value
from pgaudit_kit.dumps.ddl.tokens import Cursor

# large object data, and OIDs that only pg_upgrade needs
_WITHOUT_MEANING = frozenset({"set_config", "lo_open", "lowrite", "lo_close", "lo_unlink"})


def ignore(statement: Statement, book: Book) -> None:
    """Take a statement that leaves no object: transactions, data, DROP of --clean, REFRESH."""


def read_set(statement: Statement, book: Book) -> None:
    """SET: keep what the meaning of later statements depends on."""
    cursor = statement.cursor("SET")
    if cursor.take("SESSION", "AUTHORIZATION"):
        standard = cursor.token.is_word("DEFAULT")
        book.session.role = None if standard else cursor.string() if cursor.token.kind == "string" else cursor.identifier()
        return
    setting = cursor.advance().text.lower()
    if not (cursor.take_text("=") or cursor.take("TO")):
        return
    values = _values(cursor)
    session = book.session
    first = values[0] if values else ""
    if setting == "search_path":
        session.search_path = tuple(values)
        session.bare_names = session.bare_names or any(values)
    elif setting == "default_tablespace":
        session.tablespace = first
    elif setting == "default_table_access_method":
        session.access_method = first
    elif setting == "standard_conforming_strings":
        session.escapes = first == "off"
    elif setting == "default_with_oids":
        session.with_oids = first == "true"


def read_reset(statement: Statement, book: Book) -> None:
    """RESET SESSION AUTHORIZATION, behind the privileges that somebody else granted; RESET ALL."""
    if statement.cursor("RESET").token.is_word("SESSION", "ALL"):
        book.session.role = None


def _values(cursor: Cursor) -> list[str]:
    values = []
    while not cursor.at_end:
        if cursor.token.kind == "string":
            values.append(cursor.string())
        elif cursor.token.kind in ("word", "quoted"):
            values.append(cursor.identifier())
        else:
            cursor.advance()
    return values


def read_select(statement: Statement, book: Book) -> None:
    """SELECT of a function: the state of a sequence, a large object, statistics, the search path. Raises NotUnderstood."""
    cursor = statement.cursor("SELECT")
    if cursor.take_text("*"):
        cursor.take("FROM")
    function = cursor.name().name
    if function == "setval":
        set_value(statement, book, cursor)
    elif function == "lo_create":
        create_large_object(statement, book, cursor)
    elif function == "set_config":
        arguments = Cursor(cursor.group())
        if arguments.string() == "search_path":
            book.session.search_path = ()
            book.session.qualifies = True
    elif function not in _WITHOUT_MEANING and not function.startswith("binary_upgrade"):
        put_aside(statement, book, NOT_MODELLED)
