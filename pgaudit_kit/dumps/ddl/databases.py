"""The database that holds all else: CREATE DATABASE and its properties (pg_dump.c, dumpDatabase and dumpDatabaseConfig)."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.drafts import NOT_COMPARED, NOT_MODELLED, Book, Draft, Statement
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood
from pgaudit_kit.records.objects import DATABASE, SETTING, SETTING_OF_ROLE
from pgaudit_kit.records.settings import setting_text

_WORDS = {
    "ENCODING": "encoding",
    "LOCALE_PROVIDER": "locale_provider",
    "LC_COLLATE": "lc_collate",
    "LC_CTYPE": "lc_ctype",
    "ICU_LOCALE": "locale",
    "BUILTIN_LOCALE": "locale",
    "ICU_RULES": "icu_rules",
    "TABLESPACE": "tablespace",
}
_NOT_KEPT = frozenset({"TEMPLATE", "STRATEGY", "OID", "COLLATION_VERSION", "OWNER"})


def create_database(statement: Statement, book: Book) -> None:
    """CREATE DATABASE … WITH TEMPLATE = template0 ENCODING = 'UTF8' …. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "DATABASE")
    draft = Draft(DATABASE, None, cursor.identifier())
    draft.sql.append(statement.sql)
    found: dict[str, str | None] = {"locale_provider": "libc", "tablespace": ""}
    cursor.take("WITH")
    while not cursor.at_end:
        _read_option(cursor, found)
    entry = statement.entry
    if entry and entry.desc == DATABASE:
        found["owner"] = entry.owner
    draft.attributes = found
    book.database = draft


def _read_option(cursor: Cursor, found: dict[str, str | None]) -> None:
    word = cursor.identifier().upper()
    if word == "CONNECTION" and cursor.take("LIMIT"):
        word = "CONNECTION LIMIT"
    cursor.take_text("=")
    if word == "CONNECTION LIMIT":
        found["connection_limit"] = _limit(cursor)
        return
    value = cursor.string() if cursor.token.kind == "string" else cursor.identifier()
    if word == "LOCALE":  # both of them, from 13 on
        found["lc_collate"] = found["lc_ctype"] = value
    elif word in _WORDS:
        found[_WORDS[word]] = value.lower() if word == "LOCALE_PROVIDER" else value
    elif word not in _NOT_KEPT:
        raise NotUnderstood(f"an option of a database expected at {word!r}")


def _limit(cursor: Cursor) -> str | None:
    unlimited = cursor.take_text("-")
    limit = cursor.advance().text
    return None if unlimited else limit


def alter_database(statement: Statement, book: Book) -> None:
    """ALTER DATABASE: its owner, limits and settings. Raises NotUnderstood."""
    cursor = statement.cursor("ALTER", "DATABASE")
    draft = _the_database(book, cursor.identifier())
    if cursor.take("OWNER", "TO"):
        draft.attributes["owner"] = cursor.identifier()
    elif cursor.take("SET"):
        name, text = _setting(cursor)
        draft.attributes[SETTING.format(name=name)] = text
    elif cursor.take("CONNECTION", "LIMIT") or cursor.take("WITH", "CONNECTION", "LIMIT"):
        cursor.take_text("=")
        draft.attributes["connection_limit"] = _limit(cursor)
    elif cursor.take("IS_TEMPLATE") or cursor.take("WITH", "IS_TEMPLATE"):
        cursor.take_text("=")
        draft.attributes["template"] = "true" if cursor.identifier() == "true" else None
    else:
        put_aside(statement, book, NOT_COMPARED)


def alter_role(statement: Statement, book: Book) -> None:
    """ALTER ROLE … IN DATABASE … SET; anything else of a role is of the cluster, and put aside. Raises NotUnderstood."""
    cursor = statement.cursor("ALTER", "ROLE")
    role = cursor.identifier()
    if not cursor.take("IN", "DATABASE"):
        put_aside(statement, book, NOT_MODELLED)
        return
    draft = _the_database(book, cursor.identifier())
    cursor.expect("SET")
    name, text = _setting(cursor)
    draft.attributes[SETTING_OF_ROLE.format(name=name, role=role)] = text


def _the_database(book: Book, name: str) -> Draft:
    if book.database is None:
        book.database = Draft(DATABASE, None, name)
    return book.database


def _setting(cursor: Cursor) -> tuple[str, str]:
    """Step over `name TO 'value', 'value'`; return the name and the text of the values."""
    parts, _ = cursor.parts()
    name = ".".join(parts)
    if not cursor.take("TO"):
        cursor.expect_text("=")
    values = [_value(cursor)]
    while cursor.take_text(","):
        values.append(_value(cursor))
    return name, setting_text(name, values)


def _value(cursor: Cursor) -> str:
    return cursor.string() if cursor.token.kind == "string" else cursor.advance().text
