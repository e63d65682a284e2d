"""Operators, operator classes and families (pg_dump.c, dumpOpr, dumpOpclass, dumpOpfamily)."""

from __future__ import annotations

import re

from pgaudit_kit.dumps.ddl.definitions import operator_name, qualified_operator, qualify_routines, read_options
from pgaudit_kit.dumps.ddl.drafts import Book, Draft, Statement
from pgaudit_kit.dumps.ddl.references import member_kind
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood
from pgaudit_kit.records.objects import ATTRIBUTES

_NUMBER = re.compile(r"[0-9]{1,5}")  # int2 in the catalog
_OF_OPERATOR = frozenset({*ATTRIBUTES["OPERATOR"], "leftarg", "rightarg", "procedure"})


def create_operator(statement: Statement, book: Book) -> None:
    """CREATE OPERATOR, CREATE OPERATOR CLASS and CREATE OPERATOR FAMILY. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "OPERATOR")
    kind = member_kind(cursor)
    if kind == "OPERATOR":
        _create_operator(statement, book, cursor)
    elif kind == "OPERATOR CLASS":
        _create_class(statement, book, cursor)
    else:
        schema, name = statement.place(cursor.name())
        cursor.expect("USING")
        book.create(kind, (schema, f"{name} USING {cursor.identifier()}"), statement)


def _create_operator(statement: Statement, book: Book, cursor: Cursor) -> None:
    schema, name = statement.place(operator_name(cursor))
    found = read_options(cursor, _OF_OPERATOR)
    if function := found.pop("procedure", None):  # up to 10
        found["function"] = function
    qualify_routines(statement, book, found, "function", "restrict", "join")
    for word in ("commutator", "negator"):  # bare up to 2018, and then of the same schema: both have its operands
        if text := found.get(word):
            found[word] = qualified_operator(statement, text, at_home=True)
    book.operators.add((schema, name))
    operands = f"({found.pop('leftarg', 'NONE')}, {found.pop('rightarg', 'NONE')})"
    book.create("OPERATOR", (schema, f"{name} {operands}"), statement).attributes |= found


def _create_class(statement: Statement, book: Book, cursor: Cursor) -> None:
    name = cursor.name()
    default = cursor.take("DEFAULT")
    cursor.expect("FOR", "TYPE")
    for_type = cursor.text_until("USING")
    cursor.expect("USING")
    method = cursor.identifier()
    family = statement.qualified(cursor.name()) if cursor.take("FAMILY") else None
    cursor.expect("AS")
    schema, raw = statement.place(name)
    draft = Draft("OPERATOR CLASS", schema, raw)
    read_members(statement, book, draft, cursor)
    if draft.attributes.get("storage") == for_type:  # what is printed of a class that has no members: no type of its own
        draft.attributes["storage"] = None
    place = (schema, f"{raw} USING {method}")
    book.create("OPERATOR CLASS", place, statement).attributes |= draft.attributes | {
        "for_type": for_type,
        "default": "true" if default else None,
        "family": family or statement.qualified(name),
    }
    if family is None and not book.find("OPERATOR FAMILY", place):  # opclasscmds.c, DefineOpClass: one of the same name is made with it
        book.create("OPERATOR FAMILY", place, statement)


def read_members(statement: Statement, book: Book, draft: Draft, cursor: Cursor) -> None:
    """Read operators, functions and the storage type, to the end, into *draft*, each list in the order of its numbers.

    Raises NotUnderstood.
    """
    found: dict[str, list[tuple[int, str]]] = {"OPERATOR": [], "FUNCTION": []}
    while not cursor.at_end:
        if cursor.take("STORAGE"):
            draft.attributes["storage"] = cursor.text_until()
        else:
            kind = cursor.advance().text.upper()
            if kind not in found or not _NUMBER.fullmatch(cursor.token.text):
                raise NotUnderstood(f"a member of an operator class expected at {kind!r}")
            number = cursor.advance().text
            member = _operator(statement, book, cursor) if kind == "OPERATOR" else _function(statement, book, cursor)
            found[kind].append((int(number), f"{number} {member}"))
        if not cursor.take_text(",") and not cursor.at_end:
            raise NotUnderstood(f"a member of an operator class expected at {cursor.token.text!r}")
    for kind, members in found.items():
        attribute = f"{kind.lower()}s"
        if members:
            before = draft.attributes.get(attribute)  # never, in what pg_dump writes: it adds all in one statement
            draft.attributes[attribute] = "\n".join([*([before] if before else []), *(text for _, text in sorted(members))])


def _operator(statement: Statement, book: Book, cursor: Cursor) -> str:
    name = operator_name(cursor)
    operands = cursor.group()
    key = (statement.home, f"{name.name} ({', '.join(operands.split(','))})")
    at_home = not name.schema and not statement.session.qualifies and book.find("OPERATOR", key)
    order = ""
    if cursor.take("FOR", "ORDER", "BY"):
        order = f" FOR ORDER BY {statement.qualified(cursor.name())}"
    return f"{statement.qualified(name) if at_home else name.sql}({operands}){order}"


def _function(statement: Statement, book: Book, cursor: Cursor) -> str:
    types = f"({cursor.group()}) " if cursor.token.text == "(" else ""
    name = statement.qualified_routine(cursor.name(), book)
    return f"{types}{name}({cursor.group()})"
