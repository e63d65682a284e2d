"""CREATE TABLE and ALTER TABLE (pg_dump.c, dumpTableSchema and the many that add to a table)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.columns import Elements, read_elements, read_foreign_options, read_setting
from pgaudit_kit.dumps.ddl.constraints import add_constraint, add_inline
from pgaudit_kit.dumps.ddl.drafts import NOT_COMPARED, WITHOUT_OBJECT, Book, Draft, Place, Statement
from pgaudit_kit.dumps.ddl.sequences import IdentityColumn, add_identity
from pgaudit_kit.dumps.ddl.tokens import Cursor, Name, NotUnderstood, unquote
from pgaudit_kit.records.settings import options_text


def create_table(statement: Statement, book: Book) -> None:
    """CREATE [UNLOGGED] TABLE in all its forms. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE")
    found: dict[str, str | None] = {"persistence": "unlogged" if cursor.take("UNLOGGED") else None}
    cursor.expect("TABLE")
    cursor.take("IF", "NOT", "EXISTS")
    place = statement.place(cursor.name())
    partition_of = None
    if cursor.take("OF"):
        found["of_type"] = statement.qualified(cursor.name())
    elif cursor.take("PARTITION", "OF"):  # pg_dump 10.0 to 10.8 and 11.0 to 11.3
        partition_of = cursor.name()
        found["partition_of"] = statement.qualified(partition_of)
    elements = read_elements(cursor) if cursor.token.text == "(" else Elements()
    inherits = _read_tail(cursor, found)
    if inherits:
        found["inherits"] = ", ".join(statement.qualified(name) for name in inherits)
    if statement.session.with_oids:
        book.put_aside(statement, NOT_COMPARED, kind="TABLE", schema=place[0], name=f"{place[1]} WITH OIDS")

    draft = book.create_relation("TABLE", place, statement)
    found["tablespace"] = statement.tablespace
    archive = statement.entry is not None and statement.entry.definition is not None
    found.setdefault("access_method", statement.access_method if archive or "partition_key" not in found else None)
    draft.attributes |= found
    draft.columns = elements.columns
    draft.own_columns = len(elements.columns)
    draft.inherits = tuple(statement.place(name) for name in inherits)
    draft.partition_of = statement.place(partition_of) if partition_of else None
    for attributes in elements.columns.values():
        if "default" in attributes:
            attributes["default"] = statement.with_qualified_sequence(attributes["default"])
    for column, not_null in elements.not_nulls.items():
        draft.column(column).update(not_null)
    add_inline(statement, book, place, elements.constraints)


def _read_tail(cursor: Cursor, found: dict[str, str | None]) -> list[Name]:
    """Read what follows the columns into *found*; return the parents. Raises NotUnderstood."""
    inherits: list[Name] = []
    while not cursor.at_end:
        if cursor.take("INHERITS"):
            parents = Cursor(cursor.group())
            inherits.append(parents.name())
            while parents.take_text(","):
                inherits.append(parents.name())
        elif cursor.token.is_word("FOR", "DEFAULT"):
            found["partition_bound"] = _read_bound(cursor)
        elif cursor.take("PARTITION", "BY"):
            found["partition_key"] = cursor.text_until("WITH", "USING", "TABLESPACE")
        elif cursor.take("USING"):
            found["access_method"] = cursor.identifier()
        elif cursor.take("WITH"):
            found["options"] = cursor.group()
        else:
            raise NotUnderstood(f"a table's clause expected at {cursor.token.text!r}")
    return inherits


def _read_bound(cursor: Cursor) -> str:
    start = cursor.token.start
    if not cursor.take("DEFAULT"):
        cursor.expect("FOR", "VALUES")
        if cursor.take("FROM"):
            cursor.group()
            cursor.expect("TO")
        elif not cursor.take("IN"):
            cursor.expect("WITH")
        cursor.group()
    return cursor.sql[start : cursor.token.start].rstrip()


@dataclass(frozen=True, slots=True)
class _Alter:
    """An ALTER TABLE: where it reads on, and the relation it is about (None: not in the dump, or not modelled)."""

    statement: Statement
    book: Book
    cursor: Cursor
    name: Name
    place: Place
    draft: Draft | None

    def found(self) -> Draft:
        """Return the relation. Raises NotUnderstood without."""
        if self.draft is None:
            raise NotUnderstood(f"{self.name.sql} was not created")
        return self.draft


def alter_table(statement: Statement, book: Book) -> None:
    """ALTER [FOREIGN] TABLE [ONLY], which pg_dump up to 15 also uses for views and sequences. Raises NotUnderstood."""
    cursor = statement.cursor("ALTER")
    cursor.take("FOREIGN")
    cursor.expect("TABLE")
    cursor.take("IF", "EXISTS")
    cursor.take("ONLY")
    name = cursor.name()
    place = statement.place(name)
    alter = _Alter(statement, book, cursor, name, place, book.relation(place))
    for words, action in _ACTIONS:
        if cursor.take(*words):
            action(alter)
            return
    raise NotUnderstood(f"unknown ALTER TABLE at {cursor.token.text!r}")


def _add_constraint(alter: _Alter) -> None:
    name = alter.cursor.identifier()
    add_constraint(alter.statement, alter.book, alter.place, name, alter.cursor.rest())


def _attach_partition(alter: _Alter) -> None:
    name = alter.cursor.name()
    child = alter.book.relation(alter.statement.place(name), "TABLE", "FOREIGN TABLE")
    if child is None:  # left out of the dump
        put_aside(alter.statement, alter.book, WITHOUT_OBJECT)
        return
    child.attributes |= {"partition_of": alter.statement.qualified(alter.name), "partition_bound": alter.cursor.rest()}
    child.sql.append(alter.statement.sql)


def _alter_column(alter: _Alter) -> None:
    cursor = alter.cursor
    cursor.take("COLUMN")
    column_sql = cursor.token.text
    column = cursor.identifier()
    if cursor.take("DROP"):  # --clean
        return
    draft = alter.draft
    if draft is None:
        put_aside(alter.statement, alter.book, NOT_COMPARED)
        return
    if cursor.take("SET", "DEFAULT"):
        draft.say_of_column(column, "default", alter.statement.with_qualified_sequence(cursor.expression()))
    elif cursor.take("SET", "NOT", "NULL"):
        draft.column(column)["not_null"] = "true"
    elif cursor.take("ADD", "GENERATED"):
        add_identity(alter.statement, alter.book, IdentityColumn(draft, alter.name, column, column_sql), cursor)
    elif cursor.take("OPTIONS"):
        draft.column(column)["foreign_options"] = options_text(read_foreign_options(cursor))
    elif cursor.take("SET"):
        draft.say_of_column(column, *read_setting(cursor))
    else:
        raise NotUnderstood(f"unknown ALTER COLUMN at {cursor.token.text!r}")
    draft.sql.append(alter.statement.sql)


def _set_owner(alter: _Alter) -> None:
    if alter.draft is None:
        put_aside(alter.statement, alter.book, NOT_COMPARED)
    else:
        alter.draft.attributes["owner"] = alter.cursor.identifier()


def _row_security(word: str) -> Callable[[_Alter], None]:
    def apply(alter: _Alter) -> None:
        draft = alter.found()
        words = {*(draft.attributes.get("row_security") or "").split(", "), word} - {""}
        draft.attributes["row_security"] = ", ".join(sorted(words))  # enabled, forced
        draft.sql.append(alter.statement.sql)

    return apply


def _replica_identity(alter: _Alter) -> None:
    draft = alter.found()
    if alter.cursor.take("USING", "INDEX"):
        draft.attributes["replica_identity"] = f"USING INDEX {alter.cursor.identifier()}"
    elif not alter.cursor.take("DEFAULT"):
        draft.attributes["replica_identity"] = alter.cursor.advance().text.upper()
    draft.sql.append(alter.statement.sql)


def _cluster_on(alter: _Alter) -> None:
    index = alter.book.relation((alter.place[0], alter.cursor.identifier()), "INDEX", "CONSTRAINT")
    if index is None:
        raise NotUnderstood("an index that was not created")
    index.attributes["clustered"] = "true"
    index.sql.append(alter.statement.sql)


def _set_access_method(alter: _Alter) -> None:
    draft = alter.found()
    draft.attributes["access_method"] = alter.cursor.identifier()
    draft.sql.append(alter.statement.sql)


def _enabled(kind: str, enabled: str | None) -> Callable[[_Alter], None]:
    def apply(alter: _Alter) -> None:
        token = alter.cursor.token
        if token.is_word("ALL", "USER"):  # --disable-triggers, around the data
            return
        name = unquote(token.text)
        draft = alter.book.find(kind, (alter.place[0], name), alter.place[1])
        if draft is None:  # what a partition has from its parent, and is enabled otherwise
            draft = alter.book.create(kind, (alter.place[0], name), alter.statement, parent=alter.place[1])
        else:
            draft.sql.append(alter.statement.sql)
        draft.attributes["enabled"] = enabled

    return apply


def _ignored(alter: _Alter) -> None:
    """DROP CONSTRAINT, DISABLE ROW LEVEL SECURITY …: --clean, before the objects are made again."""


def _other_setting(alter: _Alter) -> None:
    put_aside(alter.statement, alter.book, NOT_COMPARED)


_ACTIONS: tuple[tuple[tuple[str, ...], Callable[[_Alter], None]], ...] = (
    (("ADD", "CONSTRAINT"), _add_constraint),
    (("OWNER", "TO"), _set_owner),
    (("ALTER",), _alter_column),
    (("ATTACH", "PARTITION"), _attach_partition),
    (("ENABLE", "ROW", "LEVEL", "SECURITY"), _row_security("enabled")),
    (("FORCE", "ROW", "LEVEL", "SECURITY"), _row_security("forced")),
    (("DISABLE", "ROW"), _ignored),
    (("REPLICA", "IDENTITY"), _replica_identity),
    (("CLUSTER", "ON"), _cluster_on),
    (("SET", "ACCESS", "METHOD"), _set_access_method),
    (("ENABLE", "ALWAYS", "TRIGGER"), _enabled("TRIGGER", "ALWAYS")),
    (("ENABLE", "REPLICA", "TRIGGER"), _enabled("TRIGGER", "REPLICA")),
    (("ENABLE", "TRIGGER"), _enabled("TRIGGER", None)),
    (("DISABLE", "TRIGGER"), _enabled("TRIGGER", "DISABLE")),
    (("ENABLE", "ALWAYS", "RULE"), _enabled("RULE", "ALWAYS")),
    (("ENABLE", "REPLICA", "RULE"), _enabled("RULE", "REPLICA")),
    (("ENABLE", "RULE"), _enabled("RULE", None)),
    (("DISABLE", "RULE"), _enabled("RULE", "DISABLE")),
    (("DROP",), _ignored),
    (("DETACH",), _ignored),
    (("SET",), _other_setting),
)
