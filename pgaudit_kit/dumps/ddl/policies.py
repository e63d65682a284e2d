"""Row-level security policies (pg_dump.c, dumpPolicy)."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.drafts import Book, Statement
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood
from pgaudit_kit.records.table_data import quote_identifier


def create_policy(statement: Statement, book: Book) -> None:
    """CREATE POLICY. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "POLICY")
    name = cursor.identifier()
    cursor.expect("ON")
    schema, table = statement.place(cursor.name())
    found: dict[str, str | None] = {}
    while not cursor.at_end:
        if cursor.take("AS"):
            found["restrictive"] = "true" if cursor.advance().is_word("RESTRICTIVE") else None
        elif cursor.take("FOR"):
            command = cursor.identifier().upper()
            found["command"] = None if command == "ALL" else command
        elif cursor.take("TO"):
            found["roles"] = _roles(cursor)
        elif cursor.take("USING"):
            found["using"] = cursor.group()
        elif cursor.take("WITH", "CHECK"):
            found["check"] = cursor.group()
        else:
            raise NotUnderstood(f"a policy's clause expected at {cursor.token.text!r}")
    book.create("POLICY", (schema, name), statement, parent=table).attributes |= found


def _roles(cursor: Cursor) -> str | None:
    """Step over a list of roles; return them quoted, in order. The server gives them in whatever order it finds them."""
    roles = [(cursor.token.kind, cursor.identifier())]
    while cursor.take_text(","):
        roles.append((cursor.token.kind, cursor.identifier()))
    if ("word", "public") in roles:
        return None
    return ", ".join(sorted(quote_identifier(name) for _, name in roles))
