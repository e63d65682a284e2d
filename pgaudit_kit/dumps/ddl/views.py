"""Views and materialized views (pg_dump.c, dumpTableSchema and dumpRule)."""

from __future__ import annotations

import re

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.drafts import NOT_COMPARED, WITHOUT_OBJECT, Book, Draft, Statement
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood

_CHECK_OPTION = re.compile(r"\n\s*WITH (LOCAL|CASCADED) CHECK OPTION\Z")
_NO_DATA = re.compile(r"\n\s*WITH (?:NO )?DATA\Z")
_LINE_END = re.compile(r"[ \t]*\r?\n| ")


def create_view(statement: Statement, book: Book) -> None:
    """CREATE [OR REPLACE] VIEW; one that is there already (a dummy, to break a circle) keeps all but its query. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE")
    replace = cursor.take("OR", "REPLACE")
    cursor.take("RECURSIVE")
    cursor.expect("VIEW")
    place = statement.place(cursor.name())
    if cursor.token.text == "(":
        cursor.group()
    options = cursor.group() if cursor.take("WITH") else None
    query = _query(cursor)
    checked = _CHECK_OPTION.search(query)
    found = {
        "definition": query[: checked.start()] if checked else query,
        "options": options,
        "check_option": checked[1] if checked else None,
    }
    draft = book.relation(place, "VIEW") if replace else None
    if draft is None:
        draft = book.create_relation("VIEW", place, statement)
    else:
        draft.sql = [statement.sql]
    draft.attributes |= found


def create_materialized_view(statement: Statement, book: Book) -> None:
    """CREATE MATERIALIZED VIEW. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "MATERIALIZED", "VIEW")
    cursor.take("IF", "NOT", "EXISTS")
    place = statement.place(cursor.name())
    method = cursor.identifier() if cursor.take("USING") else statement.access_method
    options = cursor.group() if cursor.take("WITH") else None
    draft = book.create_relation("MATERIALIZED VIEW", place, statement)
    draft.attributes |= {
        "definition": _NO_DATA.sub("", _query(cursor)),
        "options": options,
        "access_method": method,
        "tablespace": statement.tablespace,
    }


def refresh(statement: Statement, book: Book) -> None:
    """REFRESH MATERIALIZED VIEW, which pg_dump writes for one that is populated, when it dumps data. Raises NotUnderstood."""
    cursor = statement.cursor("REFRESH", "MATERIALIZED", "VIEW")
    if draft := book.relation(statement.place(cursor.name()), "MATERIALIZED VIEW"):
        draft.attributes["populated"] = "true"


def _query(cursor: Cursor) -> str:
    """Return what follows AS and its line end, as pg_get_viewdef printed it, its own indent included."""
    if not cursor.token.is_word("AS"):
        raise NotUnderstood(f"AS expected at {cursor.token.text!r}")
    start = cursor.token.end
    line_end = _LINE_END.match(cursor.sql, start)
    return cursor.sql[line_end.end() if line_end else start :].rstrip()


def become_view(statement: Statement, book: Book, draft: Draft, query: str) -> None:
    """Turn a table into the view that its _RETURN rule makes of it: how pg_dump broke circles up to 2019."""
    book.remove(draft)
    view = book.create_relation("VIEW", (draft.schema, draft.name), statement)
    view.attributes |= {"owner": draft.attributes.get("owner"), "definition": query}
    for name, column in draft.columns.items():
        if default := column.get("default"):
            view.say_of_column(name, "default", default)


def alter_view(statement: Statement, book: Book) -> None:
    """ALTER VIEW and ALTER MATERIALIZED VIEW … OWNER TO, DEPENDS ON EXTENSION. Raises NotUnderstood."""
    cursor = statement.cursor("ALTER")
    cursor.take("MATERIALIZED")
    cursor.expect("VIEW")
    cursor.take("IF", "EXISTS")
    draft = book.relation(statement.place(cursor.name()), "VIEW", "MATERIALIZED VIEW")
    if draft is None:
        put_aside(statement, book, WITHOUT_OBJECT)
        return
    if cursor.take("OWNER", "TO"):
        draft.attributes["owner"] = cursor.identifier()
    elif draft.kind == "MATERIALIZED VIEW" and cursor.take("DEPENDS", "ON", "EXTENSION"):
        draft.depend_on(cursor.identifier())
    elif draft.kind == "VIEW" and cursor.take("SET"):  # after a _RETURN rule, pg_dump 9.4 to 9.6
        draft.attributes["options"] = cursor.group()
    else:
        put_aside(statement, book, NOT_COMPARED)
