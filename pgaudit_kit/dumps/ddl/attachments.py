"""What belongs to a table and has a name of its own: indexes, triggers, rules (pg_dump.c, dumpIndex, dumpTrigger, dumpRule)."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.columns import read_setting
from pgaudit_kit.dumps.ddl.drafts import NOT_COMPARED, WITHOUT_OBJECT, Book, Statement
from pgaudit_kit.dumps.ddl.tokens import Name, NotUnderstood
from pgaudit_kit.dumps.ddl.views import become_view


def create_index(statement: Statement, book: Book) -> None:
    """CREATE [UNIQUE] INDEX; the index is in the schema of its table. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE")
    cursor.take("UNIQUE")
    cursor.expect("INDEX")
    cursor.take("CONCURRENTLY")
    cursor.take("IF", "NOT", "EXISTS")
    name = cursor.identifier()
    cursor.expect("ON")
    on_partitioned = cursor.take("ONLY")  # pg_dump leaves out what is invalid, but on these (getIndexes)
    start = cursor.token.start
    table = cursor.name()
    schema, parent = statement.place(table)
    draft = book.create_relation("INDEX", (schema, name), statement, parent=parent)
    definition = statement.with_qualified(table, start, statement.sql)
    valid = None if on_partitioned else "true"
    draft.attributes |= {"definition": definition, "tablespace": statement.tablespace, "valid": valid}


def alter_index(statement: Statement, book: Book) -> None:
    """ALTER INDEX … ATTACH PARTITION, ALTER COLUMN n SET STATISTICS, DEPENDS ON EXTENSION; others are put aside. Raises NotUnderstood."""
    cursor = statement.cursor("ALTER", "INDEX")
    name = cursor.name()
    index = book.relation(statement.place(name), "INDEX", "CONSTRAINT")
    if cursor.take("ATTACH", "PARTITION"):
        child = book.relation(statement.place(cursor.name()), "INDEX", "CONSTRAINT")
        if child is None:
            put_aside(statement, book, WITHOUT_OBJECT)
            return
        child.attributes["attached_to"] = statement.qualified(name)
        child.sql.append(statement.sql)
    elif index and cursor.take("DEPENDS", "ON", "EXTENSION"):
        index.depend_on(cursor.identifier())
    elif index and index.kind == "INDEX" and cursor.take("ALTER", "COLUMN"):
        number = cursor.advance().text
        cursor.expect("SET")
        index.say_of_column(number, *read_setting(cursor))
        index.sql.append(statement.sql)
    else:
        put_aside(statement, book, NOT_COMPARED)


def create_trigger(statement: Statement, book: Book) -> None:
    """CREATE [CONSTRAINT] TRIGGER, in the words of 12 and later: FUNCTION, where older servers print PROCEDURE. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE")
    cursor.take("OR", "REPLACE")
    cursor.take("CONSTRAINT")
    cursor.expect("TRIGGER")
    name = cursor.identifier()
    while not cursor.take("ON"):  # UPDATE OF a, b; a column of that name is quoted
        if cursor.at_end:
            raise NotUnderstood("a trigger without its table")
        cursor.advance()
    start = cursor.token.start
    table = cursor.name()
    between = cursor.behind
    cursor.text_until("EXECUTE")
    cursor.expect("EXECUTE")
    end = cursor.behind
    cursor.advance()
    function = cursor.name()
    called = statement.sql[cursor.behind :]
    if not function.schema and book.find("FUNCTION", (statement.home, f"{function.name}()")):
        called = statement.qualified(function) + called
    else:
        called = function.sql + called
    schema, parent = statement.place(table)
    draft = book.create("TRIGGER", (schema, name), statement, parent=parent)
    head = statement.sql[:start] + statement.qualified(table) + statement.sql[between:end]
    draft.attributes["definition"] = f"{head} FUNCTION {called}"


def alter_trigger(statement: Statement, book: Book) -> None:
    """ALTER TRIGGER … DEPENDS ON EXTENSION. Raises NotUnderstood."""
    cursor = statement.cursor("ALTER", "TRIGGER")
    name = cursor.identifier()
    cursor.expect("ON")
    schema, parent = statement.place(cursor.name())
    cursor.expect("DEPENDS", "ON", "EXTENSION")
    if trigger := book.find("TRIGGER", (schema, name), parent):
        trigger.depend_on(cursor.identifier())
    else:
        put_aside(statement, book, WITHOUT_OBJECT)


def create_rule(statement: Statement, book: Book) -> None:
    """CREATE RULE; "_RETURN" is the query of a view that was created as a table. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE")
    cursor.take("OR", "REPLACE")
    cursor.expect("RULE")
    name = cursor.identifier()
    cursor.expect("AS", "ON")
    on_select = cursor.advance().is_word("SELECT")
    cursor.expect("TO")
    start = cursor.token.start
    table = cursor.name()
    draft = book.relation(statement.place(table), "TABLE")
    if on_select and draft:
        cursor.expect("DO")
        end = cursor.token.end
        cursor.expect("INSTEAD")
        become_view(statement, book, draft, statement.sql[end:].removeprefix(" "))
    else:
        _attach(statement, book, ("RULE", name), table, start)


def _attach(statement: Statement, book: Book, what: tuple[str, str], table: Name, start: int) -> None:
    kind, name = what
    schema, parent = statement.place(table)
    draft = book.create(kind, (schema, name), statement, parent=parent)
    draft.attributes["definition"] = statement.with_qualified(table, start, statement.sql)
