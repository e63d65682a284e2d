"""Functions and procedures (pg_dump.c, dumpFunc). Bodies are taken as they are, never read."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.drafts import NOT_COMPARED, Book, Statement
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood

_CLAUSES = ("LANGUAGE", "TRANSFORM", "WINDOW", "IMMUTABLE", "STABLE", "VOLATILE", "STRICT", "SECURITY", "LEAKPROOF", "COST", "ROWS")
_CLAUSES += ("SUPPORT", "PARALLEL", "SET", "AS", "BEGIN", "RETURN")
_FLAGS = {"WINDOW": "window", "STRICT": "strict", "LEAKPROOF": "leakproof"}


def create_routine(statement: Statement, book: Book) -> None:
    """CREATE FUNCTION and CREATE PROCEDURE. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE")
    cursor.take("OR", "REPLACE")
    kind = cursor.advance().text.upper()
    name = cursor.name()
    arguments = cursor.group()
    found: dict[str, str | None] = {"arguments": arguments}
    if cursor.take("RETURNS"):
        found["result"] = cursor.text_until("LANGUAGE")
    config: list[str] = []
    while not cursor.at_end:
        _read_clause(cursor, found, config)
    if "body" not in found or "language" not in found:
        raise NotUnderstood("a routine without language or body")
    found["config"] = "\n".join(config) or None
    schema, raw = statement.place(name)
    identity = identity_arguments(arguments, escapes=statement.session.escapes)
    book.create(kind, (schema, f"{raw}({identity})"), statement).attributes |= found


def _read_clause(cursor: Cursor, found: dict[str, str | None], config: list[str]) -> None:
    """Read one clause into *found*, a SET into *config*; the body ends the statement. Raises NotUnderstood."""
    start = cursor.token.start
    word = cursor.advance().text.upper()
    if word in _FLAGS:
        found[_FLAGS[word]] = "true"
    elif word == "LANGUAGE":
        found["language"] = cursor.identifier()
    elif word in ("IMMUTABLE", "STABLE"):
        found["volatility"] = word
    elif word == "VOLATILE":
        found["volatility"] = None
    elif word == "PARALLEL":
        level = cursor.identifier().upper()
        found["parallel"] = None if level == "UNSAFE" else level
    elif word == "SECURITY":
        found["security_definer"] = "true" if cursor.take("DEFINER") else None
    elif word in ("COST", "ROWS"):
        found[word.lower()] = cursor.advance().text
    elif word == "SUPPORT":
        found["support"] = cursor.name().sql
    elif word == "TRANSFORM":
        found["transforms"] = _list(cursor)
    elif word == "SET":
        config.append(f"SET {cursor.text_until('TO')} TO {_setting(cursor)}")
    elif word == "AS":
        _read_body(cursor, found)
    elif word in ("BEGIN", "RETURN"):  # a body in SQL, of 14 and later
        found["body"] = cursor.sql[start:].rstrip()
        cursor.finish()
    else:
        raise NotUnderstood(f"a routine's clause expected at {word!r}")


def _list(cursor: Cursor) -> str:
    parts = [cursor.text_until(*_CLAUSES)]
    while cursor.take_text(","):
        parts.append(cursor.text_until(*_CLAUSES))
    return ", ".join(parts)


def _setting(cursor: Cursor) -> str:
    cursor.expect("TO")
    return _list(cursor)


def _read_body(cursor: Cursor, found: dict[str, str | None]) -> None:
    """The source, or for a C function the object file and the link symbol."""
    found["body"] = cursor.string()
    if cursor.take_text(","):
        found["object_file"], found["body"] = found["body"], cursor.string()
    if not cursor.at_end:
        raise NotUnderstood(f"the end of a routine expected at {cursor.token.text!r}")


def identity_arguments(arguments: str, *, escapes: bool = False) -> str:
    """Return the arguments without their defaults, as pg_get_function_identity_arguments prints them (ruleutils.c, print_function_arguments)."""
    if "DEFAULT" not in arguments:
        return arguments
    cursor = Cursor(arguments, escapes=escapes)
    kept = []
    while not cursor.at_end:
        kept.append(cursor.text_until("DEFAULT"))
        if cursor.take("DEFAULT"):
            cursor.text_until()
        if not cursor.take_text(",") and not cursor.at_end:
            raise NotUnderstood(f"an argument expected at {cursor.token.text!r}")
    return ", ".join(kept)


def alter_routine(statement: Statement, book: Book) -> None:
    """ALTER FUNCTION and ALTER PROCEDURE … OWNER TO, DEPENDS ON EXTENSION. Raises NotUnderstood."""
    cursor = statement.cursor("ALTER")
    kind = cursor.advance().text.upper()
    schema, raw = statement.place(cursor.name())
    draft = book.find(kind, (schema, f"{raw}({cursor.group()})"))
    if draft is None:
        raise NotUnderstood("a routine that was not created")
    if cursor.take("OWNER", "TO"):
        draft.attributes["owner"] = cursor.identifier()
    else:
        put_aside(statement, book, NOT_COMPARED)
