"""Some tables of a dump into a new schema of a live database: beside what is there, proven, all of them or none."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pgaudit_kit.audits.sources import open_dump
from pgaudit_kit.difference.rescue_sql import quoted
from pgaudit_kit.difference.sessions import align_sessions
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.errors import BadBackup, DamagedDump, PgAuditError, RestoreFailed, UsageError, hide_secrets
from pgaudit_kit.operations.backups.backup import Backup
from pgaudit_kit.operations.extracts.load_table import fill_table, refused, set_session
from pgaudit_kit.operations.extracts.same_floats import same_but_for_floats
from pgaudit_kit.operations.extracts.table_definition import define_table
from pgaudit_kit.operations.restores.database_names import LONGEST_BYTES
from pgaudit_kit.operations.restores.expected_source import expected_source
from pgaudit_kit.operations.restores.load_errors import Party
from pgaudit_kit.operations.restores.maintenance import named_target
from pgaudit_kit.operations.restores.moved_objects import moved_objects
from pgaudit_kit.operations.restores.restored import Restore
from pgaudit_kit.operations.store.names import TIME_FORMAT
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.manifest import Manifest
from pgaudit_kit.records.objects import ObjectKey
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome
from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.snapshot import Snapshot
from pgaudit_kit.server.targets import Target
from pgaudit_kit.sql.part_of_source import PartOfSource
from pgaudit_kit.sql.typed_table import TypedTable

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import URL, Engine

_RESTORED = frozenset({"TABLE", "CHECK CONSTRAINT", "CONSTRAINT", "FK CONSTRAINT", "INDEX", "SCHEMA"})


@dataclass(frozen=True, repr=False)
class PartialRestore(Restore):
    """A Restore of tables into the new schema `into`: `tables` maps each to its rows there. `notes` say what is not as in the dump."""

    into: str = ""
    tables: tuple[tuple[TableName, int], ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The restore as `--json` prints it."""
        tables = [{"schema": name.schema, "name": name.name, "rows": rows} for name, rows in self.tables]
        return {**super().to_dict(), "into": self.into, "tables": tables, "notes": list(self.notes)}


def restore_part(
    backup: Backup | str | os.PathLike[str] | Dump,
    target: Target | str | Engine | URL,
    *,
    tables: Sequence[str] = (),
    schemas: Sequence[str] = (),
    data_only: bool = False,
    into_schema: str | None = None,
) -> PartialRestore:
    """Restore *tables* and all tables of *schemas* into a new schema of *target*, in one transaction; nothing that is there is touched.

    A bare name of a table is one that only one schema of the dump has. The tables keep their names, with columns, types, NOT NULL,
    identity and defaults but for those of sequences; with their checks, keys and indexes, unless *data_only*. Foreign keys refer to
    tables that are restored with them, or are left out, with a note. A partitioned table comes as one with the rows of its partitions.
    *into_schema*: a name that is free, by default `restored_<UTC time>`. Every table is read back and compared with the dump, and with the
    manifest beside it when there is one, before COMMIT.

    Returns a PartialRestore. Raises UsageError (names, a schema that is there), RowsNotAvailable, RestoreFailed (BadBackup when the rows
    are damaged, or are not those of the manifest), and the errors of read_dump and of connecting; nothing has changed then.
    """
    begun = time.monotonic()
    dump = open_dump(backup.path if isinstance(backup, Backup) else backup)
    resolved = named_target(target)
    into = into_schema or f"restored_{datetime.now(UTC).strftime(TIME_FORMAT).lower()}"
    if len(into.encode("utf-8", "surrogateescape")) > LONGEST_BYTES:
        raise UsageError(f"{into} is longer than the {LONGEST_BYTES} bytes of a name", remedy="Choose a shorter one with --into-schema.")
    moved = {name: TableName(into, name.name) for name in _chosen(dump, tables, schemas)}
    _refuse_two_of_a_name(moved, dump.label)
    part = _Part(dump, resolved, into, moved, data_only=data_only)
    try:
        counted = part.restore()
    except DamagedDump as error:
        raise _bad_backup(f"nothing was changed: {error.message}", error.resource, remedy=error.remedy) from error
    state = f"{resolved.database!r} has the new schema {into} with {many(len(counted), 'table')} of the dump; nothing else was touched."
    sizes = tuple((name, its.rows) for name, its in counted.items())
    notes = tuple(part.notes) + _left_out(dump, moved)
    seconds = time.monotonic() - begun
    return PartialRestore(resolved.database, state, tuple(part.checks), seconds=seconds, into=into, tables=sizes, notes=notes)


def _chosen(dump: Dump, tables: Sequence[str], schemas: Sequence[str]) -> list[TableName]:
    """The tables that are meant, each once. Raises UsageError, RowsNotAvailable."""
    if not tables and not schemas:
        raise UsageError("nothing was chosen", remedy="Name --table or --schema (tables=, schemas=).")
    source = dump.row_source
    known = list(source.members)
    chosen = [source.find(text) for text in tables]
    for schema in schemas:
        of_schema = [name for name in known if name.schema == schema]
        if not of_schema:
            has = ", ".join(sorted({name.schema for name in known})) or "none"
            raise UsageError(f"no table of schema {schema} is in {dump.label}", remedy=f"It has tables of {has}.")
        chosen += of_schema
    below = {name for parent in chosen if _is_partitioned(dump, parent) for name in dump.row_source.members[parent]}
    return [name for name in dict.fromkeys(chosen) if name not in below]


def _is_partitioned(dump: Dump, name: TableName) -> bool:
    item = dump.inventory.by_key.get(ObjectKey("TABLE", name.schema, name.name))
    return bool(item and item.attributes.get("partition_key"))


def _refuse_two_of_a_name(names: Iterable[TableName], label: str) -> None:
    counts = Counter(name.name for name in names)
    twice = sorted(str(name) for name in names if counts[name.name] > 1)
    if twice:
        what = f"{', '.join(twice)} would get the same name in one schema"
        raise UsageError(what, resource=label, remedy="Restore them one after another, each with its own --into-schema.")


def _left_out(dump: Dump, moved: Mapping[TableName, TableName]) -> tuple[str, ...]:
    """What the tables' schemas hold besides, by kind."""
    tables = {(name.schema, name.name) for name in moved}
    around = {name.schema for name in moved}
    kinds = Counter(
        o.key.kind
        for o in dump.inventory.objects
        if o.key.kind not in _RESTORED and (o.key.schema in around if o.key.parent is None else (o.key.schema, o.key.parent) in tables)
    )
    listed = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
    return (f"Of the same schemas or tables, these are not restored: {listed}.",) if listed else ()


class _Part:
    """The restore of some tables; `checks` and `notes` are there when `restore` has returned."""

    def __init__(self, dump: Dump, target: Target, into: str, moved: Mapping[TableName, TableName], *, data_only: bool) -> None:
        self.checks: list[Check] = []
        self.notes: list[str] = []
        self._dump = dump
        self._target = target
        self._into = into
        self._moved = moved
        self._data_only = data_only

    def restore(self) -> dict[TableName, Fingerprint]:
        """Do it, in one transaction; return what each table holds."""
        import psycopg
        from psycopg import errors

        part = PartOfSource(self._dump.row_source, list(self._moved))
        with Snapshot(self._target) as live:
            align_sessions(part, live)
            settings = {setting: live.provenance.settings[setting] for setting in ("TimeZone", "bytea_output")}
        try:
            with connect(self._target, read_only=False) as connection:
                set_session(connection, {**settings, "search_path": ""})
                connection.execute(_encoded(f"CREATE SCHEMA {quoted(self._into)}"))
                counted = {name: self._table(connection, name) for name in self._moved}
                self._prove(counted)
                self._keys(connection)
        except errors.DuplicateSchema:
            what = f"schema {self._into} is there already, and nothing is ever put into one that is there"
            raise UsageError(what, resource=self._target.label, remedy="Choose another name with --into-schema.") from None
        except psycopg.Error as error:
            words = hide_secrets((error.diag.message_primary or str(error)).strip())
            remedy = "With --data-only tables come without checks, keys and indexes."
            if isinstance(error, errors.InsufficientPrivilege):
                remedy = "Use a role that may create schemas there (GRANT CREATE ON DATABASE)."
            raise RestoreFailed(f"nothing was changed: {words}", resource=self._target.label, remedy=remedy) from None
        return counted

    def _table(self, connection: psycopg.Connection[Any], name: TableName) -> Fingerprint:
        import psycopg

        rows = self._rows(name)
        definition = define_table(self._dump.inventory, name, rows.columns, name=self._moved[name], resource=self._dump.label)
        self.notes += [f"{name}: {sentence}" for sentence in definition.left_out]
        counted = Fingerprint()

        def blocks() -> Iterator[bytes]:
            nonlocal counted
            for block in rows.open_rows().blocks:
                counted += fingerprint_of([block])
                yield block

        is_same = same_but_for_floats(self._dump.told.server_version, lambda: rows.open_rows().blocks, definition.types)
        try:
            set_path = "SELECT pg_catalog.set_config('search_path', %s, true)"
            connection.execute(set_path, [definition.search_path])
            fill_table(connection, definition, blocks(), sent=lambda: counted, is_same=is_same, label=self._target.label)
            connection.execute(set_path, [""])
        except psycopg.Error as error:
            raise _named(refused(error, self._target.label, definition), name) from None
        return counted

    def _rows(self, name: TableName) -> TypedTable:
        """Its own rows; those of its partitions when it is partitioned."""
        source = self._dump.row_source
        if _is_partitioned(self._dump, name):
            return source.table(name)
        return TypedTable.of(name, source.inventory, source.label, source.open_rows)

    def _prove(self, counted: Mapping[TableName, Fingerprint]) -> None:
        """Add the checks. Raises RestoreFailed when the manifest says otherwise than the dump."""
        rows = sum(its.rows for its in counted.values())
        read = f"{many(rows, 'row')} of {many(len(counted), 'table')} read back"
        question = "Do the new tables hold the rows of the dump, byte for byte?"
        self.checks.append(Check("restore.part_rows", question, Outcome.PASSED, "the same fingerprints", read, len(counted)))
        manifest = expected_source(self._dump, None) if self._dump.path else None
        if not isinstance(manifest, Manifest):
            return
        recorded = {name: data.fingerprint for name, data in manifest.table_data.items() if name in counted and data.fingerprint}
        comparable = {name: its for name, its in recorded.items() if manifest.table_data[name].columns == self._rows(name).columns}
        wrong = sorted(str(name) for name, its in comparable.items() if its != counted[name])
        if wrong:
            what = f"nothing was changed: the rows of {', '.join(wrong)} are not those that the manifest recorded"
            raise _bad_backup(what, self._dump.label, remedy="Take another backup: pgaudit verify says more.")
        if not comparable:
            self.notes.append("The manifest has no fingerprints of these tables to compare with.")
            return
        question = "Are they the rows that the manifest recorded?"
        found = f"{len(comparable)} of {many(len(counted), 'table')} compared"
        self.checks.append(Check("restore.part_manifest", question, Outcome.PASSED, "the same fingerprints", found, len(comparable)))

    def _keys(self, connection: psycopg.Connection[Any]) -> None:
        if self._data_only:
            return
        statements, left_out = moved_objects(self._dump.inventory, self._moved)
        self.notes += left_out
        for statement in statements:
            connection.execute(_encoded(statement))
        if statements:
            question = "Do checks, keys and indexes of the dump hold for these rows?"
            found = f"{len(statements)} made"
            self.checks.append(Check("restore.part_keys", question, Outcome.PASSED, "all made", found, len(statements)))


def _bad_backup(message: str, resource: str, *, remedy: str) -> BadBackup:
    error = BadBackup(message, resource=resource, remedy=remedy)
    error.party = Party.BACKUP
    return error


def _named(error: PgAuditError, table: TableName) -> PgAuditError:
    error.table = str(table)
    return error


def _encoded(sql: str) -> bytes:
    return sql.encode("utf-8", "surrogateescape")
