"""Constraints: those that ALTER TABLE and ALTER DOMAIN add, and those inside a CREATE (pg_dump.c, dumpConstraint)."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.drafts import Book, Place, Statement
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood
from pgaudit_kit.records.table_data import quote_identifier


def add_constraint(statement: Statement, book: Book, table: Place, name: str, definition: str) -> None:
    """Add the constraint *name* of the table or domain *table*, as its *definition* says. Raises NotUnderstood."""
    cursor = Cursor(definition)
    place = (table[0], name)
    if cursor.token.is_word("PRIMARY", "UNIQUE", "EXCLUDE"):
        text, options = _without_options(definition)
        draft = book.create_relation("CONSTRAINT", place, statement, parent=table[1])
        draft.attributes |= {"definition": text, "options": options, "tablespace": statement.tablespace}
    elif cursor.take("FOREIGN", "KEY"):
        text = _with_qualified_reference(statement, definition)
        book.create("FK CONSTRAINT", place, statement, parent=table[1]).attributes["definition"] = text
    elif cursor.take("CHECK"):
        book.create("CHECK CONSTRAINT", place, statement, parent=table[1]).attributes["definition"] = definition
    elif cursor.take("NOT", "NULL"):
        _add_not_null(statement, book, table, name, definition)
    else:
        raise NotUnderstood(f"a constraint expected at {cursor.token.text!r}")


def add_inline(statement: Statement, book: Book, table: Place, constraints: list[tuple[str, str]], *, alter: str = "ALTER TABLE") -> None:
    """Like `add_constraint`, for those inside a CREATE, as name and definition; their SQL is the statement that would add each alone."""
    target = ".".join(quote_identifier(part) for part in table if part)
    for name, definition in constraints:
        sql = f"{alter} {target}\n    ADD CONSTRAINT {quote_identifier(name)} {definition}"
        add_constraint(Statement(sql, statement.entry, statement.session), book, table, name, definition)


def _without_options(definition: str) -> tuple[str, str | None]:
    """Part the WITH (…) of the index from the rest, as pg_get_constraintdef does; the text of an exclusion has it inside."""
    cursor = Cursor(definition)
    if cursor.take("EXCLUDE"):
        return definition, None
    while not cursor.at_end and not cursor.token.is_word("WITH"):
        if cursor.token.text == "(":
            cursor.group()
        else:
            cursor.advance()
    head = definition[: cursor.token.start].rstrip()
    if not cursor.take("WITH"):
        return head, None
    options = cursor.group()
    return f"{head} {cursor.rest()}".rstrip(), options


def _with_qualified_reference(statement: Statement, definition: str) -> str:
    cursor = Cursor(definition)
    cursor.expect("FOREIGN", "KEY")
    cursor.group()
    cursor.expect("REFERENCES")
    start = cursor.token.start
    return statement.with_qualified(cursor.name(), start, definition)


def _add_not_null(statement: Statement, book: Book, table: Place, name: str, definition: str) -> None:
    """18 prints a NOT VALID not-null apart, as CONSTRAINT; what it prints apart for a domain (17) is the domain's own attribute."""
    if domain := book.find("DOMAIN", table):
        domain.attributes["not_null"] = "true"
        domain.attributes["not_null_name"] = name
    else:
        book.create("CONSTRAINT", (table[0], name), statement, parent=table[1]).attributes["definition"] = definition
