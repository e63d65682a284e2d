"""Constraints: ALTER TABLE and ALTER DOMAIN … ADD CONSTRAINT, and those inside CREATE TABLE and CREATE DOMAIN (pg_dump.c, dumpConstraint)."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.drafts import Book, Place, Statement
from pgaudit_kit.dumps.ddl.tokens import NotUnderstood
from pgaudit_kit.records.table_data import quote_identifier

_INDEX_BACKED = ("PRIMARY", "UNIQUE", "EXCLUDE")


def add_constraint(statement: Statement, book: Book, table: Place, name: str, definition: str) -> None:
    """Add the constraint *name* of the table or domain *table*, as its *definition* says. Raises NotUnderstood."""
    cursor = statement.nested(definition)
    place = (table[0], name)
    if cursor.token.is_word(*_INDEX_BACKED):
        text, options = _without_options(statement, definition)
        draft = book.create_relation("CONSTRAINT", place, statement, parent=table[1])
        draft.attributes |= {"definition": text, "options": options, "tablespace": statement.tablespace}
    elif cursor.take("FOREIGN", "KEY"):
        text = _qualified_reference(statement, definition)
        book.create("FK CONSTRAINT", place, statement, parent=table[1]).attributes["definition"] = text
    elif cursor.take("CHECK"):
        book.create("CHECK CONSTRAINT", place, statement, parent=table[1]).attributes["definition"] = definition
    elif cursor.take("NOT", "NULL"):
        _add_not_null(statement, book, table, name, definition)
    else:
        raise NotUnderstood(f"a constraint expected at {cursor.token.text!r}")


def add_inline_constraint(statement: Statement, book: Book, table: Place, name: str, definition: str, *, alter: str = "ALTER TABLE") -> None:
    """Like `add_constraint`, for one inside CREATE TABLE or CREATE DOMAIN; its SQL is the statement that would add it alone."""
    target = ".".join(quote_identifier(part) for part in table if part)
    sql = f"{alter} {target}\n    ADD CONSTRAINT {quote_identifier(name)} {definition}"
    add_constraint(Statement(sql, statement.entry, statement.session), book, table, name, definition)


def _without_options(statement: Statement, definition: str) -> tuple[str, str | None]:
    """Part the WITH (…) of the index from the rest: pg_get_constraintdef leaves it out, except in an exclusion, which is its own text."""
    cursor = statement.nested(definition)
    if cursor.take("EXCLUDE"):
        return definition, None
    while not cursor.at_end and not cursor.token.is_word("WITH"):
        if cursor.token.text == "(":
            cursor.group()
        else:
            cursor.advance()
    if cursor.at_end:
        return definition, None
    head = definition[: cursor.token.start].rstrip()
    cursor.expect("WITH")
    options = cursor.group()
    return f"{head} {cursor.rest()}".rstrip(), options


def _qualified_reference(statement: Statement, definition: str) -> str:
    cursor = statement.nested(definition)
    cursor.expect("FOREIGN", "KEY")
    cursor.group()
    cursor.expect("REFERENCES")
    start = cursor.token.start
    name = cursor.name()
    return definition if name.schema else definition[:start] + statement.qualified(name) + definition[start + len(name.sql) :]


def _add_not_null(statement: Statement, book: Book, table: Place, name: str, definition: str) -> None:
    """18 prints a NOT VALID not-null apart, as CONSTRAINT; what it prints apart for a domain (17) is the domain's own attribute."""
    if domain := book.find("DOMAIN", table):
        domain.attributes["not_null"] = "true"
    else:
        book.create("CONSTRAINT", (table[0], name), statement, parent=table[1]).attributes["definition"] = definition
