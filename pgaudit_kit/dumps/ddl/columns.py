"""What stands between the parentheses of CREATE TABLE: columns, not-nulls, constraints (pg_dump.c, dumpTableSchema)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood

# What may follow the type. The server never prints these words bare at the top of an expression: it puts
# COLLATE, NOT and IS NOT NULL into parentheses (ruleutils.c, get_rule_expr, not pretty).
_CLAUSES = ("COLLATE", "DEFAULT", "GENERATED", "NOT", "CONSTRAINT", "WITH")


@dataclass(slots=True)
class Elements:
    """The elements of a table: its columns with their attributes, names of columns with a not-null apart, constraints as name and text."""

    columns: dict[str, dict[str, str | None]] = field(default_factory=dict)
    not_nulls: dict[str, dict[str, str | None]] = field(default_factory=dict)
    constraints: list[tuple[str, str]] = field(default_factory=list)


def read_elements(cursor: Cursor) -> Elements:
    """Step over the parenthesised list of elements and return them. Raises NotUnderstood."""
    found = Elements()
    cursor.expect_text("(")
    if cursor.take_text(")"):
        return found
    while True:
        _read_element(cursor, found)
        if not cursor.take_text(","):
            cursor.expect_text(")")
            return found


def _read_element(cursor: Cursor, found: Elements) -> None:
    name = ""
    if cursor.take("CONSTRAINT"):
        name = cursor.identifier()
        if not cursor.token.is_word("NOT"):
            found.constraints.append((name, cursor.text_until()))
            return
    if cursor.take("NOT", "NULL"):  # 18: a not-null of an inherited column
        column = cursor.identifier()
        found.not_nulls[column] = _not_null(cursor, name or None)
    else:
        column = cursor.identifier()
        found.columns[column] = read_column(cursor)


def read_setting(cursor: Cursor) -> tuple[str, str]:
    """Step over what follows ALTER COLUMN … SET of a single column's storage; return attribute and value. Raises NotUnderstood."""
    if cursor.token.text == "(":
        return "options", cursor.group()
    for word in ("STATISTICS", "STORAGE", "COMPRESSION"):
        if cursor.take(word):
            return word.lower(), cursor.advance().text
    raise NotUnderstood(f"a setting of a column expected at {cursor.token.text!r}")


def read_foreign_options(cursor: Cursor) -> list[tuple[str, str]]:
    """Step over the parenthesis behind OPTIONS of anything foreign; return names and values. Raises NotUnderstood."""
    inner = Cursor(cursor.group())
    options = []
    while not inner.at_end:
        options.append((inner.identifier(), inner.string()))
        if not inner.take_text(",") and not inner.at_end:
            raise NotUnderstood(f"an option expected at {inner.token.text!r}")
    return options


def read_column(cursor: Cursor) -> dict[str, str | None]:
    """Step over what follows the name of a column, and return its attributes. Raises NotUnderstood.

    The clauses come in another order in every release: COLLATE is last up to 17; columns of typed tables have no type.
    """
    attributes: dict[str, str | None] = {"type": cursor.text_until(*_CLAUSES) or None}
    while not cursor.at_end and cursor.token.text not in (",", ")"):
        if cursor.take("COLLATE"):
            attributes["collation"] = cursor.name().sql
        elif cursor.take("DEFAULT"):
            attributes["default"] = cursor.expression(*_CLAUSES)
        elif cursor.take("GENERATED", "ALWAYS", "AS"):
            expression = cursor.group()
            cursor.take("VIRTUAL")
            attributes["generated"] = f"{expression} {'STORED' if cursor.take('STORED') else 'VIRTUAL'}"
        elif cursor.take("WITH", "OPTIONS"):
            pass
        else:
            name = cursor.identifier() if cursor.take("CONSTRAINT") else None
            if not cursor.take("NOT", "NULL"):
                raise NotUnderstood(f"a column's clause expected at {cursor.token.text!r}")
            attributes |= _not_null(cursor, name)
    return attributes


def _not_null(cursor: Cursor, name: str | None) -> dict[str, str | None]:
    """The attributes that a not-null constraint gives its column. Steps over what may follow it."""
    return {"not_null": "true", "not_null_name": name, "not_null_no_inherit": "true" if cursor.take("NO", "INHERIT") else None}
