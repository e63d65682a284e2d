"""Sequences, identity sequences, and their state (pg_dump.c, dumpSequence and dumpSequenceData)."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.drafts import WITHOUT_OBJECT, Book, Draft, Statement
from pgaudit_kit.dumps.ddl.tokens import Cursor, Name, NotUnderstood, parse_qualified_name


def create_sequence(statement: Statement, book: Book) -> None:
    """CREATE [UNLOGGED] SEQUENCE. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE")
    persistence = "unlogged" if cursor.take("UNLOGGED") else None
    cursor.expect("SEQUENCE")
    cursor.take("IF", "NOT", "EXISTS")
    name = cursor.name()
    attributes, _ = _read_options(cursor)
    draft = book.create_relation("SEQUENCE", statement.place(name), statement)
    draft.attributes |= {**attributes, "persistence": persistence}


def add_identity(statement: Statement, book: Book, table: Draft, table_name: Name, column: str, column_sql: str, cursor: Cursor) -> None:
    """ALTER TABLE … ALTER COLUMN … ADD GENERATED … AS IDENTITY: the column's attribute, and a sequence. Raises NotUnderstood."""
    identity = "ALWAYS" if cursor.take("ALWAYS") else "BY DEFAULT"
    if identity == "BY DEFAULT":
        cursor.expect("BY", "DEFAULT")
    cursor.expect("AS", "IDENTITY")
    attributes, name = _read_options(statement.nested(cursor.group()))
    if name is None:
        raise NotUnderstood("an identity without the name of its sequence")
    draft = book.create_relation("SEQUENCE", statement.place(name), statement)
    draft.attributes |= {**attributes, "owned_by": f"{statement.qualified(table_name)}.{column_sql}"}
    draft.identity_of = ((table.schema, table.name), column)
    table.column(column)["identity"] = identity


def _read_options(cursor: Cursor) -> tuple[dict[str, str | None], Name | None]:
    """Read sequence options to the end. What is at its default is None, as in the vocabulary."""
    found: dict[str, str | None] = {}
    name = None
    while not cursor.at_end:
        if cursor.take("SEQUENCE", "NAME"):
            name = cursor.name()
        elif cursor.take("AS"):
            data_type = cursor.text_until("START", "INCREMENT", "NO", "MINVALUE", "MAXVALUE", "CACHE", "CYCLE")
            found["data_type"] = None if data_type == "bigint" else data_type
        elif cursor.take("START"):
            cursor.take("WITH")
            found["start"] = _number(cursor)
        elif cursor.take("INCREMENT"):
            cursor.take("BY")
            found["increment"] = _number(cursor)
        elif cursor.take("NO", "MINVALUE") or cursor.take("NO", "MAXVALUE") or cursor.take("NO", "CYCLE") or cursor.take("LOGGED"):
            pass
        elif cursor.take("UNLOGGED"):
            found["persistence"] = "unlogged"
        elif cursor.take("MINVALUE"):
            found["minimum"] = _number(cursor)
        elif cursor.take("MAXVALUE"):
            found["maximum"] = _number(cursor)
        elif cursor.take("CACHE"):
            cache = _number(cursor)
            found["cache"] = None if cache == "1" else cache
        elif cursor.take("CYCLE"):
            found["cycle"] = "true"
        else:
            raise NotUnderstood(f"an option of a sequence expected at {cursor.token.text!r}")
    return found, name


def _number(cursor: Cursor) -> str:
    sign = "-" if cursor.take_text("-") else ""
    if cursor.token.kind != "number":
        raise NotUnderstood(f"a number expected at {cursor.token.text!r}")
    return sign + cursor.advance().text


def alter_sequence(statement: Statement, book: Book) -> None:
    """ALTER SEQUENCE … OWNED BY, OWNER TO, SET LOGGED / UNLOGGED. Raises NotUnderstood."""
    cursor = statement.cursor("ALTER", "SEQUENCE")
    cursor.take("IF", "EXISTS")
    draft = book.relation(statement.place(cursor.name()), "SEQUENCE")
    if draft is None:
        raise NotUnderstood("a sequence that was not created")
    if cursor.take("OWNED", "BY"):
        if not cursor.take("NONE"):
            parts, sql = cursor.parts()
            table = Name(None, parts[0], sql)
            draft.attributes["owned_by"] = sql if len(parts) > 2 else statement.qualified(table)  # noqa: PLR2004  # schema.table.column
    elif cursor.take("OWNER", "TO"):
        draft.attributes["owner"] = cursor.identifier()
        return
    elif cursor.take("SET", "LOGGED"):  # printed only when it differs from what CREATE gave it
        draft.attributes["persistence"] = "logged"
    elif cursor.take("SET", "UNLOGGED"):
        draft.attributes["persistence"] = "unlogged"
    else:
        raise NotUnderstood(f"unknown ALTER SEQUENCE at {cursor.token.text!r}")
    draft.sql.append(statement.sql)


def set_value(statement: Statement, book: Book, cursor: Cursor) -> None:
    """SELECT pg_catalog.setval('name', value, is_called); *cursor* stands at the parenthesis. Raises NotUnderstood."""
    arguments = statement.nested(cursor.group())
    schema, name = parse_qualified_name(arguments.string())
    arguments.expect_text(",")
    last_value = _number(arguments)
    is_called = "true"
    if arguments.take_text(","):
        is_called = arguments.advance().text
    draft = book.relation((schema or statement.home, name), "SEQUENCE")
    if draft is None:
        put_aside(statement, book, WITHOUT_OBJECT)
        return
    draft.attributes |= {"last_value": last_value, "is_called": is_called}
    draft.sql.append(statement.sql)
