"""Functions and procedures (pg_dump.c, dumpFunc). Bodies are taken as they are, never read."""

from __future__ import annotations

from collections.abc import Callable

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.drafts import NOT_COMPARED, WITHOUT_OBJECT, Book, Statement
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood


def _parallel(cursor: Cursor) -> str | None:
    level = cursor.identifier().upper()
    return None if level == "UNSAFE" else level


def _security(cursor: Cursor) -> str | None:
    return "true" if cursor.identifier() == "definer" else None


def _word_list(cursor: Cursor) -> str:
    parts = [cursor.text_until(*_CLAUSES)]
    while cursor.take_text(","):
        parts.append(cursor.text_until(*_CLAUSES))
    return ", ".join(parts)


# First word of a clause, the attribute that it sets, and how its value reads. pg_dump leaves out what is at its default.
_READERS: dict[str, tuple[str, Callable[[Cursor], str | None]]] = {
    "LANGUAGE": ("language", Cursor.identifier),
    "TRANSFORM": ("transforms", _word_list),
    "WINDOW": ("window", lambda _: "true"),
    "IMMUTABLE": ("volatility", lambda _: "IMMUTABLE"),
    "STABLE": ("volatility", lambda _: "STABLE"),
    "VOLATILE": ("volatility", lambda _: None),
    "STRICT": ("strict", lambda _: "true"),
    "SECURITY": ("security_definer", _security),
    "LEAKPROOF": ("leakproof", lambda _: "true"),
    "COST": ("cost", lambda cursor: cursor.advance().text),
    "ROWS": ("rows", lambda cursor: cursor.advance().text),
    "SUPPORT": ("support", lambda cursor: cursor.name().sql),
    "PARALLEL": ("parallel", _parallel),
}
_CLAUSES = (*_READERS, "SET", "AS", "BEGIN", "RETURN")


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
    book.routines.add((schema, raw))
    book.create(kind, (schema, f"{raw}({identity_arguments(arguments)})"), statement).attributes |= found


def _read_clause(cursor: Cursor, found: dict[str, str | None], config: list[str]) -> None:
    """Read one clause into *found*, a SET into *config*. Raises NotUnderstood."""
    start = cursor.token.start
    word = cursor.advance().text.upper()
    if word in _READERS:
        attribute, read = _READERS[word]
        found[attribute] = read(cursor)
    elif word == "SET":
        name = cursor.text_until("TO")
        cursor.expect("TO")
        config.append(f"SET {name} TO {_word_list(cursor)}")
    elif word == "AS":
        found["body"] = cursor.string()
        if cursor.take_text(","):  # C: object file, link symbol
            found["object_file"], found["body"] = found["body"], cursor.string()
    elif word in ("BEGIN", "RETURN"):  # a body in SQL, of 14 and later, ends the statement
        found["body"] = cursor.sql[start:]
        cursor.finish()
    else:
        raise NotUnderstood(f"a routine's clause expected at {word!r}")


def identity_arguments(arguments: str) -> str:
    """Return the arguments without their defaults: pg_get_function_identity_arguments (ruleutils.c, print_function_arguments)."""
    if "DEFAULT" not in arguments:
        return arguments
    cursor = Cursor(arguments)
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
        put_aside(statement, book, WITHOUT_OBJECT)
    elif cursor.take("OWNER", "TO"):
        draft.attributes["owner"] = cursor.identifier()
    elif cursor.take("DEPENDS", "ON", "EXTENSION"):
        draft.depend_on(cursor.identifier())
    else:
        put_aside(statement, book, NOT_COMPARED)
