"""Foreign data wrappers, servers, user mappings, foreign tables (pg_dump.c, dumpForeignDataWrapper, dumpForeignServer, dumpUserMappings).

Their OPTIONS may hold passwords: `records.settings` says which values are shown.
"""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.alterations import alter_object
from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.columns import read_elements, read_foreign_options
from pgaudit_kit.dumps.ddl.constraints import add_inline
from pgaudit_kit.dumps.ddl.drafts import NOT_MODELLED, Book, Statement
from pgaudit_kit.dumps.ddl.tables import alter_table
from pgaudit_kit.dumps.ddl.tokens import Cursor, Name, NotUnderstood
from pgaudit_kit.records.settings import options_text
from pgaudit_kit.records.table_data import quote_identifier


def create_foreign(statement: Statement, book: Book) -> None:
    """CREATE FOREIGN DATA WRAPPER and CREATE FOREIGN TABLE. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "FOREIGN")
    if cursor.take("TABLE"):
        _create_table(statement, book, cursor)
        return
    cursor.expect("DATA", "WRAPPER")
    name = cursor.identifier()
    found: dict[str, str | None] = {}
    while not cursor.at_end:
        if cursor.take("HANDLER"):
            found["handler"] = cursor.name().sql
        elif cursor.take("VALIDATOR"):
            found["validator"] = cursor.name().sql
        elif cursor.take("OPTIONS"):
            found["options"] = options_text(read_foreign_options(cursor))
        else:
            raise NotUnderstood(f"a wrapper's clause expected at {cursor.token.text!r}")
    book.create("FOREIGN DATA WRAPPER", (None, name), statement).attributes |= found


def _create_table(statement: Statement, book: Book, cursor: Cursor) -> None:
    cursor.take("IF", "NOT", "EXISTS")
    place = statement.place(cursor.name())
    elements = read_elements(cursor)
    found: dict[str, str | None] = {}
    inherits: list[Name] = []
    while not cursor.at_end:
        if cursor.take("INHERITS"):
            parents = Cursor(cursor.group())
            inherits.append(parents.name())
            while parents.take_text(","):
                inherits.append(parents.name())
            found["inherits"] = ", ".join(statement.qualified(parent) for parent in inherits)
        elif cursor.take("SERVER"):
            found["server"] = cursor.identifier()
        elif cursor.take("OPTIONS"):
            found["options"] = options_text(read_foreign_options(cursor))
        else:
            raise NotUnderstood(f"a foreign table's clause expected at {cursor.token.text!r}")
    draft = book.create_relation("FOREIGN TABLE", place, statement)
    draft.attributes |= found
    draft.columns = elements.columns
    draft.own_columns = len(elements.columns)
    draft.inherits = tuple(statement.place(parent) for parent in inherits)
    for attributes in elements.columns.values():
        if "default" in attributes:
            attributes["default"] = statement.with_qualified_sequence(attributes["default"])
    for column, not_null in elements.not_nulls.items():
        draft.column(column).update(not_null)
    add_inline(statement, book, place, elements.constraints, alter="ALTER FOREIGN TABLE")


def alter_foreign(statement: Statement, book: Book) -> None:
    """ALTER FOREIGN DATA WRAPPER … OWNER TO; ALTER FOREIGN TABLE, which is as of tables. Raises NotUnderstood."""
    if statement.cursor("ALTER", "FOREIGN").token.is_word("TABLE"):
        alter_table(statement, book)
    else:
        alter_object(statement, book)


def create_server(statement: Statement, book: Book) -> None:
    """CREATE SERVER. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "SERVER")
    name = cursor.identifier()
    found: dict[str, str | None] = {}
    while not cursor.at_end:
        if cursor.take("TYPE"):
            found["server_type"] = cursor.string()
        elif cursor.take("VERSION"):
            found["server_version"] = cursor.string()
        elif cursor.take("FOREIGN", "DATA", "WRAPPER"):
            found["wrapper"] = cursor.identifier()
        elif cursor.take("OPTIONS"):
            found["options"] = options_text(read_foreign_options(cursor))
        else:
            raise NotUnderstood(f"a server's clause expected at {cursor.token.text!r}")
    book.create("SERVER", (None, name), statement).attributes |= found


def create_user_mapping(statement: Statement, book: Book) -> None:
    """CREATE USER MAPPING: the names of its options. CREATE USER is put aside: a role is of the cluster. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "USER")
    if not cursor.take("MAPPING", "FOR"):
        put_aside(statement, book, NOT_MODELLED)
        return
    user = cursor.identifier()
    cursor.expect("SERVER")
    server = cursor.identifier()
    names = [name for name, _ in read_foreign_options(cursor)] if cursor.take("OPTIONS") else []
    draft = book.create("USER MAPPING", (None, user), statement, parent=server)
    draft.attributes["option_names"] = ", ".join(sorted(map(quote_identifier, names)))  # '' is known to have none
