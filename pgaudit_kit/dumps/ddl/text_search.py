"""Text search parsers, templates, dictionaries and configurations (pg_dump.c, dumpTSParser and its neighbours)."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.definitions import Options, qualify_routines, read_options
from pgaudit_kit.dumps.ddl.drafts import Book, Draft, Statement
from pgaudit_kit.dumps.ddl.tokens import Cursor, Name, NotUnderstood
from pgaudit_kit.records.objects import ATTRIBUTES

_OF_FUNCTIONS = {kind: frozenset({*ATTRIBUTES[kind]} - {"comment"}) for kind in ("TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE")}


def create_text_search(statement: Statement, book: Book) -> None:
    """CREATE TEXT SEARCH PARSER, TEMPLATE, DICTIONARY, CONFIGURATION. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "TEXT", "SEARCH")
    kind = f"TEXT SEARCH {cursor.advance().text.upper()}"
    place = statement.place(cursor.name())
    if kind in _OF_FUNCTIONS:
        found = read_options(cursor, _OF_FUNCTIONS[kind])
        qualify_routines(statement, book, found, *found)
    else:
        found = _read_based_on(statement, cursor, kind)
    book.create(kind, place, statement).attributes |= found


def _read_based_on(statement: Statement, cursor: Cursor, kind: str) -> Options:
    """Read the template of a dictionary and its options, which stay as they are, or the parser of a configuration."""
    word = {"TEXT SEARCH DICTIONARY": "template", "TEXT SEARCH CONFIGURATION": "parser"}.get(kind)
    if word is None:
        raise NotUnderstood(f"{kind} is no kind of object")
    inner = Cursor(cursor.group())
    inner.expect(word.upper())
    inner.expect_text("=")
    found: Options = {word: statement.qualified(inner.name())}
    if inner.take_text(","):
        if word == "parser":
            raise NotUnderstood("a configuration with more than its parser")
        found["options"] = inner.rest()
    elif not inner.at_end:
        raise NotUnderstood(f"the end expected at {inner.token.text!r}")
    return found


def add_mapping(statement: Statement, book: Book, configuration: Draft, cursor: Cursor) -> None:
    """ALTER TEXT SEARCH CONFIGURATION … ADD MAPPING; *cursor* stands at FOR. Raises NotUnderstood."""
    cursor.expect("FOR")
    token_types = [cursor.identifier()]
    while cursor.take_text(","):
        token_types.append(cursor.identifier())
    cursor.expect("WITH")
    dictionaries = [_dictionary(statement, book, cursor.name())]
    while cursor.take_text(","):
        dictionaries.append(_dictionary(statement, book, cursor.name()))
    before = configuration.attributes.get("mappings")
    added = (f"{token_type}: {', '.join(dictionaries)}" for token_type in token_types)
    configuration.attributes["mappings"] = "\n".join(sorted([*(before.split("\n") if before else []), *added]))


def _dictionary(statement: Statement, book: Book, name: Name) -> str:
    at_home = not name.schema and not statement.session.qualifies and book.find("TEXT SEARCH DICTIONARY", statement.place(name))
    return statement.qualified(name) if at_home else name.sql
