"""Publications and subscriptions (pg_dump.c, dumpPublication, dumpPublicationTable, dumpPublicationNamespace, dumpSubscription)."""

from __future__ import annotations

from pgaudit_kit.dumps.ddl.alterations import alter_object
from pgaudit_kit.dumps.ddl.asides import put_aside
from pgaudit_kit.dumps.ddl.drafts import NOT_COMPARED, Book, Statement, Versions
from pgaudit_kit.dumps.ddl.tokens import Cursor, NotUnderstood
from pgaudit_kit.records.objects import ATTRIBUTES
from pgaudit_kit.records.table_data import quote_identifier

# WITH (…) of CREATE PUBLICATION, and the attribute that each is
_PUBLICATION_OPTIONS = {
    "publish": "publish",
    "publish_via_partition_root": "via_partition_root",
    "publish_generated_columns": "generated_columns",
}
_CHOICE_OF_ROLE_CAME = 16
# What pg_dump 18 writes although it says no more than nothing: streaming = off
_AT_DEFAULT = {("streaming", "off"), ("generated_columns", "none")}


def create_publication(statement: Statement, book: Book) -> None:
    """CREATE PUBLICATION [FOR ALL TABLES] WITH (…). Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "PUBLICATION")
    name = cursor.identifier()
    found: dict[str, str | None] = {"all_tables": "true" if cursor.take("FOR", "ALL", "TABLES") else None}
    if cursor.take("WITH"):
        _read_options(Cursor(cursor.group()), _PUBLICATION_OPTIONS, found)
    if not cursor.at_end:
        raise NotUnderstood(f"the end of a publication expected at {cursor.token.text!r}")
    book.create("PUBLICATION", (None, name), statement).attributes |= found


def _read_options(cursor: Cursor, attributes: dict[str, str], found: dict[str, str | None]) -> None:
    """Read `name = value, …` to the end into *found*; what has no attribute goes to `options`. Raises NotUnderstood."""
    others = []
    while not cursor.at_end:
        name = cursor.identifier()
        cursor.expect_text("=")
        value = cursor.string() if cursor.token.kind == "string" else cursor.text_until()
        attribute = attributes.get(name)
        if attribute is None:
            others.append(f"{name} = {value}")
        elif (attribute, value) not in _AT_DEFAULT:
            found[attribute] = value
        if not cursor.take_text(",") and not cursor.at_end:
            raise NotUnderstood(f"an option expected at {cursor.token.text!r}")
    found["options"] = ", ".join(sorted(others)) or None


def alter_publication(statement: Statement, book: Book) -> None:
    """ALTER PUBLICATION … ADD TABLE, ADD TABLES IN SCHEMA, OWNER TO. Raises NotUnderstood."""
    cursor = statement.cursor("ALTER", "PUBLICATION")
    name = cursor.identifier()
    if cursor.token.is_word("OWNER"):
        alter_object(statement, book)
    elif cursor.take("ADD", "TABLES", "IN", "SCHEMA"):
        book.create("PUBLICATION TABLES IN SCHEMA", (cursor.identifier(), name), statement)
    elif cursor.take("ADD", "TABLE"):
        _add_table(statement, book, name, cursor)
    elif not cursor.take("DROP"):  # --clean
        put_aside(statement, book, NOT_COMPARED)


def _add_table(statement: Statement, book: Book, publication: str, cursor: Cursor) -> None:
    cursor.take("ONLY")
    schema, table = statement.place(cursor.name())
    found: dict[str, str | None] = {}
    if cursor.token.text == "(":
        columns = Cursor(cursor.group())
        names = [quote_identifier(columns.identifier())]
        while columns.take_text(","):
            names.append(quote_identifier(columns.identifier()))
        found["columns"] = ", ".join(names)
    if cursor.take("WHERE"):
        found["where"] = cursor.group()
    if not cursor.at_end:
        raise NotUnderstood(f"the end of a publication's table expected at {cursor.token.text!r}")
    book.create("PUBLICATION TABLE", (schema, publication), statement, parent=table).attributes |= found


def create_subscription(statement: Statement, book: Book) -> None:
    """CREATE SUBSCRIPTION, without its connection string. Raises NotUnderstood."""
    cursor = statement.cursor("CREATE", "SUBSCRIPTION")
    name = cursor.identifier()
    cursor.expect("CONNECTION")
    cursor.string()
    cursor.expect("PUBLICATION")
    publications = [quote_identifier(cursor.identifier())]
    while cursor.take_text(","):
        publications.append(quote_identifier(cursor.identifier()))
    found: dict[str, str | None] = {"publications": ", ".join(publications)}
    if cursor.take("WITH"):
        attributes = {option: option for option in ATTRIBUTES["SUBSCRIPTION"]} | {"connect": "connect"}
        _read_options(Cursor(cursor.group()), attributes, found)
        found.pop("connect", None)  # = false, so that restoring a dump makes no connection
    book.create("SUBSCRIPTION", (None, name), statement).attributes |= found


def complete_subscriptions(book: Book, versions: Versions) -> None:
    """Before 16 every subscription ran as its owner; pg_dump of 16 and later says so of such a server's, others do not."""
    if versions.server is not None and versions.server < _CHOICE_OF_ROLE_CAME:
        for draft in book.drafts.values():
            if draft.kind == "SUBSCRIPTION":
                draft.attributes.pop("run_as_owner", None)
