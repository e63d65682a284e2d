"""What the statements of a migration make, drop and rename, as far as it can be said without running them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from pgaudit_kit.dumps.ddl.tokens import Cursor, Name, NotUnderstood, split_statements

LONGEST_NAME = 63  # bytes; the server cuts off the rest


class Thing(NamedTuple):
    """Something that a statement makes. `kind` as pg_dump's, but one CONSTRAINT for all, and COLUMN; `parent`: its table.

    A LABEL is a value of an enum, `parent`.
    """

    kind: str
    schema: str | None
    name: str
    parent: str | None = None

    def __str__(self) -> str:
        home = f"{self.schema}." if self.schema else ""
        if self.kind == "COLUMN":
            return f"COLUMN {home}{self.parent}.{self.name}"
        if self.kind == "LABEL":
            return f"VALUE {self.name} of {home}{self.parent}"
        return f"{self.kind} {home}{self.name}" + (f" on {self.parent}" if self.parent else "")


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect: `makes`, `drops` or `renames` (to `to`) a thing, `forgets` what hangs on it; `opaque`: it may have done anything."""

    does: str
    thing: Thing
    to: Thing | None = None


OPAQUE = Effect("opaque", Thing("", None, ""))

# leave no object, or none that is looked for
_HARMLESS = frozenset(
    {"INSERT", "UPDATE", "DELETE", "TRUNCATE", "COMMENT", "GRANT", "REVOKE", "BEGIN", "COMMIT", "START", "END", "ANALYZE", "VACUUM", "LOCK"}
    | {"REINDEX", "REFRESH", "SECURITY", "COPY", "RESET", "CLUSTER", "SAVEPOINT", "RELEASE", "NOTIFY", "REASSIGN"}
)
_IN_SCHEMA = ("TABLE", "VIEW", "SEQUENCE", "TYPE", "DOMAIN", "COLLATION")
_ROUTINES = ("FUNCTION", "PROCEDURE", "AGGREGATE", "ROUTINE")
_ON_TABLE = ("TRIGGER", "POLICY", "RULE")
_TABLE_CONSTRAINTS = ("PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "LIKE", "NOT")


def effects_of(sql: str, home: str) -> list[Effect]:
    """Return the effects of *sql* in order; names without a schema are in *home*, until a SET search_path."""
    found: list[Effect] = []
    for statement in split_statements(sql):
        cursor = Cursor(statement)
        if cursor.take("SET") or cursor.take("SET", "LOCAL"):
            home = _search_path(statement) or home
            continue
        try:
            found += _Reader(home).read(cursor)
        except NotUnderstood:
            found.append(OPAQUE)
    return found


def _search_path(statement: str) -> str | None:
    cursor = Cursor(statement)
    cursor.advance()
    cursor.take("LOCAL")
    cursor.take("SESSION")
    if not cursor.take("SEARCH_PATH") or not (cursor.take("TO") or cursor.take_text("=")):
        return None
    if cursor.token.kind == "string":
        return cursor.string() or None
    return cursor.identifier() if cursor.token.kind in ("word", "quoted") and not cursor.token.is_word("DEFAULT") else None


class _Reader:
    """Reads one statement."""

    def __init__(self, home: str) -> None:
        self.home = home

    def read(self, cursor: Cursor) -> Iterator[Effect]:
        if cursor.take("CREATE"):
            return self._create(cursor)
        if cursor.take("DROP"):
            return self._drop(cursor)
        if cursor.take("ALTER"):
            return self._alter(cursor)
        return iter(() if cursor.token.is_word(*_HARMLESS) else (OPAQUE,))

    def _thing(self, kind: str, name: Name, parent: str | None = None) -> Thing:
        return Thing(kind, cut(name.schema or self.home), cut(name.name), cut(parent) if parent else None)

    def _create(self, cursor: Cursor) -> Iterator[Effect]:
        cursor.take("OR", "REPLACE")
        temporary = cursor.take("TEMP") or cursor.take("TEMPORARY") or cursor.take("GLOBAL") or cursor.take("LOCAL")
        while cursor.take("UNLOGGED") or cursor.take("UNIQUE") or cursor.take("CONSTRAINT") or cursor.take("RECURSIVE"):
            pass
        kind = _kind(cursor)
        if temporary:
            return
        if kind in self._makers:
            yield from self._makers[kind](cursor)
        elif kind in (*_IN_SCHEMA, "MATERIALIZED VIEW", "FOREIGN TABLE"):
            _if_not_exists(cursor)
            yield Effect("makes", self._thing(kind, cursor.name()))
        elif kind in _ROUTINES:
            yield Effect("makes", self._thing("FUNCTION", cursor.name()))
        elif kind in _ON_TABLE:
            name = cursor.identifier()
            cursor.text_until("TO" if kind == "RULE" else "ON")
            cursor.advance()
            table = cursor.name()
            yield Effect("makes", self._thing(kind, replace(table, name=name), table.name))

    @property
    def _makers(self) -> dict[str, Callable[[Cursor], Iterator[Effect]]]:
        return {
            "TABLE": self._create_table,
            "INDEX": self._create_index,
            "SCHEMA": self._create_schema,
            "EXTENSION": self._create_extension,
        }

    def _create_extension(self, cursor: Cursor) -> Iterator[Effect]:
        _if_not_exists(cursor)
        yield Effect("makes", Thing("EXTENSION", None, cursor.identifier()))

    def _create_schema(self, cursor: Cursor) -> Iterator[Effect]:
        _if_not_exists(cursor)
        if not cursor.token.is_word("AUTHORIZATION"):
            yield Effect("makes", Thing("SCHEMA", None, cut(cursor.identifier())))

    def _create_table(self, cursor: Cursor) -> Iterator[Effect]:
        _if_not_exists(cursor)
        table = cursor.name()
        yield Effect("makes", self._thing("TABLE", table))
        if cursor.token.text != "(":
            return
        inside = Cursor(cursor.group())
        if cursor.token.is_word("AS"):
            return
        while not inside.at_end:
            yield from self._table_element(inside, table)
            inside.text_until()
            if not inside.take_text(","):
                break

    def _table_element(self, cursor: Cursor, table: Name) -> Iterator[Effect]:
        if cursor.take("CONSTRAINT"):
            name = cursor.identifier()
            if not cursor.token.is_word("NOT"):
                yield Effect("makes", self._thing("CONSTRAINT", replace(table, name=name), table.name))
        elif not cursor.token.is_word(*_TABLE_CONSTRAINTS):
            yield Effect("makes", self._thing("COLUMN", replace(table, name=cursor.identifier()), table.name))

    def _create_index(self, cursor: Cursor) -> Iterator[Effect]:
        cursor.take("CONCURRENTLY")
        _if_not_exists(cursor)
        if cursor.token.is_word("ON"):
            return  # the server chooses its name
        name = cursor.identifier()
        cursor.expect("ON")
        cursor.take("ONLY")
        table = cursor.name()
        yield Effect("makes", self._thing("INDEX", replace(table, name=name), table.name))

    def _drop(self, cursor: Cursor) -> Iterator[Effect]:
        kind = _kind(cursor)
        cursor.take("CONCURRENTLY")
        cursor.take("IF", "EXISTS")
        if kind in _ON_TABLE:
            name = cursor.identifier()
            cursor.expect("ON")
            table = cursor.name()
            yield Effect("drops", self._thing(kind, replace(table, name=name), table.name))
        elif kind in _ROUTINES:
            yield Effect("drops", self._thing("FUNCTION", cursor.name()))
        elif kind in ("SCHEMA", "EXTENSION", "OWNED"):
            yield OPAQUE  # with all that is in it
            return
        elif kind in (*_IN_SCHEMA, "INDEX", "MATERIALIZED VIEW", "FOREIGN TABLE"):
            yield Effect("drops", self._thing(kind, cursor.name()))
            while cursor.take_text(","):
                yield Effect("drops", self._thing(kind, cursor.name()))
        if "CASCADE" in cursor.sql.upper():
            yield OPAQUE

    def _alter(self, cursor: Cursor) -> Iterator[Effect]:
        kind = _kind(cursor)
        cursor.take("IF", "EXISTS")
        if kind in _ON_TABLE:
            name = cursor.identifier()
            cursor.expect("ON")
            table = cursor.name()
            yield from self._renamed(cursor, self._thing(kind, replace(table, name=name), table.name))
        elif kind in ("TABLE", "FOREIGN TABLE"):
            cursor.take("ONLY")
            yield from self._alter_table(cursor, cursor.name())
        elif kind == "TYPE":
            yield from self._alter_type(cursor, cursor.name())
        elif kind in (*_IN_SCHEMA, "INDEX", "MATERIALIZED VIEW"):
            yield from self._renamed(cursor, self._thing(kind, cursor.name()))
        elif kind in (*_ROUTINES, "SCHEMA") and ("RENAME" in cursor.sql.upper() or "SET SCHEMA" in cursor.sql.upper()):
            yield OPAQUE

    def _alter_type(self, cursor: Cursor, name: Name) -> Iterator[Effect]:
        if cursor.take("ADD", "VALUE"):
            _if_not_exists(cursor)
            yield Effect("makes", self._label(name, cursor.string()))
        elif cursor.take("RENAME", "VALUE"):
            old = self._label(name, cursor.string())
            cursor.expect("TO")
            yield Effect("renames", old, self._label(name, cursor.string()))
        else:
            yield from self._renamed(cursor, self._thing("TYPE", name))

    def _label(self, name: Name, text: str) -> Thing:
        return self._thing("LABEL", replace(name, name=text), name.name)

    def _renamed(self, cursor: Cursor, thing: Thing) -> Iterator[Effect]:
        if cursor.take("RENAME", "TO"):
            yield Effect("renames", thing, thing._replace(name=cut(cursor.identifier())))
        elif cursor.take("SET", "SCHEMA"):
            yield Effect("renames", thing, thing._replace(schema=cut(cursor.identifier())))

    def _alter_table(self, cursor: Cursor, table: Name) -> Iterator[Effect]:
        whole = self._thing("TABLE", table)
        if cursor.take("RENAME", "CONSTRAINT"):
            old = self._thing("CONSTRAINT", replace(table, name=cursor.identifier()), table.name)
            cursor.expect("TO")
            yield Effect("renames", old, old._replace(name=cut(cursor.identifier())))
            return
        if (cursor.token.is_word("RENAME") and cursor.following.is_word("TO")) or cursor.token.is_word("SET"):
            yield from self._renamed(cursor, whole)
            return
        if cursor.take("RENAME"):
            cursor.take("COLUMN")
            old = self._thing("COLUMN", replace(table, name=cursor.identifier()), table.name)
            cursor.expect("TO")
            yield Effect("renames", old, old._replace(name=cut(cursor.identifier())))
            return
        while not cursor.at_end:
            yield from self._action(cursor, table)
            cursor.text_until()
            if not cursor.take_text(","):
                break

    def _action(self, cursor: Cursor, table: Name) -> Iterator[Effect]:
        if cursor.take("ADD"):
            if cursor.take("COLUMN"):
                _if_not_exists(cursor)
                yield Effect("makes", self._thing("COLUMN", replace(table, name=cursor.identifier()), table.name))
            else:
                _if_not_exists(cursor)
                yield from self._table_element(cursor, table)
        elif cursor.take("DROP"):
            kind = "CONSTRAINT" if cursor.take("CONSTRAINT") else "COLUMN"
            cursor.take("COLUMN")
            cursor.take("IF", "EXISTS")
            yield Effect("drops", self._thing(kind, replace(table, name=cursor.identifier()), table.name))
            if kind == "COLUMN":  # with every index and constraint that it is in
                yield Effect("forgets", self._thing("TABLE", table))
            if cursor.take("CASCADE"):
                yield OPAQUE


def _kind(cursor: Cursor) -> str:
    """Step over the words that say of what kind the object is."""
    kind = cursor.advance().text.upper()
    return f"{kind} {cursor.advance().text.upper()}" if kind in ("MATERIALIZED", "FOREIGN") else kind


def _if_not_exists(cursor: Cursor) -> None:
    cursor.take("IF", "NOT", "EXISTS")


def cut(name: str) -> str:
    """Return *name* as the server keeps it: of a long one the first 63 bytes."""
    return name if len(name) * 4 <= LONGEST_NAME else name.encode("utf-8", "surrogateescape")[:LONGEST_NAME].decode("utf-8", "ignore")
