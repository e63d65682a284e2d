"""Sequences, identity sequences, and their state (pg_dump.c, dumpSequence and dumpSequenceData)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.drafts import WITHOUT_OBJECT, Book, Draft, Statement
from pgaudit_kit.dumps.ddl.tokens import Cursor, Name, NotUnderstood

_QUALIFIED_COLUMN = 3  # schema.table.column


def _number(cursor: Cursor) -> str:
    sign = "-" if cursor.take_text("-") else ""
    if cursor.token.kind != "number":
        raise NotUnderstood(f"a number expected at {cursor.token.text!r}")
    return sign + cursor.advance().text


def _data_type(cursor: Cursor) -> str | None:
    name = cursor.advance().text
    return None if name == "bigint" else name


def _cache(cursor: Cursor) -> str | None:
    size = _number(cursor)
    return None if size == "1" else size


# Words of an option, the attribute that it sets, and how its value reads. What is at its default is None.
_OPTIONS: tuple[tuple[tuple[str, ...], str, Callable[[Cursor], str | None]], ...] = (
    (("AS",), "data_type", _data_type),
    (("START", "WITH"), "start", _number),
    (("INCREMENT", "BY"), "increment", _number),
    (("NO", "MINVALUE"), "minimum", lambda _: None),
    (("NO", "MAXVALUE"), "maximum", lambda _: None),
    (("MINVALUE",), "minimum", _number),
    (("MAXVALUE",), "maximum", _number),
    (("CACHE",), "cache", _cache),
    (("CYCLE",), "cycle", lambda _: "true"),
    (("LOGGED",), "persistence", lambda _: "logged"),  # of an identity, only when its table is otherwise
    (("UNLOGGED",), "persistence", lambda _: "unlogged"),
)


def _read_options(cursor: Cursor, found: dict[str, str | None]) -> None:
    """Read sequence options to the end into *found*. Raises NotUnderstood."""
    while not cursor.at_end:
        for words, attribute, read in _OPTIONS:
            if cursor.take(*words):
                found[attribute] = read(cursor)
                break
        else:
            raise NotUnderstood(f"an option of a sequence expected at {cursor.token.text!r}")


def create_sequence(statement: Statement, book: Book) -> None:
    """CREATE [UNLOGGED] SEQUENCE. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE")
    found: dict[str, str | None] = {"persistence": "unlogged" if cursor.take("UNLOGGED") else None}
    cursor.expect("SEQUENCE")
    name = cursor.name()
    _read_options(cursor, found)
    book.create_relation("SEQUENCE", statement.place(name), statement).attributes |= found


@dataclass(frozen=True, slots=True)
class IdentityColumn:
    """The column that becomes an identity: its table, how the statement names both, and the column's raw name."""

    table: Draft
    table_name: Name
    column: str
    column_sql: str


def add_identity(statement: Statement, book: Book, identity: IdentityColumn, cursor: Cursor) -> None:
    """ALTER COLUMN … ADD GENERATED … AS IDENTITY (…): the column's attribute, and a sequence. Raises NotUnderstood."""
    kind = "ALWAYS" if cursor.take("ALWAYS") else "BY DEFAULT"
    if kind == "BY DEFAULT":
        cursor.expect("BY", "DEFAULT")
    cursor.expect("AS", "IDENTITY")
    options = Cursor(cursor.group())
    options.expect("SEQUENCE", "NAME")
    name = options.name()
    found: dict[str, str | None] = {"owned_by": f"{statement.qualified(identity.table_name)}.{identity.column_sql}"}
    _read_options(options, found)
    draft = book.create_relation("SEQUENCE", statement.place(name), statement)
    draft.attributes |= found
    draft.identity_of = ((identity.table.schema, identity.table.name), identity.column)
    identity.table.column(identity.column)["identity"] = kind


def alter_sequence(statement: Statement, book: Book) -> None:
    """ALTER SEQUENCE … OWNED BY, OWNER TO. Raises NotUnderstood."""
    cursor = statement.cursor("ALTER", "SEQUENCE")
    cursor.take("IF", "EXISTS")
    draft = book.relation(statement.place(cursor.name()), "SEQUENCE")
    if draft is None:
        put_aside(statement, book, WITHOUT_OBJECT)
        return
    if cursor.take("OWNER", "TO"):
        draft.attributes["owner"] = cursor.identifier()
        return
    cursor.expect("OWNED", "BY")
    parts, sql = cursor.parts()
    table = Name(None, parts[0], sql)
    draft.attributes["owned_by"] = sql if len(parts) == _QUALIFIED_COLUMN else statement.qualified(table)
    draft.sql.append(statement.sql)


def set_value(statement: Statement, book: Book, cursor: Cursor) -> None:
    """SELECT pg_catalog.setval('name', value, is_called); *cursor* stands at the parenthesis. Raises NotUnderstood."""
    arguments = Cursor(cursor.group())
    place = statement.place(Cursor(arguments.string()).name())
    arguments.expect_text(",")
    last_value = _number(arguments)
    arguments.expect_text(",")
    is_called = arguments.identifier()
    draft = book.relation(place, "SEQUENCE")
    if draft is None:
        put_aside(statement, book, WITHOUT_OBJECT)
        return
    draft.attributes |= {"last_value": last_value, "is_called": is_called}
    draft.sql.append(statement.sql)
