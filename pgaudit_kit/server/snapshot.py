"""A live database as a Source: one READ ONLY, REPEATABLE READ transaction held open, with pg_dump's settings."""

from __future__ import annotations

import weakref
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from pgaudit_kit.display import html
from pgaudit_kit.display.source_frames import SourceFrames
from pgaudit_kit.errors import QueryFailed, RowsNotAvailable, UsageError
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.large_objects import LARGE_OBJECT_ROWS, tables_alone
from pgaudit_kit.records.provenance import Provenance
from pgaudit_kit.records.table_data import TableData, TableName
from pgaudit_kit.rows.copy_text import project
from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.server import printing
from pgaudit_kit.server.asking import Asking
from pgaudit_kit.server.catalog import read_inventory
from pgaudit_kit.server.catalog_query import query
from pgaudit_kit.server.catalog_rows import Row
from pgaudit_kit.server.connection import connect, refused_queries
from pgaudit_kit.server.copy_statement import copy_statement
from pgaudit_kit.server.copy_stream import copy_blocks
from pgaudit_kit.server.large_objects import read_large_objects
from pgaudit_kit.server.opening import open_snapshot
from pgaudit_kit.server.session_settings import APPLY_SETTINGS, QUOTES
from pgaudit_kit.server.table_listing import large_objects_in, table_in
from pgaudit_kit.server.targets import Target, resolve_target
from pgaudit_kit.sql.source_table import TablesByName

if TYPE_CHECKING:
    import psycopg
    import sqlalchemy

_PRINTING = ("TimeZone", "bytea_output", "lc_monetary", QUOTES)  # of the settings, what a comparison may have changed
_TID_RANGE_SCANS = 14
_CANCEL_SECONDS = 10
_LARGE_OBJECTS = "large_objects_readable"
_MAY_READ_LARGE_OBJECTS = "Use their owner, a superuser, or lo_compat_privileges = on."
_MAY_READ_ALL = "Use a role that may read all rows: a superuser, or one with pg_read_all_data and BYPASSRLS."


@dataclass(frozen=True, slots=True)
class View:
    """What a session sees, and how it prints that: enough for another one to be the very same, also in another process."""

    target: Target
    snapshot_id: str
    lock_timeout: float | None
    settings: tuple[tuple[str, str], ...]

    def open(self) -> Snapshot:
        """A connection that sees it; close it before the first one. Raises CannotConnect, QueryFailed."""
        other = Snapshot(self.target, snapshot_id=self.snapshot_id, lock_timeout=self.lock_timeout)
        try:
            for setting, value in self.settings:
                other.use_setting(setting, value)
        except BaseException:  # Ctrl-C too: nobody else has this connection yet, so nobody else would close it
            other.close()
            raise
        return other


class Snapshot(TablesByName, SourceFrames):
    """What a database is at one moment: its objects and rows, whatever others write meanwhile.

    Everything is read in one transaction that cannot write; close the snapshot to end it (or use `with`). Reading rows
    keeps the connection busy: iterate one `row_blocks` to its end, or close it, before asking for anything else.
    Sequences are not part of a snapshot: their state is that of the moment it is read.

    *within*: a connection of the caller to *target* whose open transaction is looked at from inside, with what it has not committed yet.
    It can write nothing from then on, is not closed, and sees what others commit, unless its isolation level is another.
    """

    def __init__(
        self,
        target: Target,
        *,
        snapshot_id: str | None = None,
        lock_timeout: float | None = None,
        within: psycopg.Connection[tuple[Any, ...]] | None = None,
    ) -> None:
        self.target = target
        self._lock_timeout = lock_timeout
        self._is_inside = within is not None
        self._connection = connect(target) if within is None else within
        self._session = Asking(self._connection, self.label)
        self._ask, self._savepoint = self._session.ask, self._session.savepoint
        self._streams: weakref.WeakSet[Generator[bytes]] = weakref.WeakSet()
        self._reading: TableName | None = None
        self._counted: dict[tuple[TableName, tuple[str, ...]], Fingerprint] = {}
        self._sizes: dict[TableName, tuple[int, int]] | None = None
        try:
            opened = open_snapshot(
                self._connection,
                self._session,
                self.label,
                snapshot_id=snapshot_id,
                lock_timeout=lock_timeout,
                is_inside=self._is_inside,
            )
        except BaseException:  # Ctrl-C included: no session stays behind
            if not self._is_inside:
                self._connection.close()
            raise
        self._major, self._role, self._provenance = opened.major, opened.role, opened.provenance

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
            return read_inventory(self._ask, self._major, ask_each=self._session.ask_each, ask_unlocked=self._session.ask_unlocked)

    @cached_property
    def _tables(self) -> dict[TableName, TableData]:
        self._check_free()
        with self._savepoint("listing the tables"):
            found = {data.name: data for data in (table_in(row, self._role) for row in self._ask(query("table_data", self._major)))}
        with suppress(QueryFailed), self._savepoint("listing the large objects"):
            # where a host has closed that catalog, the inventory says that they are unread
            listed = (large_objects_in(row, self._role) for row in self._ask(query(_LARGE_OBJECTS, self._major)))
            found |= {data.name: data for data in listed}
        return found

    @cached_property
    def _large_object_rows(self) -> list[bytes]:
        self._check_free()
        with self._savepoint("reading the large objects"):
            return read_large_objects(self._session.fetch).blocks

    @property
    def table_data(self) -> Mapping[TableName, TableData]:
        """The ordinary tables, by name; `rows`, `size_bytes` and `fingerprint` are known once `fingerprint()` was asked.

        The last one are the large objects, when there are any (`records.large_objects`).
        """
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
                self.know(name, result, sum(sizes))
        return self._counted[name, wanted]

    def row_blocks(
        self, name: TableName, columns: Sequence[str] | None = None, *, where: str | None = None, wait: bool = True
    ) -> Iterator[bytes]:
        r"""The rows of *name* as COPY text in UTF-8, in blocks of about 96 KiB that end with \n; rows of child tables are not among them.

        One at a time: while one is neither finished nor closed, everything else on this snapshot raises UsageError.
        Closing it early stops the server's work and leaves the snapshot usable. Raises RowsNotAvailable when this role
        may not read all rows, or for a table or column that is not in `table_data`; QueryFailed when the server stops.
        *where*: only rows for which this expression of SQL, written by us, is true. Without *wait*, an empty block says that
        the server has sent nothing more yet (`socket` tells when to go on).
        """
        data = self._readable(name)
        wanted = data.columns if columns is None else tuple(columns)
        statement = copy_statement(data, wanted, self.label, where)
        if name == LARGE_OBJECT_ROWS:
            return project(self._large_object_rows, data.columns, wanted)
        self._check_free()
        stream = self._blocks(name, statement, wait=wait)
        self._streams.add(stream)
        return stream

    @property
    def socket(self) -> int:
        """File number of the connection, to wait for what the server sends."""
        return self._connection.fileno()

    def _blocks(self, name: TableName, statement: bytes, *, wait: bool) -> Generator[bytes]:
        self._check_free()
        self._reading = name
        try:
            with self._savepoint(f"reading the rows of {name}"):
                if self._provenance.settings[QUOTES] == "on":
                    self._ask(printing.SET, {"name": QUOTES, "value": "on"})
                yield from copy_blocks(self._connection, statement, wait=wait)
        finally:
            self._reading = None

    def export_id(self) -> str:
        """Export the snapshot (pg_export_snapshot) for other sessions (`pg_dump --snapshot=ID`); valid until this one is closed."""
        self._check_free()
        if self._is_inside:
            what = "what a transaction has not committed cannot be seen over another connection"
            raise UsageError(what, resource=self.label, remedy="Commit it first, and take a snapshot then.")
        with refused_queries(self.label, "exporting the snapshot"):  # a savepoint's snapshot cannot be exported
            return str(self._ask("SELECT pg_export_snapshot() AS id")[0]["id"])

    def view(self) -> View:
        """What other sessions need to see the same, with the same settings, while this one is open. Raises QueryFailed, UsageError."""
        settings = tuple((name, self._provenance.settings[name]) for name in _PRINTING)
        return View(self.target, self.export_id(), self._lock_timeout, settings)

    def know(self, name: TableName, fingerprint: Fingerprint, size_bytes: int) -> None:
        """Take what somebody else has counted of all rows of *name*, in this snapshot and under its settings, for its own."""
        data = self._tables[name]
        self._counted[name, data.columns] = fingerprint
        self._tables[name] = replace(data, rows=fingerprint.rows, size_bytes=size_bytes, fingerprint=fingerprint)

    @property
    def _table_sizes(self) -> Mapping[TableName, tuple[int, int]]:
        """Bytes and pages. No cached_property: Python 3.11 has one lock for all instances, and this may wait for that of a table."""
        if self._sizes is None:
            found = self.ask(query("table_size", self._major))
            self._sizes = {TableName(row["schema"], row["name"]): (row["size_bytes"], row["pages"]) for row in found}
        return self._sizes

    @property
    def sizes(self) -> Mapping[TableName, int]:
        """Bytes on disk of each table of `table_data`, to plan by."""
        return {name: size for name, (size, _) in self._table_sizes.items()}

    def page_ranges(self, name: TableName, parts: int) -> list[str]:
        """Conditions that divide the rows of *name* into *parts* parts of as many pages; none where the server cannot read pages apart."""
        pages = self._table_sizes[name][1]
        if self._major < _TID_RANGE_SCANS or pages < parts:
            return []
        begins = [pages * number // parts for number in range(parts)]
        ranges = [f"ctid >= '({begin},0)' AND ctid < '({end},0)'" for begin, end in pairwise(begins)]
        return [*ranges, f"ctid >= '({begins[-1]},0)'"]  # what was appended since then, too, is not of this snapshot

    def use_setting(self, name: str, value: str) -> None:
        """Print values with that setting, one of `provenance.settings`, from now on; what was read with another one is forgotten.

        quote_all_identifiers is for rows only (regclass and its like): objects are always read without needless quotes.
        Raises QueryFailed when the server does not take the value.
        """
        if value == self._provenance.settings[name]:
            return
        self._check_free()
        if name != QUOTES:
            with self._savepoint(f"setting {name} to {value}", keep=True):
                self._ask(printing.SET, {"name": name, "value": value})
        self._provenance = replace(self._provenance, settings={**self._provenance.settings, name: value})
        self._counted.clear()
        for read_under_another in ("inventory", "_tables"):  # constants in DDL are printed by the session's settings too
            self.__dict__.pop(read_under_another, None)

    def timezone_that_prints(self, values: Iterable[str], *, first: str | None = None) -> str | None:
        """The name of a zone under which the server prints each timestamptz text of *values* back unchanged, None without one.

        Zone *first* goes before the session's own, this before UTC, and that before all others.
        """
        self._check_free()
        return printing.timezone_that_prints(self._session, self._major, values, first=first)

    def setting_that_prints(
        self,
        name: str,
        candidates: Iterable[str],
        values: Mapping[tuple[TableName, str], list[str]],
        types: Mapping[tuple[TableName, str], str],
    ) -> str | None:
        """The first of *candidates* with which the server prints *values*, by table and column, back unchanged; None when none does.

        *types*: of columns that it does not have.
        """
        self._check_free()
        return printing.setting_that_prints(self._session, self._major, name, candidates, values=values, types=types)

    def monetary_locales(self) -> list[str]:
        """Names of locales that the server may have: the session's own lc_monetary, C, and those of its collations."""
        return [row["name"] for row in self.ask(query("monetary_locale", self._major))]

    @property
    def major(self) -> int:
        """Major version of the server (18)."""
        return self._major

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """Run one query inside the snapshot, return its rows by column name. Raises QueryFailed; UsageError while rows are being read."""
        self._check_free()
        with self._savepoint("reading"):
            return self._ask(sql, parameters)

    def ask_rows(self, name: TableName, sql: str, *, settings: Mapping[str, str]) -> list[Row]:
        """As `ask`, of the rows of table *name*, under *settings*. Raises RowsNotAvailable as `row_blocks` does."""
        self._readable(name)
        self._check_free()
        with self._savepoint(f"reading the rows of {name}"):
            self._connection.execute(APPLY_SETTINGS, [list(settings), list(settings.values())])
            return self._ask(sql)

    @property
    def is_pooled(self) -> bool:
        """Whether a pooler stands between: the backend that answers is not the one that the connection was told of."""
        return bool(self._connection.info.backend_pid != self.ask("SELECT pg_backend_pid() AS pid")[0]["pid"])

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be asked any more: it was closed, or the connection is lost."""
        return bool(self._connection.closed)

    def cancel(self) -> None:
        """Stop what another thread is waiting for."""
        self._connection.cancel_safe(timeout=_CANCEL_SECONDS)

    def close(self) -> None:
        """End the transaction and the connection. Harmless twice."""
        for stream in list(self._streams):
            with suppress(QueryFailed):  # the connection may be gone already, which is what is wanted
                stream.close()
        if not self._is_inside:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _repr_html_(self) -> str:
        """For a notebook: where and when, and its tables. Reads no rows."""
        facts = {
            "database": self.label,
            "server": self._provenance.server_version,
            "seen as of": self._provenance.created_at,
            "connection": "closed" if self.is_closed else "one READ ONLY transaction, until .close()",
        }
        if self.is_closed:
            return html.fragment(html.summary(facts))
        rows = [(data.name.schema, data.name.name, len(data.columns)) for data in tables_alone(self.table_data)]
        return html.fragment(html.summary(facts), html.table(["schema", "name", "columns"], rows, caption="Tables"))

    def __repr__(self) -> str:
        state = ", closed" if self.is_closed else ""
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

    def _readable(self, name: TableName) -> TableData:
        data = self._known(name)
        if data.not_readable:
            remedy = _MAY_READ_LARGE_OBJECTS if name == LARGE_OBJECT_ROWS else _MAY_READ_ALL
            raise RowsNotAvailable(
                f"the rows of {name} cannot be read: {data.not_readable}", resource=self.label, table=str(name), remedy=remedy
            )
        return data

    def _check_free(self) -> None:
        if self.is_closed:
            raise UsageError("this snapshot is closed", resource=self.label, remedy="Take a new one.")
        if self._reading is not None:
            raise UsageError(
                f"the rows of {self._reading} are still being read",
                resource=self.label,
                remedy="Finish or close that iterator first, or take a second snapshot with snapshot_id=export_id().",
            )


def snapshot(
    target: str | sqlalchemy.Engine | sqlalchemy.URL | Target,
    *,
    snapshot_id: str | None = None,
    folder: Path | None = None,
    lock_timeout: float | None = None,
) -> Snapshot:
    """Take a snapshot of the database that *target* names (forms: `resolve_target`); with *snapshot_id*, the one exported elsewhere.

    *lock_timeout*: how many seconds a query waits for a table that somebody else has locked; None: for ever.
    Raises TargetError, CannotConnect, QueryFailed.
    """
    return Snapshot(resolve_target(target, folder=folder), snapshot_id=snapshot_id, lock_timeout=lock_timeout)


def _measured(blocks: Iterable[bytes], sizes: list[int]) -> Iterator[bytes]:
    for block in blocks:
        sizes.append(len(block))
        yield block
