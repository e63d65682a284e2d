"""How COMMENT ON and ALTER … name objects that are not found by their name alone: `AGGREGATE f(args)`, `CAST (a AS b)` and others."""

from __future__ import annotations

from collections.abc import Callable

from pgaudit_kit.dumps.ddl.definitions import operator_name
from pgaudit_kit.dumps.ddl.drafts import Place, Statement
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood

Reference = tuple[str, Place]


def member_kind(cursor: Cursor) -> str:
    """Step over CLASS or FAMILY behind OPERATOR and return the kind; a schema of that name, before an operator, is none of these."""
    for word in ("CLASS", "FAMILY"):
        if cursor.token.is_word(word) and cursor.following.text != ".":
            cursor.advance()
            return f"OPERATOR {word}"
    return "OPERATOR"


def _aggregate(statement: Statement, cursor: Cursor) -> Reference:
    schema, name = statement.place(cursor.name())
    return "AGGREGATE", (schema, f"{name}({cursor.group()})")


def _operator(statement: Statement, cursor: Cursor) -> Reference:
    kind = member_kind(cursor)
    if kind == "OPERATOR":
        schema, name = statement.place(operator_name(cursor))
        return kind, (schema, f"{name} ({cursor.group()})")
    schema, name = statement.place(cursor.name())
    cursor.expect("USING")
    return kind, (schema, f"{name} USING {cursor.identifier()}")


def _cast(_statement: Statement, cursor: Cursor) -> Reference:
    return "CAST", (None, f"CAST ({cursor.group()})")


def _transform(_statement: Statement, cursor: Cursor) -> Reference:
    cursor.expect("FOR")
    type_name = cursor.text_until("LANGUAGE")
    cursor.expect("LANGUAGE")
    language = cursor.token.text
    cursor.identifier()
    return "TRANSFORM", (None, f"TRANSFORM FOR {type_name} LANGUAGE {language}")


def _text_search(statement: Statement, cursor: Cursor) -> Reference:
    cursor.expect("SEARCH")
    kind = f"TEXT SEARCH {cursor.advance().text.upper()}"
    return kind, statement.place(cursor.name())


def _in_schema(kind: str) -> Callable[[Statement, Cursor], Reference]:
    return lambda statement, cursor: (kind, statement.place(cursor.name()))


def _in_database(kind: str, *words: str) -> Callable[[Statement, Cursor], Reference]:
    def read(_statement: Statement, cursor: Cursor) -> Reference:
        cursor.expect(*words)
        return kind, (None, cursor.identifier())

    return read


def _foreign(statement: Statement, cursor: Cursor) -> Reference:
    if cursor.take("TABLE"):
        return "FOREIGN TABLE", statement.place(cursor.name())
    cursor.expect("DATA", "WRAPPER")
    return "FOREIGN DATA WRAPPER", (None, cursor.identifier())


_READERS: dict[str, Callable[[Statement, Cursor], Reference]] = {
    "AGGREGATE": _aggregate,
    "OPERATOR": _operator,
    "CAST": _cast,
    "TRANSFORM": _transform,
    "TEXT": _text_search,
    "COLLATION": _in_schema("COLLATION"),
    "CONVERSION": _in_schema("CONVERSION"),
    "STATISTICS": _in_schema("STATISTICS"),
    "ACCESS": _in_database("ACCESS METHOD", "METHOD"),
    "EVENT": _in_database("EVENT TRIGGER", "TRIGGER"),
    "LANGUAGE": _in_database("PROCEDURAL LANGUAGE"),
    "FOREIGN": _foreign,
    "SERVER": _in_database("SERVER"),
    "PUBLICATION": _in_database("PUBLICATION"),
    "SUBSCRIPTION": _in_database("SUBSCRIPTION"),
    "DATABASE": _in_database("DATABASE"),
    "PROCEDURAL": _in_database("PROCEDURAL LANGUAGE", "LANGUAGE"),
}
REFERENCES = frozenset(_READERS)


def read_reference(statement: Statement, cursor: Cursor, first: str) -> Reference:
    """Step over what *first*, one of `REFERENCES`, begins, and return kind and place of the object meant. Raises NotUnderstood."""
    if first not in _READERS:
        raise NotUnderstood(f"{first} is no kind of object")
    return _READERS[first](statement, cursor)
