"""CREATE … (OPTION = value, …): aggregates and what else is made of options (pg_dump.c, dumpAgg, dumpBaseType, dumpCollation …)."""

from __future__ import annotations

from collections.abc import Container

from pgaudit_kit.dumps.ddl.drafts import Book, Statement
from pgaudit_kit.dumps.ddl.tokens import Cursor, Name, NotUnderstood
from pgaudit_kit.records.objects import ATTRIBUTES

Options = dict[str, str | None]

_OF_AGGREGATE = frozenset(ATTRIBUTES["AGGREGATE"])
_OF_COLLATION = frozenset(ATTRIBUTES["COLLATION"])


def read_options(cursor: Cursor, known: Container[str]) -> Options:
    """Step over a parenthesised list of options; return them by lower-case word, a flag alone as 'true'. Raises NotUnderstood.

    A word that is not *known* is not understood: what it says would be lost.
    """
    inner = Cursor(cursor.group())
    found: Options = {}
    while not inner.at_end:
        word = inner.identifier()
        if word not in known:
            raise NotUnderstood(f"an unknown option {word}")
        found[word] = inner.text_until() if inner.take_text("=") else "true"
        if not found[word] or (not inner.take_text(",") and not inner.at_end):
            raise NotUnderstood(f"an option expected at {inner.token.text!r}")
    return found


def qualify_routines(statement: Statement, book: Book, found: Options, *words: str) -> None:
    """Give the functions that these options name their schema, where the dump leaves it to the search path. Raises NotUnderstood."""
    for word in words:
        if text := found.get(word):
            found[word] = statement.qualified_routine(Cursor(text).name(), book)


def operator_name(cursor: Cursor) -> Name:
    """Step over the name of an operator, perhaps with its schema. Raises NotUnderstood."""
    schema = None
    start = cursor.token.start
    if cursor.token.kind in ("word", "quoted"):
        schema = cursor.identifier()
        cursor.expect_text(".")
    if cursor.token.kind != "operator":
        raise NotUnderstood(f"an operator expected at {cursor.token.text!r}")
    name = cursor.advance()
    return Name(schema, name.text, cursor.sql[start : name.end])


def qualified_operator(statement: Statement, text: str, *, at_home: bool) -> str:
    """Return a reference to an operator as `OPERATOR(schema.name)`: a bare one, before March 2018, is *at_home* or in pg_catalog."""
    if "(" in text:
        return text
    name = operator_name(Cursor(text))
    return f"OPERATOR({statement.qualified(name) if name.schema or at_home else f'pg_catalog.{name.sql}'})"


def create_aggregate(statement: Statement, book: Book) -> None:
    """CREATE AGGREGATE. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "AGGREGATE")
    schema, raw = statement.place(cursor.name())
    arguments = cursor.group()
    found = read_options(cursor, _OF_AGGREGATE)
    qualify_routines(statement, book, found, *(word for word in found if word.endswith("func")))
    if operator := found.get("sortop"):
        found["sortop"] = qualified_operator(statement, operator, at_home=(schema, operator) in book.operators)
    book.create("AGGREGATE", (schema, f"{raw}({arguments})"), statement).attributes |= found


def create_collation(statement: Statement, book: Book) -> None:
    """CREATE COLLATION; up to 9.6 without a provider, and with both lc_collate and lc_ctype always. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "COLLATION")
    place = statement.place(cursor.name())
    found = {"provider": "libc", **read_options(cursor, _OF_COLLATION)}
    if found.get("lc_collate") and found.get("lc_collate") == found.get("lc_ctype"):
        found["locale"] = found.pop("lc_collate")
        del found["lc_ctype"]
    book.create("COLLATION", place, statement).attributes |= found
