"""Enums, composite types and domains (pg_dump.c, dumpEnumType, dumpCompositeType, dumpDomain)."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.columns import read_elements
from pgaudit_kit.dumps.ddl.constraints import add_constraint, add_inline
from pgaudit_kit.dumps.ddl.definitions import qualify_routines, read_options
from pgaudit_kit.dumps.ddl.drafts import NOT_COMPARED, WITHOUT_OBJECT, Book, Statement
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood, quote_string
from pgaudit_kit.records.objects import ATTRIBUTES

_OF_RANGE = frozenset({"subtype", "multirange_type_name", "subtype_opclass", "collation", "canonical", "subtype_diff"})
_OF_BASE_TYPE = frozenset(ATTRIBUTES["TYPE"]) - _OF_RANGE - {"owner", "comment", "form", "labels"}
_FUNCTIONS_OF_BASE_TYPE = ("input", "output", "receive", "send", "typmod_in", "typmod_out", "analyze", "subscript")
_CLAUSES = ("COLLATE", "DEFAULT", "NOT", "CONSTRAINT")


def create_type(statement: Statement, book: Book) -> None:
    """CREATE TYPE: enums, composite types, ranges, base types, and shells of types to come. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "TYPE")
    place = statement.place(cursor.name())
    if cursor.take("AS", "ENUM"):
        inner = Cursor(cursor.group())
        labels = []
        while not inner.at_end:
            labels.append(quote_string(inner.string()))
            if not inner.take_text(",") and not inner.at_end:
                raise NotUnderstood(f"a label expected at {inner.token.text!r}")
        book.create("TYPE", place, statement).attributes |= {"form": "enum", "labels": ", ".join(labels) or None}
    elif cursor.take("AS", "RANGE"):
        found = {"form": "range", **read_options(cursor, _OF_RANGE)}
        qualify_routines(statement, book, found, "canonical", "subtype_diff")
        book.create("TYPE", place, statement).attributes |= found
    elif cursor.take("AS") and cursor.token.text == "(":
        elements = read_elements(cursor)
        draft = book.create_relation("TYPE", place, statement)
        draft.attributes["form"] = "composite"
        draft.columns = elements.columns
        draft.own_columns = len(elements.columns)
    elif cursor.token.text == "(":
        found = {"form": "base", **read_options(cursor, _OF_BASE_TYPE)}
        qualify_routines(statement, book, found, *_FUNCTIONS_OF_BASE_TYPE)
        book.create("TYPE", place, statement).attributes |= found
    elif cursor.at_end:  # one that is not defined, or will be: functions come between
        book.create("TYPE", place, statement).attributes["form"] = "shell"
    else:
        raise NotUnderstood(f"a form of a type expected at {cursor.token.text!r}")


def create_domain(statement: Statement, book: Book) -> None:
    """CREATE DOMAIN with its checks. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "DOMAIN")
    place = statement.place(cursor.name())
    cursor.take("AS")
    found: dict[str, str | None] = {"base_type": cursor.text_until(*_CLAUSES)}
    constraints: list[tuple[str, str]] = []
    while not cursor.at_end:
        if cursor.take("COLLATE"):
            found["collation"] = cursor.name().sql
        elif cursor.take("DEFAULT"):
            found["default"] = cursor.expression(*_CLAUSES)
        elif cursor.take("NOT", "NULL"):
            found["not_null"] = "true"
        elif cursor.take("CONSTRAINT"):
            name = cursor.identifier()
            if cursor.token.is_word("NOT"):  # from 17 on it has one
                found["not_null_name"] = name
            else:
                constraints.append((name, cursor.text_until("CONSTRAINT")))
        else:
            raise NotUnderstood(f"a domain's clause expected at {cursor.token.text!r}")
    book.create("DOMAIN", place, statement).attributes |= found
    add_inline(statement, book, place, constraints, alter="ALTER DOMAIN")


def alter_type(statement: Statement, book: Book) -> None:
    """ALTER TYPE and ALTER DOMAIN: OWNER TO, and constraints that a domain gets later. Raises NotUnderstood."""
    cursor = statement.cursor("ALTER")
    kind = cursor.advance().text.upper()
    cursor.take("IF", "EXISTS")
    place = statement.place(cursor.name())
    draft = book.find(kind, place)
    if cursor.take("OWNER", "TO"):
        if draft:
            draft.attributes["owner"] = cursor.identifier()
        else:
            put_aside(statement, book, WITHOUT_OBJECT)
    elif kind == "DOMAIN" and cursor.take("ADD", "CONSTRAINT"):
        name = cursor.identifier()
        add_constraint(statement, book, place, name, cursor.rest())
    elif not cursor.take("DROP"):  # --clean
        put_aside(statement, book, NOT_COMPARED)
