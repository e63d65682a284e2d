"""Rows of a dump into a new table of a live database: made, filled and read back in one transaction, kept when they agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pgaudit_kit.difference.rescue_sql import literal, qualified, quoted
from pgaudit_kit.errors import PgAuditError, RestoreFailed, UsageError, hide_secrets
from pgaudit_kit.operations.extracts.table_definition import TableDefinition
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.copy_stream import copy_blocks
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    import psycopg

# Those that say how text is read and printed, as pg_dump has them; TimeZone and bytea_output come from the dump.
SETTINGS = {
    "standard_conforming_strings": "on",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "xmloption": "content",
}
# No limit that a role has for its app's queries ends the load; transaction_timeout is there from 17 on
_NO_LIMITS = dict.fromkeys(("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"), "0")


def load_table(
    target: Target,
    definition: TableDefinition,
    blocks: Iterable[bytes],
    *,
    sent: Callable[[], Fingerprint],
    settings: Mapping[str, str],
    is_same: Callable[[Iterator[bytes]], bool],
) -> Fingerprint:
    """Make the table of *definition* in *target* and fill it with *blocks*; return the count and fingerprint of what it holds.

    *settings* are those under which the dump printed its values. When what is read back has another fingerprint than *sent*, that of the
    blocks that went, *is_same* judges. Raises RestoreFailed, UsageError, and nothing has changed.
    """
    import psycopg

    try:
        with connect(target, read_only=False) as connection:
            set_session(connection, {**settings, "search_path": definition.search_path})
            return fill_table(connection, definition, blocks, sent=sent, is_same=is_same, label=target.label)
    except psycopg.Error as error:
        raise refused(error, target.label, definition) from None


def fill_table(
    connection: psycopg.Connection[Any],
    definition: TableDefinition,
    blocks: Iterable[bytes],
    *,
    sent: Callable[[], Fingerprint],
    is_same: Callable[[Iterator[bytes]], bool],
    label: str,
) -> Fingerprint:
    """Make and fill a table in the transaction of *connection*, as `load_table` does. Raises psycopg.Error, RestoreFailed."""
    table = qualified(definition.name)
    columns = f" ({', '.join(map(quoted, definition.columns))})" if definition.columns else ""
    connection.execute(_encoded(definition.create))
    with connection.cursor() as cursor, cursor.copy(_encoded(f"COPY {table}{columns} FROM STDIN")) as copy:
        for block in blocks:
            copy.write(block)
    for column in definition.identities:
        connection.execute(_encoded(_count_on(table, column)))

    def read_back() -> Iterator[bytes]:
        return copy_blocks(connection, _encoded(f"COPY {table}{columns} TO STDOUT"))

    found, expected = fingerprint_of(read_back()), sent()
    if found != expected and not (found.rows == expected.rows and is_same(read_back())):
        message = f"nothing was changed: {expected.rows:,} rows were sent, and read back from {definition.name} they differ"
        remedy = "This server prints values otherwise than the one that was dumped: write --sql FILE and load that yourself."
        raise RestoreFailed(message, resource=label, remedy=remedy)
    return found


def set_session(connection: psycopg.Connection[Any], settings: Mapping[str, str]) -> None:
    """Set, for the open transaction, how text is read and printed, no limits of time, and *settings*. Raises psycopg.Error."""
    raw = connection.info.parameter_status("server_encoding") == "SQL_ASCII"  # it stores bytes of any encoding, and converts none
    wanted = {**_NO_LIMITS, **SETTINGS, **settings, "client_encoding": "SQL_ASCII" if raw else "UTF8"}
    for name, value in wanted.items():
        connection.execute("SELECT pg_catalog.set_config(name, %s, true) FROM pg_catalog.pg_settings WHERE name = %s", [value, name])


def _count_on(table: str, column: str) -> str:
    """The sequence of a new identity begins at 1, where rows are already."""
    sequence = f"pg_catalog.pg_get_serial_sequence({literal(table)}, {literal(column)})"
    last = f"pg_catalog.max({quoted(column)})"
    return f"SELECT pg_catalog.setval({sequence}, {last}) FROM {table} HAVING {last} > 0"  # noqa: S608  # all names are quoted


def _encoded(sql: str) -> bytes:
    return sql.encode("utf-8", "surrogateescape")


def refused(error: psycopg.Error, label: str, definition: TableDefinition) -> PgAuditError:
    """Return the error that says what *error* means for the table of *definition*, and what to do."""
    from psycopg import errors

    words = hide_secrets((error.diag.message_primary or str(error)).strip())
    message = f"nothing was changed: {words}"
    if isinstance(error, errors.DuplicateTable | errors.DuplicateObject):
        remedy = "Nothing is ever put into a table that is there: choose another name with --as (name=)."
        return UsageError(message, resource=label, remedy=remedy)
    if isinstance(error, errors.InvalidSchemaName):
        remedy = "Create it there first."
        if f'"{definition.name.schema}"' in words:
            remedy = f"Create schema {definition.name.schema} there, or choose another with --as SCHEMA.NAME (name=)."
        return UsageError(message, resource=label, remedy=remedy)
    remedies = {
        errors.UndefinedObject: f"Create it there first{definition.how_made(words)}.",
        errors.UndefinedFunction: f"A default or a generated column needs it: create it there first{definition.how_made(words)}.",
        errors.InsufficientPrivilege: f"Use a role that may create tables in schema {definition.name.schema}, or choose another with --as.",
        errors.CharacterNotInRepertoire: "The dump has text in no known encoding: load it into a database of encoding SQL_ASCII.",
        errors.UntranslatableCharacter: "The encoding of that database lacks characters of the dump: load it into one of UTF8.",
        errors.ReadOnlySqlTransaction: "That is a standby, or its sessions are read-only: use the primary server.",
    }
    usual = "Write the rows with --sql FILE (sql=) to look at what is refused."
    remedy = next((text for kind, text in remedies.items() if isinstance(error, kind)), usual)
    return RestoreFailed(message, resource=label, remedy=remedy)
