"""A live database as a Source: one READ ONLY, REPEATABLE READ transaction held open, with pg_dump's settings."""

from __future__ import annotations

import weakref
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from pgaudit_kit.display import frames
from pgaudit_kit.errors import QueryFailed, RowsNotAvailable, UsageError
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.server.catalog import Row, query, read_inventory
from pgaudit_kit.server.connection import connect, refused_queries
from pgaudit_kit.server.copy_stream import copy_blocks
from pgaudit_kit.server.targets import Target, resolve_target

if TYPE_CHECKING:
    import psycopg
    import sqlalchemy
    from pandas import DataFrame

_RECORDED_SETTINGS = ("TimeZone", "bytea_output", "lc_monetary", "standard_conforming_strings", "client_encoding")

# setup_connection of pg_dump.c, for this transaction only. What a server does not know (transaction_timeout: 17+,
# restrict_nonsystem_relation_kind: the minors of August 2024) is not set there.
_SETTINGS = {
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "synchronize_seqscans": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "transaction_timeout": "0",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",  # pg_dump keeps what it finds; readers of dumps give text as it would be with this
    "row_security": "off",
    "restrict_nonsystem_relation_kind": "view, foreign-table",
    "jit": "off",  # not pg_dump's: a query of a large catalog would be compiled for longer than it runs
}
_APPLY_SETTINGS = """
    SELECT set_config(wanted.name, wanted.value, true)
    FROM unnest(%s::text[], %s::text[]) AS wanted(name, value)
    WHERE current_setting(wanted.name, true) IS NOT NULL
"""
_OLDEST = 12
_SENT_AT_ONCE = 4
_MAY_READ_ALL = "Use a role that may read all rows: a superuser, or one with pg_read_all_data and BYPASSRLS."


class Snapshot:
    """What a database is at one moment: its objects and rows, whatever others write meanwhile.

    Everything is read in one transaction that cannot write; close the snapshot to end it (or use `with`). Reading rows
    keeps the connection busy: iterate one `row_blocks` to its end, or close it, before asking for anything else.
    Sequences are not part of a snapshot: their state is that of the moment it is read.
    """

    def __init__(self, target: Target, *, snapshot_id: str | None = None) -> None:
        self.target = target
        self._connection = connect(target)
        self._streams: weakref.WeakSet[Generator[bytes]] = weakref.WeakSet()
        self._reading: TableName | None = None
        self._counted: dict[tuple[TableName, tuple[str, ...]], Fingerprint] = {}
        try:
            self._begin(snapshot_id)
        except BaseException:  # Ctrl-C included: no session stays behind
            self._connection.close()
            raise

    def _begin(self, snapshot_id: str | None) -> None:
        import psycopg

        connection = self._connection
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        if snapshot_id is not None:
            remedy = "The session that exported it must still be open, on the same database."
            with refused_queries(self.label, f"taking over snapshot {snapshot_id}", remedy=remedy):
                connection.execute(psycopg.sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot_id))
        with refused_queries(self.label, "taking a snapshot"):
            # first, so that nothing in a schema of the role's own search_path is taken for a function of the server
            connection.execute("SELECT pg_catalog.set_config('search_path', '', true)")
            # such a server stores bytes in whatever encoding and could not convert them, so it is to send them as they are
            raw = connection.info.parameter_status("server_encoding") == "SQL_ASCII"
            settings = {"client_encoding": "SQL_ASCII" if raw else "UTF8", **_SETTINGS}
            connection.execute(_APPLY_SETTINGS, [list(settings), list(settings.values())])
            if raw:
                _keep_any_bytes(connection)
        self._major = connection.info.server_version // 10_000
        if self._major < _OLDEST:
            raise QueryFailed(
                f"the server is PostgreSQL {self._major}, and {_OLDEST} is the oldest that can be read",
                resource=self.label,
                remedy="Compare a dump of it instead.",
            )
        facts = self._ask(query("provenance", self._major))[0]
        self._role: str = facts["role"]
        self._provenance = Provenance(
            format="live",
            database=facts["database"],
            server_version=facts["server_version"],
            encoding=facts["server_encoding"],
            created_at=facts["created_at"],
            settings={name: facts[name] for name in _RECORDED_SETTINGS},
        )

    @property
    def label(self) -> str:
        """The target's: a name for people, without secrets."""
        return self.target.label

    @property
    def provenance(self) -> Provenance:
        """`format` is `live`; `created_at` is when the transaction began; `settings` as the session has them now."""
        return self._provenance

    @cached_property
    def inventory(self) -> Inventory:
        """The objects that pg_dump would dump, read once."""
        self._check_free()
        with self._savepoint("reading the catalog"):
            return read_inventory(self._ask, self._major, ask_each=self._ask_each, ask_unlocked=self._ask_unlocked)

    @cached_property
    def _tables(self) -> dict[TableName, TableData]:
        self._check_free()
        with self._savepoint("listing the tables"):
            return {data.name: data for data in map(self._table_data, self._ask(query("table_data", self._major)))}

    def _table_data(self, row: Row) -> TableData:
        reason = ""
        if not row["schema_usable"]:
            reason = f"role {self._role} may not use its schema"
        elif not row["selectable"]:
            reason = f"role {self._role} may not SELECT from it"
        elif row["hidden_by"] is not None:
            policies = f"policies {row['hidden_by']}" if row["hidden_by"] else "no policy lets any through"
            reason = f"row-level security hides rows of it from role {self._role} ({policies})"
        return TableData(TableName(row["schema"], row["name"]), tuple(row["columns"]), not_readable=reason)

    @property
    def table_data(self) -> Mapping[TableName, TableData]:
        """The ordinary tables, by name; `rows`, `size_bytes` and `fingerprint` are known once `fingerprint()` was asked."""
        return MappingProxyType(self._tables)

    def fingerprint(self, name: TableName, columns: Sequence[str] | None = None) -> Fingerprint:
        """Count and fingerprint of all rows of *name*, read once per choice of *columns*. Raises RowsNotAvailable, QueryFailed."""
        data = self._known(name)
        wanted = data.columns if columns is None else tuple(columns)
        if (name, wanted) not in self._counted:
            sizes: list[int] = []
            blocks = self.row_blocks(name, wanted)
            self._counted[name, wanted] = result = fingerprint_of(_measured(blocks, sizes))
            if wanted == data.columns:
                self._tables[name] = replace(data, rows=result.rows, size_bytes=sum(sizes), fingerprint=result)
        return self._counted[name, wanted]

    def row_blocks(self, name: TableName, columns: Sequence[str] | None = None) -> Iterator[bytes]:
        r"""The rows of *name* as COPY text in UTF-8, in blocks of about 1 MiB that end with \n; rows of child tables are not among them.

        One at a time: while one is neither finished nor closed, everything else on this snapshot raises UsageError.
        Closing it early stops the server's work and leaves the snapshot usable. Raises RowsNotAvailable when this role
        may not read all rows, or for a table or column that is not in `table_data`; QueryFailed when the server stops.
        """
        data = self._known(name)
        if data.not_readable:
            raise RowsNotAvailable(
                f"the rows of {name} cannot be read: {data.not_readable}", resource=self.label, table=str(name), remedy=_MAY_READ_ALL
            )
        statement = _copy_statement(data, data.columns if columns is None else tuple(columns), self.label)
        self._check_free()
        stream = self._blocks(name, statement)
        self._streams.add(stream)
        return stream

    def _blocks(self, name: TableName, statement: bytes) -> Generator[bytes]:
        self._check_free()
        self._reading = name
        try:
            with self._savepoint(f"reading the rows of {name}"):
                yield from copy_blocks(self._connection, statement)
        finally:
            self._reading = None

    def export_id(self) -> str:
        """Export the snapshot (pg_export_snapshot) for other sessions (`pg_dump --snapshot=ID`); valid until this one is closed."""
        self._check_free()
        with refused_queries(self.label, "exporting the snapshot"):  # a savepoint's snapshot cannot be exported
            return str(self._ask("SELECT pg_export_snapshot() AS id")[0]["id"])

    def use_timezone(self, name: str) -> None:
        """Print timestamptz values in zone *name* from now on; what was read under another one is forgotten. Raises QueryFailed."""
        self._use("TimeZone", name)

    def use_bytea_output(self, form: str) -> None:
        """Print bytea values in *form* (`hex`, `escape`) from now on; what was read in another one is forgotten. Raises QueryFailed."""
        self._use("bytea_output", form)

    def _use(self, setting: str, value: str) -> None:
        if value == self._provenance.settings[setting]:
            return
        self._check_free()
        with self._savepoint(f"setting {setting} to {value}", keep=True):
            self._ask("SELECT set_config(%(setting)s, %(value)s, true)", {"setting": setting, "value": value})
        self._provenance = replace(self._provenance, settings={**self._provenance.settings, setting: value})
        self._counted.clear()
        for read_under_another in ("inventory", "_tables"):  # constants in DDL are printed by the session's settings too
            self.__dict__.pop(read_under_another, None)

    def timezone_that_prints(self, values: Iterable[str]) -> str | None:
        """The name of a zone under which the server prints each timestamptz text of *values* back unchanged, None without one.

        The session's own zone goes before UTC, and that before all others.
        """
        self._check_free()
        try:
            with self._savepoint("looking for a time zone"):
                found = self._ask(query("timezone", self._major), {"values": list(values)})
        except QueryFailed:
            return None  # one of them is no timestamp of this server
        return str(found[0]["name"]) if found else None

    @property
    def major(self) -> int:
        """Major version of the server (18)."""
        return self._major

    def ask(self, sql: str) -> list[Row]:
        """Run one query inside the snapshot, return its rows by column name. Raises QueryFailed; UsageError while rows are being read."""
        self._check_free()
        with self._savepoint("reading"):
            return self._ask(sql)

    @property
    def objects(self) -> DataFrame:
        """Frame `objects` (display.frames.SCHEMAS): one row per object."""
        return frames.objects_frame(self.inventory)

    @property
    def columns(self) -> DataFrame:
        """Frame `columns` (display.frames.SCHEMAS): one row per column of a table, foreign table or composite type."""
        return frames.columns_frame(self.inventory)

    @property
    def tables(self) -> DataFrame:
        """Frame `tables` (display.frames.SCHEMAS): one row per table that holds rows; counts appear once fingerprints were asked."""
        return frames.tables_frame(self.table_data.values())

    def close(self) -> None:
        """End the transaction and the connection. Harmless twice."""
        for stream in list(self._streams):
            with suppress(QueryFailed):  # the connection may be gone already, which is what is wanted
                stream.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        state = ", closed" if self._connection.closed else ""
        return f"<Snapshot of {self.label}, PostgreSQL {self._provenance.server_version}, {self._provenance.created_at}{state}>"

    def _known(self, name: TableName) -> TableData:
        data = self._tables.get(name)
        if data is None:
            raise RowsNotAvailable(
                f"{name} is not an ordinary table of this database",
                resource=self.label,
                table=str(name),
                remedy="Name one that `tables` lists.",
            )
        return data

    def _check_free(self) -> None:
        if self._connection.closed:
            raise UsageError("this snapshot is closed", resource=self.label, remedy="Take a new one.")
        if self._reading is not None:
            raise UsageError(
                f"the rows of {self._reading} are still being read",
                resource=self.label,
                remedy="Finish or close that iterator first, or take a second snapshot with snapshot_id=export_id().",
            )

    @contextmanager
    def _savepoint(self, doing: str, *, keep: bool = False) -> Iterator[None]:
        """A failure inside undoes only what is inside: the snapshot stays usable.

        Unless *keep*, a success is rolled back as well, which gives back the locks taken: nobody who wants to alter a
        table has to wait for the snapshot to be closed, and a database of many tables does not fill the lock table.
        """
        with refused_queries(self.label, doing), self._connection.transaction(force_rollback=not keep):
            yield

    def _ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        from psycopg.rows import dict_row

        with self._connection.cursor(row_factory=dict_row) as cursor:
            return list(cursor.execute(sql.encode(), parameters).fetchall())

    def _ask_each(self, queries: Sequence[str]) -> Iterator[list[Row]]:
        """Send *queries* some at a time and ahead: the server works on the next while these rows are read, and is waited for less often."""
        from psycopg import capabilities
        from psycopg.rows import dict_row

        def send(batch: Sequence[str]) -> list[psycopg.Cursor[dict[str, Any]]]:
            return [self._connection.cursor(row_factory=dict_row).execute(sql.encode()) for sql in batch]

        with self._connection.pipeline() if capabilities.has_pipeline() else nullcontext():
            sent: list[psycopg.Cursor[dict[str, Any]]] = []
            for start in range(0, len(queries) + _SENT_AT_ONCE, _SENT_AT_ONCE):
                answers = [list[Row](cursor.fetchall()) for cursor in sent]
                sent = send(queries[start : start + _SENT_AT_ONCE])
                yield from answers

    def _ask_unlocked(self, sql: str) -> list[Row]:
        with self._connection.transaction(force_rollback=True):
            return self._ask(sql)


def snapshot(
    target: str | sqlalchemy.Engine | sqlalchemy.URL | Target, *, snapshot_id: str | None = None, folder: Path | None = None
) -> Snapshot:
    """Take a snapshot of the database that *target* names (forms: `resolve_target`); with *snapshot_id*, the one exported elsewhere.

    Raises TargetError, CannotConnect, QueryFailed.
    """
    return Snapshot(resolve_target(target, folder=folder), snapshot_id=snapshot_id)


def _copy_statement(data: TableData, columns: tuple[str, ...], label: str) -> bytes:
    absent = [c for c in columns if c not in data.columns]
    if absent:
        raise RowsNotAvailable(
            f"{data.name} has no column {absent[0]} that COPY gives",
            resource=label,
            table=str(data.name),
            remedy="Columns that are generated or gone cannot be compared as rows.",
        )
    table = f"{_quoted(data.name.schema)}.{_quoted(data.name.name)}"
    if not columns and data.columns:
        statement = f"COPY (SELECT FROM ONLY {table}) TO STDOUT"
    else:
        statement = f"COPY {table}{' (' + ', '.join(map(_quoted, columns)) + ')' if columns else ''} TO STDOUT"
    return statement.encode("utf-8", "surrogateescape")


def _quoted(name: str) -> str:
    # not psycopg.sql.Identifier: that cannot write a name of a SQL_ASCII server that is not ASCII
    return '"' + name.replace('"', '""') + '"'


def _measured(blocks: Iterable[bytes], sizes: list[int]) -> Iterator[bytes]:
    for block in blocks:
        sizes.append(len(block))
        yield block


def _keep_any_bytes(connection: psycopg.Connection[Any]) -> None:
    """Give names and texts as UTF-8 with surrogates for what is none, as the rows of copy_text.py are decoded."""
    from psycopg.adapt import Loader

    class AnyBytes(Loader):
        def load(self, data: Any) -> str:
            return bytes(data).decode("utf-8", "surrogateescape")

    for type_name in ("text", "name"):
        connection.adapters.register_loader(type_name, AnyBytes)
