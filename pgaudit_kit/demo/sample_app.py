"""The sample application: a Prisma project whose migrations are run one by one and recorded, and whose tables are filled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgaudit_kit.demo.dice import Dice
from pgaudit_kit.demo.rows import DEFAULT_SEED, TableRows, sample_rows
from pgaudit_kit.errors import OperationError, UsageError
from pgaudit_kit.migration_tools.prisma import TABLE, checksums_of
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.targets import Target, resolve_target

if TYPE_CHECKING:
    from psycopg import Connection

APPLICATION = Path(__file__).with_name("application")
MIGRATIONS = APPLICATION / "prisma" / "migrations"

# Word for word what Prisma creates (prisma-engines, sql-schema-connector, postgres flavour: create_migrations_table).
_LEDGER = b"""
CREATE TABLE "_prisma_migrations" (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)"""
_NUMBERED = ("users", "list_properties", "messages")


def create_sample_app(database: str | Target | Connection[Any], *, seed: int = DEFAULT_SEED, scale: float = 1.0) -> dict[str, int]:
    """Create the sample application in an empty database, all of it or nothing, and return the rows per table.

    *database* is a target, or a psycopg connection that is left open. Its migrations run in order, each is recorded
    in `_prisma_migrations` as `prisma migrate deploy` would, with the SHA-256 of its file; then the rows of
    `rows.sample_rows(seed, scale=scale)` are loaded by COPY and everything is analyzed. Needs PostgreSQL 14.
    Raises UsageError when the database is not empty, OperationError, and the errors of resolve_target and connect.
    """
    from psycopg.sql import SQL, Identifier, Literal

    with writing(database) as connection:
        connection.execute("SET LOCAL search_path = public")
        connection.execute("SET LOCAL intervalstyle = postgres")
        _demand_empty(connection)
        _migrate(connection, seed)
        count = {tables.table: _load(connection, tables) for tables in sample_rows(seed, scale=scale)}
        for table in _NUMBERED:
            query = "SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {}"
            connection.execute(SQL(query).format(Literal(table), Identifier(table)))
        connection.execute("ANALYZE")
    return count | {TABLE: len(checksums_of(MIGRATIONS))}


@contextmanager
def writing(database: str | Target | Connection[Any]) -> Iterator[Connection[Any]]:
    """Give a connection inside one transaction that commits at the end of the block; closed when it was opened here."""
    if not isinstance(database, str | Target):
        with _in_transaction(database):
            yield database
        return
    with closing(connect(resolve_target(database), read_only=False)) as opened, _in_transaction(opened):
        yield opened


@contextmanager
def _in_transaction(connection: Connection[Any]) -> Iterator[None]:
    import psycopg

    try:
        with connection.transaction():
            yield
    except psycopg.Error as error:
        raise OperationError(
            f"the server refused a step, and nothing was changed: {error}",
            resource=f"database {connection.info.dbname}",
            remedy="Use a new database owned by the connecting role, on PostgreSQL 14 or newer.",
        ) from error


def _demand_empty(connection: Connection[Any]) -> None:
    row = connection.execute("SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('public')").fetchone()
    if row is None or row[0]:
        raise UsageError(
            "the sample application goes into an empty database, and this one has tables",
            resource=f"database {connection.info.dbname}",
            remedy="Create a new database for it.",
        )


def _migrate(connection: Connection[Any], seed: int) -> None:
    """Run the migrations in order of their names, and record each; the times come from the names, so that they are always the same."""
    connection.execute(_LEDGER)
    dice = Dice(seed, TABLE)
    for name, checksum in checksums_of(MIGRATIONS).items():
        connection.execute((MIGRATIONS / name / "migration.sql").read_bytes())
        written = datetime.strptime(name[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        started = written + timedelta(hours=1 + dice.below(48), milliseconds=dice.below(1000))
        finished = started + timedelta(milliseconds=8 + dice.below(90))
        connection.execute(
            'INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)'
            " VALUES (%s, %s, %s, %s, %s, 1)",
            (dice.uuid(), checksum, name, started, finished),
        )


def _load(connection: Connection[Any], tables: TableRows) -> int:
    columns = ", ".join(f'"{column}"' for column in tables.columns)
    count = 0
    with connection.cursor().copy(f'COPY "{tables.table}" ({columns}) FROM STDIN'.encode()) as copy:
        for row in tables.rows:
            copy.write_row(row)
            count += 1
    return count
