"""COMMENT ON and SECURITY LABEL ON everything that is modelled; applied at the end, when all objects are known (pg_dump.c, dumpComment)."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.drafts import NO_OBJECT, Book, Comment, Draft, Place, Statement
from pgaudit_kit.dumps.ddl.large_objects import read_oid
from pgaudit_kit.dumps.ddl.references import REFERENCES, read_reference
from pgaudit_kit.dumps.ddl.tokens import Cursor, Name, NotUnderstood

_RELATIONS = {
    "TABLE": ("TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE"),
    "VIEW": ("VIEW",),
    "MATERIALIZED VIEW": ("MATERIALIZED VIEW",),
    "SEQUENCE": ("SEQUENCE",),
    "INDEX": ("INDEX", "CONSTRAINT"),  # also the one behind a constraint
}
_OF_TABLE = {
    "CONSTRAINT": ("CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT"),
    "TRIGGER": ("TRIGGER",),
    "RULE": ("RULE",),
    "POLICY": ("POLICY",),
}
_NAMED = ("SCHEMA", "EXTENSION", "TYPE", "DOMAIN", "FUNCTION", "PROCEDURE")
# initdb's own comment, which pg_dump up to 10 repeats, and a later one that was told to quote all identifiers
STANDARD_PUBLIC = "standard public schema"


def read_comment(statement: Statement, book: Book) -> None:
    """COMMENT ON: keep it for `apply_comments`, or put it aside. Raises NotUnderstood."""
    cursor = statement.cursor("COMMENT", "ON")
    target = _read_target(statement, cursor)
    if target is None:
        put_aside(statement, book, NO_OBJECT)
        return
    cursor.expect("IS")
    if not cursor.take("NULL"):
        book.comments.append(Comment(statement, *target, cursor.string()))


def read_security_label(statement: Statement, book: Book) -> None:
    """SECURITY LABEL FOR provider ON: like a comment; its text is `provider: label`. Raises NotUnderstood."""
    cursor = statement.cursor("SECURITY", "LABEL", "FOR")
    provider = cursor.identifier()
    cursor.expect("ON")
    target = _read_target(statement, cursor)
    if target is None:
        put_aside(statement, book, NO_OBJECT)
        return
    cursor.expect("IS")
    book.comments.append(Comment(statement, *target, f"{provider}: {cursor.string()}", "security_label"))
    book.told.add("security_label")


def _read_target(statement: Statement, cursor: Cursor) -> tuple[str, Place, str | None, str | None] | None:
    """Step over what stands behind ON; return kind, place, table and column, None for what is not known. Raises NotUnderstood."""
    kind = "MATERIALIZED VIEW" if cursor.take("MATERIALIZED", "VIEW") else cursor.advance().text.upper()
    column = parent = None
    if kind == "COLUMN":
        place, column = _column(statement, cursor)
    elif kind in _RELATIONS or kind in _NAMED:
        place = statement.place(cursor.name())
        if kind in ("FUNCTION", "PROCEDURE"):
            place = (place[0], f"{place[1]}({cursor.group()})")
        elif kind in ("SCHEMA", "EXTENSION"):
            place = (None, place[1])
    elif kind in _OF_TABLE:
        name = cursor.identifier()
        cursor.expect("ON")
        cursor.take("DOMAIN")
        schema, parent = statement.place(cursor.name())
        place = (schema, name)
    elif kind in REFERENCES:
        kind, place = read_reference(statement, cursor, kind)
    elif kind == "LARGE" and cursor.take("OBJECT"):
        kind, place = "LARGE OBJECT", (None, str(read_oid(cursor.advance().text)))
    else:
        return None
    return kind, place, parent, column


def _column(statement: Statement, cursor: Cursor) -> tuple[Place, str]:
    parts, sql = cursor.parts()
    if len(parts) < 2:  # noqa: PLR2004  # [schema,] table, column
        raise NotUnderstood("a column without its table")
    table = Name(parts[-3] if len(parts) > 2 else None, parts[-2], sql)  # noqa: PLR2004
    return statement.place(table), parts[-1]


def apply_comments(book: Book) -> None:
    """Give every comment to its object; those of objects that are not there are put aside."""
    for comment in book.comments:
        if comment.kind == "LARGE OBJECT":
            texts = book.large_object_facts.setdefault(comment.attribute, {})
            oid = int(comment.place[1])
            texts[oid] = comment.text if comment.attribute == "comment" else _with(texts.get(oid), comment.text)
            continue
        if (comment.kind, comment.place, comment.text) == ("SCHEMA", (None, "public"), STANDARD_PUBLIC):
            continue
        draft = _object_of(comment, book)
        if draft is None and comment.kind == "CONSTRAINT" and _comment_on_not_null(comment, book):
            continue
        if draft is None:
            put_aside(comment.statement, book, NO_OBJECT)
        elif comment.attribute != "comment":
            _label(draft, comment)
        elif comment.column is not None:
            draft.say_of_column(comment.column, "comment", comment.text)
        elif comment.kind == "INDEX" and draft.kind == "CONSTRAINT":
            draft.attributes["index_comment"] = comment.text
        else:
            draft.attributes["comment"] = comment.text
    book.comments.clear()


def _comment_on_not_null(comment: Comment, book: Book) -> bool:
    """Give it to the domain, or to the column of a table, that has a not-null of that name; False when there is none."""
    owner = (comment.place[0], comment.parent or "")
    name = comment.place[1]
    domain, table = book.find("DOMAIN", owner), book.relation(owner, "TABLE", "FOREIGN TABLE")
    if domain and domain.attributes.get("not_null") and (domain.attributes.get("not_null_name") or domain.default_not_null_name()) == name:
        domain.attributes["not_null_comment"] = comment.text
        return True
    column = _column_with_not_null(table, name, book) if table else None
    if table is None or column is None:
        return False
    table.column(column)["not_null_comment"] = comment.text
    return True


def _column_with_not_null(table: Draft, name: str, book: Book) -> str | None:
    """The column of *table* whose not-null, its own or one that it inherits, has that name."""
    for column, said in table.columns.items():
        if said.get("not_null") and (said.get("not_null_name") or table.default_not_null_name(column)) == name:
            return column
    parents = (book.relation(place, "TABLE", "FOREIGN TABLE") for place in table.inherits)
    return next((found for parent in parents if parent and (found := _column_with_not_null(parent, name, book))), None)


def _label(draft: Draft, comment: Comment) -> None:
    """Add a label to those that other providers gave."""
    if comment.column is None:
        draft.attributes["security_label"] = _with(draft.attributes.get("security_label"), comment.text)
    else:
        draft.say_of_column(comment.column, "security_label", _with(draft.said_of_column(comment.column, "security_label"), comment.text))


def _with(labels: str | None, label: str) -> str:
    return "\n".join(sorted([*(labels.split("\n") if labels else []), label]))


def _object_of(comment: Comment, book: Book) -> Draft | None:
    if comment.kind == "COLUMN":
        return book.relation(comment.place, "TABLE", "VIEW", "MATERIALIZED VIEW", "TYPE", "FOREIGN TABLE")
    if comment.kind == "DATABASE":
        return book.database
    if comment.kind in _RELATIONS:
        return book.relation(comment.place, *_RELATIONS[comment.kind])
    if comment.kind in _OF_TABLE:
        found = (book.find(kind, comment.place, comment.parent) for kind in _OF_TABLE[comment.kind])
        return next((draft for draft in found if draft), None)
    draft = book.find(comment.kind, comment.place)
    if draft is None and comment.kind == "SCHEMA" and comment.place == (None, "public"):
        draft = book.create("SCHEMA", comment.place, comment.statement)  # it is there although no dump creates it
    return draft
