"""An incident played on the sample application, and the complete record of it: the oracle that a comparison is held against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from pgaudit_kit.demo.dice import Dice
from pgaudit_kit.demo.rows import DEFAULT_SEED
from pgaudit_kit.demo.sample_app import writing
from pgaudit_kit.records.difference import Change, ObjectDifference, RowDifference
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.targets import Target

if TYPE_CHECKING:
    from psycopg import Connection

SCHEMA = "public"
KEY = "id"
"""The primary key of every table of the sample application."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, by table and primary key as text."""

    table: str
    key: str


@dataclass(frozen=True, slots=True)
class RowEdited:
    """One row whose columns changed, those that a trigger changed included, as PostgreSQL prints the values."""

    table: str
    key: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class TableEmptied:
    """A table that lost all its rows."""

    table: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """An index or a foreign key that is gone."""

    table: str
    name: str


@dataclass(frozen=True, slots=True)
class DefaultChanged:
    """A column whose default changed, as pg_get_expr prints it under an empty search_path."""

    table: str
    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SequenceMoved:
    """A sequence that stands elsewhere now: set back, or moved on because added rows took numbers from it."""

    name: str
    why: Literal["rewound", "advanced by the added rows"]
    last_value_before: int
    last_value_after: int
    is_called_before: bool
    is_called_after: bool


@dataclass(frozen=True, slots=True)
class MigrationRemoved:
    """A row that is gone from `_prisma_migrations`."""

    key: str
    name: str


@dataclass(frozen=True)
class Incident:
    """Everything that was changed: every row, every object, every sequence. What is not here did not change."""

    seed: int
    deleted: tuple[Row, ...]
    edited: tuple[RowEdited, ...]
    added: tuple[Row, ...]
    emptied: TableEmptied
    index_dropped: Dropped
    foreign_key_dropped: Dropped
    default_changed: DefaultChanged
    sequences_moved: tuple[SequenceMoved, ...]
    migration_removed: MigrationRemoved

    def rows(self) -> Mapping[TableName, tuple[RowDifference, ...]]:
        """What a comparison of the rows before (left) and after (right) must find, per table, and nothing else."""
        found: dict[TableName, list[RowDifference]] = {}
        for table, difference in self._rows():
            found.setdefault(TableName(SCHEMA, table), []).append(difference)
        return {name: tuple(found[name]) for name in sorted(found)}

    def _rows(self) -> Iterator[tuple[str, RowDifference]]:
        for row in self.deleted:
            yield row.table, RowDifference("only_left", {KEY: row.key})
        for edit in self.edited:
            yield edit.table, RowDifference("changed", {KEY: edit.key}, edit.changes)
        for row in self.added:
            yield row.table, RowDifference("only_right", {KEY: row.key})
        for key in self.emptied.keys:
            yield self.emptied.table, RowDifference("only_left", {KEY: key})
        yield "_prisma_migrations", RowDifference("only_left", {KEY: self.migration_removed.key})

    def objects(self) -> tuple[ObjectDifference, ...]:
        """What a comparison of the objects before (left) and after (right) must find, in inventory order, and nothing else."""
        index, key, default = self.index_dropped, self.foreign_key_dropped, self.default_changed
        found = [
            ObjectDifference(ObjectKey("INDEX", SCHEMA, index.name, index.table), "only_left"),
            ObjectDifference(ObjectKey("FK CONSTRAINT", SCHEMA, key.name, key.table), "only_left"),
            ObjectDifference(
                ObjectKey("TABLE", SCHEMA, default.table),
                "changed",
                (Change(f"column {default.column} default", default.before, default.after),),
            ),
            *(ObjectDifference(ObjectKey("SEQUENCE", SCHEMA, s.name), "changed", _state_changes(s)) for s in self.sequences_moved),
        ]
        return tuple(sorted(found, key=lambda d: d.key.sort_key))

    @property
    def changes(self) -> int:
        """How many rows and objects are not as before."""
        return sum(map(len, self.rows().values())) + len(self.objects())

    def to_dict(self) -> dict[str, Any]:
        """The record as plain data for JSON, field by field."""
        return asdict(self) | {"changes": self.changes}


def _state_changes(moved: SequenceMoved) -> tuple[Change, ...]:
    called = Change("is_called", str(moved.is_called_before).lower(), str(moved.is_called_after).lower())
    value = Change("last_value", str(moved.last_value_before), str(moved.last_value_after))
    return tuple(change for change in (called, value) if change.left != change.right)


def play_incident(database: str | Target | Connection[Any], seed: int = DEFAULT_SEED) -> Incident:
    """Break the sample application in *database* and return what was done; in one transaction, so all of it or nothing.

    The rows that are hit depend on *seed*. Edited rows of list_data_rows fire its trigger, which sets "updatedAt": the
    record has that change too. The messages that are added take numbers from their identity sequence: the record has
    that as well. Nothing that is hit is referred to by a foreign key, so nothing cascades.
    Raises OperationError (then only the identity sequence may have moved: PostgreSQL never gives numbers back), and the errors
    of resolve_target and connect.
    """
    with writing(database) as connection:
        connection.execute("SET LOCAL search_path = ''")
        sequences = _sequences(connection)
        play = _Play(connection, Dice(seed, "incident"))
        edited = tuple(play.edit(table, where, assignment) for table, where, assignment in _EDITS)
        deleted = play.delete("messages", 37) + play.delete("list_data_rows", 12)
        emptied = play.empty("list_properties")
        migration = play.remove_last_migration()
        default = play.change_default("users", "role", "'ADMIN'")
        connection.execute("DROP INDEX public.list_data_rows_data_idx")
        connection.execute("ALTER TABLE public.list_data_rows DROP CONSTRAINT list_data_rows_created_by_fkey")
        connection.execute("ALTER SEQUENCE public.users_id_seq RESTART WITH 1")  # unlike setval it is undone with the transaction
        added = play.add_messages(6) + play.add_list_data_rows(4)
        return Incident(
            seed=seed,
            deleted=deleted,
            edited=edited,
            added=added,
            emptied=emptied,
            index_dropped=Dropped("list_data_rows", "list_data_rows_data_idx"),
            foreign_key_dropped=Dropped("list_data_rows", "list_data_rows_created_by_fkey"),
            default_changed=default,
            sequences_moved=_moved(sequences, _sequences(connection)),
            migration_removed=migration,
        )


# (table, which rows may be hit, what is done to one of them): each is one edit of one row.
_EDITS: tuple[tuple[str, bytes, bytes], ...] = (
    ("users", b"role = 'MEMBER'", b"email = 'someone.else.' || id || '@example.net'"),
    ("users", b"role = 'MEMBER' AND country_code IS NOT NULL", b"role = 'ADMIN', country_code = NULL"),
    ("users", b"settings ? 'theme'", b'settings = settings || \'{"theme": "neon"}\''),
    ("messages", b"subject = ''", b"subject = NULL"),
    ("messages", b"body LIKE E'%\\\\\\\\.%'", b"body = replace(body, E'\\\\.', E'\\\\N')"),
    ("messages", b"sentiment = 'NaN'", b"sentiment = 0"),
    ("messages", b"status = 'DELIVERED'", b"body = body || ' ', status = 'FAILED'"),
    ("messages", b"metadata IS NOT NULL AND json_typeof(metadata) = 'object'", b'metadata = \'{"client" : "overwritten"}\''),
    ("lists", b"NOT is_archived", b"name = 'renamed', is_archived = true"),
    ("list_data_rows", b"data #>> '{contact,phones,0}' IS NOT NULL", b"data = jsonb_set(data, '{contact,phones,0}', '\"+49 30 0\"')"),
    ("list_data_rows", b"amount = 'Infinity'", b"amount = 0"),
    ("list_data_rows", b"cardinality(tags) > 1", b"tags = array_append(tags, NULL)"),
    ("list_data_rows", b"length(attachment) = 256", b"attachment = set_byte(attachment, 128, 0)"),
)


class _Play:
    """The steps of an incident, each returning its record. A row that one step has hit is left alone by the others."""

    def __init__(self, connection: Connection[Any], dice: Dice) -> None:
        self._connection = connection
        self._dice = dice
        self._taken: dict[str, set[str]] = {}

    def delete(self, table: str, count: int) -> tuple[Row, ...]:
        """Delete *count* rows that stand one after the other, but for those already hit."""
        keys = self._keys(table)
        start = self._dice.below(len(keys) - count)
        gone = keys[start : start + count]
        self._take(table, gone)
        self._run(b"DELETE FROM public.%b WHERE id::text = ANY(%%s)" % table.encode(), (gone,))
        return tuple(Row(table, key) for key in gone)

    def edit(self, table: str, where: bytes, assignment: bytes) -> RowEdited:
        """Edit one of the rows that fit."""
        key = self._dice.pick(self._keys(table, where))
        self._take(table, [key])
        before = self._values(table, key)
        self._connection.execute(b"UPDATE public.%b SET %b WHERE id::text = %b" % (table.encode(), assignment, _literal(key)))
        after = self._values(table, key)
        changes = tuple(Change(column, before[column], after[column]) for column in before if before[column] != after[column])
        return RowEdited(table, key, changes)

    def empty(self, table: str) -> TableEmptied:
        """Empty a table that nothing refers to."""
        keys = self._keys(table)
        self._run(f"TRUNCATE public.{table}")
        return TableEmptied(table, tuple(keys))

    def remove_last_migration(self) -> MigrationRemoved:
        """Delete the ledger's row of the migration that was started last."""
        latest = "SELECT id, migration_name FROM public._prisma_migrations ORDER BY started_at DESC LIMIT 1"
        key, name = self._run(latest)[0]
        self._run("DELETE FROM public._prisma_migrations WHERE id = %s", (key,))
        return MigrationRemoved(key, name)

    def change_default(self, table: str, column: str, expression: str) -> DefaultChanged:
        """Give a column another default."""
        before = self._default(table, column)
        self._run(f"ALTER TABLE public.{table} ALTER COLUMN {column} SET DEFAULT {expression}")
        return DefaultChanged(table, column, before, self._default(table, column))

    def add_messages(self, count: int) -> tuple[Row, ...]:
        """Add messages as the application does, numbered by the identity sequence."""
        insert = "INSERT INTO public.messages (user_id, subject, body, sent_at) VALUES (%s, %s, %s, '2026-01-01 09:00:00+00') RETURNING id"
        users = self._dice.sample(self._keys("users"), count)
        return tuple(Row("messages", str(self._run(insert, (int(u), "after the backup", f"written late by {u}"))[0][0])) for u in users)

    def add_list_data_rows(self, count: int) -> tuple[Row, ...]:
        """Add rows whose key the application makes itself."""
        insert = (
            'INSERT INTO public.list_data_rows (id, list_id, data, note, "createdAt", "updatedAt")'
            " VALUES (%s, %s, '{\"title\": \"typed after the backup\"}', %s, '2026-01-01 09:00:00', '2026-01-01 09:00:00')"
        )
        added = []
        for list_id in self._dice.sample(self._keys("lists"), count):
            key = self._dice.uuid()
            self._connection.execute(insert, (key, list_id, "new\tand\\odd"))
            added.append(Row("list_data_rows", key))
        return tuple(added)

    def _keys(self, table: str, where: bytes = b"true") -> list[str]:
        taken = self._taken.get(table, set())
        rows = self._run(b"SELECT t.id::text FROM public.%b AS t WHERE %b ORDER BY t.id" % (table.encode(), where))
        return [key for (key,) in rows if key not in taken]

    def _take(self, table: str, keys: Sequence[str]) -> None:
        self._taken.setdefault(table, set()).update(keys)

    def _values(self, table: str, key: str) -> dict[str, str | None]:
        """The row as the server prints it, untouched by the driver's own types."""
        cursor = self._connection.execute(b"SELECT * FROM public.%b WHERE id::text = %b" % (table.encode(), _literal(key)))
        result, columns = cursor.pgresult, cursor.description or ()
        values = [None if result is None else result.get_value(0, place) for place in range(len(columns))]
        return {c.name: None if v is None else v.decode() for c, v in zip(columns, values, strict=True)}

    def _default(self, table: str, column: str) -> str:
        query = (
            "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
            " WHERE a.attrelid = to_regclass(%s) AND a.attname = %s"
        )
        return str(self._run(query, (f"public.{table}", column))[0][0])

    def _run(self, query: str | bytes, parameters: tuple[object, ...] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement made of our own constants, values apart, and return its rows."""
        cursor = self._connection.execute(query if isinstance(query, bytes) else query.encode(), parameters)
        return cursor.fetchall() if cursor.description else []


def _literal(key: str) -> bytes:
    """Quote a key: digits or a UUID, so there is nothing in it to escape."""
    return f"'{key}'".encode()


def _sequences(connection: Connection[Any]) -> dict[str, tuple[int, bool]]:
    """The state of every sequence of the application: name → last_value, is_called."""
    from psycopg.sql import SQL, Identifier

    names = connection.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1").fetchall()
    found = {}
    for (name,) in names:
        row = connection.execute(SQL("SELECT last_value, is_called FROM {}").format(Identifier(SCHEMA, name))).fetchone()
        found[name] = row or (0, False)
    return found


def _moved(before: Mapping[str, tuple[int, bool]], after: Mapping[str, tuple[int, bool]]) -> tuple[SequenceMoved, ...]:
    return tuple(
        SequenceMoved(
            name,
            "rewound" if after[name][0] < before[name][0] else "advanced by the added rows",
            last_value_before=before[name][0],
            last_value_after=after[name][0],
            is_called_before=before[name][1],
            is_called_after=after[name][1],
        )
        for name in before
        if before[name] != after[name]
    )
